"""The laws of two servers that write to one store: they end as one writer would."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from penchant.domain.errors import StoreUnavailable, UserForgotten
from penchant.domain.frequency_caps import NOT_SHOWN
from penchant.domain.reservations import Budget, Cap, Reservations, ReserveOption, ReserveRequest
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Event
from penchant.domain.window import digest64
from penchant.service.event_results import EventResult, EventStatus
from penchant.service.merge_users import MergeUsersRequest
from penchant.service.rebuilt_counters import rebuild_counters
from penchant.service.rebuilt_ledgers import rebuild_ledgers
from penchant.service.reserve import ReserveService
from penchant.store import conflict_retries
from penchant.store.accepted_events import read_accepted
from penchant.store.base import Store
from penchant.store.counters import scan_counters
from penchant.store.keys import Kind, user_of
from penchant.store.ledgers import read_ledger, read_spending
from penchant.store.newest import read_newest
from penchant.store.users import holds_user, scan_user_ids
from tests.support.histories import FILMS, USERS, events
from tests.support.racing_store import RacingStore
from tests.support.world import NOW_US, World, copy_of, liked

SMALL = FoldSettings(window_events=5)
QUICK = settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
DICE = st.integers(0, 2**32 - 1).map(random.Random)
THREE_AN_HOUR = (Cap("campaign", 3, 3600),)
ALLOWED = 5


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conflict_retries, "FIRST_PAUSE_S", 0.0)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Six films; tests copy its store."""
    world = World(tmp_path_factory.mktemp("films"), fold=SMALL)
    world.put(**FILMS)
    return world


class TwoServers:
    """Two servers' services over one store, which meet as dice say."""

    def __init__(self, films: World, dice: random.Random, fails: float = 0.2) -> None:
        self.store = RacingStore()
        with films.store.snapshot() as snapshot:
            self.store.rows = dict(snapshot.scan(b""))
        self.servers = [World(films.directory, store=self.store, fold=SMALL) for _ in range(2)]
        self.dice = dice
        self.todo: list[Callable[[], object]] = []
        """What the other server does meanwhile."""
        self.store.meet = self._meet
        self.store.fails = lambda place: dice.random() < fails

    def _meet(self) -> None:
        if self.dice.random() < 0.3:
            self.store.settle()
        if self.todo and self.dice.random() < 0.6:
            self.todo.pop(0)()

    def run(self, works: list[Callable[[World], object]]) -> None:
        """Does each piece of work, some of it while the other server commits another."""
        for place, work in enumerate(works):
            server = self.servers[self.dice.randrange(2)]
            self.todo.append(partial(work, server))
            if place % 2 or self.dice.random() < 0.5:
                while self.todo:
                    self.todo.pop(0)()
        while self.todo:
            self.todo.pop(0)()
        self.store.settle()


def user_rows(store: Store) -> dict[bytes, bytes]:
    """All rows of users but the logs, whose versions depend on the order of arrival, and caches."""
    with store.snapshot() as snapshot:
        rows = dict(snapshot.scan(b""))
    kinds = (Kind.LOG, Kind.USER)
    return {key: row for key, row in rows.items() if user_of(key) and key[0] not in kinds}


def records(world: World) -> dict[str, bytes]:
    with world.store.snapshot() as snapshot:
        return {user: world.record_bytes(user) for user in scan_user_ids(snapshot)}


def counts(store: Store) -> tuple[object, ...]:
    with store.snapshot() as snapshot:
        return dict(scan_counters(snapshot)), read_accepted(snapshot), read_newest(snapshot)


