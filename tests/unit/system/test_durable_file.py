"""Files appear complete under their name, or stay as they were."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.system.durable_file import is_pipe_or_device, whole_file, write_whole


def files_in(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@given(st.lists(st.binary(max_size=100) | st.text(max_size=50), min_size=1, max_size=4))
def test_the_last_content_is_there_in_full_and_nothing_else(contents: list[bytes | str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "missing" / "parents" / "file"
        for content in contents:
            write_whole(path, content)
        last = contents[-1]
        expected = last.encode() if isinstance(last, str) else last
        assert files_in(path.parent) == {"file": expected}


@given(st.lists(st.binary(max_size=20), max_size=4))
def test_the_name_appears_only_at_the_end(parts: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "file"
        with whole_file(path) as file:
            for part in parts:
                file.write(part)
                assert not path.exists()
        assert files_in(Path(name)) == {"file": b"".join(parts)}


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_body_that_raises_leaves_the_old_file_and_no_partial_one(
    tmp_path: Path, error: type[BaseException], old: bytes | None
) -> None:
    path = tmp_path / "file"
    if old is not None:
        path.write_bytes(old)

    def write() -> None:
        with whole_file(path) as file:
            file.write(b"new")
            file.flush()
            raise error

    with pytest.raises(error):
        write()
    assert files_in(tmp_path) == ({} if old is None else {"file": old})


def test_the_name_of_a_file_that_is_not_utf_8_costs_no_report(tmp_path: Path) -> None:
    name = os.fsdecode(b"na\xefve.csv")
    write_whole(tmp_path / "report.html", f"Made from {name}")
    assert (tmp_path / "report.html").read_text() == r"Made from na\udcefve.csv"


def test_what_is_read_from_a_pipe_is_what_was_written_and_the_pipe_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, "numbers")
        assert os.read(reader, 100) == b"numbers"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    with pytest.raises(FileExistsError):
        write_whole(pipe, "numbers", new=True)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_link_of_the_system_to_a_file_is_written_through(tmp_path: Path) -> None:
    """As /dev/stdout is, where a shell has sent the output to a file."""
    with (tmp_path / "out.txt").open("wb", buffering=0) as file:
        file.write(b"before ")
        for link in (f"/proc/self/fd/{file.fileno()}", f"/dev/fd/{file.fileno()}"):
            assert is_pipe_or_device(Path(link))
            write_whole(Path(link), "numbers ")
        file.write(b"after")
    assert (tmp_path / "out.txt").read_text() == "before numbers numbers after"


def test_a_link_to_a_file_is_replaced_as_before(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("old")
    (tmp_path / "link").symlink_to("report")
    write_whole(tmp_path / "link", "new")
    assert ((tmp_path / "link").read_text(), (tmp_path / "report").read_text()) == ("new", "old")
