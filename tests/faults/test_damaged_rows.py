"""A row of the store, of any kind and damaged in any way, costs nobody else anything.

On a real store with rows of every kind: the first row of a kind is damaged, which belongs to the
user HURT where the kind's rows are users' own. Then a server's app starts over it, and every verb
is called by somebody else, and every command is run.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from penchant.store import codec
from penchant.store.keys import Kind, encode
from penchant.store.lmdb import LmdbStore
from penchant_sdk import Event, Item, Penchant, ReserveOption, StateCorrupt
from tests.support.command import Ran, run
from tests.support.rich_store import (
    FILMS,
    HURT,
    MAP_BYTES,
    PAID,
    RichStore,
    address_of,
    make_rich_store,
    served,
)

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "the version": lambda value: bytes([value[0] ^ 0x80]) + value[1:],
    "another form": lambda value: codec.seal(b"{nonsense"),
}
"""Those that were told apart from others once. That no other passes for sound, or for a newer
release's, is a law of `tests/unit/store/test_codec.py`."""
UNTIL_A_REBUILD = {Kind.USER, Kind.OWNED, Kind.LEDGER}
"""Kinds whose damage may cost the user HURT some calls, until `penchant rebuild`."""

NOT_KEPT_ELSEWHERE = {Kind.LOG, Kind.RESERVED, Kind.PAST_LEDGER}
"""Kinds whose damage may cost the user HURT some calls for good."""


@pytest.fixture(scope="module")
def rich() -> Iterator[RichStore]:
    """In memory, since thousands of commits would wait for a disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        yield make_rich_store(Path(place))


@pytest.fixture
def place(rich: RichStore) -> Iterator[Path]:
    """A directory with a copy of the store."""
    copy = rich.root / "copy"
    shutil.copytree(rich.root / "store", copy / "store")
    yield copy
    shutil.rmtree(copy)


def damage(place: Path, kind: Kind, how: str) -> None:
    store = LmdbStore(place / "store", map_bytes=MAP_BYTES)
    with store.transaction() as transaction:
        key, value = next(iter(transaction.scan(encode(kind))))
        transaction.put(key, DAMAGES[how](value))
    store.close()


def verbs(penchant: Penchant, user: str, friend: str) -> Iterator[Callable[[], object]]:
    """Every verb that concerns a user, in an order in which none repairs what another needs."""
    names = list(FILMS)
    options = [ReserveOption(name, (), PAID if name < "i5" else None) for name in names]
    yield lambda: penchant.rank(user, explain=True, query="space")
    yield lambda: penchant.rank(user, exclude_owned=True, exclude_seen=True)
    yield lambda: penchant.user(user)
    yield lambda: penchant.export_user(user)
    yield lambda: penchant.feedback(
        [Event(user, name, signal) for name in ("i0", "i3") for signal in ("click", "purchase")]
    ).raise_for_refused()
    yield lambda: penchant.reserve(user, "later", options, n=9).reserved[0]
    yield lambda: penchant.feedback(
        [Event(user, names[-1], "impression", recommendation_id="later")]
    ).raise_for_refused()
    yield lambda: penchant.merge_users(friend, user)
    yield lambda: penchant.embed(["space"])
    yield lambda: penchant.get_items(names).items[-1]


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_a_damaged_row_of_any_kind_costs_nobody_else_anything(
    rich: RichStore, place: Path, kind: Kind, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage(place, kind, how)
    with served(place, rich.encoder) as penchant:
        for call in verbs(penchant, "d", "e"):
            call()
        # One call for several users: those of HURT alone may be refused.
        events = [Event(user, "i3", "purchase") for user in (HURT, "b", "c")]
        refused = {one.event_id for one in penchant.feedback(events).refused}
        assert not refused.intersection(event.event_id for event in events[1:])
        for call in verbs(penchant, HURT, "f"):
            try:
                call()
            except StateCorrupt:
                assert kind in UNTIL_A_REBUILD | NOT_KEPT_ELSEWHERE
        for user in (HURT, "c"):
            assert penchant.forget_user(user)
        assert penchant.rank("g", explain=True).items
        penchant.put_items([Item(name, f"{text} again") for name, text in FILMS.items()])
        penchant.delete_items(["i0"])
        assert len(penchant.rank("b", k=100).items) == len(FILMS) - 1
    assert all(record.exc_info is None for record in caplog.records), "no traceback in the log"
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_each_command_works_beside_a_damaged_row_or_names_what_mends_it(
    rich: RichStore, place: Path, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    damage(place, kind, "the version")
    store = ["--store", address_of(place)]
    commands: list[Sequence[object]] = [
        ["doctor", *store],
        ["releases", *store],
        ["ads", "report", *store],
        ["impressions", *store, "--output", place / "shown.csv"],
        ["ship", *store],
        ["backup", *store, "--to", place / "backup"],
        ["compact", *store],
        ["refresh", *store],
        ["publish", *store, "--candidate", rich.root / "second", "--no-gate"],
        ["rollback", *store],
    ]
    for command in commands:
        ran = run(command)
        assert "Traceback" not in ran.output
        assert ran.exit_code == 0 or says_what_to_do(ran), ran.output
    if kind in (Kind.SHIPPING, Kind.SHIP_NOTE):
        for command in ["ship", *store, "--end"], ["ship", *store, "--to", place / "anew"]:
            ran = run(command)
            assert ran.exit_code == 0, ran.output
    if kind is Kind.SETTINGS:
        with served(place, rich.encoder):
            pass  # The server keeps its settings anew.
    for name in ("rebuild", "refresh", "releases"):
        ran = run([name, *store])
        assert ran.exit_code == 0, ran.output
    with served(place, rich.encoder) as penchant:
        for call in verbs(penchant, HURT, "f"):
            try:
                call()
            except StateCorrupt:
                assert kind in NOT_KEPT_ELSEWHERE


def says_what_to_do(ran: Ran) -> bool:
    """Whether a refusal is one sentence that names a command or an action."""
    said = ran.stderr or ran.stdout
    remedies = (
        "penchant re",
        "penchant ship --end",
        "start the server",
        "start of the server",
        "name the one",
        "fails",
    )
    return any(remedy in said for remedy in remedies)
