"""The baseline of the films demo: recent popularity, the same ranking for every user."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from penchant.domain.rewards import resolve
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event

HALF_LIFE_S = 14 * 86400.0


class LivePopularity:
    """Ranks films by summed rewards that halve every 14 days.

    A rating adds the reward that the server gives it. Add each event when the server has acked it,
    so that both rankings know the same events. Counting every rating as 1, or only likes, does not
    make this baseline stronger.

    >>> ranking = LivePopularity(["a", "b", "c"])
    >>> ranking.add([Event("1", "u", "b", "rating", 5.0, 0)])
    >>> ranking.add([Event("2", "u", "c", "rating", 3.0, 0)])
    >>> ranking.top(2, leave_out=["b"])
    ['c', 'a']
    """

    def __init__(self, items: Sequence[str]) -> None:
        self._ids = list(items)
        self._rows = {id_: row for row, id_ in enumerate(items)}
        self._weights = np.zeros(len(items))
        self._epoch_us: int | None = None

    def add(self, events: Iterable[Event]) -> None:
        """Adds the rewards of events."""
        for event in events:
            if self._epoch_us is None:
                self._epoch_us = event.occurred_at_us
            outcome = resolve(DEFAULT_SIGNALS, event.signal, event.value)
            # Later events get a larger weight, which ranks as if earlier ones had faded.
            halvings = (event.occurred_at_us - self._epoch_us) / 1e6 / HALF_LIFE_S
            reward = outcome.weight * max(0.0, outcome.reward)
            self._weights[self._rows[event.item]] += reward * 2.0**halvings

    def top(self, k: int, leave_out: Collection[str] = ()) -> list[str]:
        """The k most popular items, best first; ties keep the order of the catalog."""
        weights = self._weights
        if leave_out:
            weights = weights.copy()
            weights[[self._rows[id_] for id_ in leave_out]] = -np.inf
        most = min(k + 64, len(weights) - 1)
        floor = np.partition(weights, -most)[-most]
        near = np.flatnonzero(weights >= floor)
        best = near[np.argsort(-weights[near], kind="stable")[:k]]
        return [self._ids[row] for row in best if weights[row] > -np.inf]
