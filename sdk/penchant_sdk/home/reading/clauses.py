"""Splits a marked sentence into clauses, one for each command, and gathers what each one says."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from penchant_sdk.home.reading.marks import END, NUMBER, TIME, UNKNOWN, Mark
from penchant_sdk.home.reading.spoken_text import stem

_WEAK = ("kind", "entity")
"""A verb that also names a device, such as vacuum, is a verb only if there is no other."""
_TARGETS = ("entity", "kind", "room", "noroom", "floor", "group", "here")
_VALUES = ("colour", "anycolour", "kelvin", NUMBER, "amount")
_VERBS = ("op", "rel", "particle", "neutral", *_VALUES)
_OWN_OPS = frozenset(("clean", "mow", "boil", "arm", "disarm"))
"""Verbs that say by themselves which device is meant."""
_SPLITTING = ("op", "rel", "particle", *_VALUES)


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
    homeward: bool = False
    """Whether it says home, the way that a vacuum may go."""
    numbered: bool = False
    """Whether a bare number follows a kind, as in lamp 2, where it may be a name."""
    at_number: bool = False
    """Whether a lone number stands after at, where it may be a time."""

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
            self.ops or self.weak_ops or self.rels or self.particles or self.valued or self.unneeded
        )

    @property
    def directive(self) -> bool:
        """Whether it has a verb of its own."""
        moved = bool(self.particles or self.valued or self.weak_ops)
        return bool(
            self.ops or self.rels or self.particles or (moved and (self.neutral or self.polite))
        )

    @property
    def empty(self) -> bool:
        """Whether it says nothing about a home."""
        return not (self.targeted or self.moved or self.here or self.quantities)


def gather(marks: Sequence[Mark]) -> Clause:
    """The evidence of a run of marks."""
    excluded, marks = _exclusion(marks)

    def all_of(category: str) -> tuple[str, ...]:
        values = (value for mark in marks for value in mark.values(category))
        return tuple(dict.fromkeys(values))

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
    if named or len(kinds) > 1:  # "Switch the kettle on" is about no switch.
        kinds = tuple(kind for kind in kinds if kind != "switch")
    ops = tuple(dict.fromkeys(value for mark in strong for value in mark.values("op")))
    weak = tuple(dict.fromkeys(value for mark in marks for value in mark.values("op")))
    said = [mark.text for mark in marks if mark.has("time")]
    groups = all_of("group")
    if excluded is not None and not (groups or all_of("room") or all_of("floor")):
        groups = ("all",)
    return Clause(
        ops=ops,
        weak_ops=tuple(op for op in weak if op not in ops),
        neutral=any(mark.has("neutral") for mark in marks),
        particles=all_of("particle"),
        rels=all_of("rel"),
        amounts=all_of("amount"),
        by=any(mark.has("by") for mark in marks),
        toward=_toward(marks),
        numbers=tuple((mark.number, mark.unit) for mark in marks if mark.number is not None),
        colours=all_of("colour"),
        any_colour=bool(all_of("anycolour")),
        kelvins=tuple(int(value) for value in all_of("kelvin")),
        quantities=all_of("quantity"),
        names=tuple(dict.fromkeys(named)),
        kinds=kinds,
        rooms=all_of("room"),
        norooms=all_of("noroom"),
        floors=all_of("floor"),
        groups=groups,
        here=any(mark.has("here") for mark in marks),
        pronoun=any(mark.has("pronoun") for mark in marks),
        whens=tuple(int(value) for value in all_of(TIME)),
        later=" ".join(said),
        unneeded=any(mark.has("unneeded") for mark in marks),
        negated=any(mark.has("neg") or mark.has("leftout") for mark in marks),
        kept=any(mark.has("leave") or mark.has("keep") for mark in marks),
        excluded=excluded,
        unknown=tuple(mark.text for mark in marks if mark.has(UNKNOWN)),
        words=tuple(mark.text for mark in marks if mark.has("kind") or mark.has("entity")),
        adjectives=all_of("adj"),
        altered=any(mark.has("change") for mark in marks),
        wanted=any(mark.has("want") for mark in marks),
        polite=any(mark.has("polite") for mark in marks),
        personal=any(mark.has("person") for mark in marks),
        plural=any(_is_plural(mark) for mark in marks if mark.has("kind") or mark.has("entity")),
        homeward=any(mark.text in ("home", "back home") for mark in marks),
        numbered=any(
            one.has("kind") and two.number is not None and not two.unit
            for one, two in pairwise(marks)
        ),
        at_number=_at_number(marks),
    )


def _is_imperative(marks: Sequence[Mark], place: int) -> bool:
    """Whether a verb that also names a device begins a request: vacuum the house."""
    mark = marks[place]
    if not mark.has("op") or place + 1 == len(marks):
        return False
    courteous = all(
        (one.has("filler") and one.text not in _ARTICLES) or one.has("polite")
        for one in marks[:place]
    )
    after = marks[place + 1]
    return courteous and (
        after.text in _ARTICLES or after.has("room") or after.text in ("up", "in")
    )


_ARTICLES = ("the", "my", "our", "this", "that", "your", "a")


def _is_plural(mark: Mark) -> bool:
    """Whether the last word of a mark is a plural; Chinese leaves it open."""
    last = mark.text.split()[-1]
    return stem(last) != last or not mark.text.isascii()


def _is_target(mark: Mark) -> bool:
    return any(mark.has(one) for one in ("entity", "kind", "room", "floor", "here"))


def _toward(marks: Sequence[Mark]) -> bool:
    """Whether a value stands after to or at, as in up to 80."""
    for place, mark in enumerate(marks[:-1]):
        if mark.has("toward") or mark.text.endswith(("到", "成", "至", "为")):
            for after in marks[place + 1 : place + 4]:
                if any(after.has(category) for category in _VALUES):
                    return True
                if not after.has("filler"):
                    break
    return False


def _at_number(marks: Sequence[Mark]) -> bool:
    return any(
        one.text in ("at", "在") and two.number is not None and not two.unit
        for one, two in pairwise(marks)
    )


def _exclusion(marks: Sequence[Mark]) -> tuple[Clause | None, list[Mark]]:
    """What a clause leaves out, as in all but the lamp, and its other marks."""
    for place, mark in enumerate(marks):
        grouped = any(
            one.has("group") or one.has("kind") or one.has("entity") for one in marks[:place]
        )
        named = any(_is_target(one) for one in marks[place + 1 : place + 4])
        if mark.has("leftout") and grouped and place and not marks[place + 1 :]:
            start = place
            while start and not (marks[start - 1].has("op") or marks[start - 1].has("group")):
                start -= 1
            inner = marks[start:place]
            if start and any(_is_target(one) for one in inner):
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


def split(marks: Sequence[Mark]) -> list[list[Mark]]:
    """The clauses of a sentence: by conjunctions, ends, and where a new target has its own verb."""
    parts: list[list[Mark]] = [[]]
    for place, mark in enumerate(marks):
        joint = mark.has("conj") or mark.has(END)
        if joint and _excepts_on(parts[-1], marks[place + 1 :]):
            parts[-1].append(mark)
        elif joint:
            parts.append([mark] if mark.has("op") else [])
        else:
            parts[-1].append(mark)
    return [piece for part in parts for piece in _alternating(part) if piece]


def _excepts_on(part: Sequence[Mark], rest: Sequence[Mark]) -> bool:
    """Whether an exception goes on after a conjunction: all but the lamp and the fan."""
    start = next((place for place, one in enumerate(part) if one.has("except")), None)
    if start is None or any(_is_verb(one) for one in part[start + 1 :]):
        return False
    if not any(_is_verb(one) for one in part):
        return True
    end = next((n for n, one in enumerate(rest) if one.has("conj") or one.has(END)), len(rest))
    more = rest[:end]
    return any(_is_target(one) for one in more) and not any(_is_verb(one) for one in more)


def _is_verb(mark: Mark) -> bool:
    return any(mark.has(one) for one in ("op", "rel", "particle", "neutral"))


def _alternating(part: list[Mark]) -> Iterator[list[Mark]]:
    """Pieces of a part that names targets and verbs in turn: tv off lights on."""
    targets: set[str] = set()
    verbs = 0
    start = 0
    previous = ""
    order = ""
    for place, mark in enumerate(part):
        key = _target_key(mark)
        is_verb = any(mark.has(category) for category in _SPLITTING) and not key
        if mark.has("except") or mark.has("but"):
            break
        if mark.has("rest") and targets:
            yield part[start:place]
            start, targets, verbs, order = place, set(), 0, ""
        if key and key not in targets:
            if (
                previous == "v"
                and order == "t"
                and verbs
                and targets
                and _has_verb(part[place + 1 :])
            ):
                yield part[start:place]
                start, targets, verbs, order = place, set(), 0, ""
            order = order or "t"
            targets.add(key)
            previous = "t"
        elif is_verb and (mark.has("op") or mark.has("rel")) and not mark.has("filler"):
            if previous == "t" and order == "v" and targets and _has_target(part[place + 1 :]):
                yield part[start:place]
                start, targets, verbs, order = place, set(), 0, ""
            order = order or "v"
            verbs += 1
            previous = "v"
        elif is_verb:
            order = order or "v"
            verbs += 1
            previous = "v"
        elif mark.has("neutral"):
            if previous == "v" and order == "v" and targets and _has_target(part[place + 1 :]):
                yield part[start:place]
                start, targets, verbs, order = place, set(), 0, ""
            order = order or "v"
    yield part[start:]


def _target_key(mark: Mark) -> str:
    if mark.has("entity"):
        return "/".join(mark.values("entity"))
    return "/".join(mark.values("kind")) or ("rest" if mark.has("rest") else "")


def _has_verb(marks: Sequence[Mark]) -> bool:
    return any(mark.has(category) for mark in marks for category in _SPLITTING)


def _has_target(marks: Sequence[Mark]) -> bool:
    return any(_target_key(mark) for mark in marks)


def doubled(clause: Clause) -> list[Clause]:
    """The clause, or one for its colour and one for its level: red at 20 percent."""
    if not ((clause.colours or clause.kelvins) and (clause.numbers or clause.levels)):
        return [clause]
    fresh = any(unit == "kelvin" for _, unit in clause.numbers)
    if fresh or clause.by:
        return [clause]
    moderate = tuple(one for one in clause.amounts if one not in clause.levels)
    return [
        dataclasses.replace(clause, numbers=(), amounts=moderate),
        dataclasses.replace(clause, colours=(), kelvins=(), unknown=()),
    ]


def joined(clauses: Sequence[Clause]) -> list[Clause]:
    """Clauses completed by their neighbours: turn on the lamp and the fan; the fan and tv off."""
    kept = [
        clause
        for clause in clauses
        if not clause.empty or clause.unknown or clause.whens or clause.later
    ]
    out: list[Clause] = []
    for place, clause in enumerate(kept):
        after = kept[place + 1] if place + 1 < len(kept) else None
        before = out[-1] if out else None
        if clause.kept and not clause.moved and after is not None and "rest" in after.groups:
            kept[place + 1] = dataclasses.replace(
                after, excluded=clause, groups=("all",), kinds=after.kinds or ("light",)
            )
            continue
        if clause.empty and not clause.unknown and after is not None:  # "In 5 minutes, ..."
            kept[place + 1] = dataclasses.replace(
                after,
                whens=(*clause.whens, *after.whens),
                later=" ".join((clause.later, after.later)).strip(),
            )
            continue
        if clause.empty and before is not None:
            out[-1] = dataclasses.replace(
                before,
                whens=(*before.whens, *clause.whens),
                unknown=(*before.unknown, *clause.unknown),
                later=" ".join((before.later, clause.later)).strip(),
            )
            continue
        out.append(_completed(clause, before, after))
    return out


def _completed(clause: Clause, before: Clause | None, after: Clause | None) -> Clause:
    if not clause.moved:
        source = before if before is not None and before.moved else after
        if source is not None and source.moved:
            clause = dataclasses.replace(
                clause,
                ops=source.ops,
                weak_ops=clause.weak_ops or source.weak_ops,
                neutral=source.neutral,
                particles=source.particles,
                rels=source.rels,
                amounts=source.amounts,
                by=source.by,
                toward=source.toward,
                numbers=source.numbers,
                colours=source.colours,
                kelvins=source.kelvins,
                quantities=clause.quantities or source.quantities,
                unneeded=source.unneeded,
            )
    if not clause.named and (clause.rooms or clause.floors or clause.here):
        lent = next(
            (one for one in (after, before) if one is not None and one.kinds and not one.names),
            None,
        )
        if lent is None and after is not None and after.names and not after.rooms:
            lent = after
        if lent is not None and (clause.rooms or clause.floors):
            kinds = lent.kinds or ("light",)
            clause = dataclasses.replace(clause, kinds=kinds, plural=lent.plural)
    elif (
        not (clause.targeted or _OWN_OPS & {*clause.ops, *clause.weak_ops})
        and before is not None
        and before.targeted
    ):
        clause = dataclasses.replace(
            clause,
            names=before.names,
            kinds=before.kinds,
            rooms=before.rooms,
            norooms=before.norooms,
            floors=before.floors,
            groups=before.groups,
            excluded=before.excluded,
            words=before.words,
        )
    return clause
