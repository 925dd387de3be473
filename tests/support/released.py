"""A release's folder as far as the encoders of a server care."""

from __future__ import annotations

import json
from pathlib import Path

from penchant.encoder.library import ENCODER, MANIFEST, EncoderLibrary
from tests.support.bag_of_words import BagOfWords


def release_with(encoder: BagOfWords, releases: Path, default: BagOfWords) -> EncoderLibrary:
    """A library that finds an encoder in a release."""
    folder = releases / "r"
    (folder / ENCODER).mkdir(parents=True)
    manifest = json.dumps({"encoder_version": encoder.version})
    (folder / MANIFEST).write_text(manifest, encoding="utf-8")
    return EncoderLibrary(default, releases, lambda directory: encoder)
