"""Proposes texts of items made of their attributes, for a validation to choose from."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass

from penchant.domain.limits import Limits
from penchant.domain.types import Item
from penchant.logs.item_rows import fill_template
from penchant.logs.known_columns import folded

TEXT = "text"
"""Place of a template that the item's own text fills."""

_TITLES = ("title", "name", "productname", "itemname", "description")
_SAMPLE = 2000
_YEAR = re.compile(r"(?:1[89]|20)\d\d")
_MOST_CATEGORIES = 4
_MOST_CHARACTERS = Limits().text_bytes // 4


@dataclass(frozen=True, slots=True)
class _Attribute:
    """What a column of attributes looks like."""

    name: str
    coverage: float
    """Share of the items that have it."""
    distinct: float
    """Distinct values as a share of those that are there."""
    words: float
    """Mean number of words."""
    letters: float
    """Share of the characters that are letters."""
    years: float
    """Share of the values that are years."""

    @property
    def is_title(self) -> bool:
        return folded(self.name) in _TITLES

    @property
    def is_category(self) -> bool:
        """Whether it groups items under names that people use."""
        named = self.letters > 0.5 or self.years > 0.8
        return self.coverage >= 0.5 and self.distinct <= 0.5 and named

    @property
    def is_prose(self) -> bool:
        """Whether it describes each item in words of its own."""
        return self.coverage >= 0.3 and self.words >= 2 and self.letters > 0.5


def has_texts(items: Sequence[Item]) -> bool:
    """Whether most items have a text that is more than their id.

    >>> has_texts([Item("7", "7"), Item("8", "8", {"name": "a lamp"})])
    False
    """
    sample = _sample(items)
    return sum(item.text.strip() != item.id for item in sample) > len(sample) / 2


def text_templates(items: Sequence[Item]) -> list[str]:
    """Templates to try, the plainest first; empty if the items' own texts are all there is.

    >>> shop = [Item(f"{n}", f"{n}", {"name": f"a lamp {n}", "shelf": "hall"}) for n in range(9)]
    >>> text_templates(shop)
    ['{name}', '{name}. {shelf}']
    """
    sample = _sample(items)
    names = dict.fromkeys(name for item in sample for name in item.attributes)
    found = [_looked_at(name, sample) for name in names]
    own = has_texts(items)
    prose = sorted((one for one in found if one.is_prose and not one.is_category), key=_rank)
    categories = [one.name for one in found if one.is_category][:_MOST_CATEGORIES]
    base = TEXT if own else (prose.pop(0).name if prose else "")
    parts = [base] if base else []
    templates = []
    for more in ((), categories, [one.name for one in prose]):
        parts += more
        template = ". ".join(f"{{{name}}}" for name in parts)
        if template and template not in templates:
            templates.append(template)
    return [] if templates == [f"{{{TEXT}}}"] else templates


def usual_first(templates: Sequence[str]) -> list[str]:
    """The templates with the usual one first: a title with what groups it, if there is one.

    >>> usual_first(["{title}", "{title}. {shelf}", "{title}. {shelf}. {blurb}"])
    ['{title}. {shelf}', '{title}', '{title}. {shelf}. {blurb}']
    """
    usual = templates[1:2]
    return [*usual, *(one for one in templates if one not in usual)]


def with_template(items: Sequence[Item], template: str) -> tuple[Item, ...]:
    """The items with texts by a template; those that it leaves blank keep their own."""
    made = []
    for item in items:
        values = _Values({**item.attributes, TEXT: item.text})
        parts = (fill_template(part, values) for part in template.split(". "))
        text = ". ".join(part for part in parts if part)[:_MOST_CHARACTERS]
        made.append(dataclasses.replace(item, text=text or item.text))
    return tuple(made)


def _sample(items: Sequence[Item]) -> Sequence[Item]:
    return items[:: max(1, len(items) // _SAMPLE)]


class _Values(dict[str, str]):
    """Values of a template; one that an item lacks is empty."""

    def __missing__(self, key: str) -> str:
        return ""


def _rank(one: _Attribute) -> tuple[bool, int, float]:
    place = _TITLES.index(folded(one.name)) if one.is_title else len(_TITLES)
    return not one.is_title, place, -one.coverage


def _looked_at(name: str, items: Sequence[Item]) -> _Attribute:
    values = [item.attributes[name] for item in items if item.attributes.get(name)]
    characters = "".join(values)
    letters = sum(map(str.isalpha, characters)) / max(1, len(characters.replace(" ", "")))
    web = sum("://" in value for value in values) > len(values) / 2
    return _Attribute(
        name=name,
        coverage=len(values) / len(items),
        distinct=len(set(values)) / max(1, len(values)),
        words=sum(len(value.split()) for value in values) / max(1, len(values)),
        letters=0.0 if web else letters,
        years=sum(map(bool, map(_YEAR.fullmatch, values))) / max(1, len(values)),
    )
