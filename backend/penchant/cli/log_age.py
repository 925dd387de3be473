"""Says at an import how old a log is: what fades with time has faded by its age."""

from __future__ import annotations

from penchant.domain.settings import FoldSettings

OLD_S = 7 * 86_400.0
"""Age in seconds from which a log's age is worth a word."""


def age_note(newest_us: int, now_us: int, half_life_s: float = FoldSettings().half_life_s) -> str:
    """The meaning of a log's age for rankings; empty for a recent log.

    Args:
        newest_us: the newest event's time, in microseconds since 1970.
        now_us: the time now.
        half_life_s: seconds after which an event counts half.

    >>> print(age_note(0, 1_168 * 86_400_000_000))
    The newest event is 3.2 years old. Until events of today arrive, rankings are as of its time. \
Then it weighs 1.9e-12 (the half-life is 30 days); to keep an old log's weight, raise half_life_s \
and offset_half_life_s.
    """
    age_s = (now_us - newest_us) / 1e6
    if age_s < OLD_S:
        return ""
    days = age_s / 86_400
    age = f"{days / 365.25:.1f} years" if days >= 365 else f"{days:.0f} days"
    weight = 2.0 ** (-age_s / half_life_s)
    return (
        f"The newest event is {age} old. Until events of today arrive, rankings are as of its "
        f"time. Then it weighs {weight:.2g} (the half-life is {half_life_s / 86_400:g} days); to "
        "keep an old log's weight, raise half_life_s and offset_half_life_s."
    )
