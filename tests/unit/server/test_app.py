"""The composition root: which models and settings make an app."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.encoder.bag_of_words import BagOfWords
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import build
from penchant.service.meter import SilentMeter
from tests.support.calls import config_of


def test_an_unknown_model_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected some of: penchant_catalog, "):
        build(["penchant_typo"], config_of(tmp_path), EncoderLibrary(BagOfWords()), SilentMeter())


def test_a_store_in_memory_needs_a_directory_for_the_catalog(tmp_path: Path) -> None:
    config = Config(store="memory:", encoder=tmp_path)
    with pytest.raises(ConfigError, match="catalog_dir: missing"):
        build(["penchant_rank"], config, EncoderLibrary(BagOfWords()), SilentMeter())
