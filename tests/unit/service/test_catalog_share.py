"""Servers that share a store agree on items, rows, vectors and what a refresh has learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penchant.catalog import files
from penchant.domain.errors import ConfigError, StoreUnavailable
from penchant.domain.types import Item
from penchant.logs.shipped.shipped_place import open_place
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.service.mended_catalog import find_damage
from penchant.store.base import Store
from penchant.store.items import read_head
from penchant.store.memory import MemoryStore
from penchant.system.shared_files import MemoryFiles, SharedFiles, UrlFiles
from tests.support.sharing_servers import SharingServer
from tests.support.world import World, liked


@pytest.fixture(params=["memory", "url"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> SharedFiles:
    if request.param == "memory":
        return MemoryFiles()
    return UrlFiles(f"file://{tmp_path / 'shared'}")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def servers(tmp_path: Path, store: Store, shared: SharedFiles) -> tuple[SharingServer, ...]:
    return tuple(SharingServer(tmp_path / name, store, shared) for name in ("one", "two"))


def assert_agree(one: SharingServer, two: SharingServer) -> None:
    a, b = one.follow(), two.follow()
    assert a.head == b.head
    assert a.ids[: a.head.rows] == b.ids[: b.head.rows]
    np.testing.assert_array_equal(a.vectors, b.vectors)
    np.testing.assert_array_equal(a.texts, b.texts)
    np.testing.assert_array_equal(a.alive, b.alive)
    np.testing.assert_array_equal(a.frozen.gram, b.frozen.gram)
    np.testing.assert_array_equal(a.frozen.prior_mean, b.frozen.prior_mean)
    np.testing.assert_array_equal(a.popularity, b.popularity)
    np.testing.assert_array_equal(a.neighbours, b.neighbours)
    assert a.digest == b.digest
    mine, others = one.rank(), two.rank()
    assert (mine.ids, mine.scores) == (others.ids, others.scores)


def texts(count: int, start: int = 0) -> dict[str, str]:
    return {
        f"i{number}": f"film {number} word{number % 5}" for number in range(start, start + count)
    }


def test_what_is_put_at_one_server_is_ranked_by_the_other(
    tmp_path: Path, store: MemoryStore, shared: SharedFiles
) -> None:
    one, two = servers(tmp_path, store, shared)
    one.put(**texts(20))
    assert_agree(one, two)
    two.put(**texts(1, 20))  # Appended in the other's files.
    one.put(**texts(3, 21))
    assert_agree(one, two)
    two.put(i3="another text")  # A new generation.
    assert_agree(one, two)
    one.catalog.delete(["i5"])
    assert_agree(one, two)
    assert "i5" not in two.rank().ids
    two.put(**texts(400, 100))
    assert_agree(one, two)


def test_a_reader_goes_on_with_the_version_before_until_the_files_are_here(
    tmp_path: Path, store: MemoryStore
) -> None:
    one, two = servers(tmp_path, store, MemoryFiles())
    one.put(**texts(5))
    two.follow()
    before = two.rank()
    one.put(i1="quite another text")
    assert two.rank().catalog_version == before.catalog_version
    assert two.catalogs.moved.is_set()
    two.follow()
    assert two.rank().catalog_version == one.rank().catalog_version > before.catalog_version


def test_a_server_that_starts_empty_finds_all_that_a_refresh_has_learnt(
    tmp_path: Path, store: MemoryStore, shared: SharedFiles
) -> None:
    (one,) = servers(tmp_path, store, shared)[:1]
    one.put(**texts(40))
    world = World(tmp_path / "one", store=store)
    for user in range(8):
        for place in range(6):
            item = f"i{(user % 2 + 2 * place) % 40}"
            world.feed(liked(f"{user}-{place}", item, user=f"u{user}", ago_s=100 - place))
    refresh_store(one.store, one.directory, one.config, RefreshSettings())
    one.put(**texts(2, 40))
    head = one.follow().head
    empty = SharingServer(tmp_path / "empty", store, shared)
    assert_agree(one, empty)
    with store.snapshot() as snapshot:
        assert read_head(snapshot) == head
    assert not head.lost
    assert empty.follow().neighbours.size


def test_damage_at_one_server_is_mended_from_the_shared_place_and_costs_nobody_a_version(
    tmp_path: Path, store: MemoryStore
) -> None:
    one, two = servers(tmp_path, store, MemoryFiles())
    one.put(**texts(20))
    head = two.follow().head
    for path in (
        files.vectors_path(two.directory, head.generation),
        files.version_path(two.directory, head.version),
        files.offsets_path(two.directory, head.generation),
    ):
        path.unlink()
    files.texts_path(two.directory, head.generation).write_bytes(b"x" * 64 * 4 * 1024)
    again = SharingServer(two.directory, store, two.share._shared)
    assert find_damage(two.directory, head) == {}
    assert_agree(one, again)
    assert again.follow().head == head


def test_nothing_is_switched_unless_its_files_were_sent(tmp_path: Path, store: MemoryStore) -> None:
    shared = _FullFiles()
    one, two = servers(tmp_path, store, shared)
    one.put(**texts(5))
    head = two.follow().head
    shared.full = True
    with pytest.raises(StoreUnavailable, match="can't be sent to the shared place"):
        one.put(i1="another text")
    with store.snapshot() as snapshot:
        assert read_head(snapshot) == head
    shared.full = False
    one.put(i1="another text")
    assert_agree(one, two)


def test_a_place_whose_package_raises_errors_of_its_own_is_away_and_no_fault_of_the_server(
    tmp_path: Path, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = UrlFiles(f"file://{tmp_path / 'shared'}")
    one, two = servers(tmp_path, store, shared)
    one.put(**texts(5))
    two.follow()

    def denied(*_: object, **__: object) -> None:
        raise RuntimeError("AccessDenied\n for s3://key:secret@host")  # As botocore's.

    with monkeypatch.context() as patch:
        for name in ("pipe_file", "cat_file", "ls", "rm_file", "invalidate_cache"):
            patch.setattr(shared._system, name, denied)
        with pytest.raises(
            StoreUnavailable, match="sent to the shared place: RuntimeError"
        ) as told:
            one.put(i1="another text")
        assert "secret" not in str(told.value)
        for call in (shared.names, lambda: shared.read("x"), lambda: shared.remove("x")):
            with pytest.raises(OSError, match="RuntimeError: AccessDenied for s3"):
                call()
        two.follow()  # Goes on with what it has.
    one.put(i1="another text")
    assert_agree(one, two)


def test_a_place_that_nobody_has_written_to_is_empty(store: MemoryStore, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra ship")
    shared = UrlFiles("memory://empty-share/catalog")
    fsspec.filesystem("memory").rm("/empty-share", recursive=True)  # As in an object store.
    assert shared.names() == []
    assert shared.read("x") is None
    one, two = servers(tmp_path, store, shared)
    one.put(**texts(3))
    assert_agree(one, two)
    fsspec.filesystem("memory").rm("/empty-share", recursive=True)


@pytest.mark.parametrize("url", ["reference://x", "nosuch://u:secret@x", "zip:///no/such"])
def test_a_url_that_no_file_system_takes_is_refused_by_the_name_of_its_option(url: str) -> None:
    for option, opened in (
        ("catalog_share", UrlFiles),
        ("--to", lambda address: open_place(address, "--to")),
    ):
        with pytest.raises(ConfigError, match=f"^{option}: ") as refused:
            opened(url)
        assert "secret" not in str(refused.value)


class _FullFiles(MemoryFiles):
    full = False

    def write(self, name: str, content: bytes) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().write(name, content)


def test_an_attempt_that_lost_to_another_server_leaves_no_trace(
    tmp_path: Path, store: MemoryStore
) -> None:
    one, two = servers(tmp_path, store, MemoryFiles())
    one.put(**texts(5))
    two.follow()
    with pytest.raises(_OtherWasFaster):
        _put_and_lose(two, Item("x", "lost"))
    one.put(y="won")
    assert_agree(one, two)
    two.put(x="again")
    assert_agree(one, two)


class _OtherWasFaster(Exception):
    pass


def _put_and_lose(server: SharingServer, item: Item) -> None:
    """A put whose transaction is not committed, though its rows are in the files."""
    from penchant.service import sharing_store

    send = sharing_store.SharingTransaction.send

    def lose(self: sharing_store.SharingTransaction) -> None:
        send(self)
        raise _OtherWasFaster

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing_store.SharingTransaction, "send", lose)
        server.catalog.put([item])


def test_the_shared_place_holds_a_bounded_number_of_versions(
    tmp_path: Path, store: MemoryStore
) -> None:
    shared = MemoryFiles()
    one, two = servers(tmp_path, store, shared)
    one.put(**texts(5))
    for number in range(12):
        (one, two)[number % 2].put(i1=f"text number {number}")
    assert len(shared.names()) <= 3 * (files.KEPT + 1)
    assert_agree(one, two)
