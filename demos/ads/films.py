"""Film ads for the users of MovieLens: tastes are their real ratings, clicks are simulated.

A campaign advertises a film. Users who rated the film 4 or 5 often click its ad; users who rated it
lower, or not at all, rarely do. The server never sees these ratings; it gets the users' ratings of
other films as their history.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

import numpy as np

from demos.ads.ads_simulation import Readers
from penchant.domain.types import Event, Item
from penchant.logs.datasets.movielens import MovieLens
from penchant_sdk.ads import (
    Campaign,
    DayPart,
    Flight,
    FrequencyCap,
    Money,
    Per,
    TargetingRule,
)

ATTRACTION = {5: 0.32, 4: 0.20, 3: 0.06, 2: 0.02, 1: 0.01}
"""Probability of a click on an ad that the reader looks at, by the reader's stars for the film."""
UNRATED = 0.03
"""Probability of a click on an ad that the reader looks at, for a film without a rating."""
USERS, FILMS, CAMPAIGNS, HISTORY = 240, 500, 14, 60
LEAST_RATED = 5
"""Fewest advertised films that each reader has rated, so that tastes are known."""
BUDGETS = ("3.40", "2.80", "4.50", "2.20", "3.90", "2.50")
"""Budgets of the campaigns, in rotation. In total they are less than the day's places are worth."""
BIDS = ("0.30", "0.40", "0.25", "0.35")


@dataclass(frozen=True, slots=True)
class FilmDay:
    """Readers, campaigns and catalog of a day of film ads."""

    readers: Readers
    campaigns: tuple[Campaign, ...]
    films: tuple[Item, ...]
    """Films that the histories are about, without the advertised ones."""
    history: tuple[Event, ...]
    """Ratings of earlier days."""


def film_day(data: MovieLens, midnight: datetime, seed: int) -> FilmDay:
    """Draws the readers and makes campaigns and histories for a day.

    Args:
        data: MovieLens-100K.
        midnight: start of the day.
        seed: seed of the sample of readers.
    """
    popular = [item for item, _ in Counter(one.item for one in data.ratings).most_common(FILMS)]
    by_id = {film.id: film for film in data.films}
    advertised = _advertised([by_id[id_] for id_ in popular])
    stars = {(one.user, one.item): round(one.value or 0) for one in data.ratings}
    known = set(popular) - {film.id for film in advertised}
    histories: dict[str, list[Event]] = {}
    for event in data.ratings:
        if event.item in known:
            histories.setdefault(event.user, []).append(event)
    rated = Counter(user for user, item in stars if item in {film.id for film in advertised})
    able = [
        user
        for user, events in histories.items()
        if rated[user] >= LEAST_RATED and len(events) >= HISTORY
    ]
    users = Random(seed).sample(sorted(able, key=int), min(USERS, len(able)))
    attraction = np.array(
        [
            [
                ATTRACTION[stars[user, film.id]] if (user, film.id) in stars else UNRATED
                for film in advertised
            ]
            for user in users
        ]
    )
    campaigns = tuple(_campaign(film, number, midnight) for number, film in enumerate(advertised))
    return FilmDay(
        readers=Readers(tuple(users), tuple(one.id for one in campaigns), attraction),
        campaigns=campaigns,
        films=tuple(by_id[id_] for id_ in popular if id_ in known),
        history=tuple(
            replace(event, occurred_at_us=_us(midnight - timedelta(minutes=10 * (back + 1))))
            for user in users
            for back, event in enumerate(reversed(histories[user][-HISTORY:]))
        ),
    )


def _advertised(popular: list[Item]) -> list[Item]:
    """The most rated film of each genre in turn, without repetition, so that tastes differ."""
    genres = Counter(genre for film in popular for genre in _genres(film))
    taken: list[Item] = []
    while len(taken) < CAMPAIGNS:
        for genre, _ in reversed(genres.most_common(CAMPAIGNS)):
            others = [film for film in popular if genre in _genres(film) and film not in taken]
            taken += others[:1] if len(taken) < CAMPAIGNS else []
    return taken


def _campaign(film: Item, number: int, midnight: datetime) -> Campaign:
    genres = [genre.lower() for genre in _genres(film)]
    return Campaign(
        id=f"ad-{film.id}",
        text=film.text,
        advertiser=f"The studio of {film.attributes['title']}",
        flight=Flight(midnight, midnight + timedelta(days=1)),
        budget=Money.of(BUDGETS[number % len(BUDGETS)]),
        bid=Money.of(BIDS[number % len(BIDS)]),
        categories=frozenset(genres),
        caps=(FrequencyCap(2, Per.HOUR), FrequencyCap(5, Per.DAY)),
        day_parts=(DayPart(16, 24),) if number == 1 else (),
        targeting=(TargetingRule.one_of("device", "phone"),) if number == 2 else (),
    )


def _genres(film: Item) -> list[str]:
    return [genre for genre in film.attributes.get("genres", "").split(", ") if genre]


def _us(when: datetime) -> int:
    return int(when.timestamp() * 1_000_000)
