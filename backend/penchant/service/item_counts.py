"""Counters and contributions in the store: counted onto, and made again."""

from __future__ import annotations

import dataclasses
import logging
import math

from penchant.domain.errors import StateCorrupt
from penchant.domain.offsets import decay
from penchant.domain.tally import Tally
from penchant.domain.types import Counters
from penchant.domain.user_contribution import UserContribution, added, withdrawn
from penchant.store.base import Snapshot, Transaction
from penchant.store.counters import (
    UNREADABLE,
    change_counters,
    delete_counters,
    read_counters,
    write_counters,
)
from penchant.store.item_contributions import (
    CATALOG,
    contributors,
    decode_contribution,
    delete_contribution,
    items_of,
    read_contribution,
    write_contribution,
)
from penchant.store.items import read_item
from penchant.store.users import holds_user, read_whole_log

log = logging.getLogger("penchant")

ANY_TIME = 2**63 - 1
"""Later than every time in a store."""


def tally_of(transaction: Transaction, half_life_s: float, latest_us: int = ANY_TIME) -> Tally:
    """Counts the events of one batch onto a store; cost: two reads for each user and item.

    Args:
        transaction: the store.
        half_life_s: seconds after which a contribution counts half.
        latest_us: contributions of a later time count as of this one, since a wrong clock dated
            them; ANY_TIME where the clock itself may be wrong.
    """
    return Tally(
        half_life_s,
        lambda number: sound_counters(transaction, number, half_life_s, latest_us),
        lambda number, user: readable_contribution(transaction, number, str(user), latest_us),
    )


def write_tally(transaction: Transaction, tally: Tally) -> None:
    """Writes the contributions and counters that changed, each once.

    Where several servers write, each user's change is merged into the counters; one writer alone
    writes the sums that it knows.
    """
    for number, users in tally.contributions.items():
        for user, contribution in users.items():
            write_contribution(transaction, number, str(user), contribution)
            if transaction.shared:
                taken = tally.before[number][user]
                times = tally.half_life_s, str(user)
                change_counters(transaction, number, taken, contribution, *times)
    if not transaction.shared:
        for number, counters in tally.counters.items():
            write_counters(transaction, number, counters)


def withdraw(transaction: Transaction, user: str, half_life_s: float) -> list[int]:
    """Takes a user's contributions out of the counters, and deletes them.

    Returns:
        The numbers of the items that have new counters. Cost: one pass over the user's log; over
        everybody's contributions where a row of that log, or an item, can't be read.

    Raises:
        StateTooNew: a newer release wrote the counters.
    """
    items = _items_of(transaction, user)
    return [number for number in items if withdraw_from(transaction, number, user, half_life_s)]


def withdraw_from(transaction: Transaction, number: int, user: str, half_life_s: float) -> bool:
    """Takes a user's contribution out of an item's counters, and deletes it.

    Where several servers write, the time of the counters stays, be it the contribution's.

    Returns:
        Whether the counters changed.

    Raises:
        StateTooNew: a newer release wrote the counters.
    """
    contribution = readable_contribution(transaction, number, user)
    if contribution is None:
        delete_contribution(transaction, number, user)
        return False
    if transaction.shared:
        delete_contribution(transaction, number, user)
        change_counters(transaction, number, contribution, None, half_life_s, user)
        return True
    counters = sound_counters(transaction, number, half_life_s)
    delete_contribution(transaction, number, user)
    counters = _without(transaction, number, counters, contribution, half_life_s)
    if counters == Counters():
        delete_counters(transaction, number)
    else:
        write_counters(transaction, number, counters)
    return True


def contribute_to(
    transaction: Transaction,
    number: int,
    user: str,
    contribution: UserContribution,
    half_life_s: float,
) -> None:
    """Gives a user, who has none, a contribution to an item, and counts it."""
    if transaction.shared:
        change_counters(transaction, number, None, contribution, half_life_s, user)
    else:
        counters = sound_counters(transaction, number, half_life_s)
        write_counters(transaction, number, added(counters, contribution, half_life_s))
    write_contribution(transaction, number, user, contribution)


