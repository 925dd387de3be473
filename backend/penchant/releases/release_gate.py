"""A release against what is served now, on the log of the server that it is meant for."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.settings import FoldSettings
from penchant.domain.types import CatalogHead, Published
from penchant.encoder.base import Encoder
from penchant.evaluation.gates.judge import ALL
from penchant.evaluation.gates.probe_file import read_probes, write_probes
from penchant.evaluation.gates.probes import ProbeSet, freeze_probes
from penchant.evaluation.gates.side import Side
from penchant.evaluation.gates.validation import Validation
from penchant.evaluation.gates.verdict import Verdict
from penchant.logs.stream import Stream
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.releases.manifest import encoder_directory

PROBES = "probes.parquet"
GATE = "gate.json"


@dataclass(frozen=True, slots=True)
class Served:
    """What answers requests now."""

    head: CatalogHead
    log: Sequence[Published]

    @property
    def refresh(self) -> RefreshSettings:
        """How its item vectors were fitted."""
        return (
            RefreshSettings(**json.loads(self.log[-1].refresh)) if self.log else RefreshSettings()
        )

    def encoder(self, releases: Path, configured: Path, load: Callable[[Path], Encoder]) -> Encoder:
        """The encoder that the catalog is encoded by.

        Raises:
            ConfigError: it is neither its release's nor the configured one.
        """
        released = releases / self.head.release
        directory = encoder_directory(released) if self.head.release else configured
        encoder = load(directory)
        if self.head.rows and encoder.version != self.head.encoder_version:
            raise ConfigError(
                f"baseline: the catalog is encoded by {self.head.encoder_version}, but "
                f"{directory} holds {encoder.version}; name the server's encoder with --configured"
            )
        return encoder

    def side(self, encoder: Encoder, config: Config) -> Side:
        """As the gates compare it."""
        weights = self.head.score_weights
        return Side(encoder, with_weights(config, weights), self.refresh)


def with_weights(config: Config, weights: str) -> Config:
    """The server's settings with a release's score weights, a JSON object, in place of its own."""
    return dataclasses.replace(config, fold=config.fold.with_score_weights(weights))


def weights_of(given: Mapping[str, str]) -> dict[str, Any]:
    """Score weights by name from their text; ConfigError where one is none, or does not fit.

    >>> weights_of({"fast_weight": "5.5", "updater": "ridge"})
    {'fast_weight': 5.5, 'updater': 'ridge'}
    """
    kinds = {name: type(value) for name, value in dataclasses.asdict(FoldSettings()).items()}
    weights: dict[str, Any] = {}
    for name, text in given.items():
        if name not in kinds:
            known = ", ".join(sorted(kinds))
            raise ConfigError(f"--weight: got {name}, expected one of: {known}")
        try:
            weights[name] = kinds[name](text)
        except ValueError:
            kind = kinds[name].__name__
            raise ConfigError(f"--weight: {name}: got {text!r}, expected {kind}") from None
    FoldSettings(**weights)
    return weights


def earlier_probes(log: Sequence[Published], releases: Path) -> list[ProbeSet]:
    """The probe sets that the releases froze that were served, the oldest first."""
    served = dict.fromkeys(entry.release for entry in log if entry.release)
    paths = [releases / release / PROBES for release in served]
    return [read_probes(path) for path in paths if path.is_file()]


def frozen_now(stream: Stream, config: Config, validation: Validation) -> bytes:
    """The probe set of the validation part, for the gates of later releases."""
    count = len(stream.events)
    part = range(int((1 - validation.fraction) * count), count)
    probes = freeze_probes(
        stream,
        part,
        signals=config.signals,
        window_events=config.fold.window_events,
        candidates=validation.candidates,
    )
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / PROBES
        write_probes(path, probes)
        return path.read_bytes()


def metrics_of(verdict: Verdict) -> dict[str, float]:
    """What the candidate reached on all rankings of the validation part, by metric."""
    whole = [one for one in verdict.findings if one.gate == "validation" and one.cohort == ALL]
    return {one.metric: one.candidate for one in whole}
