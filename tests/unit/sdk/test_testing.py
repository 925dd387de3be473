"""The fakes: what their makers choose (signals, settings, the clock), and failures on demand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from grpc import StatusCode

from penchant_sdk import Event, InvalidRequest, Item, Overloaded
from penchant_sdk.testing import AsyncFakePenchant, FakePenchant, FakeServer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def refusals(penchant: FakePenchant, *signals: str, at: datetime | None = None) -> list[str]:
    """The signals of those that a new server refuses."""
    penchant.put_items([Item("a", "a waltz")])
    events = [
        Event("ann", "a", signal, value=1.0, occurred_at=at or datetime.now(UTC))
        for signal in signals
    ]
    results = penchant.feedback(events).results
    return [
        signal for signal, one in zip(signals, results, strict=True) if one.reason == "InvalidEvent"
    ]


def test_signals_are_those_of_the_default_table_or_of_the_ones_named() -> None:
    signals = ("like", "conversion", "purchased", "accepted")
    assert refusals(FakePenchant(), *signals) == ["conversion", "purchased", "accepted"]
    assert refusals(FakePenchant(signals="ads,games"), *signals) == ["like", "accepted"]
    assert refusals(FakePenchant(signals='{"like": {"reward": 1.0}}'), *signals) == [*signals[1:]]
    assert refusals(FakePenchant(FakeServer(settings={"signals": "home"})), *signals) == [
        *signals[:3]
    ]


@pytest.mark.parametrize("signals", ["", "songs", "{}", '{"like": {"reward": 2.0}}', '{"like": 1}'])
def test_signals_that_no_server_takes_are_refused(signals: str) -> None:
    with pytest.raises(InvalidRequest, match="signals: "):
        FakePenchant(signals=signals)


def test_settings_are_the_servers() -> None:
    server = FakeServer(settings={"explorations_per_day": "7"})
    FakePenchant(server).put_items([Item("a", "a waltz")])
    assert FakePenchant(server).rank("ann").explorations_left == 7
    with pytest.raises(InvalidRequest, match="rigde: unknown setting"):
        FakeServer(settings={"rigde": "1"})


def test_a_server_brings_its_own_signals() -> None:
    with pytest.raises(InvalidRequest, match="expected one of the two"):
        FakePenchant(FakeServer(), signals="games")


def test_the_clock_is_the_tests_own() -> None:
    now = [NOON]
    penchant = FakePenchant(FakeServer(clock=lambda: now[0].timestamp()))
    assert refusals(penchant, "like", at=NOON + timedelta(hours=1)) == ["like"]
    now[0] += timedelta(hours=1)
    assert refusals(penchant, "like", at=NOON + timedelta(hours=1)) == []
    (row,) = penchant.export_user("ann").events
    assert row.accepted_at == NOON + timedelta(hours=1)


def test_failures_come_when_they_are_ordered_and_then_no_more() -> None:
    penchant = FakePenchant()
    penchant.server.fail_next("[Overloaded] full", code=StatusCode.UNAVAILABLE, times=4)
    with pytest.raises(Overloaded, match=r"full \(put_items: 4 attempts\)"):
        penchant.put_items([Item("a", "a waltz")])
    assert penchant.put_items([Item("a", "a waltz")]).changed == 1


def test_a_server_outlives_the_clients_that_were_given_it() -> None:
    with FakeServer(signals="games") as server:
        with FakePenchant(server) as first:
            first.put_items([Item("a", "a waltz")])

        async def ids() -> tuple[str, ...]:
            async with AsyncFakePenchant(server) as penchant:
                await penchant.feedback([Event("ann", "a", "purchased")])
                return (await penchant.rank("ann", exclude_owned=True)).ids

        assert asyncio.run(ids()) == ()
        assert FakePenchant(server).rank("bob").ids == ("a",)
