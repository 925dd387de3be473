"""Finds the delays, clock times and durations of a spoken sentence.

>>> text, found = take_times("turn off the fan in 10 minutes", "en")
>>> text, found[0].after_s
('turn off the fan @0', 600)
>>> text, found = take_times("晚上8点半把灯关了", "zh-CN")
>>> text, found[0].at
('@0把灯关了', datetime.time(20, 30))
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import time

from penchant_sdk.home.when import When

_UNITS = {
    **dict.fromkeys(("second", "seconds", "sec", "secs", "秒", "秒钟"), 1),
    **dict.fromkeys(("minute", "minutes", "min", "mins", "分", "分钟"), 60),
    **dict.fromkeys(("hour", "hours", "hr", "hrs"), 3600),
    **dict.fromkeys(("小时", "个小时", "个钟头", "钟头", "个钟"), 3600),
    **dict.fromkeys(("day", "days", "天"), 86_400),
}
_N = r"\d+(?:\.\d+)?"
_EN_UNIT = r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?)"
_EN_SPAN = rf"{_N} {_EN_UNIT}(?:(?: and)? {_N} {_EN_UNIT})*"
_EN_LONG = (
    (r"\bthree quarters of an hour\b|\b75 percent of an hour\b", "45 minutes"),
    (
        r"\b(?:a )?quarter of (?:an|1) hour\b|\ba quarter hour\b|\b25 percent of an hour\b",
        "15 minutes",
    ),
    (r"\b(?:an|1) hour and (?:a|1) quarter\b", "75 minutes"),
    (r"\b(?:an|1) hour and (?:a )?half\b", "90 minutes"),
    (r"\bhalf (?:an|1) hour\b|\bhalf hour\b", "30 minutes"),
    (r"\bhalf a minute\b", "30 seconds"),
    (rf"\b({_N}) hours? and (?:a )?half\b", r"\1.5 hours"),
    (r"\ba couple(?: of)? (minutes|hours|seconds)\b", r"2 \1"),
    (r"\b(?:an?|one) (minute|hour|second)\b(?! or 2| or two)", r"1 \1"),
)
_LONG = tuple((re.compile(found), plain) for found, plain in _EN_LONG)
_PARTS = "(?:morning|afternoon|evening|night)"
_DAYS = rf"(?:tomorrow|every day|daily|each day|every (?:morning|evening|night))(?: {_PARTS})?"
_PART = rf"(?P<part>(?: (?:in the|this) {_PARTS}| at night| tonight)?)"
_DAY = rf"(?P<day>(?:(?:on )?(?:{_DAYS}|tonight|today) )?)"
_LATER = rf"(?P<later>(?: (?:{_DAYS}|today))?)"
_AT = r"(?:at|from|by|around|about|for) (?:around |about |exactly )?"
_MERIDIEM = r"(?: ?(?P<m>am|pm))?"
_H, _MIN = r"(?P<h>\d{1,2})", r"(?P<min>\d\d)"
_CLOCK = rf"\b{_DAY}(?:{_AT})?"
_SINCE = rf"{_MERIDIEM}{_PART}\b{_LATER}"
_ABOUT = "(?:about |another |the next |only |around )?"
_ENGLISH = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:in|after|within) {_ABOUT}(?P<after>{_EN_SPAN})(?: time| from now)?\b",
        rf"\b(?P<after>{_EN_SPAN}) (?:from now|later|hence)\b",
        rf"\b(?:give it|wait(?: for)?|hold on(?: for)?) (?P<after>{_EN_SPAN})\b"
        r"(?: and then| and| then)?",
        rf"\bfor {_ABOUT}(?P<for>{_EN_SPAN})\b",
        rf"{_CLOCK}(?P<noon>noon|midday|midnight)\b{_LATER}",
        rf"{_CLOCK}half past (?P<half>\d{{1,2}}){_SINCE}",
        rf"{_CLOCK}(?:a )?quarter past (?P<qp>\d{{1,2}}){_SINCE}",
        rf"{_CLOCK}(?:a )?quarter to (?P<qt>\d{{1,2}}){_SINCE}",
        rf"{_CLOCK}(?P<mp>\d{{1,2}}) (?:minutes? )?past (?P<hp>\d{{1,2}}){_SINCE}",
        rf"{_CLOCK}{_H}:{_MIN}{_MERIDIEM}{_PART}(?: oclock)?\b{_LATER}",
        rf"{_CLOCK}{_H}(?: {_MIN})? (?P<m>am|pm)\b{_PART}{_LATER}",
        rf"{_CLOCK}{_H} oclock{_SINCE}",
        rf"\b{_DAY}{_AT}{_H}(?: {_MIN})?(?P<part> in the {_PARTS}| at night| tonight)\b{_LATER}",
        rf"\b(?P<day>{_DAYS}|tonight) at {_H}(?: {_MIN})?\b",
        rf"\bat {_H}(?: {_MIN})?(?P<later> {_DAYS})\b",
    )
)
_ZH_UNIT = "(?:个小时|小时|个钟头|钟头|分钟|分|秒钟|秒)"
_ZH_SPAN = f"{_N}{_ZH_UNIT}(?:零?{_N}{_ZH_UNIT})*"
_ZH_DAY = "(?P<day>(?:今天|明天|今晚|明晚|明早|每天|每晚|每天早上|每天晚上)?)"
_ZH_PART = "(?P<part>(?:早上|上午|早晨|清晨|凌晨|中午|下午|傍晚|晚上|夜里|半夜)?)"
_ZH_LONG = (
    (re.compile("半个?小时|半个?钟头?"), "30分钟"),
    (re.compile("(?<!\\d点)3刻钟?(?!\\d)"), "45分钟"),
    (re.compile("(?<!点)[一1]刻钟"), "15分钟"),
    (re.compile("半分钟"), "30秒"),
)
_ZH_HALF = "(?P<zhalf>半|1刻|一刻|3刻|三刻)?"
_ZH_CLOCK = rf"{_H}(?:点钟?|时){_ZH_HALF}(?:(?P<min>\d{{1,2}})分?)?(?:整|的时候)?"
_CHINESE = tuple(
    re.compile(pattern)
    for pattern in (
        f"(?:过|等)?(?P<after>{_ZH_SPAN})(?:之后|以后|后)(?:再)?",
        f"(?:过|等)(?P<after>{_ZH_SPAN})(?:再)?",
        f"{_ZH_DAY}{_ZH_PART}(?:的时候)?(?:在)?{_ZH_CLOCK}",
        f"{_ZH_DAY}{_ZH_PART}{_H}:{_MIN}",
        rf"{_ZH_DAY}(?P<noon>正午|午夜|中午(?!\d))",
        f"(?P<for>{_ZH_SPAN})(?:钟)?",
    )
)
_NOON = {"noon": 12, "midday": 12, "midnight": 0, "正午": 12, "中午": 12, "午夜": 0}
_AFTERNOON = re.compile("afternoon|evening|night|tonight|下午|傍晚|晚|夜里")
_DAYBREAK = re.compile("morning|凌晨|早")


def take_times(text: str, language: str) -> tuple[str, list[When]]:
    """A normal form with each time replaced by `@` and its number, and the times.

    A time that a clock shows twice a day, such as half past three, is the one as said.

    Args:
        text: the normal form of a sentence.
        language: en or zh-CN.
    """
    patterns = _CHINESE if language == "zh-CN" else _ENGLISH
    for pattern, plain in _ZH_LONG if language == "zh-CN" else _LONG:
        text = pattern.sub(plain, text)
    found: list[When] = []

    def replaced(match: re.Match[str]) -> str:
        when = _when(match)
        if when is None:
            return match[0]
        found.append(when)
        return f"{' ' if match[0].startswith(' ') else ''}@{len(found) - 1}"

    take: Callable[[re.Match[str]], str] = replaced
    for pattern in patterns:
        text = pattern.sub(take, text)
    return text, found


def span_s(text: str) -> int:
    """Seconds of a span such as `1 hour and 10 minutes`; 0 if there is none."""
    parts = re.findall(rf"({_N}) ?([a-z]+|[^\d\s]+)", text)
    return round(sum(float(number) * _UNITS.get(unit.strip(), 0) for number, unit in parts))


def _when(match: re.Match[str]) -> When | None:
    named = match.groupdict()
    if named.get("after"):
        return When(after_s=span_s(named["after"].replace(" and ", " ")))
    if named.get("for"):
        return When(for_s=span_s(named["for"].replace(" and ", " ")))
    clock = _clock(named)
    if clock is None:
        return None
    day = (named.get("day") or "") + (named.get("later") or "")
    daily = bool(re.search("every|daily|each|每", day))
    tomorrow = bool(re.search("tomorrow|明", day))
    return dataclasses.replace(clock, in_days=1 if tomorrow else 0, daily=daily)


def _clock(named: dict[str, str | None]) -> When | None:
    if named.get("noon"):
        return When(at=time(_NOON[str(named["noon"])]))
    if named.get("half"):
        hour, minute = int(str(named["half"])), 30
    elif named.get("qp"):
        hour, minute = int(str(named["qp"])), 15
    elif named.get("qt"):
        hour, minute = (int(str(named["qt"])) - 1) % 24, 45
    elif named.get("hp"):
        hour, minute = int(str(named["hp"])), int(str(named["mp"]))
    else:
        hour, minute = int(str(named["h"])), int(named.get("min") or 0)
        half = named.get("zhalf") or ""
        minute += 30 if half == "半" else 15 if half in ("1刻", "一刻") else 45 if half else 0
    said = " ".join(str(named.get(name) or "") for name in ("m", "part", "day", "later"))
    if (named.get("m") == "pm" or (not named.get("m") and _AFTERNOON.search(said))) and hour < 12:
        hour += 12
    elif named.get("m") == "am" and hour == 12:
        hour = 0
    if not (hour < 24 and minute < 60):
        return When(at=time(0), in_days=1) if (hour, minute) == (24, 0) else None
    if "中午" in said and hour < 4:
        hour += 12
    sure = (
        bool("中午" in said or named.get("m") or _AFTERNOON.search(said) or _DAYBREAK.search(said))
        or hour > 12
    )
    return When(at=time(hour, minute), twice=not sure and 1 <= hour <= 12)
