"""Writes the numbers of a spoken sentence in digits, English and Chinese.

>>> in_digits("set it to one hundred and twenty five percent", "en")
'set it to 125 percent'
>>> in_digits("three thousand kelvin or minus five and a half", "en")
'3000 kelvin or -5.5'
>>> in_digits("亮度百分之二十, 调到三成, 零下五度", "zh-CN")
'亮度20%, 调到30%, -5度'
"""

from __future__ import annotations

import re

_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ONES = {word: value for value, word in enumerate(_UNITS)} | {"fourty": 40}
_TIES = {word: 20 + 10 * place for place, word in enumerate(_TENS)} | {"fourty": 40}
_SCALES = {"hundred": 100, "thousand": 1000}
_COUNTED = frozenset(
    (
        *("percent", "per", "%", "degree", "degrees", "minute", "minutes", "hour", "hours"),
        *("second", "seconds", "notch", "step", "steps", "thousand", "hundred", "point"),
        *("level", "and", "kelvin"),
    )
)
"""Words after which a lone "one" is a number; "this one" is not."""
_BEFORE = frozenset(
    (*("to", "at", "by", "for", "in", "minus", "negative"), *("lamp", "light", "plug", "level"))
)
_FRACTIONS = (
    (re.compile(r"\bthree[ -]quarters?\b(?! of an? hour)"), "75 percent"),
    (re.compile(r"\btwo[ -]thirds?\b(?! of an? hour)"), "67 percent"),
    (re.compile(r"\b(?:one|a)[ -]third\b"), "33 percent"),
    (re.compile(r"\b(?:one|a)[ -]quarter\b(?! (?:of an? )?hour| past| to \w+$)"), "25 percent"),
    (re.compile(r"(?<!and )\b(?:one|a)[ -]half\b(?! (?:an |of an )?(?:hour|minute))"), "half"),
)
_AND_HALF = re.compile(r"\b(\d+) and (?:a )?half\b")
_NUMERALS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {
    "两": 2,
    "〇": 0,
}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_RUN = "[零〇一二三四五六七八九两十百千万]"
_NO_NUMBER = re.compile(
    r"第[一二三四五六七八九十]+|[一二三四五六七八九两十]楼|一(?=[下些起会样直定切般共边首曲集杯壶盏丢丝遍种])|(?<=[上下换])一"
    r"|(?<![上下午晚早晨中天十百千])一(?=点(?!钟|半|\d))|一(?=半)|万一|统一|唯一|千万(?=别|不)|十分(?!钟|之)|百叶|百度|七彩|四周|十足|五颜六色|三明治|两盏|两个(?!小时|钟|半)"
    r"|(?<=[亮暗高低大小热冷快慢])一(?=[点些])"
)
_CHINESE = re.compile(
    f"(?P<minus>负|零下|-)?(?P<whole>{_RUN}+|\\d+(?:\\.\\d+)?)"
    f"(?:点(?P<part>[零一二三四五六七八九]+)(?=度|个?百分|%|开|$))?"
)
_TENTHS = re.compile(r"(\d+)成(半?)(?!为)")
_HALF_MORE = re.compile(r"(\d+)个半(?=小时|钟头|月|$)|(\d+)(度|小时|分钟)半")


def in_digits(text: str, language: str) -> str:
    """The text, folded, with its number words as digits and fractions of a whole as percent."""
    return _chinese(text) if language == "zh-CN" else _english(text.casefold())


def _english(text: str) -> str:
    for pattern, digits in _FRACTIONS:
        text = pattern.sub(digits, text)
    words = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text).split()
    out: list[str] = []
    place = 0
    while place < len(words):
        value, after = _cardinal(words, place)
        if after == place:
            out.append(words[place])
            place += 1
            continue
        if out and out[-1] in ("minus", "negative", "-"):
            out.pop()
            value = -value
        out.append(format(value, "g") if abs(value) < 1e6 else str(int(value)))
        place = after
    return _AND_HALF.sub(r"\1.5", " ".join(out))


