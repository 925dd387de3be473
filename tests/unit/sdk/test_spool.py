"""What a client says of events in its spool holds while the delivery runs beside it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from penchant_proto.v1 import event_pb2, feedback_pb2, service_pb2
from penchant_sdk import _spool
from penchant_sdk._aio_spool import AsyncSpool
from penchant_sdk._operations import EncodedCall, encode_call
from penchant_sdk._spool import Spool
from penchant_sdk._spool_file import SpoolFile
from penchant_sdk.errors import SpoolRefused, Unavailable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool"


class Server:
    """A sender whose server is away until it is called; then it lets the client do something."""

    def __init__(self) -> None:
        self.up = False
        self.got: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def send(self, call: EncodedCall, timeout_s: float) -> service_pb2.Reply:
        if not self.up:
            raise Unavailable("down")
        self.meanwhile()
        events = service_pb2.Call.FromString(call.payload).feedback.events
        self.got += [event.event_id for event in events]
        results = [feedback_pb2.EventResult(event_id=event.event_id) for event in events]
        return service_pb2.Reply(feedback=feedback_pb2.FeedbackReply(results=results))

    def close(self) -> None:
        self.up = False


def feedback(number: int) -> EncodedCall:
    call = service_pb2.Call()
    call.feedback.events.add(event_id=f"e{number:06}", user=f"u{number % 5}", item="i" * 40)
    return encode_call("feedback", call)


def test_every_event_that_was_told_to_be_spooled_reaches_the_server_that_comes_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # Nothing here loses power.
    monkeypatch.setattr(_spool, "EVENTS_PER_CALL", 50)
    server = Server()
    spool = Spool(SpoolFile(path, 64 << 10), server, 5.0)  # type: ignore[arg-type]  # A double.
    spool._running = True  # The test itself is the thread that delivers.
    told: list[str] = []
    count = 0

    def give() -> bool:
        nonlocal count
        count += 1
        try:
            reply = spool.send(feedback(count), 1.0)
        except SpoolRefused:
            return False
        told.extend(one.event_id for one in reply.feedback.results if one.reason)
        return True

    def meanwhile() -> None:
        for _ in range(40):
            give()

    while give():
        pass
    server.up = True
    server.meanwhile = meanwhile
    for _ in range(40):
        assert spool._deliver_some()
    server.meanwhile = lambda: None
    while spool.waiting:
        spool._deliver_some()
    assert len(told) > 1000
    assert [one for one in server.got if one in set(told)] == told
    spool.close()


def test_a_row_that_is_no_event_costs_no_other(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = SpoolFile(path)
    good = event_pb2.Event(event_id="e1", user="u").SerializeToString()
    file.append([b"\xff\xff\xff", good])
    server = Server()
    server.up = True
    spool = Spool(file, server, 5.0)  # type: ignore[arg-type]  # A double.
    assert spool.waiting == 1
    spool._deliver_some()
    assert server.got == ["e1"]
    assert "a row of 3 bytes is no event" in caplog.text
    spool.close()


def test_an_event_whose_call_was_cancelled_while_it_was_written_is_one_that_waits(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, written = Event(), Event()
    server, sync = Server(), os.fsync

    async def send(call: EncodedCall, timeout_s: float) -> service_pb2.Reply:
        return server.send(call, timeout_s)

    def slow(file: int) -> None:
        writing.set()
        written.wait()
        sync(file)

    async def main() -> AsyncSpool:
        spool = AsyncSpool(SpoolFile(path), SimpleNamespace(send=send), 5.0)  # type: ignore[arg-type]  # A double.
        spool._running = True  # Nothing is delivered beside it.
        monkeypatch.setattr(os, "fsync", slow)
        call = asyncio.ensure_future(spool.send(feedback(1), 1.0))
        await asyncio.to_thread(writing.wait)
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        written.set()
        return spool

    spool = asyncio.run(main())  # Ends when the thread that writes does.
    assert spool.waiting == 1
    assert len(list(spool._file.waiting())) == 1
    spool._file.close()
