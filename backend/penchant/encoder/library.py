"""The encoders on a machine: the configured one, and one in the folder of each release.

<releases>/<release id>/release.json    names the encoder's version
<releases>/<release id>/encoder/        a directory written by `penchant export`
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

from penchant.domain.errors import ConfigError, EncoderUnavailable
from penchant.encoder.base import Encoder

MANIFEST = "release.json"
"""File in a release's folder that describes the release."""
ENCODER = "encoder"
"""Directory in a release's folder that holds its encoder."""
LOADED = 3
"""Release encoders kept in memory: the previous, the current, and one being rolled out."""


def load_onnx(directory: Path) -> Encoder:
    """Loads an encoder on ONNX Runtime, with one thread.

    Raises:
        ConfigError: the directory is not one that `penchant export` wrote.
    """
    # Only here: a server whose encoder is no ONNX graph does without ONNX Runtime.
    from penchant.encoder.onnx import OnnxEncoder

    return OnnxEncoder.load(directory, threads=1)


class EncoderLibrary:
    """Encoders by version, each loaded on first use; thread-safe. See `Encoders`."""

    def __init__(
        self,
        default: Encoder,
        releases: Path | None = None,
        load: Callable[[Path], Encoder] = load_onnx,
    ) -> None:
        """Starts with only the configured encoder in memory.

        Args:
            default: the configured encoder; stays in memory.
            releases: directory that holds the releases' folders; None: no releases.
            load: loads an encoder from its directory; may raise ConfigError.
        """
        self._default = default
        self._releases = releases
        self._load = load
        self._lock = threading.Lock()
        self._loaded: OrderedDict[str, Encoder] = OrderedDict()

    @property
    def default(self) -> Encoder:
        """See `Encoders.default`."""
        return self._default

    def of(self, version: str, dimensions: int = 0) -> Encoder:
        """See `Encoders.of`; the first call for a release loads its encoder, in about a second."""
        if version == self._default.version:
            return self._default
        with self._lock:
            encoder = self._loaded.get(version)
            if encoder is None:
                encoder = self._loaded[version] = self._find(version)
            self._loaded.move_to_end(version)
            while len(self._loaded) > LOADED:
                self._loaded.popitem(last=False)
            return encoder

    def _find(self, version: str) -> Encoder:
        problem = ""
        for directory in self._directories(version):
            try:
                encoder = self._load(directory)
            except ConfigError as error:
                problem = f" ({error})"
                continue
            if encoder.version == version:
                return encoder
        raise EncoderUnavailable(
            f"encoder: {version} is needed, but the configured one is {self._default.version} and "
            f"no release here has it{problem}; publish a release that has it, or put the items "
            "again to encode them anew"
        )

    def _directories(self, version: str) -> Iterator[Path]:
        if self._releases is None:
            return
        for manifest in sorted(self._releases.glob(f"*/{MANIFEST}")):
            try:
                named = json.loads(manifest.read_text(encoding="utf-8"))["encoder_version"]
            except (OSError, ValueError, KeyError, TypeError):
                continue  # Not a release.
            if named == version:
                yield manifest.parent / ENCODER
