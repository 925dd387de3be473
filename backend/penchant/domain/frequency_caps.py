"""A user's ledger of reserved impressions: the counts behind caps.

A reservation that is still open may be shown at any time until it lapses, so it counts against
every cap of its keys as if it were shown now. A reservation that was shown counts from then on, for
the cap's window. A later request thus sees everything that can be shown within the same window, and
no window of shown impressions exceeds the cap, provided that each was confirmed before it lapsed.

    >>> from penchant.domain.reservations import Cap
    >>> option = ReserveOption("ad", caps=(Cap("campaign", limit=1, window_s=3600),))
    >>> request = ReserveRequest("u", "r1", (option,), n=1, lapse_s=60)
    >>> first = grant(empty_ledger(), {}, request, now_us=0)
    >>> first.reply.reserved
    (Reservation(item='ad', lapses_at_us=60000000),)
    >>> other = ReserveRequest("u", "r2", (option,), n=1, lapse_s=60)
    >>> grant(first.ledger, {}, other, now_us=59_999_999).reply.refused
    (Unreserved(item='ad', reason=<UnreservedReason.CAPPED: 'capped'>),)
    >>> len(grant(first.ledger, {}, other, now_us=60_000_000).reply.reserved)
    1
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from penchant.domain.limits import AHEAD_US
from penchant.domain.reservations import (
    Budget,
    Reservation,
    Reservations,
    ReservedImpression,
    ReserveOption,
    ReserveRequest,
    Unreserved,
    UnreservedReason,
)
from penchant.domain.spending import Spending
from penchant.domain.window import digest64

SECOND_US = 1_000_000

LATE_US = 3600 * SECOND_US
"""How long a lapsed reservation is kept, so that a late impression still counts."""

LEDGER_DTYPE = np.dtype(
    [
        ("cap", "<u8"),  # digest of the cap's key; 0: the option has no caps
        ("item", "<u8"),  # digest of the item's id
        ("recommendation", "<u8"),  # digest of the recommendation's id
        ("budget", "<u8"),  # digest of the budget's key, in one row per impression; 0: none
        ("cost_micros", "<i8"),
        ("at_us", "<i8"),  # time of the reservation, microseconds since 1970
        ("lapses_at_us", "<i8"),
        ("shown_at_us", "<i8"),  # NOT_SHOWN: not confirmed
        ("window_us", "<i8"),  # the longest window of the key in the request
    ]
)
"""One reserved impression under one of its cap keys: 72 bytes, little-endian."""

Ledger = NDArray[np.void]
"""One user's reservations, dtype LEDGER_DTYPE, in the order of their grants."""

NOT_SHOWN = -1
"""`shown_at_us` of a reservation that no impression has confirmed yet."""

PAYMENT = ["budget", "cost_micros", "lapses_at_us"]
"""The fields of a ledger's entry that say which budget pays it, and until when it is held."""

_digest = functools.lru_cache(maxsize=16_384)(digest64)
"""Cached, since every request brings the same items, caps and budgets."""

_FREE = (0, 0)
"""Budget and cost of an impression without a budget; cap and window of one without caps."""

_ANY_TIME = 2**62
"""The time of an open reservation, as caps count it: inside every window."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The result of a request: the reply, the new ledger and the changed budgets."""

    reply: Reservations
    ledger: Ledger
    budgets: dict[int, Spending] = field(default_factory=dict)
    """The changed budgets, by the digests of their keys."""
    reserved: tuple[ReservedImpression, ...] = ()
    """The new reservations, as the log keeps them; their days are not known here."""


def empty_ledger() -> Ledger:
    """The ledger of a user without reservations."""
    return np.empty(0, LEDGER_DTYPE)


def moment(ledger: Ledger, now_us: int) -> int:
    """The time at which a ledger is read, which never goes back for one user.

    A grant drops old entries and records its own time. If the clock were set back and followed,
    new reservations could pass caps that the dropped entries would have enforced.
    """
    return max(now_us, int(ledger["at_us"].max(initial=now_us)))


