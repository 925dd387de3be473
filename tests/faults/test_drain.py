"""SIGTERM to `penchant serve`: what is under way is finished, new work is refused at once."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from penchant.store.accepted_events import read_accepted
from penchant.store.open import open_store
from penchant_sdk import Event, ModelNotFound, Penchant, Unavailable
from tests.support.serve_process import FILMS, PATIENCE_S, serving, wait_until

pytestmark = pytest.mark.server

CALLERS, EVENTS = 5, 400
"""Calls are worked on one after another: of five callers without a pause, some always wait."""


@dataclass
class Sent:
    """One call, in monotonic seconds."""

    sent_s: float
    answered_s: float
    acked: bool


def feed(target: str, caller: int, sent: list[Sent], give_up: threading.Event) -> None:
    """Sends calls without a pause until one is refused."""
    with Penchant(target, timeout_s=PATIENCE_S, max_attempts=1) as penchant:
        for call in itertools.count():
            events = [
                Event(
                    f"u{caller}-{n % 100}",
                    FILMS[n % 3].id,
                    "like",
                    event_id=f"{caller}-{call}-{n}",
                )
                for n in range(EVENTS)
            ]
            sent_s = time.monotonic()
            try:
                acked = not penchant.feedback(events).refused
            except (Unavailable, ModelNotFound):
                acked = False
            sent.append(Sent(sent_s, time.monotonic(), acked))
            if not acked or give_up.is_set():
                return


def test_calls_under_way_are_finished_and_new_ones_refused_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, ["--refresh-every=never"]) as serve:
        target = serve.target
        store = Path(serve.said("store").removeprefix("lmdb:"))
        store = store if store.is_absolute() else serve.directory / store
        logs: list[list[Sent]] = [[] for _ in range(CALLERS)]
        give_up = threading.Event()
        with ThreadPoolExecutor(CALLERS) as threads:
            callers = [
                threads.submit(feed, target, caller, log, give_up)
                for caller, log in enumerate(logs)
            ]
            try:
                wait_until(lambda: all(logs), "an answer to every caller")
                stopped_s = time.monotonic()
                serve.process.send_signal(signal.SIGTERM)
                for caller in callers:
                    caller.result(PATIENCE_S)
            finally:
                give_up.set()
        assert serve.process.wait(PATIENCE_S) == 0
    sent = [call for log in logs for call in log]
    # A call that was sent just before the signal may have come to the server after it: refused.
    under_way = [call for call in sent if call.sent_s < stopped_s < call.answered_s]
    assert any(call.acked for call in under_way), "none under way was finished"
    assert all(call.acked for call in sent if call.answered_s < stopped_s)
    longest_s = max(call.answered_s - call.sent_s for call in sent if call.acked)
    refused_s = sorted(call.answered_s - call.sent_s for call in sent if not call.acked)
    # All but one: the machine may have paused, for as long as those under way took.
    assert refused_s[-2] < longest_s, "they waited for those under way"
    kept = open_store(f"lmdb:{store}", map_bytes=0)
    try:
        with kept.snapshot() as snapshot:
            assert read_accepted(snapshot) == EVENTS * sum(call.acked for call in sent)
    finally:
        kept.close()
