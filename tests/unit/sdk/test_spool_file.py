"""No event that a spool has taken is lost, whatever else happens to its file."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant_sdk import _locked_file, _spool_file
from penchant_sdk._spool_file import SpoolFile
from penchant_sdk.errors import InvalidRequest, SpoolRefused

LEAST = 4096
STEPS = (
    "unlink of the last one's rest",
    "open",
    "write of the rows",
    "sync of the rows",
    "rename",
    "write of the new rows",
    "sync of the new rows",
    "sync of the name",
)


class Killed(BaseException):
    """The program is killed before this step."""


@contextmanager
def killed_before(step: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ends the body before one of the calls that change files."""
    done = 0

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def counting(*arguments: object, **named: object) -> object:
            nonlocal done
            if done == step:
                raise Killed
            done += 1
            return call(*arguments, **named)

        return counting

    with monkeypatch.context() as patch, contextlib.suppress(Killed):
        patch.setattr(os, "fsync", counted(os.fsync))
        patch.setattr(os, "ftruncate", counted(os.ftruncate))
        patch.setattr(os, "pwrite", counted(os.pwrite))
        patch.setattr(_spool_file, "open_locked", counted(_locked_file.open_locked))
        patch.setattr(Path, "replace", counted(Path.replace))
        patch.setattr(Path, "unlink", counted(Path.unlink))
        yield


def row(number: int, size: int = 100) -> bytes:
    return b"%06d" % number + bytes(size)


def numbers(rows: list[bytes] | Iterator[bytes]) -> list[int]:
    return [int(one[:6]) for one in rows]


def numbered(file: SpoolFile) -> list[int]:
    return numbers(file.waiting())


def abandoned(file: SpoolFile) -> None:
    """What is left of a client whose program was killed."""
    file._closed = True
    os.close(file._file)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool"


