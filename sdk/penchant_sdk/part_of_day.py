"""Parts of the day, as the clients of ads and games send them in contexts."""

from __future__ import annotations

from datetime import datetime
from enum import Enum


class PartOfDay(Enum):
    """A quarter of the day, by local time."""

    NIGHT = "night"
    """0:00 to 6:00."""
    MORNING = "morning"
    """6:00 to 12:00."""
    AFTERNOON = "afternoon"
    """12:00 to 18:00."""
    EVENING = "evening"
    """18:00 to 24:00."""

    @classmethod
    def of(cls, local: datetime) -> PartOfDay:
        """The part of the day of a local time.

        >>> PartOfDay.of(datetime(2026, 1, 1, 20, 30))
        <PartOfDay.EVENING: 'evening'>
        """
        return cls.at_hour(local.hour)

    @classmethod
    def at_hour(cls, hour: int) -> PartOfDay:
        """The part of the day of an hour, 0 to 23.

        >>> PartOfDay.at_hour(5)
        <PartOfDay.NIGHT: 'night'>
        """
        return tuple(cls)[hour // 6]
