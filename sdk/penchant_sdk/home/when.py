"""When an action is to happen, as a sentence says it.

>>> When(after_s=600)
When(after_s=600)
>>> When().now, When(said="when I get home").understood
(True, False)
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import time


@dataclass(frozen=True, slots=True, repr=False)
class When:
    """A delay, a time of day or a duration; empty: at once, and for good."""

    after_s: int = 0
    """Delay in seconds. 0: none."""
    at: time | None = None
    """Time of day by the home's clock. None: none."""
    twice: bool = False
    """True if the sentence leaves open whether `at` is before or after noon."""
    in_days: int = 0
    """Days from today for `at`, 0 to 1."""
    daily: bool = False
    """True if the action repeats every day."""
    for_s: int = 0
    """Duration in seconds after which the action is to be reversed. 0: for good."""
    said: str = ""
    """Words of a time or condition that were not understood, for example when I get home."""

    def __repr__(self) -> str:
        """The fields that are set."""
        named = {one.name: getattr(self, one.name) for one in fields(self)}
        return f"When({', '.join(f'{name}={value!r}' for name, value in named.items() if value)})"

    @property
    def now(self) -> bool:
        """Whether the action is to happen at once and for good."""
        return self == When()

    @property
    def understood(self) -> bool:
        """Whether every word of the time was understood."""
        return not self.said
