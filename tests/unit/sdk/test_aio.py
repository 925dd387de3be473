"""The asynchronous client behaves as the synchronous one."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import TYPE_CHECKING, Any

import pytest
from grpc import StatusCode

from penchant_proto.v1.service_pb2 import Call
from penchant_sdk import (
    AsyncPenchant,
    Cancelled,
    DeadlineExceeded,
    Event,
    InvalidRequest,
    Item,
    Overloaded,
    Penchant,
)
from penchant_sdk.testing import AsyncFakePenchant, FakePenchant, FakeServer

if TYPE_CHECKING:
    from tests.unit.sdk.conftest import Wire

VERBS = [
    name
    for name, _ in inspect.getmembers(AsyncPenchant, inspect.isfunction)
    if name == "__init__" or not name.startswith("_")
]


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("kind", [Penchant, AsyncPenchant])
def test_every_verb_is_documented(kind: type, name: str) -> None:
    text = inspect.getdoc(getattr(kind, name)) or ""
    parameters = set(inspect.signature(getattr(kind, name)).parameters) - {"self"}
    assert all(f"{parameter}: " in text for parameter in parameters)


def test_round_trip_over_grpc(wire: Wire) -> None:
    async def main() -> None:
        async with AsyncPenchant(wire.target, timeout_s=60) as penchant:
            assert await penchant.ready()
            await penchant.put_items([Item("1", "a film"), Item("2", "another")])
            ranking = await penchant.rank("u", k=1)
            ack = await penchant.feedback([Event(user="u", item=ranking.ids[0], signal="like")])
            again = await penchant.rank("u", min_state_version=ack.state_version("u"))
            assert again.state_version == 1
            assert len((await penchant.export_user("u")).events) == 1
            assert (await penchant.get_items(["1"])).items[0].text == "a film"
            assert len(await penchant.embed(["a", "b"])) == 2
            assert (await penchant.delete_items(["2"])).deleted == 1
            assert (await penchant.forget_user("u")).deleted_events == 1

    asyncio.run(main())


def test_many_tasks_share_a_client(wire: Wire) -> None:
    async def one_user(penchant: AsyncPenchant, user: str) -> int:
        for _ in range(5):
            ack = await penchant.feedback([Event(user=user, item="1", signal="like")])
        return ack.state_version(user)

    async def main() -> list[int]:
        async with AsyncPenchant(wire.target, timeout_s=60) as penchant:
            await penchant.put_items([Item("1", "a film")])
            return await asyncio.gather(*(one_user(penchant, f"u{n}") for n in range(10)))

    assert asyncio.run(main()) == [5] * 10


def test_retry_sends_the_same_event_with_the_time_that_is_left(wire: Wire) -> None:
    async def main() -> None:
        async with AsyncPenchant(wire.target, timeout_s=60) as penchant:
            await penchant.put_items([Item("1", "a film")])
            wire.requests.clear()
            wire.fake.fail_next("[StoreUnavailable] busy", code=StatusCode.UNAVAILABLE, times=2)
            await penchant.feedback([Event(user="u", item="1", signal="like")])

    asyncio.run(main())
    assert len(wire.requests) == 3
    calls = [Call.FromString(one.raw_input_contents[0][4:]) for one in wire.requests]
    left_ms = [call.timeout_ms for call in calls]
    assert 60_000 >= left_ms[0] > left_ms[1] > left_ms[2] > 0
    assert len({call.feedback.SerializeToString() for call in calls}) == 1


def test_errors_are_those_of_the_synchronous_client(wire: Wire) -> None:
    release = threading.Event()

    def hang(_: object) -> bytes:
        release.wait(60)
        return b""

    async def main() -> None:
        async with AsyncPenchant(wire.target, timeout_s=60, max_attempts=2) as penchant:
            wire.fake.fail_next("[Overloaded] full", code=StatusCode.UNAVAILABLE, times=2)
            with pytest.raises(Overloaded, match="2 attempts"):
                await penchant.rank("u")
            with pytest.raises(InvalidRequest, match="k: got 1001"):
                await penchant.rank("u", k=1001)
            wire.answer = hang
            with pytest.raises(DeadlineExceeded):
                await penchant.rank("u", timeout_s=0.1)
            release.set()
        with pytest.raises(Cancelled, match="closed"):
            await penchant.rank("u")

    asyncio.run(main())


def test_client_is_made_outside_of_the_loop_too(wire: Wire) -> None:
    penchant = AsyncPenchant(wire.target, timeout_s=60)

    async def main() -> None:
        async with penchant:
            await penchant.rank("u")

    asyncio.run(main())


def test_fakes_of_one_server_see_each_others_work() -> None:
    server = FakeServer()
    FakePenchant(server).put_items([Item("1", "a film")])
    ranking = asyncio.run(AsyncFakePenchant(server).rank("u"))
    assert ranking.ids == ("1",)


@pytest.mark.parametrize("fake", [False, True])
def test_call_in_a_second_event_loop_is_refused_with_the_way_out(wire: Wire, fake: bool) -> None:
    penchant = AsyncFakePenchant(wire.fake) if fake else AsyncPenchant(wire.target, timeout_s=60)

    async def within() -> None:
        async with penchant:
            await penchant.rank("u")

    asyncio.run(penchant.rank("u"))
    for call in (penchant.rank("u"), penchant.ready(), within()):
        with pytest.raises(
            InvalidRequest, match="event loop: got a call in a second one"
        ) as caught:
            asyncio.run(call)
        assert "make a client in each loop" in str(caught.value)


@pytest.mark.parametrize("options", [{}, {"max_connection_age_s": 60.0}, {"several": True}])
def test_closing_ends_calls_under_way_by_cancelled_and_cancels_no_task(
    wire: Wire, options: dict[str, Any]
) -> None:
    """A task that ends by `asyncio.CancelledError` vanishes: a TaskGroup says nothing of it."""
    release = threading.Event()

    def hang(_: object) -> bytes:
        release.wait(60)
        return b""

    async def main() -> None:
        several = options.pop("several", False)
        target = f"{wire.target},localhost:{wire.target.rpartition(':')[2]}"
        penchant = AsyncPenchant(target if several else wire.target, timeout_s=60, **options)
        wire.answer = hang
        tasks = [asyncio.create_task(penchant.rank("u", k=1)) for _ in range(4)]
        while len(wire.requests) < len(tasks):
            await asyncio.sleep(0.01)
        tasks[0].cancel()
        await penchant.close()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(ends[0], asyncio.CancelledError)
        assert all(isinstance(end, Cancelled) for end in ends[1:]), ends

    try:
        asyncio.run(main())
    finally:
        release.set()
