from __future__ import annotations

from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.system.whole_directory import check_replaceable, whole_directory


def write(directory: Path, text: str) -> None:
    with whole_directory(directory) as made:
        (made / "file").write_text(text)


def break_off(directory: Path, error: type[BaseException]) -> None:
    with whole_directory(directory) as made:
        (made / "file").write_text("new")
        raise error


def test_it_appears_when_the_body_ends(tmp_path: Path) -> None:
    output = tmp_path / "parent" / "out"
    with whole_directory(output) as made:
        (made / "file").write_text("new")
        assert not output.exists()
    assert (output / "file").read_text() == "new"
    assert [path.name for path in output.parent.iterdir()] == ["out"]


def test_an_existing_directory_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "out", "old")
    (tmp_path / "out" / "other").write_text("old")
    write(tmp_path / "out", "new")
    assert [(path.name, path.read_text()) for path in (tmp_path / "out").iterdir()] == [
        ("file", "new")
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_keeps_the_existing_directory(error: type[BaseException], tmp_path: Path) -> None:
    write(tmp_path / "out", "old")
    with pytest.raises(error):
        break_off(tmp_path / "out", error)
    assert (tmp_path / "out" / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_a_product_of_the_same_kind_may_be_replaced(tmp_path: Path) -> None:
    for name in ("empty", "same", "other"):
        (tmp_path / name).mkdir()
    for place in ("same/marker", "other/letter", "file"):
        (tmp_path / place).write_text("dear")
    for name in ("missing", "empty", "same"):
        check_replaceable(tmp_path / name, "marker", "an encoder")
    for name in ("other", "file"):
        with pytest.raises(ConfigError, match="holds something other than an encoder"):
            check_replaceable(tmp_path / name, "marker", "an encoder")


def test_a_place_where_none_can_be_made_is_refused_by_name_before_the_work_and_after(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    output = tmp_path / "file" / "parent" / "out"
    with pytest.raises(
        ConfigError, match=r"file/parent/out can't be made: .*/file is no directory"
    ):
        check_replaceable(output, "marker", "an encoder")
    with pytest.raises(ConfigError, match=r"file/parent/out can't be made: Not a directory"):
        write(output, "new")
