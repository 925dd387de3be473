"""Code that must not type-check: answers misread or changed."""

from __future__ import annotations

from penchant_sdk import AsyncPenchant, Event, Item, Penchant, Ranking

penchant = Penchant("localhost:8001")
ranking = penchant.rank("u")
ranking.items[0].score = 1.0  # E: misc
slow = ranking.items[0].explanation.slow  # E: union-attr
ranking.items.append("x")  # E: attr-defined
unknown = ranking.unknown  # E: attr-defined
item: Item = ranking.items[0]  # E: assignment
event = Event(user="u", item="i", signal="like")
event.user = "v"  # E: misc
penchant.feedback([event]).state_version + 1  # E: operator


async def forgotten_await(client: AsyncPenchant) -> Ranking:
    with client:  # E: attr-defined attr-defined
        print(client.rank("u").items)  # E: attr-defined
    return client.rank("u")  # E: return-value
