from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import GRAPH, MANIFEST, TOKENIZER, read_bundle, write_bundle

Toy = Callable[..., Path]


def test_read_gives_what_was_written(toy: Toy) -> None:
    bundle = read_bundle(toy())
    assert write_bundle(bundle.directory, bundle.settings) == bundle


def test_the_version_is_of_the_content(toy: Toy) -> None:
    first, same = read_bundle(toy(name="a")), read_bundle(toy(name="b"))
    other = read_bundle(toy([[1.0, 2.0, 3.0]] * 5, name="c"))
    assert first.version == same.version != other.version


@pytest.mark.parametrize("change", [{"max_tokens": 5}, {"prefix": "query: "}, {"pad_id": 1}])
def test_the_version_changes_with_a_setting(toy: Toy, change: dict[str, int | str]) -> None:
    bundle = read_bundle(toy())
    settings = replace(bundle.settings, **change)  # type: ignore[arg-type]
    assert write_bundle(bundle.directory, settings).version != bundle.version


def test_the_version_does_not_change_with_the_sources_name(toy: Toy) -> None:
    bundle = read_bundle(toy())
    renamed = write_bundle(bundle.directory, replace(bundle.settings, source="elsewhere"))
    assert renamed.version == bundle.version


@pytest.mark.parametrize("name", [GRAPH, TOKENIZER])
def test_a_changed_file_is_refused(toy: Toy, name: str) -> None:
    directory = toy()
    content = bytearray((directory / name).read_bytes())
    content[len(content) // 2] ^= 1
    (directory / name).write_bytes(content)
    with pytest.raises(ConfigError, match=rf"{name} is not the file that encoder.json names"):
        read_bundle(directory)


@pytest.mark.parametrize("name", [GRAPH, TOKENIZER, MANIFEST])
def test_a_missing_file_is_named(toy: Toy, name: str) -> None:
    directory = toy()
    (directory / name).unlink()
    with pytest.raises(ConfigError, match=rf"{name} is missing"):
        read_bundle(directory)


def test_a_missing_directory_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is not a directory; make one with `penchant export`"):
        read_bundle(tmp_path / "none")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "format: got 2, expected 1"),
        ({"format": None}, "format: got None"),
        ({"dimensions": "64"}, "dimensions: got '64', expected int"),
        ({"dimensions": True}, "dimensions: got True, expected int"),
        ({"max_tokens": 0}, "max_tokens: got 0, expected at least 1"),
        ({"pooling": None}, "pooling: got None, expected str"),
        ({"colour": "red"}, "colour: unknown setting"),
        ({"sha256": []}, r"sha256: got \[\], expected an object"),
        ({"sha256": {}}, "is not the file"),
    ],
)
def test_wrong_settings_are_named(toy: Toy, change: dict[str, object], message: str) -> None:
    path = toy() / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ConfigError, match=message):
        read_bundle(path.parent)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"null"])
def test_an_unreadable_manifest_is_refused(toy: Toy, content: bytes) -> None:
    path = toy() / MANIFEST
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=MANIFEST):
        read_bundle(path.parent)
