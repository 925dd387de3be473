"""SIGTERM under load: what was acked stays, nobody hangs, nothing is left behind."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from penchant.launch import Server
from penchant.launch.server import ATTEMPTS
from penchant_sdk import Event, Item, Penchant, PenchantError
from tests.contracts.client_world import KITCHEN, SPACE
from tests.support.serve_process import wait_until
from tests.support.shared_regions import prefixes_held, regions_of

pytestmark = pytest.mark.server

FILMS = [Item(f"film-{number}", text) for number, text in enumerate(SPACE + KITCHEN)]
CLIENTS = 4
TIMEOUT_S = 20.0
PATIENCE_S = 240.0


def test_acked_events_outlive_a_shutdown_under_load(
    tmp_path: Path, server_in: Callable[[Path], Server]
) -> None:
    server = server_in(tmp_path)
    acked = dict.fromkeys(range(CLIENTS), 0)
    longest_s = 0.0
    busy = threading.Barrier(CLIENTS + 1)

    def work(client: int) -> None:
        """Feeds and ranks, until a call fails; then the error is one of the SDK's, and in time."""
        nonlocal longest_s
        user = f"user-{client}"
        with Penchant(server.target, timeout_s=TIMEOUT_S) as penchant:
            while True:
                started = time.monotonic()
                try:
                    like = Event(user, FILMS[acked[client] % len(FILMS)].id, "like")
                    acked[client] = penchant.feedback([like]).state_version(user)
                    if acked[client] == 20:
                        busy.wait(PATIENCE_S)
                    penchant.rank(user, min_state_version=acked[client])
                except PenchantError:
                    longest_s = max(longest_s, time.monotonic() - started)
                    return

    with server:
        with Penchant(server.target, timeout_s=30.0) as penchant:
            penchant.put_items(FILMS)
        models = [psutil.Process(pid) for pid in server.pids().values()]
        held = prefixes_held(models)
        with ThreadPoolExecutor(CLIENTS) as threads:
            working = [threads.submit(work, client) for client in range(CLIENTS)]
            busy.wait(PATIENCE_S)
            server.stop()
            for future in working:
                future.result()
    assert server.returncode == 0
    # Those that Triton left are reaped by another process, a moment after they ended.
    wait_until(lambda: not any(map(psutil.Process.is_running, models)), "the models' end")
    assert held
    assert regions_of(held) == set()
    assert longest_s < 3 * TIMEOUT_S

    with server, Penchant(server.target, timeout_s=30.0) as penchant:
        for client, version in acked.items():
            export = penchant.export_user(f"user-{client}")
            # One more may have been committed, whose ack the shutdown cut off.
            assert version <= len(export.events) <= version + 1
            assert penchant.rank(f"user-{client}").state_version == len(export.events)


def test_a_patient_client_gets_its_answer_across_a_restart(
    tmp_path: Path, server_in: Callable[[Path], Server]
) -> None:
    server = server_in(tmp_path)
    with server, Penchant(server.target, timeout_s=PATIENCE_S, max_attempts=1000) as penchant:
        penchant.put_items(FILMS)
        like = Event("u", FILMS[0].id, "like")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGTERM)
        with ThreadPoolExecutor(1) as threads:
            answer = threads.submit(penchant.feedback, [like])
            server.stop()
            server.start(attempts=ATTEMPTS)
            assert answer.result().state_version("u") == 1
        assert penchant.feedback([like]).state_version("u") == 1
        assert len(penchant.export_user("u").events) == 1
