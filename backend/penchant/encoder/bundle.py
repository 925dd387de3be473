"""An encoder's directory: its files, their checks, and the encoder's version.

encoder.onnx      input_ids, attention_mask (batch, tokens) int64 -> embedding (batch, d) float32
tokenizer.json    for the `tokenizers` package
encoder.json      the settings below, and the SHA-256 of the other two files
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from penchant.domain.errors import ConfigError

FORMAT = 1
"""Version of the layout; raised when an older release could misread the directory."""
GRAPH = "encoder.onnx"
TOKENIZER = "tokenizer.json"
MANIFEST = "encoder.json"
INPUTS = ("input_ids", "attention_mask")
"""Names of the graph's inputs."""
OUTPUT = "embedding"
"""Name of the graph's output."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How an encoder turns a text into a vector."""

    dimensions: int
    """Length d of a vector, at least 1."""
    max_tokens: int
    """Token limit of a text, special tokens included; longer texts are cut. At least 1."""
    pad_id: int
    """Token that pads short texts; masked, so no vector depends on it."""
    prefix: str
    """Prepended to every text."""
    pooling: str
    """How token vectors became one vector: mean, cls, max or lasttoken; part of the graph."""
    projection: str
    """How vectors were reduced to d dimensions: truncate or pca; part of the graph."""
    source: str
    """Name of the exported model, for people; not part of the version."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """An encoder's directory whose files match its encoder.json."""

    directory: Path
    settings: EncoderSettings
    version: str
    """16 hex digits over the files and the settings, except the source's name."""

    @property
    def graph(self) -> Path:
        """Path of the ONNX graph."""
        return self.directory / GRAPH

    @property
    def tokenizer(self) -> Path:
        """Path of the tokenizer."""
        return self.directory / TOKENIZER


def write_bundle(directory: Path, settings: EncoderSettings) -> Bundle:
    """Writes encoder.json beside the graph and the tokenizer already in the directory."""
    hashes = {name: sha256_of(directory / name) for name in (GRAPH, TOKENIZER)}
    manifest = {"format": FORMAT, **asdict(settings), "sha256": hashes}
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (directory / MANIFEST).write_text(text, encoding="utf-8")
    return Bundle(directory, settings, version_of(settings, hashes))


def read_bundle(directory: Path) -> Bundle:
    """Reads and checks an encoder's directory.

    Raises:
        ConfigError: the directory or a file is missing, encoder.json is unreadable or of another
            format, or a file differs from the exported one.
    """
    path = directory / MANIFEST
    settings, hashes = _parse(path, _read(path))
    for name in (GRAPH, TOKENIZER):
        if not (directory / name).is_file():
            raise ConfigError(f"encoder: {directory / name} is missing; export the encoder again")
        if sha256_of(directory / name) != hashes.get(name):
            raise ConfigError(
                f"encoder: {directory / name} is not the file that encoder.json names "
                "(its SHA-256 differs); export the encoder again"
            )
    return Bundle(directory, settings, version_of(settings, hashes))


def check_encoder(directory: Path) -> None:
    """Checks that a directory is an exported encoder, without reading its large files.

    Raises:
        ConfigError: the directory or a file is missing, or encoder.json can't be read.
    """
    _parse(directory / MANIFEST, _read(directory / MANIFEST))
    for name in (GRAPH, TOKENIZER):
        if not (directory / name).is_file():
            raise ConfigError(f"encoder: {directory / name} is missing; export the encoder again")


def version_of(settings: EncoderSettings, hashes: Mapping[str, str]) -> str:
    """The version of an encoder with these settings and file hashes, 16 hex digits.

    >>> some = EncoderSettings(64, 128, 0, "", "mean", "truncate", "minilm")
    >>> version_of(some, {"encoder.onnx": "aa", "tokenizer.json": "bb"})
    'cd44cc3fb7fc0e3a'
    """
    content = {"format": FORMAT, **asdict(settings), "sha256": dict(hashes)}
    del content["source"]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _read(path: Path) -> object:
    if not path.parent.is_dir():
        raise ConfigError(
            f"encoder: {path.parent} is not a directory; make one with `penchant export`"
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"encoder: {path} is missing; `penchant export` makes such a directory"
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"encoder: {path} can't be read: {error}") from None


def _parse(path: Path, manifest: object) -> tuple[EncoderSettings, dict[str, str]]:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        got = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise ConfigError(f"encoder: {path}: format: got {got!r}, expected {FORMAT}")
    fields = {name: value for name, value in manifest.items() if name not in ("format", "sha256")}
    for name, kind in EncoderSettings.__annotations__.items():
        value = fields.get(name)
        if type(value).__name__ != kind:
            raise ConfigError(f"encoder: {path}: {name}: got {value!r}, expected {kind}")
    for name in ("dimensions", "max_tokens"):
        if fields[name] < 1:
            raise ConfigError(f"encoder: {path}: {name}: got {fields[name]}, expected at least 1")
    unknown = sorted(fields.keys() - EncoderSettings.__annotations__.keys())
    if unknown:
        raise ConfigError(f"encoder: {path}: {unknown[0]}: unknown setting")
    hashes = manifest.get("sha256")
    if not isinstance(hashes, dict):
        raise ConfigError(f"encoder: {path}: sha256: got {hashes!r}, expected an object")
    settings = EncoderSettings(**fields)
    return settings, {str(name): str(value) for name, value in hashes.items()}


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
