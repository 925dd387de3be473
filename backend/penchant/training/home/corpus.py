"""The sentences of a language by part: each text is in one part and has one intent."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penchant.training.home.household import HOUSEHOLDS
from penchant.training.home.paraphrases import no_commands, paraphrase
from penchant.training.home.phrases import PHRASES
from penchant.training.home.sentence_templates import (
    HELD_OUT,
    NEAR,
    TRAIN,
    VALIDATION,
    Template,
    load_templates,
    split_templates,
)
from penchant.training.home.sentences import Speaker

SEEN = "seen"
"""Part of held-out sentences whose templates are trained on."""
FREE = "free"
"""Part of hand-written free phrasing, only measured."""
REPHRASED = "rephrased"
"""Part of the paraphrases of training sentences, only trained on."""
NO_COMMAND = "no-command"
"""Part and intent of training sentences that command nothing."""
_NO_COMMANDS = 300
"""Number of draws of sentences that command nothing."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its meaning."""

    text: str
    intent: str
    template: str
    """`Template.key`."""
    part: str
    """`train`, `seen`, `validation`, `held-out`, `near`, `free`, `rephrased` or `no-command`."""
    domain: str = ""
    """Domain of the entities it is about; empty: unspecified."""
    change: str = ""
    """`up` or `down` if it asks for more or less of something; empty otherwise."""


def draw_sentences(
    language: str, per_template: int = 20, seed: int = 0, *, rephrased: bool = True
) -> list[Sentence]:
    """Draws sentences from all templates of a language, and assigns each to a part.

    About a quarter of a training template's sentences, 5 at most, are held out as `seen`. A text
    with two intents is dropped; a text drawn in two parts stays in training only. Each training
    sentence is then rephrased once, unless another part holds the text, and sentences that command
    nothing are added. So no measured text was trained on, letter for letter.

    Args:
        language: one of `LANGUAGES`.
        per_template: maximum number of distinct sentences per template, 1 or more; up to 2.2 times
            as many draws are tried.
        seed: seed of the splits and the draws.
        rephrased: whether to add paraphrases and sentences that command nothing.

    Raises:
        ConfigError: see `load_templates`.
    """
    templates, data = load_templates(language)
    speaker = Speaker(data, HOUSEHOLDS[language])
    drawn: list[Sentence] = []
    for part, own in split_templates(templates, seed).items():
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
    apart = _apart(drawn + _free(language))
    if not rephrased:
        return apart
    return apart + _rephrased(apart, language, random.Random(f"{seed}/rephrased"))


def exemplars(sentences: Iterable[Sentence], per_template: int = 2) -> list[Sentence]:
    """The first sentences of each training template, and every hand-written training phrase."""
    counts: dict[str, int] = {}
    chosen = []
    for sentence in sentences:
        if sentence.part == TRAIN and counts.get(sentence.template, 0) < per_template:
            counts[sentence.template] = counts.get(sentence.template, 0) + 1
            chosen.append(sentence)
    return chosen


def _rephrased(sentences: Sequence[Sentence], language: str, rng: random.Random) -> list[Sentence]:
    """A paraphrase of each training sentence, and sentences that command nothing."""
    own = [sentence for sentence in sentences if sentence.part == TRAIN]
    made = [
        dataclasses.replace(one, text=paraphrase(one.text, language, rng), part=REPHRASED)
        for one in own
    ]
    commands = [one.text for one in own if one.intent not in _NOT_DENIED]
    made += [
        Sentence(text, NO_COMMAND, key, NO_COMMAND)
        for text, key in no_commands(commands, language, _NO_COMMANDS, rng)
    ]
    taken = {sentence.text.casefold() for sentence in sentences}
    kept: list[Sentence] = []
    for one in made:
        if one.text.casefold() not in taken:
            taken.add(one.text.casefold())
            kept.append(one)
    return kept


_NOT_DENIED = ("HassNevermind", "HassRespond", "HassGetState", "HassGetCurrentTime")
"""Intents of sentences whose denial makes no sense."""


def _free(language: str) -> list[Sentence]:
    """The hand-written phrases, each as its own template."""
    return [
        Sentence(text, row.intent, f"phrase/{number}/{text}", part, row.domain, row.change)
        for number, row in enumerate(PHRASES[language])
        for part, texts in ((TRAIN, row.trained), (FREE, row.measured))
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
    """Keeps each text of a single intent once, in its first part by this order."""
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
