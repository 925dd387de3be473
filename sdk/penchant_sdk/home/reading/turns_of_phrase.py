"""Idioms of a normal form put in plain words, so that they are read like any other sentence.

>>> plainly("max out the kitchen light", "en")
'set the kitchen light to max'
>>> plainly("tv on or off at a quarter to midnight", "en")
'tv on or off at 23:45'
>>> plainly("让电视没声音", "zh-CN")
'让电视静音'
"""

from __future__ import annotations

import re

_POWERED = r"((?:the |my |that |this )?(?:smart )?(?:socket|plug|outlet)s?)"
_VACUUM = (
    r"((?:the |our |my |that )?(?:robot |robo)?(?:hoover|vacuum|roomba|robot|vac)(?: cleaner)?)"
)
_SHADES = {
    "blue": "sea|ocean|sky|water",
    "green": "grass|leaves|forest|spring leaves",
    "red": "blood|roses?|tomato(?:es)?|fire engine",
    "yellow": "sun|sunshine|lemons?|bananas?|butter",
    "orange": "carrots?|pumpkins?|oranges?|sunset",
    "white": "snow|milk",
    "purple": "lavender|violets?|grapes?",
}
"""Things that stand for a colour, as patterns."""
_MOST = "bright|high|loud|fast|strong|much"
_LEAST = "low|dim|dark|quiet|soft|slow|faint|little"
_AS_CAN = (
    r" as (?:it|they|you|we|that|is)? ?(?:will|can|could|would|goes?|gets?|comes?|possible"
    r"|possibly)"
    r"(?: (?:go|get|be|possibly|make it|manage|allow))*\b"
)
_SPAN = r"\d+(?:\.\d+)? (?:seconds?|minutes?|mins?|hours?)"
_BODIES = "bright|dark|dim|loud|quiet|hot|cold|warm|strong|fast|high|low|intense|harsh"
_ENGLISH = (
    (
        r"\b(?:it is|it was|is|looks|so|too|getting|gone) (?:so |really |very |too )?"
        r"(?:pitch (?:dark|black)|pitch)\b",
        "is too dark",
    ),
    (
        r"\bdarken (.+?) (?:completely|fully|totally|entirely)\b",
        r"turn off the lights in \1",
    ),
    (
        r"^(?:the |my )?([a-z ]+?) (?:does|do) not (?:need|want|require)(?: any| the| its| a)? "
        r"(lights?|lighting)(?: on)?(?: any ?more| any longer| now| at the moment)?$",
        r"turn off the light in the \1",
    ),
    (
        r"\b(?:would|will|could|might) not "
        r"(?:hurt|go amiss|be amiss|go astray|be bad|be a bad idea)\b",
        "please",
    ),
    (
        r"\bwould (?:really )?be (?:very |really |so |much )?"
        r"(?:nice|great|good|lovely|appreciated|welcome|wonderful|perfect|awesome|cool)$",
        "please",
    ),
    (
        rf"\b(?:do not|not) (?:make|have|let|keep|leave|put|set) ((?:the |my |this )?[a-z ]+?) "
        rf"(?:be |on )?(?:so|too|that|this|quite so|as) ({_BODIES})\b",
        r"make \1 less \2",
    ),
    (
        r"\bput (?:the |some |any )?(?:power|electricity|current|juice) "
        r"(?:to|on|in|into|on to|onto|through) ",
        "give power to ",
    ),
    (
        r"\b(hold|pause|stop|freeze|wait)( .+?)? for (?:just )?(?:a|one|1) "
        r"(?:second|sec|moment|minute|min|bit)\b",
        r"\1\2",
    ),
    (r"^(?:it is )?(?:bed ?time|sleep ?time|night ?time)(?: now)? , ", ""),
    (r" , (?:it is )?(?:bed ?time|sleep ?time)$", ""),
    (r"\b(?:a )?quarter to (?:midnight|12 at night)\b", "23:45"),
    (r"\b(?:a )?quarter past midnight\b", "0:15"),
    (r"\bhalf past midnight\b", "0:30"),
    (r"\b(?:a )?quarter to (?:noon|midday)\b", "11:45 am"),
    (r"\b(?:a )?quarter past (?:noon|midday)\b", "12:15 pm"),
    (r"\bhalf past (?:noon|midday)\b", "12:30 pm"),
    (r"\b(?:5|five) to midnight\b", "23:55"),
    (r"\b(?:10|ten) to midnight\b", "23:50"),
    (r"\b(?:at|by|around|from) half (\d{1,2})\b(?! (?:percent|%))", r"at half past \1"),
    (r"\b(?:at|by|around) (1[3-9]|2[0-3]) 0(?: hours)?$", r"at \1:00"),
    (r"\b(?:at|by|around) (1[3-9]|2[0-3]) ([1-5]\d)(?: hours)?$", r"at \1:\2"),
    (r"\b(?:at|by) (1[0-9]|2[0-3])00 hours\b", r"at \1:00"),
    (
        rf"\bgive (the|my) ([a-z ]+?) (?:another |about |only )?({_SPAN})(?: more)?"
        r"(?: and then| then| and|) (?:switch|turn|shut) it off\b",
        r"turn off \1 \2 in \3",
    ),
    (r"\b(\d+(?:\.\d+)?) (?:and a half )?(?:thousand|1000)(?= (?:kelvin|k)\b)", r"\g<1>!1000"),
    (r"\bmax out ((?:the |my |that )?[a-z ]+?)(?= ,| and\b| please| for\b|$)", r"set \1 to max"),
    (rf"\b(?:to )?(?:be )?as bright{_AS_CAN}", "to max brightness"),
    (rf"\b(?:to )?as (?:{_MOST}){_AS_CAN}", "to max"),
    (
        r"\bwould (?:really |so |very much )?(?:be (?:so |very |really )?(?:nice|great|good|lovely|"
        r"better|cool|awesome|helpful|grateful|happy|glad|obliged|wonderful|fantastic|perfect)"
        r"|appreciate it|like it|love it|prefer it)(?: a lot| very much)? (?:if|for|to)(?: you| we"
        r"| i)?(?: could| can| would| will| might| were to| to have| have)?\b",
        "please",
    ),
    (rf"\b(?:to )?as (?:{_LEAST}){_AS_CAN}", "to min"),
    (rf"\b(?:need|want|make|get|have) {_POWERED} (?:live|powered|energi[sz]ed)\b", r"turn on \1"),
    (rf"\b(?:let|set|turn) {_VACUUM} (?:loose|free|rip)\b", r"start \1"),
    (rf"\bset off {_VACUUM}", r"start \1"),
    (r"\b(?:should|could|would|might|must) have (?=(?!not\b)\w+(?:ed|ught|one)\b)", "used to "),
    (
        r" (?:instead of|rather than) (?:(?:the |a )?(?:warm |cool |plain )?(?:white|red|blue|green"
        r"|yellow|orange|purple|pink))(?= please$| now$|$)",
        "",
    ),
    (r"^((?:the |my )?[a-z ]+?) of(?= please$| now$|$)", r"\1 off"),
    (
        r"\bfor (?:a bit of|some|a little|a touch of) "
        r"(?:atmosphere|ambien[cs]e|mood|romance|peace|peace and quiet|quiet|privacy|shade)\b",
        "",
    ),
    (r"\b(?:but )?not (?:all the way|completely|fully|entirely|too much|too far)\b", "a bit"),
    *(
        (rf"\b(?:in |like )?(?:the |a )?colou?rs? of (?:the |a |an )?(?:{things})\b", colour)
        for colour, things in _SHADES.items()
    ),
    (r"\b(lights?|lamps?) read(?= please| now|$)", r"\1 red"),
    (r"\b(lights?|lamps?) (?:to )?blew(?= please| now|$)", r"\1 blue"),
    (
        r"\b(?:leave|keep|let) (?!there\b)((?:the |my |that |this )?[a-z ]+?) "
        r"(?:alone|be(?=$| please| for now)|as (?:it|they) (?:is|are|was|were))\b",
        r"do not touch \1",
    ),
    (r"\bgive ((?:the|my) [a-z ]+?) a (?:rest|break|breather)\b", r"pause \1"),
    (r"^rest (?=the |my )", "pause "),
    (r"\b(?:sort|check|work|figure|try|test) ((?:the|my) [a-z ]+?) out\b", r"sort \1"),
    (
        r"^(?:nobody|no one)(?: is| are)? (?:watching|using|listening to|needs?) (the|my) ",
        r"i do not need \1 ",
    ),
    (r"\blet us (?:say|have|go for|go with|do|make it) (?=(?:about |around )?\d)", "make it "),
    (r"\bsay (?=(?:about |around )?\d)", ""),
    (r"\b(?:a|one|another) (degree|notch|percent)\b", r"1 \1"),
    (r"\b(?:gentle|light|slight|soft) (?:breeze|wind)\b", "low speed"),
    (r"\b(?:strong|stiff|good) (?:breeze|wind)\b", "high speed"),
    (r"^(?:is |are )?(.+?) yes or no$", r"is \1"),
    (
        r"^((?:the |my )?[a-z ]+?) (?:is|are) (on|off|open|closed|shut|locked|unlocked)"
        r" or (?:on|off|open|closed|shut|locked|unlocked|not)$",
        r"is \1 \2",
    ),
    (r"\bnothing (?:should|must|needs to|has to|is to) be (?:left )?on\b", "turn everything off"),
    (r"\bi (?:want|would like|need) nothing on\b", "turn everything off"),
    (r"\bthe (front|back)(?= (?:still )?(?:locked|unlocked|open|shut|bolted)\b)", r"the \1 door"),
    (
        r"^what (?:is|are)(?: still| all)? (?:switched|turned|left|still)( on| off)"
        r"(?: right now| now| at the moment| currently)?$",
        r"are all the lights\1",
    ),
    (
        r"\bhow many (?:of the )?(?:lights|lamps) (?:are|have been)(?: still| left)?",
        "are all the lights",
    ),
    (
        r"^(?:do|did) (?:we|i|you|they) (?:still )?have ((?:the|my|our) [a-z ]+?) "
        r"(on|off|open|running|going)\b",
        r"is \1 \2",
    ),
    (r"^have (?:we|you|i|they) got ((?:the|my|our) [a-z ]+?) (on|off|open|running)\b", r"is \1 \2"),
    (
        r"^what (?:is|are) (the|my|our) ([a-z ]+?) (?:up to|doing|playing at)"
        r"(?: right now| now| at the moment)?$",
        r"what is the status of \1 \2",
    ),
    (r"^(?:\w+ ){1,3}?wants to know (?:if|whether) ", "check if "),
    (
        r"\b(all|every|everything|everywhere|lights)\b(.*?) (?:bar|save)(?: for)? (?=the |my "
        r"|that |in )",
        r"\1\2 except ",
    ),
    (r"\b(lamp|light) (?:by|next to|beside|near) (?:the|my) bed\b", r"bedside \1"),
    (r"(?<=\w)(?: and| but)? not (the|my|in the) ([a-z ]+?)(?: ones?)?$", r" except \1 \2"),
    (
        r"\b(?:can|could) (?:we|you|i) not have ((?:the|my) [a-z ]+?) (?:on|running|going)\b",
        r"turn off \1",
    ),
    (
        r"^(?:hi |hey |please )?(?:is|would|will|was)(?: it| there)?(?: be)?(?: any)? "
        r"(?!(?:ok|okay|alright|all right) to )"
        r"(?:possible|ok|okay|alright|all right|chance|way)(?: (?:if|that|for|to|of))*"
        r"(?: you)?(?: could| can| would| might| to)* "
        r"(?=(?:turn|switch|put|set|make|open|close|shut|start|stop|dim|raise|lower|change|pause|"
        r"have|get|bring|mute|lock|increase|decrease|reduce)(?:ing)?\b)",
        "please ",
    ),
    (
        r"^(?:do you think|do you reckon|i wonder if|i was wondering if|any chance(?: of| that)?"
        r"|are you able to|would you be able to|would you be so kind as to|think) ?"
        r"(?:you )?(?:could|can|would|might)?(?: please)? ?"
        r"(?=(?:turn|switch|put|set|make|open|close|shut|start|stop|dim|raise|lower|change|pause)"
        r"(?:ing)?\b)",
        "please ",
    ),
)
_TURNED_ON = "打开|点亮|亮起来|亮|开"
_CHINESE = (
    (
        r"^(.*?)(?:不用|不需要|用不着|不要|不必用)(.+?)了,?(?:请|就|帮我|给我)?(?:把它)?(?:关掉|关上|关闭|关了|关)"
        r"(?:它)?(?:吧|了)?$",
        r"\1关掉\2",
    ),
    (r"(?:来|给|弄)(?:点|些|一点|一些)儿?(?:光|亮光|灯光|光亮)(?:吧|呗|啊|嘛)?$", "开灯"),
    (r"(灯光?)(?:全部?|全都|统统|通通)(?:给我|给)?关", r"\1都关"),
    (r"(?:不要|没有?|别有|不出|别出)声音?(?=$|,|了|吧)", "静音"),
    (rf"(灯光?)(?:都|给我|给)?全部?(?:{_TURNED_ON})(?:了|吧|着)?(?=$|,)", r"\1都打开"),
    (
        r"(?:别|不要)(?:那么|这么|太|再)[黄白红蓝绿紫冷热凉暖亮暗](?:了)?,?(?=.*(?:换|改|调|设|变))",
        "",
    ),
    (
        r"^(?:其他|其它|其余|别的)的?(灯光?)?(?:都|全部|全)?(关|打开|开)(?:了|掉|上)?,?"
        r"(?:只|就)?(?:留|保留)(?:着|下)?(.+?)的?(?:就行|就好|吧|亮着|开着)?$",
        r"除了\3灯,其他灯都\2",
    ),
    (
        r"^除了?(.+?灯)(?:以外|之外|外)?,?(?:全部|全都|都)(打开|开|关闭|关掉|关)",
        r"除了\1,其他灯都\2",
    ),
    (
        r"(?:吹|转|放|播|亮|跑|响|开)(半个?小时|半个?钟头|\d+个?(?:小时|分钟|钟头))"
        r"(?:就|后|再|之后|以后|后再)?(?:停|关)(?:了|掉|下|上)?",
        r"开\1",
    ),
    (
        r"(?:有没有|有)(?:什么)?灯(?:还)?(?:没关|开着|亮着|忘关|忘了关)(?:吗|的吗|没有|$)",
        "所有灯开着吗",
    ),
    (r"(其他|其它|其余|剩下)的?全(?:部|都)?(关|开)(?!灯)", r"\1灯都\2"),
    (
        r"^(.+?)(?:留着|保留|别动|别关|不动|不用关|亮着|开着),?(?:其他|其它|其余|剩下|别的)的?灯?"
        r"(?:都|全部|全)?(关|打开|开)(?:掉|了|上)?",
        r"除了\1,其他灯都\2",
    ),
    (r"^(?=[a-z ]+$)(.*)\b(?:deng)\b", r"\1灯"),
    (r"^(?=[a-z ]+\b)(.*?)\bkong ?tiao\b", r"\1空调"),
    (r"^(?=[a-z ]+\b)(.*?)\bdian ?shi\b", r"\1电视"),
    (r"^(?=[a-z ]+\b)(.*?)\bfeng ?shan\b", r"\1风扇"),
    (r"^(?=[a-z ]+\b)(.*?)\bchuang ?lian\b", r"\1窗帘"),
    (r"^(?:ba )?da ?kai ?(?=[灯空电风窗])", "打开"),
    (r"^(?:ba )?kai ?(?=[灯空电风窗])", "开"),
    (r"^(?:ba )?guan ?(?:bi ?|diao ?|shang ?)?(?=[灯空电风窗])", "关"),
)
_TABLES = {
    language: tuple((re.compile(found), plain) for found, plain in table)
    for language, table in (("en", _ENGLISH), ("zh-CN", _CHINESE))
}
_THOUSANDS = re.compile(r"(\d+(?:\.\d+)?)!1000")


def plainly(normal_text: str, language: str) -> str:
    """A normal form with idioms put in plain words.

    Args:
        normal_text: the normal form of a sentence.
        language: en or zh-CN.
    """
    if language == "en":
        normal_text = _unbroken(normal_text)
    for pattern, plain in _TABLES[language]:
        normal_text = pattern.sub(plain, normal_text)
    normal_text = _THOUSANDS.sub(lambda found: f"{1000 * float(found[1]):g}", normal_text)
    return " ".join(normal_text.split()) if language == "en" else normal_text


_FEW = 2
"""Words of the longest piece of a command that is broken up."""


def _unbroken(text: str) -> str:
    """A command of single words without the marks between them: kitchen, lights, off."""
    pieces = [piece.split() for piece in text.strip(" ,").split(" , ")]
    short = all(len(piece) <= _FEW for piece in pieces) and len(pieces) > _FEW
    return " ".join(word for piece in pieces for word in piece) if short else text