class Law:
    """A spool beside what it must hold: rows that were taken and not let go of, in order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = SpoolFile(path, LEAST)
        self.taken = 0
        self.kept: list[int] = []
        self.told: list[int] = []
        """Rows of which `append` said that they are kept."""
        self.read: tuple[list[int], int] | None = None
        """Rows under way to a server, and the place behind them."""
        self.got: list[int] = []

    def append(self, rows: int, size: int) -> None:
        fresh = list(range(self.taken, self.taken + rows))
        self.taken += rows
        with contextlib.suppress(SpoolRefused):
            self.file.append([row(number, size) for number in fresh])
            self.kept += fresh
            self.told += fresh

    def send(self, rows: int) -> None:
        found, place = self.file.read(rows)
        self.read = numbers(found), place
        assert self.read[0] == self.kept[: len(found)]
        self.got += self.read[0]

    def advance(self) -> None:
        if self.read is not None:
            sent, place = self.read
            self.file.advance(place)
            self.kept = [number for number in self.kept if number not in sent]

    def compact(self) -> None:
        with self.file._lock:
            self.file._compact()

    def reopen(self) -> None:
        """Another client; what was under way comes again."""
        self.file.close()
        self.begin()

    def begin(self) -> None:
        self.file = SpoolFile(self.path, LEAST)
        self.read = None

    def kill(self, step: int, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """A client that is killed while it compacts or appends; nobody was told of its rows."""
        fresh = list(range(self.taken, self.taken + rows))
        self.taken += rows
        with killed_before(step, monkeypatch):
            self.compact()
            self.file.append([row(number) for number in fresh])
        abandoned(self.file)
        self.begin()
        found = numbered(self.file)
        assert found[: len(self.kept)] == self.kept
        more = found[len(self.kept) :]
        assert more == fresh[: len(more)]
        self.kept = found

    def holds(self) -> None:
        assert numbered(self.file) == self.kept
        assert self.file.empty == (not self.kept)


ACTS = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 5), st.integers(0, 400)),
    st.tuples(st.just("send"), st.integers(1, 12)),
    st.tuples(st.just("advance")),
    st.tuples(st.just("compact")),
    st.tuples(st.just("reopen")),
    st.tuples(st.just("kill"), st.integers(0, 9), st.integers(1, 3)),
)


@given(acts=st.lists(ACTS, max_size=40))
def test_whatever_happens_in_whatever_order_nothing_is_lost_and_nothing_comes_twice(
    acts: list[tuple[object, ...]],
) -> None:
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(os, "fsync", lambda _: None)  # Nothing here loses power.
        law = Law(Path(place) / "spool")
        for name, *arguments in acts:
            if name == "kill":
                arguments.append(monkeypatch)
            getattr(law, str(name))(*arguments)
            law.holds()
        while law.kept:
            law.send(7)
            law.advance()
        assert set(law.told) <= set(law.got)
        assert list(dict.fromkeys(law.got)) == sorted(set(law.got))
        law.file.close()


def test_what_is_appended_while_rows_are_under_way_outlives_the_compaction(path: Path) -> None:
    file = SpoolFile(path, 8192)
    for number in range(65):
        file.append([row(number)])
    file.advance(file.read(40)[1])
    sent, behind = file.read(10)
    before = path.stat().st_ino
    for number in range(65, 95):
        file.append([row(number)])
    assert path.stat().st_ino != before, "it was compacted"
    file.advance(behind)
    assert numbers(sent) == list(range(40, 50))
    assert numbered(file) == list(range(50, 95))
    file.advance(behind)  # A place of the past.
    assert numbered(file) == list(range(50, 95))
    file.close()
    assert numbered(SpoolFile(path, 8192)) == list(range(50, 95))


@pytest.mark.parametrize("step", range(len(STEPS)), ids=STEPS)
def test_a_program_that_is_killed_at_any_step_of_a_compaction_loses_nothing(
    path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    law = Law(path)
    for _ in range(8):
        law.append(2, 100)
    law.send(9)
    law.advance()
    law.kill(step, 2, monkeypatch)
    law.holds()
    assert sorted(one.name for one in path.parent.iterdir()) == ["spool"]


def test_a_program_that_changes_its_directory_keeps_one_spool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    file = SpoolFile("spool", 8192)
    for number in range(65):
        file.append([row(number)])
    file.advance(file.read(60)[1])
    monkeypatch.chdir(tmp_path / "elsewhere")
    for number in range(65, 100):
        file.append([row(number)])
    file.close()
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert numbered(SpoolFile(tmp_path / "spool", 8192)) == list(range(60, 100))


def test_a_spool_that_somebody_removes_comes_back_with_all_that_waits(path: Path) -> None:
    file = SpoolFile(path)
    file.append([row(1)])
    path.unlink()
    file.append([row(2)])
    file.close()
    assert numbered(SpoolFile(path)) == [1, 2]


def test_a_spool_that_somebody_replaces_takes_nothing_more(path: Path) -> None:
    file = SpoolFile(path)
    file.append([row(1)])
    path.rename(path.with_name("kept"))
    other = SpoolFile(path)
    with pytest.raises(SpoolRefused, match="was removed or replaced"):
        file.append([row(2)])
    other.append([row(3)])
    other.close()
    assert numbered(file) == [1]
    assert numbered(SpoolFile(path)) == [3]


def test_a_spool_that_somebody_cuts_off_keeps_what_comes_later(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for size in (0, 10, 20, 200, 300):
        file = SpoolFile(path)
        file.append([row(number) for number in range(4)])
        _, behind = file.read(4)
        os.truncate(path, size)
        rest, _ = file.read(10)
        assert numbers(rest) == list(range((size - 20) // 118 if size > 20 else 0))
        file.append([row(9)])
        file.advance(behind)
        assert numbered(file) == [9]
        file.close()
        file = SpoolFile(path)
        assert numbered(file) == [9]
        file.close()
        path.unlink()
    assert "somebody else cut off its last" in caplog.text


def test_a_smaller_limit_hides_no_row(path: Path) -> None:
    file = SpoolFile(path, 1 << 20)
    file.append([row(number) for number in range(100)])
    file.close()
    file = SpoolFile(path, LEAST)
    assert numbered(file) == list(range(100))
    with pytest.raises(SpoolRefused, match="of its 4096 bytes"):
        file.append([row(100)])
    file.close()


def test_a_large_file_is_read_in_parts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_locked_file, "_READ_BYTES", 64)
    file = SpoolFile(path)
    file.append([row(number) for number in range(20)])
    file.close()
    file = SpoolFile(path)
    assert numbered(file) == list(range(20))
    with file._lock:
        file._compact()
    assert numbered(file) == list(range(20))
    file.close()


def test_a_compaction_touches_no_other_spool(path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"that does not end with \.compacting"):
        SpoolFile(path.with_name("spool.compacting"))
    others = [SpoolFile(path.with_name(name)) for name in ("spool.new", "spool2")]
    file = SpoolFile(path)
    for one in [*others, file]:
        one.append([row(1)])
    with file._lock:
        file._compact()
    for one in [*others, file]:
        one.close()
        assert numbered(SpoolFile(one.path)) == [1]


def test_a_disk_that_takes_no_header_hides_no_later_row(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    for name in ("pwrite", "ftruncate"):
        file = SpoolFile(path)
        file.append([row(number) for number in range(3)])
        _, behind = file.read(1)
        file.advance(behind)
        _, behind = file.read(10)
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full)
            file.advance(behind)
        assert file.empty
        for number in (3, 4):
            file.append([row(number)])
        assert numbered(file) == [3, 4]
        file.close()
        file = SpoolFile(path)
        assert numbered(file)[-2:] == [3, 4]
        file.close()
        path.unlink()
    assert "its rows may come twice" in caplog.text


def test_a_disk_that_fails_refuses_by_name_and_brings_no_refused_row_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> int:
        raise OSError(5, "Input/output error")

    file = SpoolFile(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        patch.setattr(os, "ftruncate", fails)
        with pytest.raises(SpoolRefused, match="took none of 2 events: Input/output error"):
            file.append([row(1), row(2)])
    file.append([row(3, 10)])
    file.close()
    assert numbered(SpoolFile(path)) == [3]


def test_the_name_of_a_compacted_file_lasts_before_a_row_in_it_counts(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Path) -> None:
        raise OSError(5, "Input/output error")

    file = SpoolFile(path)
    file.append([row(1)])
    with monkeypatch.context() as patch:
        patch.setattr(_spool_file, "sync_directory", fails)
        with file._lock:
            file._compact()
        for _ in range(2):
            with pytest.raises(SpoolRefused, match="Input/output error"):
                file.append([row(2)])
    file.append([row(3)])
    assert numbered(file) == [1, 3]
    file.close()


def test_an_interrupted_compaction_leaves_the_spool_to_this_client_or_to_the_next_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in range(5):
        file = SpoolFile(path)
        file.append([row(step)])
        waiting = numbered(file)
        with killed_before(step, monkeypatch), file._lock:
            file._compact()
        assert numbered(file) == waiting
        file.close()
        assert numbered(SpoolFile(path)) == waiting


@pytest.mark.parametrize("text", ["", "a\0b", "\ud800"])
def test_a_path_that_is_none_is_refused_in_words(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidRequest, match=r"^spool: got .*, expected"):
        SpoolFile(text)


def test_a_spool_of_another_version_is_refused_as_one_and_left_alone(path: Path) -> None:
    content = b"PENSPOL2" + bytes(100)
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match="a spool of another version"):
        SpoolFile(path)
    assert path.read_bytes() == content


def test_a_disk_that_can_not_be_read_or_written_at_the_start_is_refused_in_words(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(InvalidRequest, match="No space left on device"):
            SpoolFile(path)
    with caplog.at_level(logging.ERROR, "penchant_sdk"):
        SpoolFile(path).close()


def test_a_forked_child_that_lives_on_keeps_no_closed_spool(path: Path) -> None:
    file = SpoolFile(path)
    child = os.fork()
    if not child:
        signal.pause()
        os._exit(0)
    try:
        file.close()
        SpoolFile(path).close()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
