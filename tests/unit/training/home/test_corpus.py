"""The sentences of a home: disjoint parts, and a log of training sentences only."""

from __future__ import annotations

import random
from itertools import groupby

import pytest

from penchant.domain.errors import ConfigError
from penchant.training.home.corpus import (
    FREE,
    NO_COMMAND,
    REPHRASED,
    SEEN,
    Sentence,
    draw_sentences,
    exemplars,
)
from penchant.training.home.household import HOUSEHOLDS
from penchant.training.home.out_of_scope import out_of_scope
from penchant.training.home.paraphrases import REPHRASING
from penchant.training.home.sentence_templates import (
    HELD_OUT,
    LANGUAGES,
    LEFT_OUT,
    NEAR,
    TRAIN,
    VALIDATION,
    load_templates,
    split_templates,
)
from penchant.training.home.sentences import Speaker
from penchant.training.home.training_log import training_log


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def sentences(language: str) -> list[Sentence]:
    return draw_sentences(language, per_template=6)


def of(sentences: list[Sentence], *parts: str) -> list[Sentence]:
    return [sentence for sentence in sentences if sentence.part in parts]


def _templates(sentences: list[Sentence]) -> list[str]:
    return sorted(sentence.template for sentence in sentences)


def test_no_measured_template_is_trained_on(sentences: list[Sentence]) -> None:
    trained = {sentence.template for sentence in of(sentences, TRAIN)}
    assert trained.isdisjoint(s.template for s in of(sentences, HELD_OUT, VALIDATION, NEAR, FREE))
    assert {s.template for s in of(sentences, SEEN)} <= trained


def test_no_text_is_in_two_parts_or_has_two_intents(sentences: list[Sentence]) -> None:
    texts = [sentence.text.casefold() for sentence in sentences]
    assert len(set(texts)) == len(texts)


def test_the_templates_of_the_parts_are_disjoint_by_their_text(language: str) -> None:
    parts = split_templates(load_templates(language)[0])
    for one in parts:
        for other in parts:
            if one < other:
                texts = {(template.intent, template.text) for template in parts[one]}
                assert texts.isdisjoint((t.intent, t.text) for t in parts[other])


def test_every_intent_but_those_left_out_is_trained_on(sentences: list[Sentence]) -> None:
    trained = {sentence.intent for sentence in of(sentences, TRAIN)}
    assert trained.isdisjoint(LEFT_OUT)
    assert {sentence.intent for sentence in of(sentences, SEEN, HELD_OUT, FREE)} <= trained
    assert {sentence.intent for sentence in of(sentences, NEAR)} <= set(LEFT_OUT)


def test_the_same_seed_gives_the_same_sentences_and_another_seed_others(language: str) -> None:
    assert draw_sentences(language, per_template=2) == draw_sentences(language, per_template=2)
    assert draw_sentences(language, per_template=2) != draw_sentences(
        language, per_template=2, seed=1
    )


def test_every_sentence_is_words_without_a_trace_of_the_template_language(
    sentences: list[Sentence],
) -> None:
    for sentence in sentences:
        assert not set("{}<>[]()|") & set(sentence.text), sentence
        assert sentence.text == " ".join(sentence.text.split())


def test_hassil_recognizes_every_drawn_sentence(language: str) -> None:
    hassil = pytest.importorskip("hassil")
    intents = pytest.importorskip("hassil.intents")
    templates, data = load_templates(language)
    house, rng = HOUSEHOLDS[language], random.Random(5)
    lists = {
        "name": intents.TextSlotList.from_tuples(
            [
                (name, name, {"domain": domain})
                for domain, names in house.names.items()
                for name in names
            ],
            name="name",
        ),
        "area": intents.TextSlotList.from_strings(house.areas, name="area"),
        "floor": intents.TextSlotList.from_strings(house.floors, name="floor"),
    }
    parsed = intents.Intents.from_dict(data)
    speaker = Speaker(data, house)
    chosen = [t for t in templates if "conversation_command" not in t.text]
    for template in rng.sample(chosen, 40):
        said = speaker.say(template, rng)
        found = hassil.recognize_all(
            said, parsed, slot_lists=lists, intent_context={"area": house.areas[0]}
        )
        assert template.intent in {result.intent.name for result in found}, (template, said)


def test_every_training_template_has_one_exemplar_or_two(sentences: list[Sentence]) -> None:
    assert {len(list(group)) for _, group in groupby(_templates(exemplars(sentences)))} <= {1, 2}
    known = exemplars(sentences, 1)
    assert len({one.template for one in known}) == len(known)
    assert {one.template for one in known} == {one.template for one in of(sentences, TRAIN)}


def test_the_log_holds_only_training_sentences_and_ends_in_unseen_ones(
    sentences: list[Sentence],
) -> None:
    rows = training_log(sentences)
    trained = of(sentences, TRAIN, REPHRASED, NO_COMMAND)
    intents = {sentence.text: sentence.intent for sentence in trained}
    assert [row.second for row in rows] == sorted(row.second for row in rows)
    for row in rows:
        assert (intents[row.item] == row.user.split("/")[0]) == (row.signal == "like")
    last = {(row.user, row.item) for row in rows if row.second >= 1_000_000}
    learnt = {(row.user, row.item) for row in rows if row.second < 1_000_000}
    alone = {s.intent for s in trained} - {
        s.intent for s in trained if list(intents.values()).count(s.intent) > 1
    }
    assert {pair for pair in last & learnt if pair[0].split("/")[0] not in alone} == set()


def test_paraphrases_keep_intent_and_template_and_are_in_no_measured_part(
    sentences: list[Sentence],
) -> None:
    meant = {(one.template, one.intent) for one in of(sentences, TRAIN)}
    said = of(sentences, REPHRASED)
    assert len(said) > len(of(sentences, TRAIN)) / 2
    assert {(one.template, one.intent) for one in said} <= meant
    measured = {
        one.text.casefold() for one in of(sentences, SEEN, HELD_OUT, VALIDATION, FREE, NEAR)
    }
    assert measured.isdisjoint(one.text.casefold() for one in of(sentences, REPHRASED, NO_COMMAND))


def test_what_commands_nothing_has_every_rule(sentences: list[Sentence], language: str) -> None:
    rules = {one.template for one in of(sentences, NO_COMMAND)}
    lists = REPHRASING[language]
    assert {f"denial/{place}" for place in range(len(lists.denials))} <= rules
    assert {f"neighbour/{place}" for place in range(len(lists.neighbours))} <= rules


def test_out_of_scope_sentences_are_distinct_and_of_three_kinds(language: str) -> None:
    strange = out_of_scope(language)
    assert len({text for _, text in strange}) == len(strange)
    assert {kind for kind, _ in strange} == {"title", "review", "question"}


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ConfigError, match="language: got 'tlh', expected one of en, zh-CN"):
        load_templates("tlh")
