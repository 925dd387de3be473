"""SIGTERM to `penchant serve`: what is under way is finished, new work is refused at once."""

from __future__ import annotations

import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from penchant.store.accepted_events import read_accepted
from penchant.store.open import open_store
from penchant_sdk import Event, FeedbackAck, ModelNotFound, Penchant, Unavailable
from tests.support.serve_process import FILMS, PATIENCE_S, serving, wait_until

pytestmark = pytest.mark.server

CALLS, EVENTS = 5, 400
"""Each call takes some hundred milliseconds, and they are worked on one after another."""


def feed(target: str, call: int) -> FeedbackAck:
    events = [
        Event(f"u{call}-{n % 100}", FILMS[n % 3].id, "like", event_id=f"{call}-{n}")
        for n in range(EVENTS)
    ]
    with Penchant(target, timeout_s=PATIENCE_S, max_attempts=1) as penchant:
        return penchant.feedback(events)


def test_calls_under_way_are_finished_and_new_ones_refused_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, ["--refresh-every=never"]) as serve:
        target = serve.target
        store = Path(serve.said("store").removeprefix("lmdb:"))
        store = store if store.is_absolute() else serve.directory / store
        with ThreadPoolExecutor(CALLS) as threads:
            calls: list[Future[FeedbackAck]] = [
                threads.submit(feed, target, call) for call in range(CALLS)
            ]
            wait_until(lambda: any(call.done() for call in calls), "the first of the calls")
            serve.process.send_signal(signal.SIGTERM)
            serve.wait_for("Stopping.")
            time.sleep(0.2)  # Until Triton has closed its models.
            under_way = [call for call in calls if not call.done()]
            asked_at = time.monotonic()
            with pytest.raises((Unavailable, ModelNotFound)):
                Penchant(target, timeout_s=PATIENCE_S, max_attempts=1).rank("somebody")
            refused_s = time.monotonic() - asked_at
            acks = [call.result() for call in calls]
            last_s = time.monotonic() - asked_at
        assert serve.process.wait(PATIENCE_S) == 0
    assert under_way, "all was done before the signal: it showed nothing"
    assert refused_s < last_s, "a new call waited for those under way"
    assert all(not ack.refused for ack in acks)
    kept = open_store(f"lmdb:{store}", map_bytes=0)
    try:
        with kept.snapshot() as snapshot:
            assert read_accepted(snapshot) == CALLS * EVENTS
    finally:
        kept.close()
