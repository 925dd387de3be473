"""Says at an import how old a log is: what fades with time has faded by its age."""

from __future__ import annotations

from penchant.domain.settings import FoldSettings

OLD_S = 7 * 86_400.0
"""Age in seconds from which a log's age is worth a word."""

NOTHING = 0.005
"""Weight below which an event counts for next to nothing."""


def age_note(newest_us: int, now_us: int, half_life_s: float = FoldSettings().half_life_s) -> str:
    """The meaning of a log's age for rankings; empty for a recent log.

    Args:
        newest_us: the newest event's time, in microseconds since 1970.
        now_us: the time now.
        half_life_s: seconds after which an event counts half.

    >>> print(age_note(0, 1_168 * 86_400_000_000))
    The log ended 3.2 years ago. Until events of today arrive, its events are weighed as of its \
end. After that they count for next to nothing, since an event counts half every 30 days; to keep \
an old log's weight, raise half_life_s and offset_half_life_s.
    >>> print(age_note(0, 45 * 86_400_000_000).split(". ")[2])
    After that its latest ones count for 35 %, since an event counts half every 30 days; to keep \
an old log's weight, raise half_life_s and offset_half_life_s.
    """
    age_s = (now_us - newest_us) / 1e6
    if age_s < OLD_S:
        return ""
    days = age_s / 86_400
    age = f"{days / 365.25:.1f} years" if days >= 365 else f"{days:.0f} days"
    weight = 2.0 ** (-age_s / half_life_s)
    counts = "they count for next to nothing"
    if weight >= NOTHING:
        counts = f"its latest ones count for {weight:.0%}".replace("%", " %")
    return (
        f"The log ended {age} ago. Until events of today arrive, its events are weighed as of its "
        f"end. After that {counts}, since an event counts half every {half_life_s / 86_400:g} "
        "days; to keep an old log's weight, raise half_life_s and offset_half_life_s."
    )
