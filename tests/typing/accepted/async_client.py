"""Code that must type-check: the asyncio client as it is meant to be used."""

from __future__ import annotations

from typing import assert_type

from penchant_sdk import AsyncPenchant, AsyncTransport, Event, FeedbackAck, Item, Ranking
from penchant_sdk.testing import AsyncFakePenchant


async def main() -> None:
    async with AsyncPenchant("localhost:8001") as penchant:
        assert_type(penchant, AsyncPenchant)
        await penchant.put_items([Item("1", "text")])
        ranking = await penchant.rank("u42", k=10)
        assert_type(ranking, Ranking)
        ack = await penchant.feedback([Event(user="u42", item=ranking.ids[0], signal="like")])
        assert_type(ack, FeedbackAck)
        assert_type(await penchant.ready(timeout_s=0.5), bool)


class MyTransport:
    async def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        return payload

    async def model_ready(self, model: str, timeout_s: float) -> bool:
        return True

    async def close(self) -> None: ...


def tokens() -> None:
    AsyncPenchant("localhost:8001", token="a.b.c")
    AsyncPenchant("localhost:8001", token=lambda: "a.b.c")
    AsyncPenchant("localhost:8001", token=fetched)


async def fetched() -> str:
    return "a.b.c"


def takes_a_client(penchant: AsyncPenchant) -> None: ...


def seams() -> None:
    transport: AsyncTransport = MyTransport()
    takes_a_client(AsyncPenchant(transport=transport))
    takes_a_client(AsyncFakePenchant())
