"""Where the figures of an evaluation come from: command, log, encoder, settings and refresh."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from penchant.config import Config, setting_names, text_of, with_asked
from penchant.encoder.bundle import read_bundle
from penchant.evaluation.evaluate import EvaluationRequest
from penchant.evaluation.fingerprint import fingerprint
from penchant.evaluation.model_settings import ModelSettings
from penchant.evaluation.replay_log import judged_by
from penchant.logs.log_source import LogSource
from penchant.logs.stream import Stream

_NOT_RANKING = frozenset({"store", "encoder", "catalog_dir", "releases_dir", "store_map_bytes"})


@dataclass(frozen=True, slots=True)
class EvaluationOrigin:
    """What made the figures, as text; each part can be given to the command again."""

    made_at: str
    """Time in UTC, ISO 8601."""
    penchant: str
    """Version of Penchant."""
    command: str
    """The whole command; empty if a program made the evaluation."""
    log: str
    """Files, store or data set."""
    log_digest: str
    """Digest of the events and items that were read."""
    encoder: str
    """Directory of the encoder."""
    encoder_version: str
    """Version of the encoder; empty if it was trained during the replay."""
    settings: dict[str, str]
    """Settings that are not at their defaults, by name."""
    refresh: dict[str, float] | None
    """Settings of the refresh; None without one."""
    hits: str
    """The term that defines a hit."""

    def sentences(self) -> list[str]:
        """The origin in words."""
        by = f"`{self.command}`" if self.command else "a program"
        settings = ", ".join(f"{name} {text}" for name, text in self.settings.items())
        encoder = f"The encoder is that of {self.encoder}, version {self.encoder_version}."
        if not self.encoder_version:
            encoder = "The encoder was trained during the replay."
        refresh = "Item vectors are those of the texts: nothing was refreshed."
        if self.refresh is not None:
            numbers = ", ".join(f"{name} {one:g}" for name, one in self.refresh.items())
            refresh = f"Item vectors were refreshed at each fit, with {numbers}."
        return [
            f"Made on {self.made_at} by Penchant {self.penchant}, with {by}.",
            f"The log is that of {self.log} (digest {self.log_digest}); a hit is {self.hits}.",
            encoder,
            f"Settings that are not at their defaults: {settings or 'none'}.",
            refresh,
        ]


def origin_of(request: EvaluationRequest, stream: Stream, command: str = "") -> EvaluationOrigin:
    """The origin of an evaluation of a request on a stream.

    Args:
        request: the request.
        stream: the log as it was read.
        command: the whole command, if there was one.

    Raises:
        ConfigError: a setting or the encoder can't be read any more.
    """
    config = with_asked(request.model.config(request.log.source.store), request.objective)
    trained = request.slow_clock is not None
    return EvaluationOrigin(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        penchant=version("penchant"),
        command=command,
        log=_name_of(request.log.source),
        log_digest=fingerprint(stream),
        encoder=str(config.encoder),
        encoder_version="" if trained else read_bundle(config.encoder).version,
        settings=_changed(config),
        refresh=dataclasses.asdict(request.refresh_settings) if request.refresh else None,
        hits=judged_by(
            stream, config, request.log.relevant, request.log.source.default_relevance
        ).hits,
    )


def _changed(config: Config) -> dict[str, str]:
    plain = ModelSettings().config()
    names = (name for name in setting_names() if name not in _NOT_RANKING)
    texts = {name: text_of(config, name) for name in names}
    return {name: text for name, text in texts.items() if text != text_of(plain, name)}


def _name_of(source: LogSource) -> str:
    if source.shipped_log:
        return source.shipped_log.shipped
    if source.store:
        return source.store
    return source.dataset or f"{source.items} and {source.events}"