def _cardinal(words: list[str], start: int) -> tuple[float, int]:
    """The number that starts at a word, and the place after it: `start` if there is none."""
    total, current, place, last = 0.0, -1.0, start, ""
    while place < len(words):
        word = words[place]
        if word in _TIES and last in ("", "scale"):
            current, last = max(current, 0) + _TIES[word], "tens"
        elif word in _ONES and (
            last in ("", "scale") or (last == "tens" and _ONES[word] in range(1, 10))
        ):
            if word == "one" and not last and not _counts(words, place):
                break
            current, last = max(current, 0) + _ONES[word], "ones"
        elif (
            word in _SCALES
            and (last in ("ones", "tens", "digits") or _after_article(words, place))
            and (current < _SCALES[word] and total == 0)
        ):
            current = max(current, 1) * _SCALES[word]
            last = "scale"
            if word == "thousand":
                total, current = total + current, 0
        elif re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,7})?", word) and not last:
            current, last = float(word), "digits"
        elif (
            word == "and"
            and last == "scale"
            and place + 1 < len(words)
            and (words[place + 1] in _TIES or words[place + 1] in _ONES)
        ):
            pass
        elif word == "a" and not last and place + 1 < len(words) and words[place + 1] in _SCALES:
            last = ""
        elif word == "point" and last and place + 1 < len(words) and words[place + 1] in _ONES:
            digits = ""
            place += 1
            while place < len(words) and words[place] in _ONES:
                digits += str(_ONES[words[place]])
                place += 1
            return total + max(current, 0) + float(f"0.{digits}"), place
        else:
            break
        place += 1
    if current < 0 or (place == start + 1 and words[start] == "a"):
        return 0.0, start
    return total + current, place


def _counts(words: list[str], place: int) -> bool:
    after = words[place + 1] if place + 1 < len(words) else ""
    before = words[place - 1] if place else ""
    return after in _COUNTED or before in _BEFORE


def _after_article(words: list[str], place: int) -> bool:
    return place > 0 and words[place - 1] == "a"


def _chinese(text: str) -> str:
    kept: list[str] = []

    def hide(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\ue000{chr(0xE100 + len(kept) - 1)}"

    text = _NO_NUMBER.sub(hide, text)
    text = text.replace("百分百", "100%").replace("百分之百", "100%")
    text = text.replace("百分之", "\ue001").replace("分之", "\ue002")
    text = _CHINESE.sub(_numeral, text)
    text = re.sub(r"\ue001(-?\d+(?:\.\d+)?)", r"\1%", text).replace("\ue001", "百分之")
    text = re.sub(r"(\d+)\ue002(\d+)", _fraction, text).replace("\ue002", "分之")
    text = _TENTHS.sub(lambda found: f"{10 * int(found[1]) + (5 if found[2] else 0)}%", text)
    text = _HALF_MORE.sub(
        lambda found: f"{found[1]}.5个" if found[1] else f"{found[2]}.5{found[3]}", text
    )
    return re.sub("\ue000(.)", lambda found: kept[ord(found[1]) - 0xE100], text)


def _fraction(found: re.Match[str]) -> str:
    return f"{round(100 * int(found[2]) / int(found[1]))}%" if int(found[1]) else found[0]


def _numeral(match: re.Match[str]) -> str:
    whole = match["whole"]
    value = whole if whole[0].isdigit() else str(_of_numerals(whole))
    part = "".join(str(_NUMERALS[one]) for one in match["part"] or "")
    return ("-" if match["minus"] else "") + value + (f".{part}" if part else "")


def _of_numerals(text: str) -> int:
    """二十五 is 25, 十 is 10, 一百二 is 120, 四千 is 4000, 一二 is 12."""
    if not set(text) & {*_PLACES, "万"}:
        return int("".join(str(_NUMERALS[one]) for one in text))
    total, last, place = 0, 0, 1
    for one in text:
        if one in _NUMERALS:
            last = _NUMERALS[one]
        elif one == "万":
            total, last, place = (total + last) * 10_000, 0, 10_000
        else:
            total, place = total + (last or 1) * _PLACES[one], _PLACES[one]
            last = 0
    tail = place // 10 if text[-1] in _NUMERALS and len(text) > 1 and text[-2] in "百千" else 1
    return total + last * tail
