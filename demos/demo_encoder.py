"""The demo's encoder: MiniLM with the principal components of the film texts, exported once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import MANIFEST, read_bundle
from penchant.encoder.source import default_source
from penchant.training.export import ExportRequest, export_encoder

DIMENSIONS = 64


def prepare_encoder(
    home: Path, texts: Sequence[str], on_step: Callable[[str], None] = lambda step: None
) -> tuple[Path, bool]:
    """The directory of an encoder fitted on these texts, and whether it was there already.

    It is `encoder` in `home`, or `encoder-demo` where somebody put another one there.

    Raises:
        ConfigError: the source or a package for the export is missing.
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


def _note(directory: Path) -> Path:
    """Beside the directory, which holds nothing but the encoder."""
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
    """A digest of all that the export depends on."""
    digest = hashlib.sha256()
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(source)} {content}\n".encode())
    versions = [f"{name} {metadata.version(name)}" for name in ("torch", "onnx")]
    settings = {"dimensions": DIMENSIONS, "versions": versions, "texts": list(texts)}
    digest.update(json.dumps(settings).encode())
    return digest.hexdigest()
