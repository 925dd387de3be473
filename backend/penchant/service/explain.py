"""Why an item stands where it stands: the parts of its score, and the events that weigh most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.catalog.view import CatalogView
from penchant.domain.context import Slots
from penchant.domain.event_weights import weigh
from penchant.domain.interest import Items, shares
from penchant.domain.neighbours import OPENING, near_shares
from penchant.domain.ranking import Contribution, Explanation
from penchant.domain.types import Recent, Rows, Vector, Window
from penchant.store.base import Snapshot
from penchant.store.users import read_event

CONTRIBUTIONS = 5
"""Events that an explanation names at most."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose ranking is explained, and as of when."""

    user: str
    window: Window
    recent: Recent
    """The interest's."""
    bucket: int
    context: Slots
    """What the ranking is for, shape (5,)."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """The k items that are explained."""

    rows: Rows
    """Shape (k,)."""
    offsets: Vector
    """The offset's part of each score, shape (k,)."""
    query: Vector | None


def explain(
    snapshot: Snapshot,
    view: CatalogView,
    subject: Subject,
    ranked: Ranked,
) -> list[Explanation]:
    """One explanation per ranked item; the parts of each sum to its score."""
    window, settings = subject.window, view.settings
    vectors = view.vectors[ranked.rows]
    items = view.items_of(window)
    split = shares(view.prior, window, items, subject.bucket, settings, vectors, subject.context)
    queried = np.zeros(len(vectors), np.float32)
    if ranked.query is not None:
        queried = settings.query_weight * (vectors @ ranked.query)
    near = _near(view, subject, items, ranked.rows)
    by_event = split.slow + split.fast + near.events
    return [
        Explanation(
            offset=float(ranked.offsets[position]),
            slow=float(split.prior[position] + split.slow[position].sum()),
            fast=float(split.fast[position].sum()),
            near=float(near.opening[position] + near.events[position].sum()),
            query=float(queried[position]),
            contributions=_weightiest(snapshot, view, subject, by_event[position]),
        )
        for position in range(len(vectors))
    ]


@dataclass(frozen=True, slots=True)
class _Near:
    """The neighbours' part of the scores of k items."""

    opening: NDArray[np.float64]
    """What people begin with, shape (k,)."""
    events: NDArray[np.float64]
    """The neighbours of each event's item, shape (k, n)."""


def _near(view: CatalogView, subject: Subject, items: Items, rows: Rows) -> _Near:
    window, recent, settings = subject.window, subject.recent, view.settings
    parts = settings.near_weight * near_shares(view.neighbours, recent, rows)
    events = np.zeros((len(rows), len(window)))
    if len(window):
        weights = weigh(window, items.known, subject.bucket, settings, context=subject.context)
        liked = np.flatnonzero(weights.near)
        events[:, liked] = parts[:, : len(liked)]
    of_events = recent["item"] != OPENING
    return _Near(parts[:, ~of_events].sum(axis=1), events)


def _weightiest(
    snapshot: Snapshot,
    view: CatalogView,
    subject: Subject,
    share: NDArray[np.float64],
) -> tuple[Contribution, ...]:
    order = np.argsort(-np.abs(share), kind="stable")[:CONTRIBUTIONS]
    return tuple(
        _name(snapshot, view, subject, position, float(share[position]))
        for position in order.tolist()
        if share[position] != 0.0
    )


def _name(
    snapshot: Snapshot, view: CatalogView, subject: Subject, position: int, share: float
) -> Contribution:
    event = subject.window[position]
    row = read_event(snapshot, subject.user, int(event["event"]))
    number = int(event["item"])
    return Contribution(
        event_id=row.event.event_id if row else "",
        item=view.ids[number] if number < len(view.ids) else "",
        signal=row.event.signal if row else "",
        occurred_at_us=int(event["occurred_at_us"]),
        share=share,
    )
