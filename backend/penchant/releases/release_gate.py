"""Judges a release beside the served one, on the log of the server that it is meant for."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penchant.config import Config, with_score_weights
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
from penchant.releases.loaded_release import LoadEncoder
from penchant.releases.manifest import encoder_directory

PROBES = "probes.parquet"
"""File of a release that holds the probes frozen from its log."""
GATE = "gate.json"
"""File of a release that holds its verdict."""


@dataclass(frozen=True, slots=True)
class ServedRelease:
    """The release that answers requests now, or the configured encoder before any release."""

    head: CatalogHead
    log: Sequence[Published]
    """Entries of the log of releases that changed the served release, oldest first."""

    @property
    def refresh(self) -> RefreshSettings:
        """The settings by which its item vectors were fitted."""
        if not self.log:
            return RefreshSettings()
        return RefreshSettings(**json.loads(self.log[-1].refresh))

    def encoder(self, releases: Path, configured: Path, load: LoadEncoder) -> Encoder:
        """Loads the encoder of the catalog.

        Args:
            releases: directory that holds one folder per release.
            configured: directory of the configured encoder.
            load: loads an encoder.

        Raises:
            ConfigError: the catalog is encoded by neither the release's encoder nor the configured
                one.
        """
        released = releases / self.head.release
        directory = encoder_directory(released) if self.head.release else configured
        encoder = load(directory)
        if self.head.rows and encoder.version != self.head.encoder_version:
            raise ConfigError(
                f"baseline: the catalog is encoded by {self.head.encoder_version}, but "
                f"{directory} holds {encoder.version}; name the server's encoder with --encoder"
            )
        return encoder

    def side(self, encoder: Encoder, config: Config) -> Side:
        """The baseline of a comparison by the gates."""
        weights = self.head.score_weights
        return Side(encoder, with_score_weights(config, weights), self.refresh)


def parse_weights(given: Mapping[str, str]) -> dict[str, Any]:
    """Converts score weights from text, by name.

    Raises:
        ConfigError: a name is no setting of the fold, or its value does not fit.

    >>> parse_weights({"fast_weight": "5.5", "updater": "ridge"})
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
    """Reads the probe sets of the releases that were served, oldest first."""
    served = dict.fromkeys(entry.release for entry in log if entry.release)
    paths = [releases / release / PROBES for release in served]
    return [read_probes(path) for path in paths if path.is_file()]


def freeze_validation_part(stream: Stream, config: Config, validation: Validation) -> bytes:
    """Freezes the validation part as a probe set, for the gates of later releases.

    Returns:
        The content of a file of probes.
    """
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
    """The candidate's figures over all rankings of the validation part, by metric."""
    whole = [one for one in verdict.findings if one.gate == "validation" and one.cohort == ALL]
    return {one.metric: one.candidate for one in whole}
