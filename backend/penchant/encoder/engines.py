"""Compiled engines beside an encoder's graph: what each is good for.

    engines/<name>.engine    what TensorRT built
    engines/<name>.json      the note below

An engine belongs to one graph; a note about another graph is no engine of this encoder.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from penchant.domain.errors import ConfigError

ENGINES = "engines"


@dataclass(frozen=True, slots=True)
class Profile:
    """The shapes (texts, tokens) that one optimization profile takes, and is tuned for."""

    most_texts: int
    best_texts: int
    most_tokens: int
    best_tokens: int


@dataclass(frozen=True, slots=True)
class EngineNote:
    """What an engine was made of, and where it runs."""

    name: str
    runtime: str
    """`tensorrt` or `tensorrt-rtx`."""
    runtime_version: str
    compute_capabilities: tuple[str, ...]
    """As `8.9`."""
    precision: str
    """fp32, fp16, or graph: as the graph says."""
    profiles: tuple[Profile, ...]
    """Shortest texts first."""
    graph_sha256: str
    engine_sha256: str
    size_bytes: int
    refittable: bool = False

    def path(self, directory: Path) -> Path:
        """Where the engine is, in an encoder's directory."""
        return directory / ENGINES / f"{self.name}.engine"


def write_note(directory: Path, note: EngineNote) -> None:
    """Writes the note beside the engine."""
    text = json.dumps(asdict(note), indent=2) + "\n"
    note.path(directory).with_suffix(".json").write_text(text, encoding="utf-8")


def read_notes(directory: Path) -> list[EngineNote]:
    """The notes of all engines of an encoder's directory, by name.

    Raises:
        ConfigError: one can't be read.
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
