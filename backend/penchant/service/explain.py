"""Explain: the parts of each score, and the past events that contribute most to it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from penchant.catalog.view import CatalogView
from penchant.domain.arrays import Float64
from penchant.domain.event_weights import weigh
from penchant.domain.interest import Items, shares
from penchant.domain.neighbours import OPENING, near_shares
from penchant.domain.repeats import repeat_shares
from penchant.domain.types import Rows, Vector
from penchant.service.scoring import TopK
from penchant.service.user_interest import UserInContext, repeats_in
from penchant.store.base import Snapshot
from penchant.store.users import event_keys, read_sound_event

SLICE_ITEMS = 200
"""Items explained without a pause."""
CONTRIBUTIONS = 5
"""Events named per explanation, at most."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """The share of one past event in one score."""

    event_id: str
    item: str
    signal: str
    occurred_at_us: int
    share: float
    value: float | None = None
    """The event's value; None: it had none."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The parts of a score: offset + slow + fast + near + repeat + query = score."""

    offset: float
    slow: float
    fast: float
    near: float
    repeat: float
    query: float
    contributions: tuple[Contribution, ...]
    """The events with the largest absolute shares, largest first."""


def explain(
    snapshot: Snapshot,
    view: CatalogView,
    user: UserInContext,
    top: TopK,
    query: Vector | None,
) -> Generator[None, None, list[Explanation]]:
    """One explanation per item of a ranking; the parts of each sum to its score.

    Pauses after every few items.

    Args:
        snapshot: names the events.
        view: the catalog that was ranked.
        user: the user as the ranking saw them.
        top: the k items.
        query: the query's vector, shape (d,); None without a query.
    """
    window, settings = user.window, view.settings
    vectors = view.vectors[top.rows]
    items = view.items_of(window)
    parts = shares(view.prior, window, items, user.bucket, settings, vectors, user.context)
    near = _near_parts(view, user, items, top.rows)
    from_query = np.zeros(len(vectors), np.float32)
    if query is not None:
        from_query = settings.query_weight * (view.texts[top.rows] @ query)
    repeats = np.zeros((len(top.rows), len(window)))
    found = repeats_in(view, user)
    if found is not None:
        repeats = settings.repeat_weight * repeat_shares(found, top.rows, len(window))
    by_event = parts.slow + parts.fast + near.events + repeats
    snapshot.fetch(event_keys(user.user, window["event"].tolist()))
    named = _NamedEvents(snapshot, view, user)
    explanations: list[Explanation] = []
    for position in range(len(vectors)):
        if position and position % SLICE_ITEMS == 0:
            yield
        explanations.append(
            Explanation(
                offset=float(top.offsets[position]),
                slow=float(parts.prior[position] + parts.slow[position].sum()),
                fast=float(parts.fast[position].sum()),
                near=float(near.opening[position] + near.events[position].sum()),
                repeat=float(repeats[position].sum()),
                query=float(from_query[position]),
                contributions=_largest(named, by_event[position]),
            )
        )
    return explanations


@dataclass(frozen=True, slots=True)
class _NearParts:
    """The neighbours' part of the scores of k items."""

    opening: Float64
    """From the items that users begin with, shape (k,)."""
    events: Float64
    """From the neighbours of each event's item, shape (k, n)."""


def _near_parts(view: CatalogView, user: UserInContext, items: Items, rows: Rows) -> _NearParts:
    window, recent, settings = user.window, user.interest.recent, view.settings
    parts = settings.near_weight * near_shares(view.neighbours, recent, rows)
    events = np.zeros((len(rows), len(window)))
    if len(window):
        weights = weigh(window, items.known, user.bucket, settings, context=user.context)
        liked = np.flatnonzero(weights.near)
        events[:, liked] = parts[:, : len(liked)]
    of_events = recent["item"] != OPENING
    return _NearParts(parts[:, ~of_events].sum(axis=1), events)


class _NamedEvents:
    """Reads each event of a window once, though it may be named for many items."""

    def __init__(self, snapshot: Snapshot, view: CatalogView, user: UserInContext) -> None:
        self._snapshot = snapshot
        self._view = view
        self._user = user
        self._known: dict[int, Contribution] = {}

    def at(self, position: int, share: float) -> Contribution:
        """The contribution of the event at a position of the window."""
        known = self._known.get(position)
        if known is None:
            known = self._known[position] = self._read(position)
        return replace(known, share=share)

    def _read(self, position: int) -> Contribution:
        event = self._user.window[position]
        row = read_sound_event(self._snapshot, self._user.user, int(event["event"]))
        number = int(event["item"])
        return Contribution(
            event_id=row.event.event_id if row else "",
            item=self._view.ids[number] if number < len(self._view.ids) else "",
            signal=row.event.signal if row else "",
            occurred_at_us=int(event["occurred_at_us"]),
            share=0.0,
            value=row.event.value if row else None,
        )


def _largest(named: _NamedEvents, share: Float64) -> tuple[Contribution, ...]:
    order = np.argsort(-np.abs(share), kind="stable")[:CONTRIBUTIONS]
    return tuple(
        named.at(position, float(share[position]))
        for position in order.tolist()
        if share[position] != 0.0
    )
