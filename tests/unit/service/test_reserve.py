"""Reserve: one transaction per batch, and impressions that confirm reservations."""

from __future__ import annotations

import dataclasses

import pytest

from penchant.domain.errors import PenchantError, StateCorrupt, UnknownItem
from penchant.domain.reservations import (
    Budget,
    Cap,
    Reservations,
    ReserveOption,
    ReserveRequest,
)
from penchant.domain.spending import Spending
from penchant.domain.types import Event, Item
from penchant.domain.window import digest64
from penchant.service.event_results import EventStatus
from penchant.service.reserve import ReserveService
from penchant.store.keys import Kind, encode
from penchant.store.ledgers import read_ledger, read_spending
from tests.support.world import SECOND_US, World, liked

THREE_AN_HOUR = (Cap("campaign", 3, 3600),)


def reserver(world: World) -> ReserveService:
    return ReserveService(world.store, world.catalogs, world.clock, world.meter)


def asks(
    id_: str,
    *items: str,
    user: str = "u",
    n: int = 1,
    caps: tuple[Cap, ...] = THREE_AN_HOUR,
    budget: Budget | None = None,
) -> ReserveRequest:
    options = tuple(ReserveOption(item, caps, budget) for item in items)
    return ReserveRequest(user, id_, options, n, lapse_s=60)


def reserved(reply: Reservations | PenchantError) -> list[str]:
    assert isinstance(reply, Reservations)
    return [one.item for one in reply.reserved]


def shown(world: World, id_: str, item: str, event_id: str = "", ago_s: float = 0.0) -> Event:
    event = liked(event_id or f"{id_}/{item}", item, signal="impression", recommendation_id=id_)
    return dataclasses.replace(event, occurred_at_us=world.now_us - round(ago_s * SECOND_US))


def spending(world: World, key: str = "money") -> Spending:
    with world.store.snapshot() as snapshot:
        return read_spending(snapshot, digest64(key))


def test_requests_of_one_batch_see_each_others_grants(world: World) -> None:
    requests = [asks(f"r{n}", "toy") for n in range(5)]
    replies = [reserved(reply) for reply in reserver(world).reserve(requests)]
    assert replies == [["toy"]] * 3 + [[]] * 2


def test_users_have_caps_of_their_own(world: World) -> None:
    requests = [asks("r", "toy", "heat", "bug", user=user, n=3) for user in "uv"]
    assert [len(reserved(reply)) for reply in reserver(world).reserve(requests)] == [3, 3]


def test_a_bad_request_never_costs_the_others(world: World) -> None:
    requests = [asks("r", "toy"), asks("r2", "heat", "nope"), asks("r3", "bug")]
    first, bad, last = reserver(world).reserve(requests)
    assert isinstance(bad, UnknownItem)
    assert str(bad).startswith("options[1].item: got 'nope'")
    assert (reserved(first), reserved(last)) == (["toy"], ["bug"])
    with world.store.snapshot() as snapshot:
        assert len(read_ledger(snapshot, "u")) == 2


def test_a_damaged_ledger_costs_its_own_user_alone(world: World) -> None:
    reserver(world).reserve([asks("r", "toy")])
    key = encode(Kind.LEDGER, "u")
    with world.store.transaction() as transaction:
        value = transaction.get(key)
        assert value is not None
        transaction.put(key, value[:-1] + bytes([value[-1] ^ 1]))
    damaged, fine = reserver(world).reserve([asks("r2", "toy"), asks("r2", "toy", user="v")])
    assert isinstance(damaged, StateCorrupt)
    assert reserved(fine) == ["toy"]
    refused, taken = world.feed(shown(world, "r", "toy"), liked("e", "toy"))
    assert (refused.status, refused.reason) == (EventStatus.REFUSED, "StateCorrupt")
    assert taken.status is EventStatus.ACCEPTED


def test_a_lapsed_place_comes_back_and_a_shown_one_does_not(world: World) -> None:
    service = reserver(world)
    service.reserve([asks("r", "toy", "heat", "bug", n=3)])
    world.feed(shown(world, "r", "toy"), shown(world, "r", "heat"))
    world.now_us += 59 * SECOND_US
    assert reserved(service.reserve([asks("r2", "babe")])[0]) == []
    world.now_us += SECOND_US
    assert reserved(service.reserve([asks("r3", "babe")])[0]) == ["babe"]
    assert reserved(service.reserve([asks("r4", "babe")])[0]) == []


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_a_duplicate_impression_changes_nothing(world: World, copies: int) -> None:
    budget = Budget("money", 7, 100)
    reserver(world).reserve([asks("r", "toy", budget=budget)])
    world.feed(*[shown(world, "r", "toy")] * copies)
    world.feed(shown(world, "r", "toy"))
    world.feed(shown(world, "r", "toy", event_id="another"))
    assert spending(world) == Spending(7, {})


