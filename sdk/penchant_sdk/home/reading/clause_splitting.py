"""Splits a marked sentence into clauses, one for each command, and completes each by the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from penchant_sdk.home.reading.clauses import VALUES, Clause, is_target
from penchant_sdk.home.reading.marks import END, Mark

_OWN_OPS = frozenset(("clean", "mow", "boil", "arm", "disarm"))
"""Verbs that say by themselves which device is meant."""
_SPLITTING = ("op", "rel", "particle", *VALUES)


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
    return any(is_target(one) for one in more) and not any(_is_verb(one) for one in more)


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
