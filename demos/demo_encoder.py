"""The encoder of a demo: MiniLM with a projection fitted on the demo's texts, exported once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from demos.progress_steps import step
from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import MANIFEST, read_bundle
from penchant.encoder.source import default_source
from penchant.report.terminal import Terminal
from penchant.training.export import ExportRequest, export_encoder

DIMENSIONS = 64


def prepare_encoder(
    home: Path, texts: Sequence[str], on_step: Callable[[str], None] = lambda stage: None
) -> tuple[Path, bool]:
    """Exports an encoder fitted on the demo's texts, unless an earlier run has done so.

    The encoder goes to `encoder` in `home`, or to `encoder-demo` if `encoder` holds one that no
    demo has made.

    Args:
        home: directory for the encoder's directory.
        texts: texts that the projection is fitted on.
        on_step: called with the name of each step of the export.

    Returns:
        The directory of the encoder, and whether it was already there.

    Raises:
        ConfigError: the source model or a package of the export is missing.
    """
    source = default_source()
    inputs = _inputs(source, texts)
    directory = home / "encoder"
    if (directory / MANIFEST).is_file() and not _note(directory).is_file():
        directory = home / "encoder-demo"
    note = _note(directory)
    if note.is_file() and _is_made_of(directory, note, inputs):
        return directory, True
    request = ExportRequest(
        output=directory, source=source, dimensions=DIMENSIONS, projection_texts=texts
    )
    report = export_encoder(request, lambda stage: on_step(stage[:1].lower() + stage[1:]))
    note.write_text(json.dumps({"inputs": inputs, "version": report.version}) + "\n")
    return directory, False


def encoder_step(console: Terminal, home: Path, texts: Sequence[str]) -> Path:
    """Prepares the demo's encoder as a step on the terminal, and returns its directory.

    Raises:
        ConfigError: the source model or a package of the export is missing.
    """
    with step(console, "Preparing the encoder") as preparing:
        directory, reused = prepare_encoder(home, texts, preparing.say)
        made = "already there" if reused else "exported to ONNX"
        preparing.done = f"Encoder: all-MiniLM-L6-v2, {made}, {directory}"
    return directory


def _note(directory: Path) -> Path:
    """The file beside the encoder's directory that says what the encoder was made from."""
    return directory.with_name(directory.name + ".demo.json")


def _is_made_of(directory: Path, note: Path, inputs: str) -> bool:
    try:
        known = json.loads(note.read_text())
        return bool(
            known["inputs"] == inputs and known["version"] == read_bundle(directory).version
        )
    except (OSError, ValueError, KeyError, TypeError, ConfigError):
        return False


def _inputs(source: Path, texts: Sequence[str]) -> str:
    """A digest of everything that the export depends on."""
    digest = hashlib.sha256()
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(source)} {content}\n".encode())
    versions = [f"{name} {metadata.version(name)}" for name in ("torch", "onnx")]
    settings = {"dimensions": DIMENSIONS, "versions": versions, "texts": list(texts)}
    digest.update(json.dumps(settings).encode())
    return digest.hexdigest()
