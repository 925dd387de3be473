"""A day of visits played against an ad client, with the ads that were shown and clicked."""

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
"""Lapse of the decisions: minutes of the day may lie between visits that are served together."""
PHONES = 0.6
"""Share of the visits that come from a phone."""


@dataclass(frozen=True, slots=True)
class SimulatedImpression:
    """An ad that was shown to a reader."""

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
    """Ads on a page."""
    explore: PlackettLuce | None = None
    """Exploration policy of the visits that explore."""
    explore_share: float = 0.0
    """Share of the visits that explore, 0 to 1."""
    concurrent_visits: int = 1
    """Most visits served at the same time."""
    seed: int = 1


@dataclass(slots=True)
class Day:
    """A day as far as it has been played."""

    ads: AdClient
    readers: Readers
    plan: DayPlan
    impressions: list[SimulatedImpression] = field(default_factory=list)
    """In the order of the visits."""
    visits: int = 0
    """Number of visits played so far."""

    def play(
        self, visits: Iterable[Visit], on_visits: Callable[[int], None] = lambda count: None
    ) -> None:
        """Plays more visits.

        Args:
            visits: visits in time order.
            on_visits: called with the number of visits in each group that was served together.
        """
        with ThreadPoolExecutor(self.plan.concurrent_visits) as threads:
            for group in _concurrent(visits, self.plan.concurrent_visits):
                numbered = list(enumerate(group, start=self.visits))
                for shown in threads.map(self._visit, numbered):
                    self.impressions += shown
                self.visits += len(group)
                on_visits(len(group))

    def _visit(self, numbered: tuple[int, Visit]) -> list[SimulatedImpression]:
        """Plays one visit: selects ads, reports them shown, and clicks as the reader would."""
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


def _concurrent(visits: Iterable[Visit], most: int) -> Iterator[list[Visit]]:
    """Groups of at most `most` consecutive visits by different users, in time order."""
    group: list[Visit] = []
    for visit in visits:
        if len(group) == most or any(visit.user == one.user for one in group):
            yield group
            group = []
        group.append(visit)
    if group:
        yield group


def most_within(window_s: float, impressions: Sequence[SimulatedImpression]) -> int:
    """The largest number of impressions of one campaign to one user within `window_s` seconds."""
    times: dict[tuple[str, str], list[float]] = {}
    most = 0
    for one in sorted(impressions, key=lambda one: one.at_s):
        key = one.decision.user, one.decision.campaign
        recent = [at_s for at_s in times.get(key, ()) if at_s > one.at_s - window_s]
        times[key] = [*recent, one.at_s]
        most = max(most, len(times[key]))
    return most
