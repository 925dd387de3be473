"""Encoders by version: loaded once, and dropped when unused for longest."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError, EncoderUnavailable
from penchant.encoder.bag_of_words import BagOfWords
from penchant.encoder.library import ENCODER, LOADED, MANIFEST, EncoderLibrary

DEFAULT = BagOfWords()


class Loader:
    """Loads an encoder named by its folder, and records each load."""

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def __call__(self, directory: Path) -> BagOfWords:
        name = directory.parent.name
        self.loaded.append(name)
        if name.startswith("broken"):
            raise ConfigError(f"encoder: {name} is damaged")
        return BagOfWords("other" if name.startswith("wrong") else f"version-{name[-1]}")


def release(releases: Path, name: str, version: str) -> None:
    (releases / name / ENCODER).mkdir(parents=True)
    (releases / name / MANIFEST).write_text(json.dumps({"encoder_version": version}))


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def library(tmp_path: Path, loader: Loader) -> EncoderLibrary:
    for number in range(LOADED + 1):
        release(tmp_path, f"r{number}", f"version-{number}")
    return EncoderLibrary(DEFAULT, tmp_path, loader)


def test_the_configured_encoder_needs_no_release(library: EncoderLibrary, loader: Loader) -> None:
    assert library.of(DEFAULT.version) is library.default is DEFAULT
    assert loader.loaded == []


def test_threads_load_a_releases_encoder_only_once(library: EncoderLibrary, loader: Loader) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(library.of, ["version-1"] * 32))
    assert {id(one) for one in found} == {id(found[0])}
    assert loader.loaded == ["r1"]


def test_the_least_recently_used_encoder_is_dropped(
    library: EncoderLibrary, loader: Loader
) -> None:
    for number in (0, 1, 2, 0, 3, 0, 1):
        assert library.of(f"version-{number}").version == f"version-{number}"
    assert loader.loaded == ["r0", "r1", "r2", "r3", "r1"]


def test_an_unknown_version_says_what_to_do(library: EncoderLibrary) -> None:
    with pytest.raises(EncoderUnavailable, match=f"configured one is {DEFAULT.version} and no rel"):
        library.of("version-9")
    with pytest.raises(EncoderUnavailable, match="publish a release that has it"):
        EncoderLibrary(DEFAULT).of("version-9")


def test_folders_without_the_encoder_are_skipped(tmp_path: Path, loader: Loader) -> None:
    release(tmp_path, "broken5", "version-5")
    release(tmp_path, "wrong5", "version-5")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / MANIFEST).write_text("not json")
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / MANIFEST).write_text("[]")
    library = EncoderLibrary(DEFAULT, tmp_path, loader)
    with pytest.raises(EncoderUnavailable, match="broken5 is damaged"):
        library.of("version-5")
    release(tmp_path, "r5", "version-5")
    assert library.of("version-5").version == "version-5"