@QUICK
@given(history=events(), again=st.integers(0, 12), dice=DICE)
def test_any_interleaving_of_two_servers_ends_as_one_writer_would(
    films: World, history: list[Event], again: int, dice: random.Random
) -> None:
    both = TwoServers(films, dice)
    results: list[tuple[Event, EventResult]] = []

    def fed(some: list[Event]) -> Callable[[World], object]:
        return lambda world: results.extend(zip(some, world.feed(*some), strict=True))

    sent = history + history[:again]
    dice.shuffle(sent)
    works: list[Callable[[World], object]] = []
    while sent:
        size = dice.randint(1, 4)
        works.append(fed(sent[:size]))
        sent = sent[size:]
    both.run(works)
    one, other = both.servers
    alone = alone_in_the_order_of(both, films)
    assert records(one) == records(alone)
    assert user_rows(both.store) == user_rows(alone.store)
    assert counts(both.store) == counts(alone.store)
    accepted = Counter(event.event_id for event, result in results if is_accepted(result))
    assert accepted == Counter(event.event_id for event in history)  # Each once, by one of both.
    assert all(result.status is not EventStatus.REFUSED for _, result in results)
    for user in USERS:
        rows = one.log(user)
        assert [row.state_version for row in rows] == list(range(1, len(rows) + 1))
        assert {row.event for row in rows} == {row.event for row in alone.log(user)}
        kept = {row.event.event_id: row.state_version for row in rows}
        for event, result in results:
            if event.user == user and is_accepted(result):
                assert kept[event.event_id] == result.state_version
    assert sum(one.meter.committed) + sum(other.meter.committed) == len(history)
    assert len(one.meter.seen) + len(other.meter.seen) == len(history)
    for server in both.servers:
        server.feedback.follow()
        offsets = server.view().offsets
        expected = alone.feedback
        expected.follow()
        assert offsets.tolist() == pytest.approx(alone.view().offsets.tolist())


def alone_in_the_order_of(both: TwoServers, films: World) -> World:
    """One writer who got each user's events in the order in which one of the servers took them."""
    alone = World(films.directory, store=copy_of(films.store), fold=SMALL)
    for user in USERS:
        alone.feed_calls([row.event for row in both.servers[0].log(user)])
    return alone


def feeding(event: Event) -> Callable[[World], object]:
    return lambda world: world.feed(event)


def is_accepted(result: EventResult) -> bool:
    return result.status is EventStatus.ACCEPTED


@QUICK
@given(dice=DICE, rounds=st.integers(1, 14), paid=st.booleans())
def test_caps_and_budgets_are_never_exceeded_and_nothing_is_lost(
    films: World, dice: random.Random, rounds: int, paid: bool
) -> None:
    both = TwoServers(films, dice)
    replies: dict[tuple[str, str], list[Reservations]] = {}
    budgets = ("money", "gold") if paid else ("",)

    def reserve(number: int) -> Callable[[World], object]:
        asked = []
        for _ in range(dice.randint(1, 3)):
            user, item = dice.choice(USERS), dice.choice(sorted(FILMS))
            key = dice.choice(budgets)
            budget = Budget(key, 1, ALLOWED) if key else None
            option = ReserveOption(item, THREE_AN_HOUR, budget)
            id_ = f"r{dice.randint(0, number)}"
            asked.append(ReserveRequest(user, id_, (option,), 1, lapse_s=60))

        def work(world: World) -> None:
            service = ReserveService(world.store, world.catalogs, world.clock, world.meter)
            for request, reply in zip(asked, service.reserve(asked), strict=True):
                assert isinstance(reply, Reservations)
                key = request.user, request.recommendation_id
                replies.setdefault(key, []).append(reply)
                if reply.reserved and dice.random() < 0.5:
                    item = reply.reserved[0].item
                    event = liked(
                        f"{request.recommendation_id}/{item}",
                        item,
                        user=request.user,
                        signal="impression",
                        recommendation_id=request.recommendation_id,
                    )
                    both.todo.append(partial(both.servers[dice.randrange(2)].feed, event))

        return work

    both.run([reserve(number) for number in range(rounds)])
    with both.store.snapshot() as snapshot:
        ledgers = {user: read_ledger(snapshot, user) for user in USERS}
        for user, ledger in ledgers.items():
            assert len(ledger) <= THREE_AN_HOUR[0].limit
            mine = [entry for key, found in replies.items() if key[0] == user for entry in found]
            granted = {one.item for reply in mine for one in reply.reserved}
            assert {digest64(item) for item in granted} == set(ledger["item"].tolist())
        for key in filter(None, budgets):
            money = read_spending(snapshot, digest64(key))
            pays = [ledger[ledger["budget"] == digest64(key)] for ledger in ledgers.values()]
            shown = sum(int((one["shown_at_us"] != NOT_SHOWN).sum()) for one in pays)
            assert money.spent_micros == shown
            assert sum(money.held.values()) == sum(map(len, pays)) - shown
            assert money.committed_micros(NOW_US) <= ALLOWED
            assert sum(money.granted.values()) == sum(map(len, pays))
    both.store.fails = lambda place: False
    rebuilt = rebuild_ledgers(both.store, NOW_US)
    assert (rebuilt.corrected_users, rebuilt.corrected_budgets) == (0, 0)


