"""The time of a request for ads, and the keys that targeting and ranking use.

>>> from datetime import timedelta
>>> from penchant_sdk.ads.types import Size
>>> slot = Slot("home", Size(300, 250), utc_offset=timedelta(hours=2))
>>> moment = moment_of(slot, AdContext(at=datetime(2026, 6, 5, 17, 30, tzinfo=UTC)))
>>> moment.keys["weekday"], moment.keys["part_of_day"]
('friday', 'evening')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from penchant_sdk._times import from_microseconds, to_microseconds
from penchant_sdk.ads.campaign import Weekday
from penchant_sdk.ads.types import AdContext, Slot
from penchant_sdk.part_of_day import PartOfDay

RANKING_KEYS = ("device", "part_of_day", "placement", "weekday")
"""Keys of the context of rankings and events; all four influence the user's interest."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Time and place of a request for ads."""

    at_us: int
    """Microseconds since 1970-01-01 UTC."""
    keys: Mapping[str, str]
    """Values that targeting rules test, by key. Unknown values are absent."""

    @property
    def ranking_context(self) -> dict[str, str]:
        """The context of the ranking and of its events."""
        return {key: self.keys[key] for key in RANKING_KEYS if key in self.keys}


def moment_of(slot: Slot, context: AdContext) -> Moment:
    """The moment of a request for a slot in a context.

    Raises:
        InvalidEvent: the context's `at` is naive or not a time.
    """
    at_us = to_microseconds(context.at if context.at is not None else datetime.now(UTC), "at")
    clock = from_microseconds(at_us) + slot.utc_offset
    hour = clock.hour if context.hour is None else context.hour
    keys = {
        "placement": slot.placement,
        "size": slot.size.name,
        "device": context.device,
        "part_of_day": PartOfDay.at_hour(hour).value,
        "weekday": Weekday(clock.isoweekday()).name.lower(),
        **context.attributes,
    }
    known = {key: value for key, value in keys.items() if value}
    return Moment(at_us, known)