def redated(ledger: Ledger, clock_us: int) -> Ledger:
    """The ledger as if entries from far ahead of the clock had been made now.

    A clock that ran a day ahead for a moment would otherwise cap the user for that day.

    Args:
        ledger: the user's.
        clock_us: the clock's time now, which is right again.

    >>> ledger = np.zeros(1, LEDGER_DTYPE)
    >>> ledger["at_us"], ledger["lapses_at_us"] = 10**12, 10**12 + 60_000_000
    >>> redated(ledger, clock_us=5)[["at_us", "lapses_at_us"]].tolist()
    [(5, 60000005)]
    """
    ahead_us = ledger["at_us"] - clock_us
    shown_late = ledger["shown_at_us"] > clock_us + AHEAD_US
    late = ahead_us > AHEAD_US
    if not (late.any() or shown_late.any()):
        return ledger
    moved: Ledger = ledger.copy()
    for name in ("at_us", "lapses_at_us"):
        moved[name] -= np.where(late, ahead_us, 0)
    moved["shown_at_us"][shown_late] = clock_us
    return moved


def merged(one: Ledger, other: Ledger) -> Ledger:
    """The ledger of one user who made the reservations of two, in the order of their grants."""
    both = np.concatenate([one, other])
    order = np.lexsort((both["recommendation"], both["at_us"]))
    ledger: Ledger = both[order]
    return ledger


def prune(ledger: Ledger, at_us: int) -> Ledger:
    """The entries that can still matter: shown within their window, or lapsed recently."""
    shown = ledger["shown_at_us"] != NOT_SHOWN
    stays = np.where(shown, np.maximum(ledger["window_us"], LATE_US), LATE_US)
    since = np.where(shown, ledger["shown_at_us"], ledger["lapses_at_us"])
    kept: Ledger = ledger[since + stays > at_us]
    return kept


def taken(ledger: Ledger, at_us: int) -> dict[int, list[int]]:
    """The times of the impressions that count under each cap key, ascending.

    Returns:
        Times by the digest of the cap's key. A cap is reached if `limit` or more of them are later
        than `at_us` minus its window. Cost: one pass over the ledger.
    """
    shown = ledger["shown_at_us"] != NOT_SHOWN
    counting = shown | (ledger["lapses_at_us"] > at_us)
    times = np.where(shown, ledger["shown_at_us"], _ANY_TIME)[counting]
    order = np.argsort(times, kind="stable")
    found: dict[int, list[int]] = {}
    for key, time in zip(
        ledger["cap"][counting][order].tolist(), times[order].tolist(), strict=True
    ):
        found.setdefault(key, []).append(time)
    return found


def grant(
    ledger: Ledger, budgets: Mapping[int, Spending | None], request: ReserveRequest, now_us: int
) -> Granted:
    """Reserves up to `n` of the options that caps and budgets allow, in their order.

    If the recommendation already has reservations that are open or were shown, the call is a
    repetition: they are the answer, and nothing is added.

    Args:
        ledger: the user's.
        budgets: all budgets that the options name, by the digests of their keys; None for one that
            can't be read, which pays for nothing.
        request: a valid request.
        now_us: microseconds since 1970.
    """
    at_us = moment(ledger, now_us)
    recommendation = _digest(request.recommendation_id)
    kept = prune(ledger, at_us)
    known = _known(kept, recommendation, at_us)
    counts, changed = taken(kept, at_us), dict[int, Spending]()
    reserved: list[Reservation] = []
    refused: list[Unreserved] = []
    new: list[ReservedImpression] = []
    lapses_at_us = at_us + request.lapse_s * SECOND_US
    windows = _windows(request.options)
    for option in request.options:
        item = _digest(option.item)
        if item in known:
            reserved.append(Reservation(option.item, known[item]))
            continue
        spending = _spending(option.budget, changed, budgets)
        reason = _forbidden(option, counts, spending, at_us, now_us)
        if reason is not None:
            refused.append(Unreserved(option.item, reason))
        elif spending is not None and not known and len(reserved) < request.n:
            reserved.append(Reservation(option.item, lapses_at_us))
            impression = _impression(option, windows, at_us, lapses_at_us)
            for key, _ in impression.caps:
                counts.setdefault(_digest(key), []).append(_ANY_TIME)
            if option.budget is not None:
                cost = option.budget.cost_micros
                changed[_digest(option.budget.key)] = spending.hold(cost, lapses_at_us, now_us)
            new.append(impression)
    reply = Reservations(tuple(reserved), tuple(refused))
    if not new:
        return Granted(reply, ledger)
    rows = [row for one in new for row in entries(recommendation, one)]
    return Granted(reply, _append(kept, rows), changed, tuple(new))


