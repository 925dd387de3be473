"""What finished peers made of a stream, kept, so that nobody waits for it twice.

A peer's results depend on the stream, the plan, the seed and the release alone; each has a file
that is named after all of them, and is written whole or not at all.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

from penchant.domain.errors import ConfigError
from penchant.evaluation.fingerprint import fingerprint
from penchant.evaluation.replay import ReplayResult
from penchant.evaluation.targets import ReplayConfig
from penchant.logs.stream import Stream


class ResultCache:
    """A directory of results of one stream, plan and seed; safe to share with others'."""

    def __init__(self, directory: Path, stream: Stream, plan: ReplayConfig, seed: int) -> None:
        """Opens or makes the directory; ConfigError where that is not possible."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"keep: {directory}: {error.strerror}") from error
        told = [fingerprint(stream), dataclasses.asdict(plan), seed, version("penchant")]
        self._directory = directory
        self._digest = hashlib.blake2b(json.dumps(told).encode(), digest_size=8).hexdigest()

    def read(self, name: str) -> ReplayResult | None:
        """What a recommender of this name made of them, if that was kept."""
        try:
            with self._path(name).open("rb") as file, np.load(file) as arrays:
                return ReplayResult(
                    name,
                    arrays["rank"],
                    arrays["top"],
                    arrays["rank_s"],
                    arrays["learn_s"],
                    list(zip(arrays["fit_at"].tolist(), arrays["fit_s"].tolist(), strict=True)),
                )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
            raise ConfigError(
                f"keep: {self._path(name)} can't be read ({error}); remove it"
            ) from error

    def write(self, results: ReplayResult) -> None:
        """Keeps what a recommender made of them."""
        path = self._path(results.name)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        with partial.open("wb") as file:
            np.savez(
                file,
                rank=results.rank,
                top=results.top,
                rank_s=results.rank_s,
                learn_s=results.learn_s,
                fit_at=np.array([position for position, _ in results.fit_s], np.int64),
                fit_s=np.array([seconds for _, seconds in results.fit_s]),
            )
        partial.replace(path)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}-{self._digest}.npz"
