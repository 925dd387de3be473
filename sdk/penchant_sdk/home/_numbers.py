"""Finds numbers and durations in free text, in digits and in words, English and Chinese.

>>> numbers("set it to twenty-five percent", "en")
[25.0]
>>> numbers("调到百分之二十", "zh-CN"), seconds("五分钟后", "zh-CN")
([20.0], 300)
>>> seconds("in an hour and 30 minutes", "en")
5400
"""

from __future__ import annotations

import re

_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS = {word: value for value, word in enumerate(_UNITS)} | {
    word: 20 + 10 * place for place, word in enumerate(_TENS)
}
_ENGLISH = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})(?:[ -](?P<ones>{'|'.join(_UNITS[1:10])}))?"
    rf"|(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})|(?P<hundred>a hundred))\b"
)
_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
_CHINESE = re.compile(r"[零一二三四五六七八九两十百]+")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SPANS = (
    ("en", re.compile(r"(\d+(?:\.\d+)?) *-?(hour|minute|second|min\b|sec\b)")),
    ("zh-CN", re.compile(r"(\d+(?:\.\d+)?)个?(小时|钟头|分|秒)")),
)
_SECONDS = {
    "hour": 3600,
    "minute": 60,
    "min": 60,
    "second": 1,
    "sec": 1,
    "小时": 3600,
    "钟头": 3600,
    "分": 60,
    "秒": 1,
}


def numbers(text: str, language: str) -> list[float]:
    """Numbers in a text, in order."""
    return [float(found) for found in _NUMBER.findall(in_digits(text, language))]


def seconds(text: str, language: str) -> int:
    """Duration named in a text, in seconds, summed over its parts; 0 if there is none."""
    digits = in_digits(text, language)
    if language == "en":
        digits = re.sub(r"\bhalf an? hour\b", "30 minutes", digits)
        digits = re.sub(r"\ban? (hour|minute|second)\b", r"1 \1", digits)
    pattern = dict(_SPANS).get(language, _SPANS[0][1])
    return round(sum(float(number) * _SECONDS[unit] for number, unit in pattern.findall(digits)))


def in_digits(text: str, language: str) -> str:
    """The text with its number words as digits, up to 100 in English and 999 in Chinese."""
    if language == "zh-CN":
        digits = _CHINESE.sub(lambda match: _from_chinese(match[0]), text.replace("百分之", ""))
        return re.sub(r"(\d+)个?半", lambda match: f"{match[1]}.5", digits)
    return _ENGLISH.sub(_from_english, text.casefold())


def _from_english(match: re.Match[str]) -> str:
    if match["hundred"]:
        return "100"
    if match["unit"]:
        return str(_WORDS[match["unit"]])
    return str(_WORDS[match["tens"]] + (_WORDS[match["ones"]] if match["ones"] else 0))


def _from_chinese(text: str) -> str:
    """Digits of a run of Chinese numerals: 二十五 is 25, 十 is 10, 一百 is 100, 一二 is 12."""
    if not set(text) & set("十百"):
        return "".join(str(_DIGITS[one]) for one in text)
    total, last = 0, 0
    for one in text:
        if one in _DIGITS:
            last = _DIGITS[one]
        else:
            total += (last or 1) * (10 if one == "十" else 100)
            last = 0
    return str(total + last)
