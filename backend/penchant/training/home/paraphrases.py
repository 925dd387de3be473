"""Paraphrases of training sentences by rule and word lists, and sentences that command nothing.

Templates alone know neither courtesy nor slips. A paraphrase keeps its sentence's intent: another
verb, an opening or a closing, fillers, no case or punctuation, slips of the keyboard and of speech
recognition. A sentence that commands nothing is made from a command by negation, question or
report, or is of a neighbour that no intent covers (mowing, broadcasts, weather).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

_LEAST_LETTERS = 5
"""A shorter word is not misspelt: "on" would become another word."""


@dataclass(frozen=True, slots=True)
class Rephrasing:
    """The word lists of a language."""

    verbs: tuple[tuple[str, tuple[str, ...]], ...]
    """Beginnings of sentences, and others that mean the same."""
    openings: tuple[str, ...]
    closings: tuple[str, ...]
    fillers: tuple[str, ...]
    """Words between two words."""
    misheard: tuple[tuple[str, str], ...]
    """Words, and what speech recognition makes of them."""
    denials: tuple[str, ...]
    """Negations, questions and reports, with {} for a command."""
    neighbours: tuple[str, ...]
    """Sentences near to commands that no home carries out."""


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (pair.partition(">") for pair in text.split("|"))
    return tuple((one, other) for one, _, other in pairs)


def _verbs(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((one, tuple(others.split("/"))) for one, others in _pairs(text))


REPHRASING = {
    "en": Rephrasing(
        verbs=_verbs(
            "turn on>switch on/put on/flip on/power on/activate/enable"
            "|set the>change the/put the/adjust the|open>open up|close>shut"
            "|turn off>switch off/shut off/power off/kill/cut/shut down"
            "|start>begin/launch/get going with|stop>halt/end|pause>hold|lock>lock up|play>put on"
            "|increase>raise/turn up/bump up|decrease>lower/turn down/reduce|add>put|skip>go past"
            "|what is>what's/tell me|is the>are you sure the/do you know if the"
        ),
        openings=_split(
            "please |could you |can you |would you |hey |hi |ok |um |so |would you mind to |now "
            "|i want you to |i'd like you to |can you please |could you please |hey there |kindly "
            "|i need you to |go ahead and |let's |be so kind and |alright |uh |do me a favor and "
        ),
        closings=_split(
            " please| now| for me| thanks| thank you| right now| will you| would you| pls| asap"
            "| if you can| when you can| mate| for a moment| straight away"
        ),
        fillers=_split("um|uh|like|er|just|you know"),
        misheard=_pairs(
            "light>lite|lights>lites|two>to|for>four|off>of|the>da|blinds>blind|volume>vollume"
            "|hall>haul|to>two|four>for|timer>time her|heater>eater|degrees>degree|minute>minit"
        ),
        denials=_split(
            "do not {}|don't {}|please don't {}|never {}|you must not {}|why did you {}"
            "|how do i {}|who told you to {}|she told me to {}|he wants me to {}"
            "|i already asked him to {}|what happens if i {}|should i {}|my brother likes to {}"
            "|remind me to {}|is it safe to {}|i forgot to {}|tell bob to {}|i can {} myself"
            "|there is no need to {}|what does it cost to {}|he said {}|the song goes {}"
        ),
        neighbours=_split(
            "the lawn is too long|cut the grass for me|send the mower out|is it going to be sunny"
            "|do i need a coat today|how cold will it get tonight|will it snow on sunday"
            "|say to everybody that lunch is served|let all rooms know that we leave"
            "|call everyone to the table|shout that the bus is here|bring the mower in"
            "|what should i cook|tell me something funny|how tall is that tower|book me a table"
            "|order new light bulbs|which vacuum is the best|how much power does a fan use"
            "|what is a thermostat|how is coffee made|when was the light bulb invented"
            "|what does blue mean|read me the headlines|write a mail to my boss|call my sister"
            "|is the shop still open|what is on my calendar|wake me at six|how far away is the sun"
            "|i love this lamp|my coffee was cold|the new fan was expensive|we had a power cut"
        ),
    ),
    "zh-CN": Rephrasing(
        verbs=_verbs(
            "打开>开启/开一下/启动/开|关闭>关掉/关上/关一下/关了|关掉>关闭/关上|设置>调整/设定"
            "|把>将|调高>提高/升高/加大|调低>降低/减小|开始>启动|停止>停下/别再|暂停>先停一下"
            "|播放>放|增加>加|减少>减|现在>目前|查询>查一下/看看|开>打开|关>关闭"
        ),
        openings=_split(
            "请|麻烦|帮我|麻烦你|能不能|可以|请帮我|嗯|那个|劳驾|我想|我要|你好|喂|能帮我|现在|快"
        ),
        closings=_split("吧|一下|谢谢|好吗|行吗|可以吗|呗|哦|啊|谢谢你|好不好"),
        fillers=_split("嗯|那个|就是"),
        misheard=_pairs("灯>等|把>吧|调>条|度>肚|窗帘>窗连|客厅>可听|音量>音亮|空调>空挑|关>管"),
        denials=_split(
            "不要{}|别{}|千万别{}|不用{}|为什么要{}|怎么{}|谁让你{}|他让我{}|提醒我{}|刚才是谁{}"
            "|如果{}会怎么样|我该不该{}|我忘了{}|我自己会{}|告诉小明{}|他说{}|妈妈喜欢{}|没必要{}"
        ),
        neighbours=_split(
            "草太长了|去把草割了|让割草机出来|明天有太阳吗|今天要穿外套吗|晚上会有多冷|周日下雪吗"
            "|跟大家说吃饭了|告诉所有房间我们要走了|叫大家过来|做什么菜好|讲点好笑的|帮我订位子"
            "|买几个灯泡|哪个扫地机器人最好|风扇一天用多少电|恒温器是什么|咖啡是怎么做的"
            "|电灯是谁发明的|蓝色代表什么|念一下新闻|给老板写封邮件|给姐姐打电话|商店还开着吗"
            "|我今天有什么安排|六点叫我起床|太阳离我们多远|我喜欢这盏灯|我的咖啡凉了|昨天停电了"
        ),
    ),
}
"""Word lists by language."""


def paraphrase(text: str, language: str, rng: random.Random) -> str:
    """Says a sentence otherwise, by one to four rules; the intent stays.

    >>> paraphrase("turn on the lights", "en", random.Random(1))
    'flip on the lites'
    """
    lists = REPHRASING[language]
    said = text
    rules = rng.sample(("verb", "open", "close", "fill", "hear", "slip", "bare"), rng.randint(1, 4))
    if "verb" in rules:
        said = _other_verb(said, lists, rng)
    if "fill" in rules:
        said = _filled(said, language, rng.choice(lists.fillers), rng)
    if "hear" in rules:
        said = _misheard(said, language, lists, rng)
    if "slip" in rules:
        said = _slipped(said, rng)
    if "open" in rules:
        said = rng.choice(lists.openings) + said
    if "close" in rules:
        said += rng.choice(lists.closings)
    if "bare" in rules:
        said = re.sub(r"[^\w\s%°.:-]", "", said.casefold())
    return " ".join(said.split())


def no_commands(
    texts: Sequence[str], language: str, count: int, rng: random.Random
) -> list[tuple[str, str]]:
    """Distinct sentences that command nothing, each with the rule that made it.

    Args:
        texts: commands.
        language: en or zh-CN.
        count: number of sentences that are made of commands; the neighbours come besides.
        rng: draws commands and rules.
    """
    lists = REPHRASING[language]
    made = {text: f"neighbour/{place}" for place, text in enumerate(lists.neighbours)}
    for _ in range(count):
        place = rng.randrange(len(lists.denials))
        made.setdefault(lists.denials[place].format(rng.choice(texts)), f"denial/{place}")
    return list(made.items())


def _other_verb(said: str, lists: Rephrasing, rng: random.Random) -> str:
    for verb, others in lists.verbs:
        if said.startswith(verb):
            return rng.choice(others) + said[len(verb) :]
    return said


def _filled(said: str, language: str, filler: str, rng: random.Random) -> str:
    if language == "zh-CN":
        return filler + said
    words = said.split()
    words.insert(rng.randrange(len(words)), filler)
    return " ".join(words)


def _misheard(said: str, language: str, lists: Rephrasing, rng: random.Random) -> str:
    """The sentence with one word misheard; in English never in the verb of two words."""
    edge = "" if language == "zh-CN" else r"\b"
    possible = [
        (word, other) for word, other in lists.misheard if re.search(edge + word + edge, said)
    ]
    if not possible:
        return said
    word, other = rng.choice(possible)
    if word == "off":  # "Turn of" is clear, "off" alone is not.
        return re.sub(r"(?<=turn )off\b|(?<=switch )off\b", other, said, count=1)
    return re.sub(edge + word + edge, other, said, count=1)


def _slipped(said: str, rng: random.Random) -> str:
    """The sentence with two letters swapped, one doubled or one left out, in a long word."""
    words = said.split()
    long = [n for n, word in enumerate(words) if word.isascii() and len(word) >= _LEAST_LETTERS]
    if not long:
        return said
    at = rng.choice(long)
    word, place = words[at], rng.randrange(1, len(words[at]) - 1)
    words[at] = rng.choice(
        (
            word[:place] + word[place + 1] + word[place] + word[place + 2 :],
            word[:place] + word[place] + word[place:],
            word[:place] + word[place + 1 :],
        )
    )
    return " ".join(words)
