"""Ads: a page asks for ads, which reserves their impressions; what was shown confirms them."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from functools import partial

from loadtest.timed_session import LoadWorld, PlayedSession, SessionMaker, TimedCall
from loadtest.traffic import Population, item_text, user_id
from penchant_sdk import Penchant
from penchant_sdk.ads import (
    AdClient,
    Campaign,
    Decision,
    Flight,
    FrequencyCap,
    Money,
    Per,
    Size,
    Slot,
)

_MOST_PAGES = 6
_ADS_A_PAGE = 2
_CLICKS = 0.1
"""Share of shown ads that are clicked: more than in life, so that clicks are measured too."""
_SLOT = Slot("article", Size(300, 250))
_YEAR = datetime.now(UTC).year
_FLIGHT = Flight(datetime(_YEAR, 1, 1, tzinfo=UTC), datetime(_YEAR + 1, 1, 1, tzinfo=UTC))


def campaigns(count: int) -> list[Campaign]:
    """Campaigns with a budget that lasts and a cap that does not."""
    return [
        Campaign(
            f"campaign-{number}",
            item_text(number),
            f"Advertiser {number % 50}",
            _FLIGHT,
            Money.of(1_000_000_000),
            Money.of("0.40"),
            caps=(FrequencyCap(20, Per.HOUR),),
        )
        for number in range(count)
    ]


def fill(penchant: Penchant, items: int) -> None:
    """Puts campaigns."""
    AdClient(penchant).put_campaigns(campaigns(items), timeout_s=120.0)


def sessions(penchant: Penchant, population: Population, items: int) -> SessionMaker:
    """A reader's pages, each with two ads."""
    client = AdClient(penchant, campaigns(items), seed=1)
    return lambda rng: _read(client, rng, population)


def _read(client: AdClient, rng: random.Random, population: Population) -> PlayedSession:
    user = user_id(population.users.draw(rng))
    for _ in range(rng.randint(1, _MOST_PAGES)):
        select = partial(client.select, user=user, slot=_SLOT, n=_ADS_A_PAGE, explain=False)
        decisions: tuple[Decision, ...] = yield TimedCall("select and reserve", select)
        for decision in decisions:
            yield TimedCall("impression", partial(client.impression, decision))
            if rng.random() < _CLICKS:
                yield TimedCall("click", partial(client.click, decision))


ADS = LoadWorld(
    ("signals=default,ads",),
    fill,
    sessions,
    200,
    {"select and reserve": 250.0, "impression": 150.0, "click": 150.0},
)
"""Campaigns with caps and budgets."""
