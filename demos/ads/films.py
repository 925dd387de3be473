"""Film ads for MovieLens' people: real ratings say who wants which film, the clicks are made up.

A campaign advertises a film. Whoever rated it 4 or 5 in truth clicks its ad often, whoever rated it
low or never rated it hardly does. The server knows none of these ratings: it has the people's
ratings of other films, as their history.
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

WISH = {5: 0.32, 4: 0.20, 3: 0.06, 2: 0.02, 1: 0.01}
"""The chance of a click where looked at, by the stars that the reader gave to the film."""
UNRATED = 0.03
USERS, FILMS, CAMPAIGNS, HISTORY = 240, 500, 14, 60
LEAST_RATED = 5
"""Campaigns that each reader has rated, at least: their tastes are known."""
BUDGETS = ("3.40", "2.80", "4.50", "2.20", "3.90", "2.50")
"""In turn; together they are less than what the day's places would earn."""
BIDS = ("0.30", "0.40", "0.25", "0.35")


@dataclass(frozen=True, slots=True)
class FilmDay:
    """Everything for a day of film ads."""

    readers: Readers
    campaigns: tuple[Campaign, ...]
    films: tuple[Item, ...]
    """What the histories are about."""
    history: tuple[Event, ...]
    """Of the days before."""


def film_day(data: MovieLens, midnight: datetime, seed: int) -> FilmDay:
    """Chooses readers, campaigns and histories.

    Args:
        data: the ratings.
        midnight: when the day begins.
        seed: which readers are drawn.
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
    wish = np.array(
        [
            [
                WISH[stars[user, film.id]] if (user, film.id) in stars else UNRATED
                for film in advertised
            ]
            for user in users
        ]
    )
    campaigns = tuple(_campaign(film, number, midnight) for number, film in enumerate(advertised))
    return FilmDay(
        readers=Readers(tuple(users), tuple(one.id for one in campaigns), wish),
        campaigns=campaigns,
        films=tuple(by_id[id_] for id_ in popular if id_ in known),
        history=tuple(
            replace(event, occurred_at_us=_us(midnight - timedelta(minutes=10 * (back + 1))))
            for user in users
            for back, event in enumerate(reversed(histories[user][-HISTORY:]))
        ),
    )


def _advertised(popular: list[Item]) -> list[Item]:
    """Of each genre in turn the most rated film that is not taken yet, so that tastes differ."""
    genres = Counter(genre for film in popular for genre in _genres(film))
    taken: list[Item] = []
    while len(taken) < CAMPAIGNS:
        for genre, _ in reversed(genres.most_common(CAMPAIGNS)):
            free = [film for film in popular if genre in _genres(film) and film not in taken]
            taken += free[:1] if len(taken) < CAMPAIGNS else []
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
