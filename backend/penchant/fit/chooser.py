"""Chooses texts, vectors and settings by validation on the older part of a log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from penchant.config import Config
from penchant.domain.arrays import Float64
from penchant.domain.types import Matrix
from penchant.fit.fit_budget import FitBudget
from penchant.fit.fit_notes import FitNotes
from penchant.fit.halving import Halved, successive_halving
from penchant.fit.trial import FitChoice, Rung
from penchant.system.progress import Progress

VectorsOf = Callable[[FitChoice], Matrix]
"""The items' vectors that a choice names, shape (items, d)."""


@dataclass(frozen=True, slots=True)
class Chooser:
    """Compares choices on the validation, within the time; known results are not made again."""

    rungs: Sequence[Rung]
    """Empty: the log is too short, and the first choice always stays."""
    config: Config
    notes: FitNotes
    budget: FitBudget
    seed: int
    progress: Progress

    def best(
        self, what: str, choices: Sequence[FitChoice], vectors_of: VectorsOf
    ) -> Halved[FitChoice]:
        """The best of some choices, the default first; see `successive_halving`.

        Args:
            what: what is chosen, as a step of the progress.
            choices: one or more.
            vectors_of: gives the vectors of a choice.
        """
        done = 0
        expected = 2 * len(choices)

        def judge(choice: FitChoice, number: int) -> Float64 | None:
            nonlocal done
            self.progress(f"{what}, trial {done + 1}", min(0.99, done / expected))
            done += 1
            return self._judge(choice, self.rungs[number], vectors_of)

        rounds = [rung.users for rung in self.rungs] if len(choices) > 1 else []
        return successive_halving(choices, rounds, judge, self.seed)

    def _judge(self, choice: FitChoice, rung: Rung, vectors_of: VectorsOf) -> Float64 | None:
        name = f"round {rung.number}: {choice.name}"
        known = self.notes.gains(name)
        if known is None and not self.budget.allows():
            return None
        self.budget.spend()
        if known is not None:
            return known
        gains = rung.judge(choice, vectors_of(choice), self.config)
        self.notes.note_gains(name, gains)
        return gains


def described(found: Halved[FitChoice], what: str) -> str:
    """What a search found, in a sentence.

    >>> described(Halved(FitChoice("v"), 0.1, 0.12, tried=3), "Settings")
    'Settings: the best of 3 raises NDCG@10 on the validation part from 0.100 to 0.120.'
    """
    if found.reached > found.first:
        return (
            f"{what}: the best of {found.tried} raises NDCG@10 on the validation part from "
            f"{found.first:.3f} to {found.reached:.3f}."
        )
    return f"{what}: none of {found.tried} is certainly better than the default, which stays."
