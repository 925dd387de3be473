"""The encoders of a machine: the configured one, and those in the folders of its releases.

<releases>/<release id>/release.json    names the version of the encoder
<releases>/<release id>/encoder/        a directory as `penchant export` writes it
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
"""What a release is, in its folder."""
ENCODER = "encoder"
"""A release's encoder, in its folder."""
LOADED = 3
"""Encoders of releases that stay in memory: before, after, and one on rollout."""


def _load_onnx(directory: Path) -> Encoder:
    # Only here: a server whose encoder is no ONNX graph does without ONNX Runtime.
    from penchant.encoder.onnx import OnnxEncoder

    return OnnxEncoder.load(directory, threads=1)


class EncoderLibrary:
    """Loads encoders by version when they are first asked for; safe in threads. See `Encoders`."""

    def __init__(
        self,
        default: Encoder,
        releases: Path | None = None,
        load: Callable[[Path], Encoder] = _load_onnx,
    ) -> None:
        """Begins with the configured encoder alone.

        Args:
            default: the configured one; never let go.
            releases: folder of the releases' folders; None: there are none.
            load: from an encoder's directory to the encoder; may raise ConfigError.
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
            f"encoder: {version} is asked for, but the configured one is {self._default.version} "
            f"and no release here has it{problem}; publish a release that has it, or put the items "
            "again to encode them anew"
        )

    def _directories(self, version: str) -> Iterator[Path]:
        if self._releases is None:
            return
        for manifest in sorted(self._releases.glob(f"*/{MANIFEST}")):
            try:
                named = json.loads(manifest.read_text(encoding="utf-8"))["encoder_version"]
            except (OSError, ValueError, KeyError, TypeError):
                continue  # What is no release is nobody's encoder.
            if named == version:
                yield manifest.parent / ENCODER
