"""The reason for an ad as a sentence, derived from the parts of its score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import shorten

from penchant_sdk.types import Contribution, Explanation, Item

_VERBS = {
    "click": "clicked",
    "conversion": "bought from",
    "purchase": "bought",
    "like": "liked",
    "view": "viewed",
    "complete": "finished",
    "played": "played",
    "started": "started",
    "rating": "rated",
}
_NAME_LENGTH = 60
_MOST_NAMED = 2
_NOTABLE = 0.5
"""A second event is named if its share is at least this fraction of the first event's."""


def name_of(item: Item) -> str:
    """The name of an item for a reason: its title or name, else the start of its text."""
    title = item.attributes.get("title") or item.attributes.get("name")
    return title or shorten(item.text, _NAME_LENGTH, placeholder=" ...")


def named_events(explanation: Explanation) -> list[Contribution]:
    """The past events that a reason names: at most two, each with a positive share."""
    speaking = sorted(
        (part for part in explanation.contributions if part.share > 0 and part.item),
        key=lambda part: -part.share,
    )
    distinct = list({part.item: part for part in reversed(speaking)}.values())[::-1]
    return [part for part in distinct[:_MOST_NAMED] if part.share >= _NOTABLE * distinct[0].share]


def unnamed(explanations: Iterable[Explanation], names: Mapping[str, str]) -> list[str]:
    """Ids of items that the reasons name and `names` lacks, each once."""
    items = (part.item for one in explanations for part in named_events(one))
    return sorted({item for item in items if item not in names})


def reason(
    campaign: str,
    explanation: Explanation | None,
    names: Mapping[str, str],
    drawn_with: float | None = None,
) -> str:
    """A sentence that says why an ad was selected.

    Args:
        campaign: the campaign's id.
        explanation: the parts of the ad's score. None: unknown.
        names: names by id of the items in `named_events`. Items without one go by their id.
        drawn_with: the ad's propensity if it was explored.

    >>> from datetime import UTC, datetime
    >>> click = Contribution("e", "tent", "click", datetime(2026, 6, 1, tzinfo=UTC), 0.4)
    >>> parts = Explanation(0.1, 0.3, 0.1, 0.0, 0.0, (click,))
    >>> reason("shoes", parts, {"tent": "A tent for two"})
    'Because this user clicked "A tent for two".'
    """
    sentence = _because(campaign, explanation, names) if explanation else _PAYS
    if drawn_with is None:
        return sentence
    return f"{sentence} Drawn, with a chance of {drawn_with:.0%}, to learn more about it."


_PAYS = "Because it is worth most among the ads that may be shown here now."


def _because(campaign: str, parts: Explanation, names: Mapping[str, str]) -> str:
    events = named_events(parts)
    personal = parts.slow + parts.fast + parts.near + parts.repeat
    if parts.query > max(personal, parts.offset, 0.0):
        return "Because it fits the text of the page."
    if events and personal > 0:
        return f"Because this user {_did(campaign, events, names)}."
    if parts.offset > 0:
        return "Because it is clicked more often than others are; this user's taste says little."
    return f"{_PAYS} Nothing known of this user speaks for it."


def _did(campaign: str, events: Sequence[Contribution], names: Mapping[str, str]) -> str:
    """The user's actions, as in `clicked "A" and "B"`, without repeating the verb."""
    said: list[str] = []
    before = ""
    for part in events:
        verb = _VERBS.get(part.signal, "chose")
        name = names.get(part.item, part.item)
        what = "this ad before" if part.item == campaign else f'"{name}"'
        said.append(what if verb == before else f"{verb} {what}")
        before = verb
    return " and ".join(said)
