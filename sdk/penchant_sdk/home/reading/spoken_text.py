"""The normal form of a spoken sentence: folded, contractions spelt out, numbers in digits.

>>> normal("Don't  turn the kitchen light's off, it's 8am!", "en")
'do not turn the kitchen light off , it is 8 am ,'
>>> normal("把客厅灯调到百分之二十。", "zh-CN")
'把客厅灯调到20%,'
"""

from __future__ import annotations

import re
import unicodedata

from penchant_sdk.home.reading.spoken_numbers import in_digits

_CONTRACTED = (
    (r"\b(can)(?:not|'?t)\b", r"\1 not"),
    (r"\bwon'?t\b", "will not"),
    (
        r"\b(?:don|dun|dnt|dno?t)\b(?= (?:turn|switch|put|set|make|open|close|shut|start|touch)\b)",
        "do not",
    ),
    (r"\b(do|does|did|is|are|was|were|has|have|had|should|would|could|must|need)n'?t\b", r"\1 not"),
    (r"\bain't\b", "is not"),
    (r"\b(i)'?m\b(?! m)", r"\1 am"),
    (r"\b(you|we|they)'re\b", r"\1 are"),
    (r"\b(i|you|we|they|he|she|it|that|there|who|what)'(?:ll)\b", r"\1 will"),
    (r"\b(i|you|we|they|he|she)'(?:d)\b", r"\1 would"),
    (r"\b(i|you|we|they)'ve\b", r"\1 have"),
    (r"\b(it|that|there|what|who|where|how|why|when|he|she|here)'s\b", r"\1 is"),
    (
        r"\b(what|where|how|that|there|it)s\b(?! (?:thing|job|work|clean|base|dock|charg|bright|own"
        r"|colou?r|lights?|home|round|station|cycle|duty|task|power|volume|speed|temp|level|best"
        r"|box|bed|place))",
        r"\1 is",
    ),
    (r"\blet'?s\b", "let us"),
    (r"\bgonna\b", "going to"),
    (r"\bwanna\b", "want to"),
    (r"\bgotta\b", "got to"),
    (r"\bgimme\b", "give me"),
    (r"\blemme\b", "let me"),
    (r"\bu\b", "you"),
    (r"\b(?:ya|ye)\b", "you"),
    (r"\bur\b", "your"),
    (r"\b(?:teh|da|tha)\b", "the"),
    (r"\b(?:lite|lites|lihgt|ligth)\b", "light"),
    (r"\ba couple(?: of)? (?=degrees|percent|notches|steps|levels)", "two "),
    (r"\b(?:ple+a+se+|pleas|plese|pleease|pliz|plis)\b", "please"),
    (r"\bo'? ?clock\b", "oclock"),
    (r"\b([ap])\. ?m\.?(?= |$)", r"\1m"),
    # "Turn the kitchen light's off": a slip for lights; no state is told after such a verb.
    (
        r"\b((?:turn|switch|shut|put|flip|click|get|leave|keep|kill|cut)(?:ing|ting|ning)?"
        r"(?: (?!is\b)\w+){1,5})'s (?=(?:on|off|open|closed|down|up)\b)",
        r"\1 ",
    ),
    (
        r"(?<=\w)'s (?=(?:still |already |back |just )?(?:on|off|open|closed|locked|unlocked"
        r"|running|been|too|so|way)\b)",
        " is ",
    ),
    (r"\btelly's (?=(?:too|so|way|really) )", "telly is "),
)
_CONTRACTIONS = tuple((re.compile(found), spelt) for found, spelt in _CONTRACTED)
_POSSESSIVE = re.compile(r"(?<=\w)'s?\b|(?<=s)'(?= |$)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_GLUED = re.compile(
    r"(?<=\d)(?=(?:am|pm|k|c|f|kelvin|percent|degrees?|(?:min|minute|hour|hr|sec|second)s?)\b)"
)
_ENGLISH = re.compile(r"\d{1,2}:\d\d|-?\d+(?:\.\d+)?|[^\W\d_]+|[%°,;&]|(?<=\s)-(?=\d)")
_ENDS = re.compile(r"[.!?。！？，、；;:：](?=\D|$)|,(?!\d)")
_REPEATED = re.compile(r"\b(\w{2,})(?: \1\b)+")
_GOES_ON = "(?:吹|转|扫|放|播|响|唱|烧水|烧|煮|吵|闪|拖|动|跑|加热|工作|亮)(?:着|下去)?"
_ASSIMILATED = (
    (re.compile(r"([开关停亮扫吹调拉擦吸变换改灭弄拖])一\1"), r"\1"),
    (re.compile("(?:不要|别|不用|甭)(?:再|继续)?(?:扫|拖)地?了"), "停止扫地"),
    # "Don't go on blowing": an end to it.
    (re.compile(rf"(?:别|不要|甭|不用)(?:再|让(?P<it>\S{{1,6}}?)再?)?{_GOES_ON}了"), r"\g<it>停"),
    (re.compile(r"的等(?=[打开关调])"), "的灯"),
    (re.compile("窗[连廉莲联]"), "窗帘"),
    (re.compile("空[条挑跳]"), "空调"),
    (re.compile("插[坐做]"), "插座"),
    (re.compile("客[听亭]"), "客厅"),
    (re.compile("风[善山]"), "风扇"),
)
"""Turns of phrase and slips of hearing, and what they stand for."""
_CHINESE_ENDS = str.maketrans("，。！？、；：．?!;", ",,,,,,:.,,,")


def normal(text: str, language: str) -> str:
    """The normal form of a text; words and marks are separated by spaces in English."""
    folded = unicodedata.normalize("NFKC", text).replace("\u2019", "'").casefold()
    folded = folded.replace("@", " ")  # The mark of a time, see `spoken_times`.
    if language == "zh-CN":
        spaceless = re.sub(r"(?<![a-z0-9])\s+|\s+(?![a-z0-9])", "", folded.translate(_CHINESE_ENDS))
        for pattern, plain in _ASSIMILATED:
            spaceless = pattern.sub(plain, spaceless)
        return in_digits(spaceless, language)
    for pattern, spelt in _CONTRACTIONS:
        folded = pattern.sub(spelt, folded)
    folded = _THOUSANDS.sub("", _POSSESSIVE.sub("", folded))
    folded = _ENDS.sub(" , ", folded)
    folded = _GLUED.sub(" ", folded)
    folded = re.sub(r"\b(de|un|dis|re)-(?=[a-z])", r"\1", folded)  # "De-activate."
    folded = re.sub(r"(?<=\w)-(?=[a-z])", " ", folded)
    words = in_digits(" ".join(_ENGLISH.findall(folded)), language)
    return _REPEATED.sub(r"\1", words)


def symbols(normal_text: str, language: str) -> list[str]:
    """The words of a normal form; in Chinese its characters, numbers and Latin words."""
    if language == "zh-CN":
        return re.findall(r"-?\d+(?:[.:]\d+)?|[a-z]+|@\d+|\S", normal_text)
    return normal_text.split()


def stem(word: str) -> str:
    """The word without a plural ending, so that lights is light; a key to compare by.

    >>> [stem(word) for word in ("lights", "switches", "batteries", "glass", "is")]
    ['light', 'switch', 'battery', 'glass', 'is']
    """
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1]
