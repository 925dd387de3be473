"""The sentences of a language by part, no text in two parts and none with two intents."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penchant.training.home.household import HOUSEHOLDS
from penchant.training.home.phrases import PHRASES
from penchant.training.home.sentence_templates import (
    HELD_OUT,
    NEAR,
    TRAIN,
    VALIDATION,
    Template,
    load,
    split,
)
from penchant.training.home.sentences import Speaker

SEEN = "seen"
"""The part of held-out sentences of templates that are trained on."""
FREE = "free"
"""The part of hand-written free phrasing that is only measured."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence and what it means."""

    text: str
    intent: str
    template: str
    """`Template.key`."""
    part: str
    """`train`, `seen`, `validation`, `held-out`, `near` or `free`."""
    domain: str = ""
    """Of the entities that it is about; empty: it does not say."""
    change: str = ""
    """`up` or `down` where it asks for more or less of something."""


def build(language: str, per_template: int = 20, seed: int = 0) -> list[Sentence]:
    """Sentences of all templates of a language, by part.

    Of the sentences of a training template about a quarter, at most 5, are held out as `seen`. A
    text that belongs to two intents is in no part; one that stands in two parts is kept in
    training and leaves the others, so what is measured was never trained on, letter for letter.

    Args:
        language: one of `templates.LANGUAGES`.
        per_template: Distinct sentences drawn of a template at most, 1 or more; a tenth more draws
            than twice that are tried.
        seed: of splits and draws.

    Raises:
        ConfigError: see `templates.load`.
    """
    templates, data = load(language)
    speaker = Speaker(data, HOUSEHOLDS[language])
    drawn: list[Sentence] = []
    for part, own in split(templates, seed).items():
        for template in own:
            rng = random.Random(f"{seed}/{template.key}")
            texts = _distinct(speaker, template, per_template, rng)
            seen = min(5, len(texts) // 4) if part == TRAIN else 0
            drawn += [
                Sentence(
                    text,
                    template.intent,
                    template.key,
                    SEEN if place < seen else part,
                    template.about,
                )
                for place, text in enumerate(texts)
            ]
    return _apart(drawn + _free(language))


def exemplars(sentences: Iterable[Sentence], per_template: int = 2) -> list[Sentence]:
    """The first sentences of each training template, and all phrases to learn from."""
    counts: dict[str, int] = {}
    chosen = []
    for sentence in sentences:
        if sentence.part == TRAIN and counts.get(sentence.template, 0) < per_template:
            counts[sentence.template] = counts.get(sentence.template, 0) + 1
            chosen.append(sentence)
    return chosen


def _free(language: str) -> list[Sentence]:
    """Each hand-written phrase, which is a template of its own."""
    return [
        Sentence(text, row.intent, f"phrase/{number}/{text}", part, row.domain, row.change)
        for number, row in enumerate(PHRASES[language])
        for part, texts in ((TRAIN, row.learnt), (FREE, row.measured))
        for text in texts
    ]


def _distinct(speaker: Speaker, template: Template, count: int, rng: random.Random) -> list[str]:
    texts: dict[str, None] = {}
    for _ in range(2 * count + count // 5 + 1):
        if len(texts) == count:
            break
        texts[speaker.say(template, rng)] = None
    return [text for text in texts if text]


def _apart(drawn: Sequence[Sentence]) -> list[Sentence]:
    """Each text once: in the first part of this order that holds it, of its only intent."""
    order = {TRAIN: 0, SEEN: 1, VALIDATION: 2, HELD_OUT: 3, FREE: 4, NEAR: 5}
    intents: dict[str, set[str]] = {}
    for sentence in drawn:
        intents.setdefault(sentence.text.casefold(), set()).add(sentence.intent)
    kept: dict[str, Sentence] = {}
    for sentence in sorted(drawn, key=lambda one: order[one.part]):
        folded = sentence.text.casefold()
        if len(intents[folded]) == 1:
            kept.setdefault(folded, sentence)
    return list(kept.values())
