"""What a store lost, or counts twice, is found after a load."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest.ack_ledger import NotedAcks
from loadtest.kept_acks import held_against
from penchant.domain.window import digest64
from penchant.store.accepted_events import count_accepted
from penchant.store.base import Transaction
from penchant.store.users import delete_event, read_event, write_event
from tests.support.world import World, liked

AT_S = 1_000.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Ann has three events, Ben one."""
    world = World(tmp_path)
    world.put(toy="a toy", heat="a thriller")
    world.feed(
        *[liked(f"e{n}", "toy", user="ann") for n in range(3)], liked("e9", "heat", user="ben")
    )
    return world


ACKED = {("ann", f"e{n}"): AT_S for n in range(3)} | {("ben", "e9"): AT_S}


def test_a_store_that_keeps_its_promises_is_sound(world: World) -> None:
    kept = held_against(world.store, NotedAcks(ACKED, degraded=2))
    assert kept.broken() == []
    assert (kept.acknowledged, kept.events, kept.degraded) == (4, 4, 2)


def lose(transaction: Transaction) -> None:
    delete_event(transaction, "ann", "e1")


def double(transaction: Transaction) -> None:
    row = read_event(transaction, "ann", digest64("e1"))
    assert row is not None
    again = dataclasses.replace(row.event, event_id="e1-again")
    write_event(transaction, dataclasses.replace(row, event=again))


def count_twice(transaction: Transaction) -> None:
    count_accepted(transaction, ["ann"])


@pytest.mark.parametrize(
    ("fault", "said"),
    [(lose, "1 are not in the store"), (double, "count twice"), (count_twice, "counts 5")],
)
def test_what_it_lost_or_counts_twice_is_said(
    world: World, fault: Callable[[Transaction], None], said: str
) -> None:
    with world.store.transaction() as transaction:
        fault(transaction)
    assert any(said in text for text in held_against(world.store, NotedAcks(ACKED)).broken())


def test_events_that_retention_deleted_are_not_lost(world: World) -> None:
    with world.store.transaction() as transaction:
        delete_event(transaction, "ann", "e0")
    acks = NotedAcks({**ACKED, ("ann", "e0"): AT_S - 10})
    assert held_against(world.store, acks, deleted_until_s=AT_S - 5).broken() == []
    assert held_against(world.store, acks, deleted_until_s=AT_S - 15).lost == 1
