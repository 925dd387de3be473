"""A day of visits played against an ad client, and what was shown and clicked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from demos.ads.ads_simulation import Readers, Visit
from penchant_sdk import PlackettLuce
from penchant_sdk.ads import AdClient, AdContext, Decision, Slot

SHOWN_AFTER = timedelta(seconds=1)
CLICKED_AFTER = timedelta(seconds=9)
LAPSE_S = 3600
"""Of the decisions: minutes of the day go by between visits that are served at the same time."""
PHONES = 0.6
"""The share of visits from a phone."""


@dataclass(frozen=True, slots=True)
class SimulatedImpression:
    """An ad that was shown."""

    at_s: float
    """Seconds since midnight."""
    decision: Decision
    clicked: bool


@dataclass(frozen=True, slots=True)
class DayPlan:
    """How a day is played."""

    slot: Slot
    midnight: datetime
    places: int = 3
    explore: PlackettLuce | None = None
    explore_share: float = 0.0
    """Of the visits that explore."""
    at_once: int = 1
    """Visits that are served at the same time."""
    seed: int = 1


@dataclass(slots=True)
class Day:
    """One day, as far as it was played."""

    ads: AdClient
    readers: Readers
    plan: DayPlan
    impressions: list[SimulatedImpression] = field(default_factory=list)
    """In the order of the visits."""
    visits: int = 0

    def play(
        self, visits: Iterable[Visit], on_visits: Callable[[int], None] = lambda count: None
    ) -> None:
        """Plays more visits, in time order; those served at once overlap."""
        with ThreadPoolExecutor(self.plan.at_once) as threads:
            for chunk in _at_once(visits, self.plan.at_once):
                numbered = list(enumerate(chunk, start=self.visits))
                for shown in threads.map(self._visit, numbered):
                    self.impressions += shown
                self.visits += len(chunk)
                on_visits(len(chunk))

    def _visit(self, numbered: tuple[int, Visit]) -> list[SimulatedImpression]:
        """One visit: select, show, and click where the reader truly would."""
        number, visit = numbered
        plan, random = self.plan, Random(f"{self.plan.seed}-{number}")
        at = plan.midnight + timedelta(seconds=visit.at_s)
        device = "phone" if random.random() < PHONES else "desktop"
        explores = random.random() < plan.explore_share
        decisions = self.ads.select(
            user=visit.user,
            slot=plan.slot,
            context=AdContext(at=at, device=device),
            n=plan.places,
            explore=plan.explore if explores else None,
        )
        shown = []
        for decision in decisions:
            chance = self.readers.click_probability(
                visit.user, decision.campaign, decision.position
            )
            clicked = random.random() < chance
            self.ads.impression(decision, at=at + SHOWN_AFTER)
            if clicked:
                self.ads.click(decision, at=at + CLICKED_AFTER)
            shown.append(SimulatedImpression(visit.at_s, decision, clicked))
        return shown


def _at_once(visits: Iterable[Visit], most: int) -> Iterator[list[Visit]]:
    """Visits that may overlap: neighbours in time, of different users, as time goes forward."""
    chunk: list[Visit] = []
    for visit in visits:
        if len(chunk) == most or any(visit.user == one.user for one in chunk):
            yield chunk
            chunk = []
        chunk.append(visit)
    if chunk:
        yield chunk


def most_in(impressions: Sequence[SimulatedImpression], window_s: float) -> int:
    """The most impressions of one campaign to one user in any stretch of so much time."""
    times: dict[tuple[str, str], list[float]] = {}
    most = 0
    for one in sorted(impressions, key=lambda one: one.at_s):
        key = one.decision.user, one.decision.campaign
        recent = [at_s for at_s in times.get(key, ()) if at_s > one.at_s - window_s]
        times[key] = [*recent, one.at_s]
        most = max(most, len(times[key]))
    return most