@QUICK
@given(history=events(), dice=DICE)
def test_a_forgotten_user_leaves_nothing_however_servers_meet(
    films: World, history: list[Event], dice: random.Random
) -> None:
    both = TwoServers(films, dice)
    stays = [event for event in history if event.user != "u"]
    alone = World(films.directory, store=copy_of(films.store), fold=SMALL)
    alone.feed_calls(stays)
    both.run([feeding(event) for event in history])
    if any(event.user == "u" for event in history):
        late = [event for event in history if event.user == "u"]
        both.run(
            [
                lambda world: world.users.forget("u"),
                lambda world: world.feed(*late),
                lambda world: world.users.forget("u"),
            ]
        )
        (one, *_) = both.servers[0].feed(late[0])
        assert one.reason == UserForgotten.__name__
    with both.store.snapshot() as snapshot:
        assert not holds_user(snapshot, "u")
        contributions = snapshot.scan(bytes([Kind.CONTRIBUTION]))
        assert all(user_of(key) != "u" for key, _ in contributions)
    assert records(both.servers[0]) == records(alone)
    assert user_rows(both.store) == user_rows(alone.store)
    sums, accepted, _ = counts(both.store)
    expected, of_alone, _ = counts(alone.store)
    assert accepted == of_alone
    assert exact_sums(sums) == exact_sums(expected)


def exact_sums(counters: object) -> dict[int, object]:
    """The sums by item, which no order and no forgotten user changes; empty ones left out."""
    assert isinstance(counters, dict)
    found = {number: one.exact for number, one in counters.items()}
    return {
        number: exact
        for number, exact in found.items()
        if exact is not None and (exact.positives.mantissa or exact.impressions.mantissa)
    }


@QUICK
@given(history=events(), dice=DICE)
def test_two_users_become_one_however_often_the_merge_is_begun(
    films: World, history: list[Event], dice: random.Random
) -> None:
    alone = World(films.directory, store=copy_of(films.store), fold=SMALL)
    alone.feed_calls(history)
    both = TwoServers(films, dice, fails=0.0)
    both.servers[0].feed_calls(history)
    both.store.settle()
    request = MergeUsersRequest("v", "u")
    expected = alone.users.merge(request)
    both.store.fails = lambda place: dice.random() < 0.4
    both.run([lambda world: world.users.merge(request) for _ in range(2)])
    assert both.servers[0].users.merge(request).state_version == expected.state_version
    assert records(both.servers[0]) == records(alone)
    assert user_rows(both.store) == user_rows(alone.store)
    assert exact_sums(counts(both.store)[0]) == exact_sums(counts(alone.store)[0])


@QUICK
@given(history=events(), dice=DICE)
def test_counters_made_again_while_servers_write_are_those_of_one_writer(
    films: World, history: list[Event], dice: random.Random
) -> None:
    both = TwoServers(films, dice)
    signals = both.servers[0].config.signals
    half_life_s = both.servers[0].config.offset_half_life_s
    works = [feeding(event) for event in history]
    for _ in range(2):
        works.insert(
            dice.randint(0, len(works)),
            lambda world: rebuild_counters(world.store, signals, half_life_s),
        )
    both.run(works)
    assert counts(both.store) == counts(alone_in_the_order_of(both, films).store)


def test_a_server_that_is_always_slower_fails_by_name_and_gives_back_what_it_held(
    films: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflict_retries, "LONGEST_S", 0.05)
    both = TwoServers(films, random.Random(1), fails=0.0)
    world = both.servers[0]
    service = ReserveService(world.store, world.catalogs, world.clock, world.meter)
    both.store.fails = lambda place: place == "u:u"
    budget = Budget("money", 2, 10)
    asked = [
        ReserveRequest(user, "r", (ReserveOption("toy", (), budget),), 1, lapse_s=60)
        for user in ("u", "v")
    ]
    with pytest.raises(StoreUnavailable, match="other servers kept writing to the same rows"):
        service.reserve(asked)
    with both.store.snapshot() as snapshot:
        money = read_spending(snapshot, digest64("money"))
        assert money.committed_micros(NOW_US) == 2  # What the other user holds.
        assert len(read_ledger(snapshot, "v")) == 1
    with pytest.raises(StoreUnavailable):
        world.feed(liked("e1", "toy"), liked("e2", "toy", user="v"))
    both.store.fails = lambda place: False
    one, two = world.feed(liked("e1", "toy"), liked("e2", "toy", user="v"))
    assert (one.status, two.status) == (EventStatus.ACCEPTED, EventStatus.DUPLICATE)
