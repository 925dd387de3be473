"""The first clock alone: the demo's rankings by a server whose catalog nobody refreshes.

The server's own fold, score and counters, in this process, over the same ratings in the same order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

import numpy as np

from demos.films.film_metrics import K
from demos.films.live_replay import LiveOutcome
from demos.progress_steps import Advance
from penchant.catalog.search import top_k
from penchant.config import Config
from penchant.domain.types import Event, Item, Matrix
from penchant.evaluation.penchant import PenchantRecommender
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, make_stream


class FirstClock:
    """Penchant with every rating and without a refresh."""

    def __init__(
        self, films: Sequence[Item], ratings: Sequence[Event], texts: Matrix, config: Config
    ) -> None:
        """Has learnt nothing yet.

        Args:
            films: the catalog.
            ratings: all ratings, in the order of their times.
            texts: text vectors of the films, shape (films, d).
            config: the server's settings.
        """
        relevance = parse_relevance("rating>=1")
        self._stream: Stream = make_stream(films, ratings, config.signals, relevance, LeftOut())
        self._recommender = PenchantRecommender(config, texts)
        self._recommender.fit(self._stream, 0)
        self._users = {user: number for number, user in enumerate(self._stream.users)}
        self._films = {film.id: number for number, film in enumerate(films)}
        self._seen: dict[str, set[int]] = {}

    def follow(self, outcome: LiveOutcome, advance: Advance) -> None:
        """Adds to an outcome the places of its films here, and the last top ten of its story."""
        wanted = {(one.user, one.item): place for place, one in enumerate(outcome.rankings)}
        story = outcome.story
        for position, event in enumerate(self._stream.events):
            place = wanted.get((event.user, event.item))
            if place is not None:
                best = self.top(event.user, event.occurred_at_us)
                at = best.index(event.item) if event.item in best else None
                known = outcome.rankings[place]
                outcome.rankings[place] = dataclasses.replace(known, first_clock_place=at)
            self._recommender.learn(position)
            self._seen.setdefault(event.user, set()).add(self._films[event.item])
            if story is not None and event.user == story.user:
                top = tuple(self.top(event.user, event.occurred_at_us))
                outcome.story = dataclasses.replace(story, first_clock=top)
            advance(1)

    def top(self, user: str, at_us: int) -> list[str]:
        """The ids of the user's ten best films at a moment, rated ones left out, best first."""
        hidden: Collection[int] = self._seen.get(user, ())
        scores = np.array(self._recommender.scores(self._users[user], at_us))
        scores[np.fromiter(hidden, np.int64)] = -np.inf
        return [self._stream.items[number].id for number in top_k(scores, K).tolist()]
