"""What a clause of a marked sentence says, gathered by category."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from penchant_sdk.home.reading.counting import counted
from penchant_sdk.home.reading.marks import END, NUMBER, TIME, UNKNOWN, Mark
from penchant_sdk.home.reading.spoken_text import stem

_WEAK = ("kind", "entity")
"""A verb that also names a device, such as vacuum, is a verb only if there is no other."""
VALUES = ("colour", "anycolour", "kelvin", NUMBER, "amount")
"""Categories of what is set."""


@dataclass(frozen=True, slots=True)
class Clause:
    """The evidence of one clause, by category; values in order, without repetition."""

    ops: tuple[str, ...] = ()
    weak_ops: tuple[str, ...] = ()
    neutral: bool = False
    particles: tuple[str, ...] = ()
    rels: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()
    by: bool = False
    toward: bool = False
    numbers: tuple[tuple[float, str], ...] = ()
    colours: tuple[str, ...] = ()
    any_colour: bool = False
    kelvins: tuple[int, ...] = ()
    quantities: tuple[str, ...] = ()
    names: tuple[tuple[str, ...], ...] = ()
    """For each name, the ids of the entities that have it."""
    kinds: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    norooms: tuple[str, ...] = ()
    floors: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    here: bool = False
    pronoun: bool = False
    whens: tuple[int, ...] = ()
    """Numbers of the sentence's times."""
    later: str = ""
    """Words of a time or a condition that is not typed."""
    unneeded: bool = False
    negated: bool = False
    ended: bool = False
    """Whether it says that something comes to an end: not any more, 了."""
    kept: bool = False
    """Whether it says to leave something as it is."""
    excluded: Clause | None = None
    unknown: tuple[str, ...] = ()
    """Words without a meaning here."""
    words: tuple[str, ...] = ()
    """Every word of the device kinds, to prefer the lamp that is called lamp."""
    adjectives: tuple[str, ...] = ()
    """States that may be wishes, as steps: warm, bright."""
    altered: bool = False
    """Whether it says to change something."""
    wanted: bool = False
    """Whether it says that something is wanted: I need, give me."""
    polite: bool = False
    """Whether it is a request: can you, please."""
    personal: bool = False
    """Whether it is about somebody."""
    plural: bool = False
    """Whether it names several devices by a plural."""
    either: bool = False
    """Whether it leaves a choice: the fan or the plug, one of the lamps."""
    homeward: bool = False
    """Whether it says home, the way that a vacuum may go."""
    numbered: bool = False
    """Whether a bare number follows a kind, as in lamp 2, where it may be a name."""
    at_number: bool = False
    """Whether a lone number stands after at, where it may be a time."""
    supplied: int = 0
    """1 if it says to give something, such as power or light, -1 to take it away, else 0."""
    powered: bool = False
    """Whether it is about power: give the plug some juice."""
    results: tuple[str, ...] = ()
    """States to reach, on or off, that are no verbs: lit, running, dead."""
    obliged: bool = False
    """Whether it says how something ought to be."""
    count: int = 0
    """Number of devices that it speaks of: both lights. 0: it says none."""

    @property
    def targeted(self) -> bool:
        """Whether it names a device, a kind, a place or a group."""
        return bool(
            self.names or self.kinds or self.rooms or self.norooms or self.floors or self.groups
        )

    @property
    def named(self) -> bool:
        """Whether it names a device or a kind."""
        return bool(self.names or self.kinds)

    @property
    def valued(self) -> bool:
        """Whether it says a value."""
        return bool(self.numbers or self.colours or self.kelvins or self.any_colour or self.levels)

    @property
    def levels(self) -> tuple[str, ...]:
        """Amounts that are values by themselves: max, half, ..."""
        return tuple(one for one in self.amounts if one not in ("small", "large"))

    @property
    def moved(self) -> bool:
        """Whether it says what to do, verb or value."""
        return bool(
            self.ops
            or self.weak_ops
            or self.rels
            or self.particles
            or self.valued
            or self.unneeded
            or (self.results and self.wishing)
            or (self.powered and self.supplied)
        )

    @property
    def directive(self) -> bool:
        """Whether it has a verb of its own."""
        moved = bool(self.particles or self.valued or self.weak_ops)
        return bool(
            self.ops
            or self.rels
            or self.particles
            or (moved and (self.neutral or self.polite))
            or (self.results and self.wishing)
            or (self.powered and self.supplied)
        )

    @property
    def wishing(self) -> bool:
        """Whether it says that a state is to be reached: make, get, should be, I want."""
        return self.neutral or self.polite or self.wanted or self.obliged or bool(self.supplied)

    @property
    def empty(self) -> bool:
        """Whether it says nothing about a home."""
        return not (self.targeted or self.moved or self.here or self.quantities)


