"""Preselects the template blocks of Home Assistant that a sentence can match, in 0.2 ms.

hassil checks the required words of one template after another, and first copies the lists of every
block. This index looks up the words of all templates once per sentence and passes hassil only the
blocks that can still match. It drops no possible match, because it uses hassil's own required
words, and because a block cannot match a sentence with a word that it cannot hold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from hassil.intents import Intent, IntentData, Intents, SlotList
from hassil.util import normalize_for_matching, remove_skip_words_tracked

from penchant_sdk.home._template_words import is_made_of, words_in, words_of

MOST_WORDS = 16384
"""Words whose blocks are remembered."""
Clauses = tuple[frozenset[str], ...]
"""Sets of words; the sentence must contain at least one word of each set."""


class TemplateIndex:
    """The templates of one language, indexed by the words that they require and may hold."""

    def __init__(self, intents: Intents, lists: Mapping[str, SlotList]) -> None:
        """Collects the words of every template from hassil.

        Args:
            intents: the templates.
            lists: the home's names, rooms and floors.
        """
        self._intents = intents
        self._spaced = not intents.settings.ignore_whitespace
        self._blocks: list[tuple[str, IntentData, list[Clauses]]] = []
        for name, intent in intents.intents.items():
            for data in intent.data:
                rules = {**intents.expansion_rules, **data.expansion_rules}
                needs = [tuple(one.get_required_clauses(rules)) for one in data.sentences]
                self._blocks.append((name, data, needs))
        self._held = [
            words_of(data, intents, lists, spaced=self._spaced) for _, data, _ in self._blocks
        ]
        self._holding: dict[str, frozenset[int]] = {}
        self._words = frozenset(
            word
            for _, _, needs in self._blocks
            for one in needs
            for clause in one
            for word in clause
        )

    def matching(self, text: str) -> Intents:
        """The intents, reduced to the blocks that the text may match."""
        heard, bare = self._heard(text)
        kept: dict[str, list[IntentData]] = {}
        able = self._able(bare)
        present = {word for word in self._words if word in heard} if able else set[str]()
        for number in able:
            name, data, needs = self._blocks[number]
            if any(all(not clause.isdisjoint(present) for clause in one) for one in needs):
                kept.setdefault(name, []).append(data)
        return dataclasses.replace(
            self._intents, intents={name: Intent(name, data) for name, data in kept.items()}
        )

    def _able(self, bare: str) -> list[int]:
        """Numbers of the blocks that can hold every word of a text, in order."""
        able = frozenset(range(len(self._blocks)))
        for word in dict.fromkeys(words_in(bare, spaced=self._spaced)):
            holding = self._holding.get(word)
            if holding is None:
                holding = frozenset(
                    number
                    for number, held in enumerate(self._held)
                    if held is None or is_made_of(word, held)
                )
                if len(self._holding) < MOST_WORDS:
                    self._holding[word] = holding
            able &= holding
        return sorted(able)

    def _heard(self, text: str) -> tuple[str, str]:
        """The text in every form that hassil matches, and without fillers alone."""
        tracked = normalize_for_matching(text)
        bare = tracked.copy()
        spaceless = self._intents.settings.ignore_whitespace
        if self._intents.skip_words:
            remove_skip_words_tracked(bare, self._intents.skip_words, spaceless)
        heard = f"{tracked.text}\n{bare.text}".casefold()
        return (f"{heard}\n{heard.replace(' ', '')}" if spaceless else heard), bare.text
