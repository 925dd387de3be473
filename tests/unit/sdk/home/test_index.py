"""The index of templates drops nothing that hassil would match."""

from __future__ import annotations

from typing import cast

import pytest
from hassil.intents import Intents, SlotList, TextSlotList
from hassil.recognize import recognize_all
from home_assistant_intents import get_intents
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant_sdk.home._index import TemplateIndex
from penchant_sdk.home._nearest import exemplars

LISTS: dict[str, SlotList] = {
    "name": TextSlotList.from_tuples([("lights", "lights", {"domain": "light"})], name="name"),
    "area": TextSlotList.from_strings(["hall"], name="area"),
    "floor": TextSlotList.from_strings(["first"], name="floor"),
}
WORDS = {
    "en": [
        *("turn", "on", "off", "the", "lights", "set", "timer", "for", "5", "minutes", "please"),
        *("volume", "up", "what", "time", "is", "it", "-", "hall", "first", "floor", "because"),
        *("twenty", "one", "percent", "brightness", "to", "hall's", "all", "my", "red", "paint"),
    ],
    "zh-CN": ["请", "打开", "灯", "音量", "调高", "现在", "几点", "五", "分钟", "计时", " ", "把"],
}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_sentence_matches_the_same_templates_with_the_index_as_without(language: str) -> None:
    full = Intents.from_dict(cast(dict[str, object], get_intents(language)))
    index = TemplateIndex(full, LISTS)
    join = " " if language == "en" else ""

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.sampled_from(WORDS[language]), min_size=1, max_size=6).map(join.join))
    def law(text: str) -> None:
        def matched(intents: Intents) -> list[tuple[str, str]]:
            found = recognize_all(text, intents, LISTS, intent_context={"area": "x"})
            return [(one.intent.name, str(one.entities)) for one in found]

        assert matched(index.matching(text)) == matched(full)

    law()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_known_sentences_match_the_same_templates_with_the_index_as_without(language: str) -> None:
    full = Intents.from_dict(cast(dict[str, object], get_intents(language)))
    names = {"en": ("lamp", "kitchen"), "zh-CN": ("客厅灯", "厨房")}[language]
    lists: dict[str, SlotList] = {
        "name": TextSlotList.from_tuples([(names[0], names[0], {"domain": "light"})], name="name"),
        "area": TextSlotList.from_strings([names[1]], name="area"),
        "floor": TextSlotList.from_strings(["first"], name="floor"),
    }
    index = TemplateIndex(full, lists)
    known = {
        "en": ("turn on the lamp", "kitchen lights to 50 percent", "turn the lamp's brightness up"),
        "zh-CN": ("打开客厅灯", "厨房灯亮度六十", "客厅灯调到百分之二十"),
    }[language]
    matches = 0
    for text in (*known, *(one.text for one in exemplars(language)[::25])):
        found = [
            [
                (one.intent.name, str(one.entities))
                for one in recognize_all(text, intents, lists, intent_context={"area": "x"})
            ]
            for intents in (index.matching(text), full)
        ]
        assert found[0] == found[1], text
        matches += bool(found[0])
    assert matches > 2
