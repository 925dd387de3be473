"""Tells talk about colours, warmth and devices from wishes: "love the blue colour" is no command.

A wish that names no device has a word that asks, a place, or a bare value. Whatever else mentions a
colour, a number or a feeling is asked about at most, and so is a device in a clause that tells.

>>> from penchant_sdk.home.reading.home_words import HomeWords
>>> from penchant_sdk.home.reading.marks import mark_up
>>> home = HomeWords("en", ())
>>> [is_mere_talk(mark_up(said.split(), home)) for said in ("the colour is nice", "make it blue")]
[True, False]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penchant_sdk.home.reading.marks import END, NUMBER, Mark

_PLACES = ("room", "noroom", "floor", "here")
_SHADES = ("colour", "anycolour", "kelvin")
_MOVES = ("op", "rel", "neutral", "particle")
_STATED = frozenset(
    (
        *("is", "are", "am", "was", "were", "been", "looks", "look", "feels", "feel", "seems"),
        *("love", "loved", "loves", "like", "liked", "likes", "adore", "enjoy", "prefer", "hate"),
        *("got", "have", "has", "had", "bought", "wore", "saw"),
    )
)
"""Verbs of clauses that tell, or praise."""
_PAST = frozenset(("was", "were"))
_LIKING = ("love", "loved", "like", "liked", "adore", "enjoy")
_THANKS = frozenset(("thank", "thanks"))
_OWNING = (["have"], ["have the"], ["have some"], ["have a"])
_PERHAPS = ("might", "may", "maybe")
"""Words of somebody who weighs something."""
_PRAISE = frozenset(
    (
        *("beautiful", "gorgeous", "pretty", "lovely", "nice", "great", "good", "awesome", "comfy"),
        *("comfortable", "decent", "fresh", "cute", "wonderful", "amazing", "perfect", "super"),
    )
)
_FELT = frozenset(
    ("cosy", "cozy", "intense", "dull", "dazzling", "very light", "glare", "gloomy", "mellow")
)
"""Adjectives that say by themselves how something is, not how it is to be."""
_PLEASANT = frozenset(("cosy", "cozy", "mellow"))
"""Those of them that nobody complains of."""
_SOILED = frozenset(
    ("dirty", "dusty", "messy", "filthy", "crumb", "crumbs", "spotless", "sweeping")
)
_FLOORS = frozenset(("floor", "floors", "carpet", "rug", "house", "place", "it", "is", "too", "so"))
"""Words beside a complaint that make it one about a floor."""
_UNFIT = frozenset(("move", "paint", "pick", "fix", "sort", "push", "pull", "throw", "dye"))
"""Verbs that change nothing in a device without a value."""
_SWITCHING = frozenset(("on", "off", "open", "close", "start", "stop", "play"))
_UNSWITCHED = frozenset(("speed", "colour", "level", "kelvin"))
"""Quantities that nobody switches on or off."""


def is_mere_talk(marks: Sequence[Mark]) -> bool:
    """Whether an English sentence mentions what a home knows without a wish for it."""
    if not any(mark.has("entity") or mark.has("kind") for mark in marks):
        said = [mark.text for mark in marks if not mark.has("courtesy")][:2]
        tells = said[:1] == ["i"] and said[1:] in _OWNING
        if tells or any(mark.text in _PERHAPS for mark in marks):
            return True
        leaving = next((n for n, mark in enumerate(marks) if mark.has("except")), 0)
        if leaving and not _any_of(marks[:leaving], *_MOVES, "group"):
            return True  # "They are cute, but not white."
    parts = [_Talk(part) for part in _parts(marks)]
    commands = any(part.named and not part.mere for part in parts)
    # "We are watching a film, dim the lights": a command beside it is one.
    return any(part.mere and not (part.named and commands) for part in parts)


def _parts(marks: Sequence[Mark]) -> Iterator[list[Mark]]:
    part: list[Mark] = []
    for mark in marks:
        if mark.has(END) or mark.has("conj"):
            yield part
            part = []
        else:
            part.append(mark)
    yield part


def _any_of(marks: Sequence[Mark], *categories: str) -> bool:
    return any(mark.has(one) for mark in marks for one in categories)


def _values(marks: Sequence[Mark], category: str) -> set[str]:
    return {value for mark in marks for value in mark.values(category)}


class _Talk:
    """What a clause says, as far as talk and wish differ by it."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self.marks = marks
        self.words = {word for mark in marks for word in mark.text.split()}
        self.ops = {
            value for mark in marks if not mark.has("entity") for value in mark.values("op")
        }
        self.rels = [mark.text for mark in marks if mark.has("rel")]
        self.about = _values(marks, "quantity")
        self.named = _any_of(marks, "entity", "kind")
        self.placed = _any_of(marks, *_PLACES)
        self.shaded = _any_of(marks, *_SHADES)
        levels = _values(marks, "amount") - {"small", "large"}
        self.valued = self.shaded or bool(levels) or _any_of(marks, NUMBER)
        # "Colour" is a noun more often than a verb.
        moved = any(mark.has("neutral") and not mark.has("quantity") for mark in marks)
        self.asking = moved or _any_of(marks, "want", "polite", "oblige")
        first = next((mark.text for mark in marks if not mark.has("courtesy")), "")
        self.liked = first in _LIKING
        self.tells = bool(self.words & _STATED) or self.liked

    @property
    def mere(self) -> bool:
        """Whether the clause is no wish."""
        ways = _values(self.marks, "rel")
        if self.about == {"colour"} and ways and (ways <= {"+", "-"} or not self._wished):
            return True  # More of a colour is no more light.
        if self.named:
            told = self.tells or bool(self.words & _THANKS)
            wished = self.asking or _any_of(self.marks, "op", "rel", "particle", "power")
            return self._is_unfit or (told and not wished)
        if "dock" in self.ops and ways:
            return True
        if not (self.ops or ways or self.about or self.valued or _any_of(self.marks, "adj")):
            return False
        if self.liked or (self.words & _PAST and not self.asking):
            return True
        return self._misses if self.asking else self._tells_of_it

    @property
    def _wished(self) -> bool:
        return self.named or self.asking

    @property
    def _tells_of_it(self) -> bool:
        """Whether a clause without a word that asks tells something."""
        if self.rels:
            felt = all(one in _FELT for one in self.rels) and not self.placed
            pleasant = all(one in _PLEASANT for one in self.rels) and self.tells
            return felt or pleasant or self._praises or (self.shaded and self.tells)
        soiled = {mark.text for mark in self.marks if mark.has("op")} & _SOILED
        if self.ops and not (soiled or self.placed) and (self.tells or self.words & _THANKS):
            return True
        if self.ops or _any_of(self.marks, "particle"):
            return self._misses
        numbered = _any_of(self.marks, NUMBER) and self.about <= {"colour"} and not self.placed
        said = self.valued or _any_of(self.marks, "adj", "unneeded")
        return self.tells or self._praises or numbered or not said

    @property
    def _praises(self) -> bool:
        """Whether a word praises; "pretty dark" does not."""
        said = {mark.text for mark in self.marks if mark.has("filler")}
        shades = {mark.text.split()[0] for mark in self.marks if mark.has("colour")}
        return bool((said | shades) & _PRAISE)

    @property
    def _is_unfit(self) -> bool:
        """Whether the only verb is one of carrying or mending: move the coffee, pick it up."""
        verbs = {mark.text for mark in self.marks if mark.has("neutral")}
        other = any(
            mark.has(one) and not mark.has("kind") and mark.text != "up"
            for mark in self.marks
            for one in ("op", "rel", "particle")
        )
        aimed = bool(self.words & {"me", "us"})
        return bool(verbs) and verbs <= _UNFIT and not (other or aimed or self.valued)

    @property
    def _misses(self) -> bool:
        """Whether a verb and what it is about do not belong together: start daylight."""
        if self.placed or self.rels:
            return False
        soiled = {mark.text for mark in self.marks if mark.has("op")} & _SOILED
        if soiled and not self.words & _FLOORS:
            return True
        moved = bool(self.ops) or _any_of(self.marks, "particle")
        switched = moved and self.ops <= _SWITCHING
        if self.about & _UNSWITCHED and not self.valued:
            return switched
        started = bool(self.ops) and switched and "off" not in self.ops
        return started and self.shaded and not self.about
