"""Debian's control data is read as apt and dpkg write it."""

from __future__ import annotations

import lzma
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.logs.datasets import debian_control
from penchant.logs.datasets.debian_control import read_metadata, stanzas

_FIELD = st.text("abcdefghij-", min_size=1, max_size=8)
_LINE = st.text("xyz .:", max_size=12).map(str.strip).filter(lambda line: line != ".")
CHESS = "Package: chess\nSection: games\nDescription: a game\n of kings\n .\n and queens\n"


@given(st.lists(st.dictionaries(_FIELD, _LINE, min_size=1), max_size=4))
def test_what_is_written_is_read_back(expected: list[dict[str, str]]) -> None:
    text = "\n".join(
        "".join(f"{name}: {value}\n" for name, value in one.items()) for one in expected
    )
    assert list(stanzas(text)) == expected


def test_lines_that_go_on_belong_to_their_field() -> None:
    (stanza,) = stanzas(CHESS)
    assert stanza["Description"] == "a game\nof kings\n\nand queens"


def test_a_line_that_goes_on_nothing_is_dropped() -> None:
    assert list(stanzas(" lost\n\n\nPackage: a\n")) == [{"Package": "a"}]


def test_a_file_is_read(tmp_path: Path) -> None:
    path, packed = tmp_path / "available", tmp_path / "Packages.xz"
    path.write_text(CHESS)
    packed.write_bytes(lzma.compress(CHESS.encode()))
    assert read_metadata(path) == read_metadata(packed) == CHESS
    with pytest.raises(ConfigError, match="is a directory, expected a file"):
        read_metadata(tmp_path)


def test_a_machine_with_apt_is_asked_for_its_games_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, ...]] = []

    def apt(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        asked.append(tuple(command[3:]))
        every = CHESS + "\nPackage: ed\nSection: editors\nDescription: an editor\n"
        return subprocess.CompletedProcess(command, 0, every.encode())

    monkeypatch.setattr(subprocess, "run", apt)
    read_metadata()
    assert asked == [("dumpavail",), ("show", "chess")]


def test_a_machine_without_lists_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_apt(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", no_apt)
    monkeypatch.setattr(debian_control, "AVAILABLE", tmp_path / "available")
    with pytest.raises(ConfigError, match="apt-get update"):
        read_metadata()
    (tmp_path / "available").write_text(CHESS)
    assert read_metadata() == CHESS
