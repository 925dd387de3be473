"""Cached results of baselines, so that a finished one is never replayed twice.

A baseline's results depend on the stream, the replay configuration, the seed and the release alone.
Each is kept in a file named after all of them, written whole or not at all.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

from penchant.domain.errors import ConfigError
from penchant.evaluation.fingerprint import fingerprint
from penchant.evaluation.replay import ReplayResult
from penchant.evaluation.targets import ReplayConfig
from penchant.logs.stream import Stream
from penchant.system.durable_file import whole_file


class ResultCache:
    """Results for one stream, replay configuration and seed; the directory may be shared."""

    def __init__(
        self, directory: Path, stream: Stream, replay_config: ReplayConfig, seed: int
    ) -> None:
        """Opens or creates the directory.

        Raises:
            ConfigError: it can't be created.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"keep: {directory}: {error.strerror}") from error
        key = [fingerprint(stream), dataclasses.asdict(replay_config), seed, version("penchant")]
        self._directory = directory
        self._digest = hashlib.blake2b(json.dumps(key).encode(), digest_size=8).hexdigest()

    def read(self, name: str) -> ReplayResult | None:
        """The cached result of a recommender; None if there is none.

        Raises:
            ConfigError: the file is damaged.
        """
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

    def write(self, result: ReplayResult) -> None:
        """Caches the result of a recommender under its name."""
        content = io.BytesIO()  # On a full disk, an archive that is not closed complains later.
        np.savez(
            content,
            rank=result.rank,
            top=result.top,
            rank_s=result.rank_s,
            learn_s=result.learn_s,
            fit_at=np.array([position for position, _ in result.fit_s], np.int64),
            fit_s=np.array([seconds for _, seconds in result.fit_s]),
        )
        with whole_file(self._path(result.name)) as file:
            file.write(content.getbuffer())

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}-{self._digest}.npz"
