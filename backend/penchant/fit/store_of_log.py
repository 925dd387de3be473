"""Puts a log into a store as a server would: items, events, and the settings that it keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

from penchant.config import Config
from penchant.domain.errors import PenchantError
from penchant.domain.types import Event, Item
from penchant.encoder.base import Encoder
from penchant.encoder.library import EncoderLibrary
from penchant.logs.stream import Stream
from penchant.server.app import App, build
from penchant.service.meter import SilentMeter
from penchant.store.address import directory_of
from penchant.system.progress import Progress
from penchant.wire.event import event_message
from penchant_proto.v1.feedback_pb2 import EventResult
from penchant_proto.v1.service_pb2 import Call, Reply

_ITEMS, _EVENTS = 256, 500
"""Items and events of one call."""
_MODELS = ("penchant_feedback", "penchant_catalog")

_T = TypeVar("_T")


def fill_store(stream: Stream, config: Config, encoder: Encoder, progress: Progress) -> int:
    """Puts a stream's items and events into the store that the settings name.

    What the store holds already is not put again, so a run that was killed is run again.

    Args:
        stream: items and log.
        config: settings of the server, with the store's address and the encoder's directory; the
            store keeps those that were given.
        encoder: the encoder of that directory.
        progress: called as the events are put.

    Returns:
        Number of events that the server refused.

    Raises:
        StoreUnavailable: the store can't be opened, or a server writes to it.
    """
    directory = directory_of(config.store)
    assert directory is not None  # The store is the fit's own.
    directory.mkdir(parents=True, exist_ok=True)
    app = build(_MODELS, config, EncoderLibrary(encoder), SilentMeter())
    refused = 0
    try:
        progress("Storing items", 0.0)
        for place, items in enumerate(_batches(stream.items, _ITEMS)):
            progress("Storing items", place * _ITEMS / len(stream.items))
            _put(app, items)
        for place, events in enumerate(_batches(stream.events, _EVENTS)):
            progress("Storing events", place * _EVENTS / len(stream.events))
            refused += _learn(app, events)
    finally:
        app.close()
    return refused


def _put(app: App, items: Sequence[Item]) -> None:
    call = Call()
    for item in items:
        call.put_items.items.add(id=item.id, text=item.text, attributes=dict(item.attributes))
    _answer(app, call)


def _learn(app: App, events: Sequence[Event]) -> int:
    call = Call()
    call.feedback.events.extend(map(event_message, events))
    results = _answer(app, call).feedback.results
    return sum(one.status == EventResult.STATUS_REFUSED for one in results)


def _answer(app: App, call: Call) -> Reply:
    reply = app.handle(call.SerializeToString())
    if isinstance(reply, PenchantError):
        raise reply
    return reply


def _batches(values: Sequence[_T], size: int) -> Iterator[list[_T]]:
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch
