"""Says why a log may be about other items than the catalog's: ids of another spelling, or kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from itertools import islice

from penchant.logs.cells import quoted

MANY = 0.5
"""Share of a log's events about unknown items from which it is worth a warning."""

LOOKED_AT = 200
"""Most ids that are compared."""

_LETTERS_BEFORE = re.compile(r"^\D+(?=\d+$)")


def _number_alone(id_: str) -> str:
    return _LETTERS_BEFORE.sub("", id_).lstrip("0") or "0"


_SPELLINGS: dict[str, Callable[[str], str]] = {
    "upper and lower case": str.casefold,
    "zeros in front": lambda id_: id_.lstrip("0") or "0",
    "letters before the number": _number_alone,
    "what is no letter and no digit": lambda id_: "".join(filter(str.isalnum, id_)).casefold(),
}
"""What ids may differ by, and the id without it."""


def other_spellings(id_: str) -> list[str]:
    """Ids that a catalog may hold in the place of one, for servers that can only be asked by id.

    >>> other_spellings("TT0015")
    ['tt0015', 'Tt0015', '15', '0015']
    """
    bare = _LETTERS_BEFORE.sub("", id_)
    tried = [id_.lower(), id_.upper(), id_.title(), _number_alone(id_), bare, id_.lstrip("0")]
    return [one for one in dict.fromkeys(tried) if one and one != id_]


def likely_cause(
    unknown: Iterable[str], known: Collection[str], users: Collection[str] = ()
) -> str:
    """Says why ids are unknown, as far as it can be told from both; empty: they just are.

    Args:
        unknown: ids of a log that the catalog does not hold; the first `LOOKED_AT` count.
        known: ids of the catalog, all or some.
        users: ids of the log's users, which may be in the wrong column.

    >>> likely_cause(["00015", "00028"], ["15", "28", "30"])
    "'00015' would be '15' but for zeros in front"
    """
    asked = list(islice(dict.fromkeys(unknown), LOOKED_AT))
    for what, bare in _SPELLINGS.items():
        held = {bare(id_): id_ for id_ in known}
        found = [id_ for id_ in asked if bare(id_) in held]
        if asked and len(found) > len(asked) * MANY:
            return f"{quoted(found[0])} would be {quoted(held[bare(found[0])])} but for {what}"
    as_users = [id_ for id_ in islice(users, LOOKED_AT) if not id_.isdigit()]  # Which say little.
    if as_users and sum(map(set(known).__contains__, as_users)) > len(as_users) * MANY:
        return "the column of users holds ids of items: are the two columns swapped?"
    return ""
