"""A request's moment by the slot's clock, and the keys that targeting and ranking go by.

>>> from penchant_sdk.ads.types import Size
>>> slot = Slot("home", Size(300, 250), utc_offset=timedelta(hours=2))
>>> moment = moment_of(slot, AdContext(at=datetime(2026, 6, 5, 17, 30, tzinfo=UTC)))
>>> moment.hour, moment.weekday.name, moment.keys["part_of_day"]
(19, 'FRIDAY', 'evening')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from penchant_sdk.ads.campaign import Weekday
from penchant_sdk.ads.types import AdContext, Slot
from penchant_sdk.types import from_microseconds, to_microseconds

PARTS_OF_DAY = ("night", "morning", "afternoon", "evening")
"""Six hours each, from midnight."""
RANKING_KEYS = ("device", "part_of_day", "placement", "weekday")
"""What the ranking and the events are told: the four keys that weigh in a user's interest."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where an ad is asked for."""

    at_us: int
    """Microseconds since 1970-01-01 UTC."""
    utc_offset: timedelta
    hour: int
    """By the clock where it is seen, 0 to 23."""
    weekday: Weekday
    keys: Mapping[str, str]
    """What targeting rules look at; keys that are not told are absent."""

    @property
    def ranking_context(self) -> dict[str, str]:
        """What the ranking is told."""
        return {key: self.keys[key] for key in RANKING_KEYS if key in self.keys}


def moment_of(slot: Slot, context: AdContext) -> Moment:
    """The moment of a request.

    Raises:
        InvalidEvent: `at` is naive or no time.
    """
    at_us = to_microseconds(context.at if context.at is not None else datetime.now(UTC), "at")
    clock = from_microseconds(at_us) + slot.utc_offset
    hour = clock.hour if context.hour is None else context.hour
    weekday = Weekday(clock.isoweekday())
    keys = {
        "placement": slot.placement,
        "size": slot.size.name,
        "device": context.device,
        "part_of_day": PARTS_OF_DAY[hour // 6],
        "weekday": weekday.name.lower(),
        **context.attributes,
    }
    told = {key: value for key, value in keys.items() if value}
    return Moment(at_us, slot.utc_offset, hour, weekday, told)
