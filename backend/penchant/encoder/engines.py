"""Compiled engines beside an encoder's graph, and the hardware each one runs on.

    engines/<name>.engine    the engine, as TensorRT built it
    engines/<name>.json      the note below

An engine belongs to one graph; an engine whose note names another graph is ignored.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from penchant.domain.errors import ConfigError

ENGINES = "engines"


@dataclass(frozen=True, slots=True)
class Profile:
    """The largest input of one optimization profile, and the input it is tuned for."""

    most_texts: int
    best_texts: int
    most_tokens: int
    best_tokens: int


@dataclass(frozen=True, slots=True)
class EngineNote:
    """The origin of an engine, and the hardware it runs on."""

    name: str
    runtime: str
    """`tensorrt` or `tensorrt-rtx`."""
    runtime_version: str
    compute_capabilities: tuple[str, ...]
    """GPUs the engine runs on, such as `8.9`; empty: the GPU it was built on."""
    precision: str
    """fp32, fp16, or graph: the graph's own types."""
    profiles: tuple[Profile, ...]
    """Shortest texts first."""
    graph_sha256: str
    engine_sha256: str
    size_bytes: int
    refittable: bool = False
    """Whether weights can be replaced without a new build."""

    def path(self, directory: Path) -> Path:
        """Path of the engine in an encoder's directory."""
        return directory / ENGINES / f"{self.name}.engine"


def write_note(directory: Path, note: EngineNote) -> None:
    """Writes the note beside its engine."""
    text = json.dumps(asdict(note), indent=2) + "\n"
    note.path(directory).with_suffix(".json").write_text(text, encoding="utf-8")


def read_notes(directory: Path) -> list[EngineNote]:
    """The notes of all engines in an encoder's directory, sorted by name.

    Raises:
        ConfigError: a note can't be read.
    """
    return [_read(path) for path in sorted((directory / ENGINES).glob("*.json"))]


def _read(path: Path) -> EngineNote:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["profiles"] = tuple(Profile(**profile) for profile in content["profiles"])
        content["compute_capabilities"] = tuple(content["compute_capabilities"])
        return EngineNote(**content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"encoder: {path} can't be read: {error}; compile again") from error
