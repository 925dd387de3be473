"""An LMDB store among stopped processes, lost files and failing disks: said, bounded, mended."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penchant.domain.errors import StoreUnavailable
from penchant.service.rank import RankRequest
from penchant.store.lmdb import LmdbStore
from tests.contracts.store_laws import apply, contents
from tests.support.serve_process import wait_until
from tests.support.small_disk import filled, small_disk
from tests.support.storekeeper import MAP_BYTES, Storekeeper, storekeeper
from tests.support.world import World, liked

FAULTY_DISK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fails writes to LMDB's meta pages, with the errno that the file that FAULT names begins with,
   while that file exists. */
static int faulty(int fd, off_t offset) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    const char *fault = getenv("FAULT");
    if (!strstr(path, "data.mdb") || offset >= 8192 || !fault) return 0;
    FILE *file = fopen(fault, "r");
    if (!file) return 0;
    int number = EIO;
    if (fscanf(file, "%d", &number) != 1) number = EIO;
    fclose(file);
    return number;
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    int number = faulty(fd, offset);
    if (number) { errno = number; return -1; }
    return real(fd, bytes, count, offset);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return pwrite64(fd, bytes, count, offset);
}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(directory: Path) -> Iterator[LmdbStore]:
    opened = LmdbStore(directory, map_bytes=MAP_BYTES)
    yield opened
    opened.close()


@pytest.fixture
def keeper(directory: Path, store: LmdbStore) -> Iterator[Storekeeper]:
    """Another process on the same store."""
    with storekeeper(directory) as running:
        yield running


def refused(store: LmdbStore) -> str:
    with pytest.raises(StoreUnavailable) as caught:
        apply(store, [(b"refused", b"x")])
    assert (b"refused", b"x") not in contents(store)
    return str(caught.value)


def test_a_stopped_writer_is_named_and_waited_for_at_most_5_s(
    store: LmdbStore, keeper: Storekeeper
) -> None:
    assert keeper.ask("hold") == "held"
    os.kill(keeper.pid, signal.SIGSTOP)
    started = time.monotonic()
    text = refused(store)
    # Many times the limit: the machine may be busy, and without a limit it would wait for ever.
    assert time.monotonic() - started < 60
    assert f"process {keeper.pid} " in text
    assert "is stopped" in text
    assert f"kill -CONT {keeper.pid}" in text
    started = time.monotonic()
    for _ in range(20):  # It is not waited for again and again, which would take 100 s.
        refused(store)
    assert time.monotonic() - started < 50
    os.kill(keeper.pid, signal.SIGCONT)
    assert keeper.ask("let go") == "done"
    apply(store, [(b"after", b"x")])
    assert keeper.ask("get after") == "x"


def test_a_job_of_many_short_transactions_keeps_nobody_from_writing(
    store: LmdbStore, keeper: Storekeeper
) -> None:
    assert keeper.ask("churn") == "churning"
    started = time.monotonic()
    for number in range(30):
        apply(store, [(b"n", b"%d" % number)])
    # A second each on average: of one alone, a busy machine may take more.
    assert time.monotonic() - started < 30
    assert keeper.ask("stop") == "done"


def test_a_writer_killed_in_its_transaction_holds_up_nobody(
    store: LmdbStore, keeper: Storekeeper
) -> None:
    assert keeper.ask("hold") == "held"
    os.kill(keeper.pid, signal.SIGKILL)
    apply(store, [(b"after", b"x")])
    assert contents(store) == [(b"after", b"x")]


def test_nothing_is_acknowledged_once_the_directory_is_gone(
    store: LmdbStore, keeper: Storekeeper, directory: Path, tmp_path: Path
) -> None:
    assert keeper.ask("put k v") == "done"
    directory.rename(tmp_path / "elsewhere")
    assert "data.mdb, which was removed or moved away" in keeper.ask("put k lost")
    assert keeper.ask("get k") == "v", "what is mapped can still be read"
    (tmp_path / "elsewhere").rename(directory)
    assert keeper.ask("put k again") == "done"
    assert contents(store) == [(b"k", b"again")]


@pytest.mark.parametrize("name", ["data.mdb", "lock.mdb"])
def test_nothing_is_acknowledged_once_a_file_is_removed(
    store: LmdbStore, keeper: Storekeeper, directory: Path, name: str
) -> None:
    assert keeper.ask("put k v") == "done"
    (directory / name).unlink()
    assert f"{name}, which was removed or moved away" in keeper.ask("put k lost")
    assert "nothing was written" in refused(store)
    assert keeper.ask("get k") == "v"


def test_nothing_is_acknowledged_into_another_store_in_the_place_of_ones_own(
    store: LmdbStore, keeper: Storekeeper, directory: Path, tmp_path: Path
) -> None:
    assert keeper.ask("put k v") == "done"
    directory.rename(tmp_path / "elsewhere")
    LmdbStore(directory, map_bytes=MAP_BYTES).close()
    assert "of another store; nothing was written" in keeper.ask("put k lost")
    assert keeper.ask("get k") == "v"


def test_nothing_is_acknowledged_into_a_copy_of_older_days(
    store: LmdbStore, keeper: Storekeeper, directory: Path, tmp_path: Path
) -> None:
    assert keeper.ask("put k v") == "done"
    store.copy(tmp_path / "backup.mdb")
    assert keeper.ask("put k newer") == "done"
    shutil.move(tmp_path / "backup.mdb", directory / "data.mdb")
    assert "a copy of this store; nothing was written" in keeper.ask("put k lost")


@pytest.fixture(scope="module")
def faulty_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that makes writes of LMDB's meta pages fail."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc, to make a disk that fails")
    directory = tmp_path_factory.mktemp("faulty")
    (directory / "faulty.c").write_text(FAULTY_DISK)
    library = directory / "faulty.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", library, directory / "faulty.c", "-ldl"], check=True
    )
    return library


@pytest.mark.parametrize("error", ["EIO", "EDQUOT", "EROFS"])
def test_a_failed_write_of_a_meta_page_costs_one_commit_not_the_process(
    directory: Path, faulty_disk: Path, tmp_path: Path, error: str
) -> None:
    number = getattr(errno, error)
    fault = tmp_path / "fault"
    environment = {"LD_PRELOAD": str(faulty_disk), "FAULT": str(fault)}
    with storekeeper(directory, environment) as keeper:
        assert keeper.ask("put k v") == "done"
        fault.write_text(str(number))
        refusal = f"StoreUnavailable: store: the write failed: {os.strerror(number)}"
        assert keeper.ask("put k lost") == refusal
        assert keeper.ask("get k") == "v"
        assert keeper.ask("put k lost").startswith("StoreUnavailable: store: the write failed")
        fault.unlink()
        assert keeper.ask("put k again") == "done"
        assert keeper.ask("get k") == "again"
        with storekeeper(directory) as other:
            assert other.ask("get k") == "again"
            assert other.ask("put k theirs") == "done"
        assert keeper.ask("get k") == "theirs"


def fill(store: LmdbStore, rows: int = 4000) -> None:
    apply(store, [(b"%05d" % row, b"secret-%05d" % row * 60) for row in range(rows)])


def test_a_compacted_store_is_followed_by_every_process_and_forgets(
    store: LmdbStore, keeper: Storekeeper, directory: Path
) -> None:
    fill(store)
    apply(store, [(b"%05d" % row, None) for row in range(10, 4000)])
    before = (directory / "data.mdb").stat().st_size
    with storekeeper(directory) as third:
        assert third.ask("put third 1") == "done"
        for turn in range(3):
            store.compact()
            assert third.ask(f"put third {turn}") == "done"
            assert keeper.ask("get third") == str(turn), "an acked write is seen by all"
            assert keeper.ask(f"put keeper {turn}") == "done"
            assert dict(contents(store))[b"keeper"] == b"%d" % turn
    assert len(contents(store)) == 12
    assert (directory / "data.mdb").stat().st_size < before / 10
    held = b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())
    assert b"secret-00009" in held
    assert b"secret-00010" not in held
    assert b"secret-03999" not in held


def test_readers_and_writers_go_on_while_a_store_is_compacted(
    store: LmdbStore, keeper: Storekeeper
) -> None:
    fill(store, 500)
    done = threading.Event()
    written: list[int] = []

    def read_and_write() -> None:
        while not done.is_set():
            number = len(written)
            apply(store, [(b"n", b"%d" % number)])
            assert dict(contents(store))[b"n"] == b"%d" % number
            written.append(number)

    worker = threading.Thread(target=read_and_write)
    worker.start()
    try:
        for turn in range(5):
            assert keeper.ask(f"put turn {turn}") == "done"
            store.compact()
            go_on(written)
    finally:
        done.set()
        worker.join()
    assert keeper.ask("get n") == str(written[-1])


def go_on(written: list[int]) -> None:
    """Waits until a further write has begun and ended."""
    known = len(written)
    wait_until(lambda: len(written) > known + 1, "further writes")


def test_a_full_store_accepts_writes_again_once_users_are_forgotten(tmp_path: Path) -> None:
    place = tmp_path / "full"
    store = LmdbStore(place, map_bytes=4 << 20)
    rows = fill_up(store)
    assert store.usage().fraction > 0.95
    with store.transaction() as transaction:
        for row in range(100, rows):
            transaction.delete(b"%05d" % row)
    assert store.usage().fraction < 0.3
    apply_quickly(store, rows)
    store.close()
    again = LmdbStore(place, map_bytes=4 << 20)
    assert again.usage().fraction < 0.3
    apply_quickly(again, rows)
    again.close()


def fill_up(store: LmdbStore) -> int:
    """Writes rows until the store refuses one; returns their number."""
    for rows in range(0, 100_000, 20):
        try:
            apply_quickly(store, rows)
        except StoreUnavailable:
            return rows
    raise AssertionError("the store was never full")


def apply_quickly(store: LmdbStore, first: int) -> None:
    with store.transaction() as transaction:
        for row in range(first, first + 20):
            transaction.put(b"%05d" % row, b"x" * 1000)


@pytest.mark.parametrize("left", [0, 100, 8192, 0.5, 0.99])
def test_an_empty_or_truncated_data_file_is_refused_by_name(tmp_path: Path, left: float) -> None:
    place = tmp_path / "damaged"
    store = LmdbStore(place, map_bytes=MAP_BYTES)
    fill(store, 300)
    store.close()
    data = place / "data.mdb"
    os.truncate(data, int(left if left > 1 or left == 0 else left * data.stat().st_size))
    with pytest.raises(StoreUnavailable, match=r"data\.mdb .*; restore a backup, or move"):
        LmdbStore(place, map_bytes=MAP_BYTES)


def test_a_data_file_truncated_under_a_running_process_is_refused_not_read(
    store: LmdbStore, directory: Path
) -> None:
    apply(store, [(f"{n}".encode(), bytes(2_000)) for n in range(500)])
    data = directory / "data.mdb"
    whole = data.read_bytes()
    os.truncate(data, len(whole) // 2)  # To read on would end this process by SIGBUS.
    for work in (lambda: contents(store), lambda: apply(store, [(b"x", b"y")])):
        with pytest.raises(StoreUnavailable, match=r"data\.mdb was truncated .*restore a backup"):
            work()
    with data.open("r+b") as file:  # The same file, as a restore in place writes it.
        file.write(whole)
    assert len(contents(store)) == 500


def test_a_process_that_slept_while_others_grew_the_file_notices_that_it_was_truncated(
    store: LmdbStore, keeper: Storekeeper, directory: Path
) -> None:
    assert keeper.ask("put k v") == "done"
    seen = (directory / "data.mdb").stat().st_size
    for part in range(10):  # The writer knows, since it wrote; the keeper does not look.
        apply(store, [(f"{part}-{n}".encode(), bytes(2_000)) for n in range(100)])
    data = directory / "data.mdb"
    whole = data.read_bytes()
    os.truncate(data, (seen + len(whole)) // 2 // 4096 * 4096)
    for question in ("get 9-99", "get 5-50", "put k lost"):
        assert "data.mdb was truncated under the running server" in keeper.ask(question)
    with data.open("r+b") as file:
        file.write(whole)
    assert keeper.ask("get k") == "v"
    assert keeper.ask("put k again") == "done"


def test_a_damaged_page_is_said_and_costs_neither_the_process_nor_other_pages(
    directory: Path,
) -> None:
    first = LmdbStore(directory, map_bytes=MAP_BYTES)
    apply(first, [(f"{n:03}".encode(), bytes([n % 256]) * 1_000) for n in range(100)])
    first.close()
    data = directory / "data.mdb"
    content = bytearray(data.read_bytes())
    leaf = content.index(bytes([7]) * 1_000) // 4096  # The newest copy of its page may be another.
    for page in {leaf, content.rindex(bytes([7]) * 1_000) // 4096}:
        content[page * 4096 : page * 4096 + 64] = b"\xa5" * 64
    data.write_bytes(content)
    with storekeeper(directory) as keeper:
        assert keeper.ask("get 007").startswith("StateCorrupt: store: a page of data.mdb is damag")
        assert keeper.ask("get 099") == "c" * 1_000
        assert keeper.ask("put 007 x").startswith("StateCorrupt: store: a page of data.mdb is dam")
        assert keeper.ask("put 099 x") == "done"
        assert keeper.ask("get 099") == "x"


def test_a_limit_on_address_space_is_named_where_the_map_does_not_fit(directory: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; "
        "from penchant.store.lmdb import LmdbStore; "
        "resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)); "
        "LmdbStore(Path(sys.argv[1]), map_bytes=64 << 30)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(directory)], capture_output=True, text=True, check=False
    )
    assert "raise the limit on address space (ulimit -v)" in done.stderr
    LmdbStore(directory, map_bytes=MAP_BYTES).close()  # Nothing half is left.


def test_a_shorter_backup_in_place_of_the_same_file_is_used_after_a_start(
    directory: Path,
) -> None:
    first = LmdbStore(directory, map_bytes=MAP_BYTES)
    apply(first, [(b"k", b"v")])
    data = directory / "data.mdb"
    short = data.read_bytes()
    apply(first, [(f"{n}".encode(), bytes(2_000)) for n in range(500)])
    first.close()
    data.write_bytes(short)
    (directory / "lock.mdb").unlink()
    again = LmdbStore(directory, map_bytes=MAP_BYTES)
    with storekeeper(directory) as keeper:
        apply(again, [(f"{n}".encode(), bytes(2_000)) for n in range(100)])
        assert keeper.ask("get k") == "v"
    again.close()


def test_an_empty_data_file_alone_is_not_taken_for_a_new_store(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").touch()
    with pytest.raises(StoreUnavailable, match=r"empty data\.mdb \(0 bytes\)"):
        LmdbStore(tmp_path, map_bytes=MAP_BYTES)


def test_a_lost_data_file_is_not_taken_for_a_new_store(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
    apply(store, [(b"k", b"v")])
    store.close()
    (tmp_path / "data.mdb").unlink()
    with pytest.raises(StoreUnavailable, match=r"data\.mdb is gone"):
        LmdbStore(tmp_path, map_bytes=MAP_BYTES)


def test_the_files_of_a_store_are_its_users_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = LmdbStore(tmp_path / "store", map_bytes=MAP_BYTES)
        apply(store, [(b"k", b"v")])
        store.compact()
        store.close()
        (tmp_path / "store/data.mdb").chmod(0o644)
        LmdbStore(tmp_path / "store", map_bytes=MAP_BYTES).close()
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes.pop("store") == 0o700
    assert set(modes.values()) == {0o600}, modes


def test_a_full_disk_lets_services_start_and_rank_and_refuses_writes(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        store = LmdbStore(disk / "store", map_bytes=MAP_BYTES)
        world = World(disk / "store/catalog", store=store)
        world.put(toy="toy story", heat="heat crime")
        world.feed(liked("e1", "toy"))
        before = world.rank(RankRequest("u", 2))
        store.close()
        with filled(disk):
            store = LmdbStore(disk / "store", map_bytes=MAP_BYTES)
            world = World(disk / "store/catalog", store=store)
            assert world.rank(RankRequest("u", 2)).ids == before.ids
            with pytest.raises(StoreUnavailable, match="No space left on device"):
                world.put(**{f"i{n}": f"film {n}" for n in range(500)})
        assert world.put(alien="alien horror").changed == 1
        world.feed(liked("e2", "alien"))
        assert len(world.rank(RankRequest("u", 9)).ids) == 3
        store.close()