def test_events_that_are_no_impressions_confirm_nothing(world: World) -> None:
    budget = Budget("money", 7, 100)
    reserver(world).reserve([asks("r", "toy", budget=budget)])
    world.feed(liked("e1", "toy", signal="click", recommendation_id="r"))
    world.feed(liked("e2", "toy", signal="impression"))
    world.feed(liked("e3", "heat", signal="impression", recommendation_id="r"))
    world.feed(liked("e4", "toy", signal="impression", recommendation_id="r", user="v"))
    assert spending(world).spent_micros == 0


def test_a_late_impression_is_paid_and_counted(world: World) -> None:
    once, budget = (Cap("campaign", 1, 3600),), Budget("money", 7, 100)
    service = reserver(world)
    service.reserve([asks("r", "toy", caps=once, budget=budget)])
    world.now_us += 600 * SECOND_US
    world.feed(shown(world, "r", "toy"))
    assert spending(world).spent_micros == 7
    assert reserved(service.reserve([asks("r2", "toy", caps=once)])[0]) == []


def test_a_budget_is_shared_by_all_users(world: World) -> None:
    budget = Budget("money", 40, 100)
    requests = [asks("r", "toy", user=user, budget=budget) for user in "abc"]
    service = reserver(world)
    replies = service.reserve(requests)
    assert [reserved(reply) for reply in replies] == [["toy"], ["toy"], []]
    world.now_us += 61 * SECOND_US
    assert reserved(service.reserve(requests[2:])[0]) == ["toy"]


def test_an_as_of_in_the_past_is_a_clock_of_its_own(world: World) -> None:
    service, at_us = reserver(world), world.now_us - 86_400 * SECOND_US
    once = (Cap("campaign", 1, 3600),)
    for hour in range(5):
        request = dataclasses.replace(
            asks(f"r{hour}", "toy", caps=once), as_of_us=at_us + hour * 3600 * SECOND_US
        )
        assert reserved(service.reserve([request])[0]) == ["toy"]


def test_a_forgotten_user_has_no_reservations(world: World) -> None:
    reserver(world).reserve([asks("r", "toy", "heat", "bug", n=3)])
    receipt = world.users.forget("u")
    assert receipt.deleted == {"ledger": 1, "reservations": 1}
    with world.store.snapshot() as snapshot:
        assert snapshot.get(encode(Kind.LEDGER, "u")) is None
    assert world.users.forget("u") == receipt
    assert len(reserved(reserver(world).reserve([asks("r2", "toy", "bug", n=2)])[0])) == 2


def test_a_request_that_gets_nothing_writes_nothing(world: World) -> None:
    service = reserver(world)
    service.reserve([asks("r", "toy", "heat", "bug", n=3)])
    with world.store.snapshot() as snapshot:
        before = list(snapshot.scan(b""))
    service.reserve([asks("r", "toy", "heat", "bug", n=3), asks("r2", "toy")])
    with world.store.snapshot() as snapshot:
        assert list(snapshot.scan(b"")) == before


CAMPAIGN = {"ads.campaign": '{"bidMicros":"40",', "ads.campaign.2": '"budgetMicros":"100"}'}


@pytest.mark.parametrize(
    ("cost", "allowed", "granted"),
    [(40, 100, 2), (41, 100, 0), (40, 10**9, 2), (2**53 - 1, 2**60, 0)],
)
def test_a_reservation_costs_at_most_the_bid_and_a_budget_at_most_the_campaigns(
    world: World, cost: int, allowed: int, granted: int
) -> None:
    world.catalog.put([Item("ad", "an ad", CAMPAIGN)])
    budget = Budget("money", cost, allowed)
    requests = [asks(f"r{n}", "ad", user=f"u{n}", caps=(), budget=budget) for n in range(5)]
    replies = reserver(world).reserve(requests)
    assert sum(len(reserved(reply)) for reply in replies) == granted


def test_forgetting_gives_back_what_was_only_reserved(world: World) -> None:
    budget = Budget("money", 30, 100)
    reserver(world).reserve([asks("r1", "toy", budget=budget), asks("r2", "toy", budget=budget)])
    world.feed(shown(world, "r1", "toy"))
    assert spending(world).committed_micros(world.now_us) == 60
    world.users.forget("u")
    assert spending(world) == Spending(spent_micros=30)


def test_a_user_with_a_damaged_ledger_can_be_forgotten(world: World) -> None:
    reserver(world).reserve([asks("r1", "toy", budget=Budget("money", 30, 100))])
    with world.store.transaction() as transaction:
        transaction.put(encode(Kind.LEDGER, "u"), b"\x04garbage")
    assert world.users.forget("u").deleted_events == 0
    with world.store.snapshot() as snapshot:
        assert len(read_ledger(snapshot, "u")) == 0