def gather(marks: Sequence[Mark]) -> Clause:
    """The evidence of a run of marks."""
    excluded, marks = _exclusion(marks)
    count, marks = counted(marks)

    said: dict[str, dict[str, None]] = {}
    for mark in marks:
        for category, values in mark.meanings.items():
            said.setdefault(category, {}).update(dict.fromkeys(values))

    def all_of(category: str) -> tuple[str, ...]:
        return tuple(said.get(category, ()))

    strong = [
        mark
        for place, mark in enumerate(marks)
        if not any(mark.has(category) for category in _WEAK) or _is_imperative(marks, place)
    ]
    named = tuple(tuple(mark.values("entity")) for mark in marks if mark.has("entity"))
    kinds = tuple(
        dict.fromkeys(
            value for mark in marks if not mark.has("entity") for value in mark.values("kind")
        )
    )
    called = [mark.text for mark in marks if "vacuum" in mark.values("kind")]
    if called == ["robot"] and len(kinds) > 1:  # "Light on please, robot."
        kinds = tuple(kind for kind in kinds if kind != "vacuum")
    if "coffee" in kinds:  # "Set the coffee to brew": a brew is tea elsewhere.
        kinds = tuple(kind for kind in kinds if kind != "kettle")
    switching = any(mark.text == "switch" and mark.has("neutral") for mark in marks[:3])
    coloured = "colour" in said or "quantity" in said
    asked = any(
        mark.text == "switch"
        and (
            _is_asked(marks, place) or _takes_what_was_said(marks, place) or _switches(marks, place)
        )
        for place, mark in enumerate(marks)
    )
    if (
        asked or named or len(kinds) > 1 or (switching and coloured)
    ):  # "Switch the kettle on": no switch.
        kinds = tuple(kind for kind in kinds if kind != "switch")
    ops = tuple(dict.fromkeys(value for mark in strong for value in mark.values("op")))
    weak = tuple(dict.fromkeys(value for mark in marks for value in mark.values("op")))
    later = [mark.text for mark in marks if mark.has("time")]
    groups = all_of("group")
    if excluded is not None and not (groups or all_of("room") or all_of("floor")):
        groups = ("all",)
    return Clause(
        ops=ops,
        weak_ops=tuple(op for op in weak if op not in ops),
        neutral="neutral" in said,
        particles=all_of("particle"),
        rels=all_of("rel"),
        amounts=all_of("amount"),
        by="by" in said,
        toward=_toward(marks),
        numbers=tuple((mark.number, mark.unit) for mark in marks if mark.number is not None),
        colours=tuple(dict.fromkeys(_colours(marks))),
        any_colour=bool(all_of("anycolour")),
        kelvins=tuple(int(value) for value in all_of("kelvin")),
        quantities=all_of("quantity"),
        names=tuple(dict.fromkeys(named)),
        kinds=kinds,
        rooms=all_of("room"),
        norooms=() if set(kinds) == set(all_of("noroom")) else all_of("noroom"),  # The garage.
        floors=all_of("floor"),
        groups=groups,
        here="here" in said,
        pronoun="pronoun" in said,
        whens=tuple(int(value) for value in all_of(TIME)),
        later=" ".join(later),
        unneeded=_is_unneeded(marks),
        negated="neg" in said or "leftout" in said,
        ended=bool(marks) and (any(one.has("anymore") for one in marks) or marks[-1].text == "了"),
        kept="leave" in said or "keep" in said,
        excluded=excluded,
        unknown=_unknown(marks),
        words=tuple(mark.text for mark in marks if mark.has("kind") or mark.has("entity")),
        adjectives=all_of("adj"),
        altered="change" in said,
        wanted="want" in said,
        polite="polite" in said,
        personal="person" in said,
        plural=any(_is_plural(mark) for mark in marks if mark.has("kind") or mark.has("entity")),
        either="either" in said or "hint" in said,
        homeward=any(mark.text in ("home", "back home") for mark in marks),
        numbered=any(
            one.has("kind") and two.number is not None and not two.unit
            for one, two in pairwise(marks)
        ),
        at_number=_at_number(marks),
        supplied=_supplied(marks),
        powered="power" in said,
        results=all_of("result"),
        obliged="oblige" in said,
        count=count,
    )


def _colours(marks: Sequence[Mark]) -> Iterator[str]:
    """Colours that are wished for, if one is said after "from", others than that."""
    for before, mark in pairwise((None, *marks)):
        left = before is not None and before.text in ("from", "than", "instead of", "not")
        if mark is not None and not left:
            yield from mark.values("colour")


def _unknown(marks: Sequence[Mark]) -> tuple[str, ...]:
    """Words without a meaning here; so is power that is neither given nor taken away."""
    moved = any(mark.has(one) for mark in marks for one in ("supply", "op", "particle", "unneeded"))
    moved = moved or _supplied(marks) != 0
    return tuple(
        mark.text for mark in marks if mark.has(UNKNOWN) or (mark.has("power") and not moved)
    )


