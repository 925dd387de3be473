"""Sentences that no home should act on: real texts of other kinds, and generated questions.

Film titles and the first sentences of clothing reviews are real, and English for every language;
questions combine a few openings and topics in the given language. Near misses, sentences of intents
never trained on, are the part `near` of `draw_sentences`.
"""

from __future__ import annotations

import itertools
import random
import re
from importlib import metadata
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.logs.datasets.movielens import PACKAGE, read_movielens
from penchant.logs.open_table import read_rows

PER_KIND = 300
"""Number of sentences per kind."""
_REVIEWS = "WomensClothingE-CommerceReviews.parquet.brotli"
_MOST_WORDS = 14
_QUESTIONS = {
    "en": (
        "who invented {}|what is the capital of {}|how do you spell {}|write a poem about {}"
        "|how far is it to {}|translate {} into French|tell me a story about {}"
        "|how many people live in {}|what does {} mean|who won the war of {}",
        "Portugal|the telephone|photosynthesis|the Roman Empire|a sad dragon|Mount Everest"
        "|quantum physics|chocolate cake|Shakespeare|the moon|Kenya|a bicycle|democracy|history"
        "|the stock market|volcanoes|my grandmother|the Pacific Ocean|penguins|algebra"
        "|Leonardo da Vinci|Tokyo|a tax return|vitamin C|the French Revolution|honey bees"
        "|electric cars|Iceland|chess openings|a love letter|wild mushrooms|the speed of sound",
    ),
    "zh-CN": (
        "谁发明了{}|{}的首都在哪|{}怎么写|写一首关于{}的诗|{}有多远|把{}翻译成法语|讲一个{}的故事"
        "|{}有多少人口|{}是什么意思|{}的历史",
        "葡萄牙|电话|光合作用|罗马帝国|恐龙|珠穆朗玛峰|量子物理|巧克力蛋糕|莎士比亚|月亮|肯尼亚"
        "|自行车|民主|爵士乐|股票市场|火山|奶奶|太平洋|企鹅|代数|达芬奇|东京|报税|维生素|法国大革命"
        "|蜜蜂|电动汽车|冰岛|国际象棋|情书|野生蘑菇|声速",
    ),
}


def out_of_scope(language: str, seed: int = 0) -> list[tuple[str, str]]:
    """Draws distinct sentences, each with its kind: title, review or question.

    Args:
        language: language of the questions, en or zh-CN.
        seed: seed of the draw.

    Raises:
        ConfigError: the package with films and reviews is not installed.
    """
    rng = random.Random(seed)
    titles = [
        re.sub(r" *\(\d{4}\)", "", film.text).split(". ")[0] for film in read_movielens().films
    ]
    openings, things = (part.split("|") for part in _QUESTIONS[language])
    questions = [opening.format(thing) for opening, thing in itertools.product(openings, things)]
    kinds = {"title": titles, "review": _reviews(), "question": questions}
    return [
        (kind, text)
        for kind, texts in kinds.items()
        for text in rng.sample(sorted(set(texts)), min(PER_KIND, len(set(texts))))
    ]


def _reviews() -> list[str]:
    """The first sentence of each review, if it is short."""
    path = next(
        (
            Path(str(file.locate()))
            for file in metadata.distribution(PACKAGE).files or []
            if file.name == _REVIEWS
        ),
        None,
    )
    if path is None or not path.is_file():
        raise ConfigError(f"reviews: {PACKAGE} has none; `pip install {PACKAGE}==1.7.0`")
    firsts = []
    for row in read_rows(path):
        first = re.split(r"[.!?\n]", str(row["Review Text"] or ""))[0].strip()
        if 3 <= len(first.split()) <= _MOST_WORDS:
            firsts.append(first)
    return firsts
