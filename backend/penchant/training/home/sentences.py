"""Draws a sentence from a template: its alternatives, options and slot values."""

from __future__ import annotations

import random
import re
from typing import Any

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)
from hassil.parse_expression import parse_sentence

from penchant.training.home.household import Household
from penchant.training.home.sentence_templates import Template


class Speaker:
    """Draws sentences from the templates of one language.

    >>> data = {"lists": {}, "expansion_rules": {"the": "(the|my)"}}
    >>> speaker = Speaker(data, Household(("hall",), (), {}, {}))
    >>> template = Template("x/0/0", "x", "turn on [<the>] {area} light[s]", ())
    >>> speaker.say(template, random.Random(3))
    'turn on the hall light'
    """

    def __init__(self, data: dict[str, Any], household: Household) -> None:
        """Takes the language's data; lists and rules are parsed on first use.

        Args:
            data: Home Assistant's intents of one language.
            household: names for the slots, in the same language.
        """
        self._rules: dict[str, str] = data["expansion_rules"]
        self._lists: dict[str, Any] = data["lists"]
        self._household = household
        self._parsed: dict[str, Expression] = {}

    def say(self, template: Template, rng: random.Random) -> str:
        """Draws one sentence of a template, with single spaces between words."""
        spoken = self._say(self._expression(template.text), template.domains, rng)
        return re.sub(r"\s+", " ", spoken).strip()

    def _expression(self, text: str) -> Expression:
        if text not in self._parsed:
            self._parsed[text] = parse_sentence(text).expression
        return self._parsed[text]

    def _say(self, node: Expression, domains: tuple[str, ...], rng: random.Random) -> str:
        if isinstance(node, TextChunk):
            return node.original_text
        if isinstance(node, RuleReference):
            return self._say(self._expression(self._rules[node.rule_name]), domains, rng)
        if isinstance(node, ListReference):
            return self._value(node, domains, rng)
        if isinstance(node, Alternative):
            return self._say(rng.choice(node.items), domains, rng)
        if isinstance(node, Group):
            items = list(node.items)
            if isinstance(node, Permutation):
                rng.shuffle(items)
            return "".join(self._say(item, domains, rng) for item in items)
        raise TypeError(f"template: got a {type(node).__name__}, expected one of hassil's kinds")

    def _value(self, node: ListReference, domains: tuple[str, ...], rng: random.Random) -> str:
        house, name = self._household, node.list_name
        if name == "area":
            return rng.choice(house.areas)
        if name == "floor":
            return rng.choice(house.floors)
        if name == "name":
            known = [domain for domain in domains if domain in house.names]
            return rng.choice(house.names[rng.choice(known or sorted(house.names))])
        if name in house.open_slots:
            return rng.choice(house.open_slots[name])
        listed = self._lists[name]
        if "range" in listed:
            span = listed["range"]
            step = span.get("step", 1)
            return str(rng.randrange(span["from"], span["to"] + 1, step))
        value = rng.choice(listed["values"])
        text = value["in"] if isinstance(value, dict) else value
        return self._say(self._expression(text), domains, rng)
