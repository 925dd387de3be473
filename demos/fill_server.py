"""Fills a demo's server: MovieLens as its data, items and events many at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from demos.progress_steps import Advance, counted_step, step
from penchant.cli.import_events import sdk_event
from penchant.domain.types import Event, Item
from penchant.logs.datasets.movielens import MovieLens, read_movielens
from penchant.report.terminal import Terminal
from penchant_sdk import FeedbackAck, Penchant
from penchant_sdk import Item as SdkItem

T = TypeVar("T")

ITEMS_PER_CALL = 64
EVENTS_PER_CALL = 1000


def movielens_step(console: Terminal) -> MovieLens:
    """Reads MovieLens-100K as a step on the terminal.

    Raises:
        ConfigError: the package that carries the data set is not installed.
    """
    with step(console, "Reading MovieLens-100K") as reading:
        data = read_movielens()
        reading.done = (
            f"MovieLens-100K: {len(data.films):,} films, {len(data.ratings):,} ratings by "
            f"{data.users} users"
        )
    return data


def films_step(console: Terminal, penchant: Penchant, films: Sequence[Item]) -> None:
    """Puts films into the catalog as a step on the terminal."""
    with counted_step(console, "Registering films", len(films)) as advance:
        put_items(penchant, films, advance)


def history_step(console: Terminal, penchant: Penchant, text: str, events: Sequence[Event]) -> None:
    """Feeds back events of the past as a step on the terminal, described by `text`."""
    with counted_step(console, text, len(events)) as advance:
        in_calls(events, EVENTS_PER_CALL, lambda chunk: feed(penchant, chunk), advance)


def in_calls(
    things: Sequence[T], per_call: int, send: Callable[[Sequence[T]], object], advance: Advance
) -> None:
    """Sends things in order, at most `per_call` in each call, and advances by the number sent."""
    for start in range(0, len(things), per_call):
        chunk = things[start : start + per_call]
        send(chunk)
        advance(len(chunk))


def put_items(penchant: Penchant, items: Sequence[Item], advance: Advance) -> None:
    """Puts items into the catalog."""

    def send(chunk: Sequence[Item]) -> None:
        penchant.put_items([SdkItem(item.id, item.text, item.attributes) for item in chunk])

    in_calls(items, ITEMS_PER_CALL, send, advance)


def feed(penchant: Penchant, events: Sequence[Event]) -> FeedbackAck:
    """Feeds back events in one call.

    Raises:
        PenchantError: the server refused an event, or did not answer.
    """
    ack = penchant.feedback([sdk_event(event) for event in events])
    ack.raise_for_refused()
    return ack