def entries(recommendation: int, impression: ReservedImpression) -> list[tuple[int, ...]]:
    """The entries of a reservation in a ledger: one for each cap, and the first bears the cost.

    Args:
        recommendation: digest of the recommendation's id.
        impression: the reservation, not yet confirmed.
    """
    item = _digest(impression.item)
    payment = (_digest(impression.budget), impression.cost_micros) if impression.budget else _FREE
    keys = [(_digest(key), window_us) for key, window_us in impression.caps] or [_FREE]
    times = impression.at_us, impression.lapses_at_us, NOT_SHOWN
    return [
        (key, item, recommendation, *(_FREE if place else payment), *times, window_us)
        for place, (key, window_us) in enumerate(keys)
    ]


def confirm(
    ledger: Ledger, recommendation_id: str, item: str, shown_at_us: int
) -> tuple[Ledger, list[tuple[int, int, int]], int] | None:
    """Confirms the reservation of an impression that was shown.

    A lapsed reservation is confirmed as well, since its impression was shown.

    Args:
        ledger: the user's.
        recommendation_id: the ranking that led to the impression.
        item: the item shown.
        shown_at_us: microseconds since 1970; an earlier time than the reservation's counts as that.

    Returns:
        The new ledger, (budget digest, cost in micros, lapses_at_us) of each payment, and the time
        of the reservation. None if there is no such reservation, or it was confirmed before.
    """
    mine = (ledger["recommendation"] == _digest(recommendation_id)) & (
        ledger["item"] == _digest(item)
    )
    mine &= ledger["shown_at_us"] == NOT_SHOWN
    if not mine.any():
        return None
    confirmed: Ledger = ledger.copy()
    confirmed["shown_at_us"][mine] = np.maximum(ledger["at_us"][mine], shown_at_us)
    paid = ledger[mine & (ledger["budget"] != 0)]
    return confirmed, paid[PAYMENT].tolist(), int(ledger["at_us"][mine].max())


def _known(ledger: Ledger, recommendation: int, at_us: int) -> dict[int, int]:
    """When a recommendation's open or shown reservations lapse, by the digest of the item."""
    mine = ledger["recommendation"] == recommendation
    mine &= (ledger["shown_at_us"] != NOT_SHOWN) | (ledger["lapses_at_us"] > at_us)
    rows = ledger[mine]
    return dict(zip(rows["item"].tolist(), rows["lapses_at_us"].tolist(), strict=True))


def _impression(
    option: ReserveOption, windows: Mapping[str, int], at_us: int, lapses_at_us: int
) -> ReservedImpression:
    keys = dict.fromkeys(cap.key for cap in option.caps)
    caps = tuple((key, windows[key]) for key in keys)
    budget = option.budget
    paid = ("", 0) if budget is None else (budget.key, budget.cost_micros)
    return ReservedImpression(option.item, at_us, lapses_at_us, caps, *paid)


def _windows(options: Iterable[ReserveOption]) -> dict[str, int]:
    """The longest window of each cap key over all options, in microseconds."""
    windows: dict[str, int] = {}
    for option in options:
        for cap in option.caps:
            windows[cap.key] = max(windows.get(cap.key, 0), cap.window_s * SECOND_US)
    return windows


def _spending(
    budget: Budget | None,
    changed: Mapping[int, Spending],
    budgets: Mapping[int, Spending | None],
) -> Spending | None:
    if budget is None:
        return Spending()
    key = _digest(budget.key)
    return changed.get(key) or budgets[key]


def _forbidden(
    option: ReserveOption,
    counts: Mapping[int, list[int]],
    spending: Spending | None,
    at_us: int,
    now_us: int,
) -> UnreservedReason | None:
    for cap in option.caps:
        times = counts.get(_digest(cap.key), [])
        if len(times) - bisect_right(times, at_us - cap.window_s * SECOND_US) >= cap.limit:
            return UnreservedReason.CAPPED
    budget = option.budget
    if spending is None:
        return UnreservedReason.BUDGET
    if budget is None:
        return None
    after = spending.committed_micros(now_us) + budget.cost_micros
    if after > budget.allowed_micros:
        return UnreservedReason.BUDGET
    if budget.pace and not spending.keeps(budget.pace, budget.cost_micros, now_us):
        return UnreservedReason.PACE
    return None


def _append(kept: Ledger, rows: list[tuple[int, ...]]) -> Ledger:
    """A pruned ledger with new entries, which replace lapsed ones of the same impression."""
    new: Ledger = np.array(rows, LEDGER_DTYPE)
    again = kept["recommendation"] == new["recommendation"][0]
    if again.any():
        kept = kept[~(again & np.isin(kept["item"], new["item"]))]
    # Joined as bytes: NumPy compares the types of two such arrays more slowly than it copies them.
    return np.frombuffer(kept.tobytes() + new.tobytes(), LEDGER_DTYPE)