def _without(
    snapshot: Snapshot,
    number: int,
    counters: Counters,
    contribution: UserContribution,
    half_life_s: float,
) -> Counters:
    """An item's counters without a contribution that is deleted already; none: `Counters()`.

    Where it was the newest, they are those of the others' contributions, as of the newest of these,
    unless an older release counted more than contributions.

    Cost: a look at all users of the item, where the contribution was the newest.
    """
    rest = withdrawn(counters, contribution, half_life_s)
    if contribution.as_of_us < counters.as_of_us:
        return rest
    others = Counters()
    for _, value in contributors(snapshot, number):
        try:
            others = added(others, decode_contribution(value), half_life_s)
        except StateCorrupt as error:
            _say_corrupt(number, error)
            return rest
    left = decay(counters.as_of_us - others.as_of_us, half_life_s)
    return others if _close(others.positives * left, rest.positives) else rest


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)


def _items_of(snapshot: Snapshot, user: str) -> list[int]:
    try:
        rows = read_whole_log(snapshot, user)
        found = [read_item(snapshot, id_) for id_ in {row.event.item for row in rows}]
    except StateCorrupt:  # A row does not say which item it names, or an item its number.
        return list(items_of(snapshot, user))
    return sorted(stored.number for stored in found if stored is not None)


def recount(
    transaction: Transaction,
    number: int,
    half_life_s: float,
    latest_us: int = ANY_TIME,
    *,
    drop_strangers: bool = False,
) -> Counters:
    """Makes an item's counters again from its contributions, and writes them.

    A contribution that can't be read is dropped; with `drop_strangers`, so is that of a user of
    whom nothing else is kept. One of a later time than `latest_us` is redated to that.

    Cost: one or two reads for each user of the item.

    Raises:
        StateTooNew: a newer release wrote a contribution.
    """
    counters = Counters()
    for user, value in list(contributors(transaction, number)):
        if drop_strangers and user != CATALOG and not holds_user(transaction, user):
            delete_contribution(transaction, number, user)
            continue
        try:
            contribution = decode_contribution(value)
            if contribution.as_of_us > latest_us:
                contribution = dataclasses.replace(contribution, as_of_us=latest_us)
                write_contribution(transaction, number, user, contribution)
            counters = added(counters, contribution, half_life_s)
        except StateCorrupt as error:
            delete_contribution(transaction, number, user)
            _say_corrupt(number, error)
    if counters == Counters():
        delete_counters(transaction, number)
    else:
        write_counters(transaction, number, counters)
    return counters


def sound_counters(
    transaction: Transaction, number: int, half_life_s: float, latest_us: int = ANY_TIME
) -> Counters:
    """An item's counters, made again where they can't be read, or are of a later time.

    Raises:
        StateTooNew: a newer release wrote them.
    """
    counters = read_counters(transaction, number)
    if counters is UNREADABLE or counters.as_of_us > latest_us:
        return recount(transaction, number, half_life_s, latest_us)
    return counters


def readable_contribution(
    snapshot: Snapshot, number: int, user: str, latest_us: int = ANY_TIME
) -> UserContribution | None:
    """A user's contribution to an item; None, and said in the log, if it can't be read."""
    try:
        contribution = read_contribution(snapshot, number, user)
        if contribution is not None and contribution.as_of_us > latest_us:
            return dataclasses.replace(contribution, as_of_us=latest_us)
        return contribution
    except StateCorrupt as error:
        _say_corrupt(number, error)
        return None


def _say_corrupt(number: int, error: StateCorrupt) -> None:
    log.error(
        "a contribution to item number %d can't be read (%s) and counts as none; "
        "`penchant rebuild counters` makes it again from the log",
        number,
        error,
    )
