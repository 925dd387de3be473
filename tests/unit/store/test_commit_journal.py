"""The journal: what was written is read, what is damaged is refused, what never happened is not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penchant.domain.errors import StateCorrupt, StoreUnavailable
from penchant.store import background_checkpoints
from penchant.store.commit_journal import (
    HEAD,
    KEPT_BYTES,
    SEGMENTS,
    Checkpoint,
    CommitJournal,
    JournalEntry,
    JournalNote,
    Write,
)
from penchant.store.lmdb import LmdbStore
from tests.contracts.store_laws import apply, contents
from tests.support.storekeeper import MAP_BYTES, storekeeper

WRITES: list[Write] = [(b"key", b"value"), (b"gone", None), (b"empty", b""), (b"k", b"x" * 9000)]
START = Checkpoint(4, 10, 1, b"m" * 136)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[CommitJournal]:
    opened = CommitJournal(tmp_path)
    opened.write_checkpoint(START)
    opened.begin_generation(4)
    yield opened
    opened.close()


def appended(journal: CommitJournal, note: JournalNote, *transactions: int) -> JournalNote:
    for transaction in transactions:
        note = journal.append(note, transaction, [*WRITES, (b"n", b"%d" % transaction)])
    return note


def write_and_die(directory: Path, count: int) -> None:
    """Commits in a process that ends without a checkpoint of what it wrote."""
    program = f"""
import os
from pathlib import Path
from penchant.store import background_checkpoints
from penchant.store.lmdb import LmdbStore
background_checkpoints.INTERVAL_S = 60.0
store = LmdbStore(Path({str(directory)!r}), map_bytes={MAP_BYTES})
for number in range({count}):
    with store.transaction() as transaction:
        transaction.put(b"new", b"%d" % number)
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


def test_after_the_death_of_all_the_journal_is_read_and_nothing_changes(tmp_path: Path) -> None:
    write_and_die(tmp_path, 5)
    before = (tmp_path / SEGMENTS[0]).read_bytes()
    store = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
    assert contents(store) == [(b"new", b"4")]
    assert (tmp_path / SEGMENTS[0]).read_bytes() == before
    apply(store, [(b"newer", b"x")])
    store.close()
    again = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
    assert contents(again) == [(b"new", b"4"), (b"newer", b"x")]
    again.close()


def numbers(journal: CommitJournal, checkpoint: Checkpoint = START) -> list[int]:
    return [entry.transaction for entry in journal.entries_after(checkpoint)]


