"""Reserving, showing, merging and forgetting at random, and what a store then holds of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from penchant.domain.errors import PenchantError, UserNotFound
from penchant.domain.frequency_caps import prune
from penchant.domain.reservations import Budget, Cap, Reservations, ReserveOption, ReserveRequest
from penchant.service.merge_users import MergeUsersRequest
from penchant.service.rebuilt_ledgers import RebuiltLedgers, rebuild_ledgers
from penchant.service.reserve import ReserveService
from penchant.store.base import Snapshot, Store
from penchant.store.keys import Kind, decode, encode
from penchant.store.ledgers import read_ledger, read_spending
from tests.support.world import SECOND_US, World, liked

CAPS = (Cap("hourly", 2, 30), Cap("daily", 3, 5000))

OPTIONS = (
    ReserveOption("toy", CAPS, Budget("money", 10, 70)),
    ReserveOption("heat", CAPS[:1], Budget("money@2023-11-14", 11, 40)),
    ReserveOption("bug", CAPS[1:], Budget("money", 0, 70)),
    ReserveOption("babe"),
)

STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 7, 61, 3700]),  # seconds since the step before
        st.sampled_from(["reserve", "reserve", "show", "show", "again", "forget", "merge"]),
        st.sampled_from("uv"),
        st.integers(0, 5),  # which recommendation, or which reservation
        st.permutations(OPTIONS),
        st.integers(1, 3),  # n
        st.sampled_from([5, 60]),  # seconds until the reservations lapse
    ),
    min_size=5,
    max_size=30,
)


@dataclass
class AdDesk:
    """A world in which random steps reserve, show, merge and forget."""

    world: World
    taken: list[tuple[str, str, str]] = field(default_factory=list)
    """User, recommendation and item of each reservation ever made."""
    merges: int = 0

    def step(self, step: Any) -> Reservations | None:
        """Takes one of `STEPS`; returns the reply of a reservation."""
        seconds, action, user, which, options, n, lapse_s = step
        self.world.now_us += seconds * SECOND_US
        if action == "reserve":
            return self.reserve(user, f"{user}{self.merges}-{which}", options, n, lapse_s)
        if action == "merge":
            self.merge(user)
            return None
        if action == "forget":
            try:
                self.world.users.forget(user)
            except UserNotFound:
                return None
        elif self.taken:
            user, id_, item = self.taken[-1 - which % len(self.taken)]
            self.show(user, id_, item, copies=2 if action == "again" else 1)
        return None

    def reserve(
        self, user: str, id_: str, options: Any, n: int = 1, lapse_s: int = 60
    ) -> Reservations:
        service = ReserveService(
            self.world.store, self.world.catalogs, self.world.clock, self.world.meter
        )
        (reply,) = service.reserve([ReserveRequest(user, id_, tuple(options), n, lapse_s)])
        assert not isinstance(reply, PenchantError)
        self.taken += [(user, id_, one.item) for one in reply.reserved]
        return reply

    def merge(self, goes: str) -> None:
        """Makes one user of the two."""
        stays = "v" if goes == "u" else "u"
        self.world.users.merge(MergeUsersRequest(goes, stays))
        self.taken = [(stays, id_, item) for _, id_, item in self.taken]
        self.merges += 1

    def show(self, user: str, id_: str, item: str, copies: int = 1) -> None:
        event = liked(f"{id_}/{item}", item, user=user, signal="impression", recommendation_id=id_)
        event = dataclasses.replace(event, occurred_at_us=self.world.now_us)
        known = {row.event.event_id: row.event for row in self.world.log(user)}
        self.world.feed(*[known.get(event.event_id, event)] * copies)


def rebuilt(store: Store, clock_us: int) -> RebuiltLedgers:
    return rebuild_ledgers(store, clock_us)


def what_counts(snapshot: Snapshot, now_us: int) -> dict[str | int, object]:
    """All ledgers and budgets, without what no later call can see."""
    found: dict[str | int, object] = {}
    for key, _ in snapshot.scan(encode(Kind.LEDGER)):
        user = str(decode(key)[1][0])
        ledger = read_ledger(snapshot, user)
        kept = np.sort(prune(ledger, int(ledger["at_us"].max(initial=0))))
        if len(kept):
            found[user] = kept.tolist()
    for key, _ in snapshot.scan(encode(Kind.BUDGET)):
        digest = int(decode(key)[1][0])
        spending = read_spending(snapshot, digest)
        held = {
            second: micros
            for second, micros in spending.held.items()
            if micros and second * SECOND_US > now_us
        }
        if spending.spent_micros or held:
            found[digest] = spending.spent_micros, held
    return found


def without_ledgers(store: Store) -> None:
    """Loses every ledger and every budget."""
    with store.transaction() as transaction:
        for kind in (Kind.LEDGER, Kind.BUDGET):
            for key in [key for key, _ in transaction.scan(encode(kind))]:
                transaction.delete(key)
