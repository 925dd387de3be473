"""The asyncio twin does what the synchronous client does."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime

from penchant_sdk.home import Action, AsyncHomeClient, Brightness, HomeClient
from penchant_sdk.testing import AsyncFakePenchant, FakePenchant
from tests.support.house import HOUSE, home_server

AT = datetime(2026, 1, 1, 23, tzinfo=UTC)


ASKS_NOBODY = {"describe"}
"""What needs no server is the same function on both."""


def test_both_clients_have_the_same_verbs_with_the_same_arguments() -> None:
    for name, verb in inspect.getmembers(HomeClient, inspect.isfunction):
        if not name.startswith("_"):
            twin = getattr(AsyncHomeClient, name)
            assert inspect.signature(twin) == inspect.signature(verb)
            assert inspect.iscoroutinefunction(twin) == (name not in ASKS_NOBODY)


def test_a_habit_forms_over_the_asynchronous_client_too() -> None:
    dim = Action("HassLightSet", "light.bed", Brightness(percent=20))
    said = "turn on the bedside lamp"

    async def evening() -> Action | None:
        async with AsyncFakePenchant(home_server()) as penchant:
            home = AsyncHomeClient(penchant)
            await home.register(HOUSE)
            assert await home.understand(["I'm freezing"]) != (None,)
            for _ in range(3):
                meant = await home.interpret(said, user="ann", room="bedroom", at=AT)
                await home.overridden(meant, by=dim)
            meant = await home.interpret(said, user="ann", room="bedroom", at=AT)
            await home.suggested(meant)
            await home.accepted(meant)
            return meant.act

    assert asyncio.run(evening()) == dim


def test_it_knows_the_same_of_the_same_home() -> None:
    home = HomeClient(FakePenchant(home_server()))
    home.register(HOUSE)
    assert home.understand(["xyzzy plugh frobnicate"]) == (None,)
