"""The objective: the signals that a log's other events should help to predict.

A shop logs many views and few purchases, and wants purchases. So weights are learnt from held-out
purchases, and the evaluation ranks for them. Unless somebody names one, the objective is what the
signal table weighs most, weight times largest reward, among the positive signals that the log has
enough of; several of equal weight count together. Where that is the weakest of all, as views are
before there are purchases, every event with a positive reward counts alike.

>>> from penchant.domain.signals import DEFAULT_SIGNALS
>>> find_objective({"view": 9000, "purchase": 800}, DEFAULT_SIGNALS).signals
('purchase',)
>>> find_objective({"view": 9000, "purchase": 8}, DEFAULT_SIGNALS).signals
()
>>> find_objective({"like": 100}, DEFAULT_SIGNALS).signals
()
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from penchant.domain.rewards import Signal, SignalTable

ALL_LIKES = "all"
"""The name of the objective that counts every event with a positive reward alike."""

ENOUGH = 250
"""Events with a positive reward from which a signal can be an objective: 50 of them are among the
latest fifth of a log, which weights are learnt from."""


@dataclass(frozen=True, slots=True)
class Objective:
    """The signals whose items should be ranked first."""

    signals: tuple[str, ...] = ()
    """In alphabetical order; empty: every event with a positive reward counts alike."""
    sentence: str = ""
    """What was taken, and why; empty where there was nothing to choose from."""

    @property
    def term(self) -> str:
        """The objective as people write it."""
        return " or ".join(f"signal={name}" for name in self.signals)


def find_objective(likes: Mapping[str, int], table: SignalTable, asked: str = "") -> Objective:
    """The objective of a log.

    Args:
        likes: events with a positive reward by signal.
        table: the rewards of the signals.
        asked: a signal, `ALL_LIKES`, or nothing.
    """
    met = {name: count for name, count in likes.items() if count and name in table}
    if asked == ALL_LIKES:
        return Objective((), "Every event with a positive reward counts alike, as was asked.")
    if asked:
        count = met.get(asked, 0)
        if count >= ENOUGH or set(met) == {asked}:
            return Objective(
                (asked,), f"The objective is {asked}, as was asked ({count:,} events)."
            )
        few = f"{count:,} {asked} events" if count else f"no {asked} event"
        return Objective(
            (),
            f"The objective is {asked}, but there are {few} and {ENOUGH} are needed: until then "
            "every event with a positive reward counts alike.",
        )
    if len(met) < 2:
        return Objective()
    enough = {name for name, count in met.items() if count >= ENOUGH}
    if not enough:
        return Objective()
    most = max(_says(table[name]) for name in enough)
    taken = tuple(sorted(name for name in enough if _says(table[name]) == most))
    if most == min(_says(table[name]) for name in met):
        return Objective()
    counted = ", ".join(f"{name}: {met[name]:,}" for name in sorted(met, key=lambda one: -met[one]))
    rarer = [name for name in met if _says(table[name]) > most]
    why = f"the signal table weighs it most of those with {ENOUGH} events or more ({counted})"
    if rarer:
        why += f"; {', '.join(sorted(rarer))} would say more, but is rarer"
    return Objective(
        taken, f"The objective is {' and '.join(taken)}: {why}. --objective takes another."
    )


def _says(signal: Signal) -> float:
    """Weight times the largest reward that the signal can have."""
    return signal.weight * (1.0 if signal.scale is not None else signal.reward)
