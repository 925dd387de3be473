"""A recommender built from Vowpal Wabbit: an online linear model of history × item.

John Langford, Lihong Li and Alex Strehl, "Vowpal Wabbit", 2007, https://vowpalwabbit.org, with its
action-dependent features (`--cb_adf`) and the direct method (`--cb_type dm`), which is regression
on the cost of the action taken. VW's own update is the adaptive, normalised one of Stéphane Ross,
Paul Mineiro and John Langford, "Normalized Online Learning", UAI 2013.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from vowpalwabbit import Workspace

from penchant.domain.types import Context, Vector
from penchant.evaluation.baselines.likes import Likes
from penchant.logs.stream import Stream


class VowpalWabbit:
    """Learns cost 0 for likes and 1 for sampled items, given the user's latest likes.

    See `Recommender`. Needs no refit; O(`recent` · `negatives`) per event and O(items · `recent`)
    per ranking. A cold user is ranked by the items' own weights.
    """

    name = "vowpal-wabbit"

    def __init__(
        self,
        seed: int,
        *,
        recent: int = 20,
        decay: float = 0.9,
        negatives: int = 20,
        rate: float = 0.1,
        bits: int = 22,
    ) -> None:
        self._recent = recent
        self._decay = decay
        self._negatives = negatives
        self._seed = seed
        self._arguments = (
            f"--cb_adf --rank_all --cb_type dm --interactions hi --bit_precision {bits} "
            f"--learning_rate {rate} --random_seed {seed} --quiet"
        )
        self._likes = Likes()
        self._random = np.random.default_rng(seed)
        self._workspace: Any = None
        self._items: list[Any] = []

    def fit(self, stream: Stream, until: int) -> None:
        """Learns the new events before `until`, in order."""
        if self._likes.start(stream):
            self._random = np.random.default_rng(self._seed)
            self._workspace = Workspace(self._arguments)
            self._items = self._workspace.parse([f"|i {item}" for item in range(len(stream.items))])
        for position in range(self._likes.position, until):
            self.learn(position)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """The negated costs that VW predicts."""
        shared = self._workspace.parse([self._history(user)])
        costs = self._workspace.predict(shared + self._items)
        self._workspace.finish_example(shared)
        return -np.array(costs, np.float32)

    def learn(self, position: int) -> None:
        """Takes one step for a like's item and one per sampled item; other events teach nothing."""
        if self._likes.is_like(position):
            stream = self._likes.stream
            item = int(stream.item[position])
            history = self._history(int(stream.user[position]))
            self._workspace.learn([history, f"0:0:1 |i {item}"])
            for other in self._random.integers(0, len(stream.items), self._negatives):
                if other != item:
                    self._workspace.learn([history, f"0:1:1 |i {other}"])
        self._likes.add(position)

    def _history(self, user: int) -> str:
        items, weights = self._likes.decayed(user, self._decay)
        pairs = zip(items[-self._recent :].tolist(), weights[-self._recent :].tolist(), strict=True)
        return "shared |h " + " ".join(f"{item}:{weight:.4g}" for item, weight in pairs)