def _is_unneeded(marks: Sequence[Mark]) -> bool:
    """Whether something is no longer needed; 不用了 that is followed by its verb only says why."""
    places = [place for place, mark in enumerate(marks) if mark.has("unneeded")]
    if not places:
        return False
    said = marks[places[-1]].text
    after = any(mark.has("op") for mark in marks[places[-1] + 1 :])
    before = any(mark.has("op") or mark.has("particle") for mark in marks[: places[-1]])
    return not ((said.endswith("了") and after) or ("with" in said.split() and before))


def _supplied(marks: Sequence[Mark]) -> int:
    """1 for "give it some", -1 for "take some away", which "stop giving it" says too."""
    signs = {value for mark in marks for value in mark.values("supply")}
    if any(mark.text == "power" and _is_asked(marks, place) for place, mark in enumerate(marks)):
        return 1  # "Power the socket."
    return -1 if "-" in signs else int("+" in signs)


def _is_imperative(marks: Sequence[Mark], place: int) -> bool:
    """Whether a verb that also names a device begins a request: vacuum the house."""
    return marks[place].has("op") and _is_asked(marks, place)


def _takes_what_was_said(marks: Sequence[Mark], place: int) -> bool:
    """Whether a word is a verb for what comes after it: switch it, switch everything."""
    after = marks[place + 1 : place + 2]
    noun = place > 0 and (marks[place - 1].text in _ARTICLES or marks[place - 1].has("pronoun"))
    return not noun and any(one.has("pronoun") or one.has("group") for one in after)


def _switches(marks: Sequence[Mark], place: int) -> bool:
    """Whether a word begins a request that ends with its particle: switch yourself on."""
    begins = all(mark.has("courtesy") or mark.has("filler") for mark in marks[:place])
    noun = place > 0 and marks[place - 1].text in _ARTICLES
    after = any(mark.has("particle") for mark in marks[place + 1 :])
    return begins and not noun and after


def _is_asked(marks: Sequence[Mark], place: int) -> bool:
    """Whether a word stands where the verb of a request does: first, before what it is about."""
    if place + 1 == len(marks):
        return False
    courteous = all(
        (one.has("filler") and one.text not in _ARTICLES) or one.has("polite")
        for one in marks[:place]
    )
    after = marks[place + 1]
    return courteous and (
        after.text in _ARTICLES
        or after.has("room")
        or after.has("here")
        or after.text in ("up", "in")
    )


_ARTICLES = ("the", "my", "our", "this", "that", "your", "a")


def _is_plural(mark: Mark) -> bool:
    """Whether the last word of a mark is a plural; Chinese leaves it open."""
    last = mark.text.split()[-1]
    return stem(last) != last or not mark.text.isascii()


def is_target(mark: Mark) -> bool:
    """Whether a part names a device or a place."""
    return any(mark.has(one) for one in ("entity", "kind", "room", "floor", "here"))


def _toward(marks: Sequence[Mark]) -> bool:
    """Whether a value stands after to or at, as in up to 80."""
    for place, mark in enumerate(marks[:-1]):
        if mark.has("toward") or mark.text.endswith(("到", "成", "至", "为")):
            for after in marks[place + 1 : place + 4]:
                if any(after.has(category) for category in VALUES):
                    return True
                if not after.has("filler"):
                    break
    return False


def _at_number(marks: Sequence[Mark]) -> bool:
    return any(
        one.text in ("at", "在") and two.number is not None and not two.unit
        for one, two in pairwise(marks)
    )


def _ends_kept(mark: Mark) -> bool:
    """Whether what is left out begins after a part: all to 30 percent, not the bedroom."""
    return any(mark.has(one) for one in ("op", "group", "rel", NUMBER, "colour", "kelvin"))


def _exclusion(marks: Sequence[Mark]) -> tuple[Clause | None, list[Mark]]:
    """What a clause leaves out, as in all but the lamp, and its other marks."""
    for place, mark in enumerate(marks):
        grouped = any(
            one.has("group") or one.has("kind") or one.has("entity") for one in marks[:place]
        )
        named = any(is_target(one) for one in marks[place + 1 : place + 4])
        if mark.has("leftout") and grouped and place and not marks[place + 1 :]:
            start = place
            while start and not _ends_kept(marks[start - 1]):
                start -= 1
            inner = marks[start:place]
            if start and any(is_target(one) for one in inner):
                return gather(inner), list(marks[:start])
        if not (mark.has("except") or (mark.has("but") and grouped and named)):
            continue
        end = place + 1
        while end < len(marks) and not (
            (marks[end].has("op") and not marks[end].has("entity") and not marks[end].has("kind"))
            or marks[end].has("rest")
            or marks[end].has("exceptend")
            or marks[end].has(END)
            or marks[end].has("particle")
            or marks[end].has(NUMBER)
            or marks[end].has("colour")
            or marks[end].has("neutral")
            or marks[end].has("rel")
        ):
            end += 1
        inner = [one for one in marks[place + 1 : end] if not one.has("neg")]
        kept = mark.text.endswith(("leave", "keep"))
        rest = [] if kept else [one for one in marks[end:] if not one.has("rest")]
        return gather(inner), [*marks[:place], *rest]
    return None, list(marks)