def damage(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


def test_what_was_appended_is_read_in_order(journal: CommitJournal) -> None:
    journal.append(JournalNote(4), 11, WRITES)
    assert journal.entries_after(START) == [JournalEntry(11, WRITES)]


def test_entries_of_two_generations_follow_each_other(journal: CommitJournal) -> None:
    appended(journal, JournalNote(4), 9, 10, 11)
    appended(journal, JournalNote(5), 12, 13)
    assert numbers(journal) == [11, 12, 13]


def test_what_an_older_generation_has_left_is_no_entry(journal: CommitJournal) -> None:
    appended(journal, JournalNote(2), 5, 6, 7)
    appended(journal, JournalNote(4), 11)
    assert numbers(journal) == [11]


def test_of_two_entries_with_one_number_the_later_one_counts(journal: CommitJournal) -> None:
    note = appended(journal, JournalNote(4), 11)
    note = journal.append(note, 11, ())
    assert journal.entries_after(START) == [JournalEntry(11, [])]
    journal.append(note, 11, WRITES)
    assert journal.entries_after(START) == [JournalEntry(11, WRITES)]


def test_a_torn_last_entry_never_happened(journal: CommitJournal, tmp_path: Path) -> None:
    note = appended(journal, JournalNote(4), 11)
    appended(journal, note, 12)
    damage(tmp_path / SEGMENTS[0], note.offset + 5000)
    assert numbers(journal) == [11]


def test_a_damaged_entry_before_others_is_refused(journal: CommitJournal, tmp_path: Path) -> None:
    note = appended(journal, JournalNote(4), 11)
    appended(journal, note, 12, 13)
    damage(tmp_path / SEGMENTS[0], note.offset + 5000)
    with pytest.raises(StateCorrupt, match="entry 1 of the journal is damaged"):
        journal.entries_after(START)


def test_a_missing_transaction_is_refused(journal: CommitJournal) -> None:
    appended(journal, JournalNote(4), 11, 13)
    with pytest.raises(StateCorrupt, match="lacks transaction 12"):
        journal.entries_after(START)


def test_the_newest_checkpoint_counts_and_a_damaged_one_is_refused(
    journal: CommitJournal, tmp_path: Path
) -> None:
    for generation in (5, 6, 7):
        journal.write_checkpoint(START._replace(generation=generation))
        assert journal.checkpoint() == START._replace(generation=generation)
    damage(tmp_path / HEAD, 30)
    with pytest.raises(StateCorrupt, match="head is damaged"):
        journal.checkpoint()


def test_a_long_segment_is_cut_when_its_file_is_used_again(
    journal: CommitJournal, tmp_path: Path
) -> None:
    journal.append(JournalNote(4), 11, [(b"k", bytes(KEPT_BYTES + 1))])
    journal.begin_generation(6)
    assert (tmp_path / SEGMENTS[0]).stat().st_size == KEPT_BYTES


@pytest.mark.parametrize("name", [HEAD, SEGMENTS[0]])
def test_nothing_is_acknowledged_once_a_file_of_the_journal_is_gone(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_checkpoints, "INTERVAL_S", 60.0)
    store = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
    apply(store, [(b"k", b"v")])
    (tmp_path / name).rename(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable, match=rf"got no {name}, which was removed"):
        apply(store, [(b"k", b"lost")])
    (tmp_path / "elsewhere").rename(tmp_path / name)
    apply(store, [(b"k", b"again")])
    assert contents(store) == [(b"k", b"again")]
    store.close()


def test_a_lost_segment_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    write_and_die(tmp_path, 1)
    for name in SEGMENTS:
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(StateCorrupt, match="may hold acknowledged transactions"):
        LmdbStore(tmp_path, map_bytes=MAP_BYTES)


def test_a_store_that_was_closed_has_nothing_in_its_journal(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
    apply(store, [(b"user", b"a secret")])
    assert any(
        b"a secret" in path.read_bytes() for path in tmp_path.iterdir() if path.name in SEGMENTS
    )
    store.close()
    assert not any(path.stat().st_size for path in tmp_path.iterdir() if path.name in SEGMENTS)


def test_a_compacted_store_has_nothing_in_its_journal_and_goes_on(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
    with storekeeper(tmp_path) as keeper:
        assert keeper.ask("put user secret") == "done"
        apply(store, [(b"user", None)])
        store.compact()
        assert not any(path.stat().st_size for path in tmp_path.iterdir() if path.name in SEGMENTS)
        assert keeper.ask("put k v") == "done"
        apply(store, [(b"l", b"w")])
    store.close()
    again = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
    assert contents(again) == [(b"k", b"v"), (b"l", b"w")]
    again.close()


def test_a_backup_in_the_place_of_the_file_counts_as_it_is(tmp_path: Path) -> None:
    directory, backup = tmp_path / "store", tmp_path / "backup"
    store = LmdbStore(directory, map_bytes=MAP_BYTES)
    apply(store, [(b"old", b"1")])
    store.copy(backup)
    store.close()
    write_and_die(directory, 5)
    backup.replace(directory / "data.mdb")
    restored = LmdbStore(directory, map_bytes=MAP_BYTES)
    assert contents(restored) == [(b"old", b"1")]
    apply(restored, [(b"newer", b"2")])
    restored.close()
    again = LmdbStore(directory, map_bytes=MAP_BYTES)
    assert contents(again) == [(b"newer", b"2"), (b"old", b"1")]
    again.close()


def test_a_file_that_the_journal_does_not_know_is_refused_with_what_to_do(tmp_path: Path) -> None:
    write_and_die(tmp_path, 5)
    journal = CommitJournal(tmp_path)
    checkpoint = journal.checkpoint()
    journal.close()
    assert checkpoint is not None
    damage(tmp_path / "data.mdb", int.from_bytes(checkpoint.meta[112:120], "little") * 4096 + 20)
    before = (tmp_path / "data.mdb").read_bytes()
    with pytest.raises(StoreUnavailable, match=r"if you restored a backup, remove journal\.head"):
        LmdbStore(tmp_path, map_bytes=MAP_BYTES)
    assert (tmp_path / "data.mdb").read_bytes() == before, "nothing was changed"


def test_a_process_at_rest_keeps_no_pages_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_checkpoints, "INTERVAL_S", 0.02)
    store = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
    apply(store, [(b"mine", b"x")])
    assert reads(tmp_path), "the pin"
    with storekeeper(tmp_path) as keeper:
        deadline = time.monotonic() + 120
        while reads(tmp_path):
            assert time.monotonic() < deadline, "the pin was never let go of"
            assert keeper.ask("put k v") == "done"
    store.close()


def reads(directory: Path) -> bool:
    """Whether this process holds a reader of LMDB, as another one sees it."""
    program = f"import lmdb; print(lmdb.open({str(directory)!r}, map_size={MAP_BYTES}).readers())"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    return any(row[0] == str(os.getpid()) and row[-1] != "-" for row in rows if row)


def test_a_store_that_was_opened_by_a_relative_path_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    store = LmdbStore(Path("store"), map_bytes=1 << 20)
    monkeypatch.chdir(tmp_path / "elsewhere")
    with store.transaction() as transaction:
        transaction.put(b"key", b"value")
    store.compact()
    with store.transaction() as transaction:
        transaction.put(b"other", b"value")
    store.close()
    assert list((tmp_path / "elsewhere").iterdir()) == []
    again = LmdbStore(tmp_path / "store", map_bytes=1 << 20)
    with again.snapshot() as snapshot:
        assert (snapshot.get(b"key"), snapshot.get(b"other")) == (b"value", b"value")
    again.close()
