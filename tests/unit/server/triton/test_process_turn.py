"""Who computes: small calls first, but not for ever."""

from __future__ import annotations

import threading
import time

from penchant.server.triton.process_turn import ProcessTurn


def test_a_small_call_waits_for_one_slice_at_most() -> None:
    turn, order = ProcessTurn(), []
    holding, go = threading.Event(), threading.Event()

    def slices() -> None:
        for number in range(2):
            with turn.slice():
                order.append(f"slice {number}")
                if number == 0:
                    holding.set()
                    assert go.wait(60)

    def small() -> None:
        with turn.small():
            order.append("small")

    threads = [threading.Thread(target=slices), threading.Thread(target=small)]
    threads[0].start()
    assert holding.wait(60)
    threads[1].start()
    while not turn._small_waiting:
        time.sleep(0.001)
    go.set()
    for thread in threads:
        thread.join(60)
    assert order == ["slice 0", "small", "slice 1"]


def test_slices_go_on_though_small_calls_never_stop() -> None:
    turn, stop = ProcessTurn(), threading.Event()
    taken = {"small": 0.0, "slices": 0.0}

    def small() -> None:
        while not stop.is_set():
            with turn.small():
                time.sleep(0.002)
            taken["small"] += 0.002

    thread = threading.Thread(target=small)
    thread.start()
    deadline = time.monotonic() + 60
    while (taken["slices"] < 0.1 or taken["small"] < 0.02) and time.monotonic() < deadline:
        with turn.slice():
            time.sleep(0.005)
        taken["slices"] += 0.005
    stop.set()
    thread.join(60)
    assert taken["slices"] >= 0.1
    assert taken["small"] >= 0.02


def test_a_slice_that_waits_elsewhere_lets_small_calls_compute() -> None:
    turn, done = ProcessTurn(), threading.Event()

    def small() -> None:
        with turn.small():
            done.set()

    with turn.slice():
        with turn.released():
            thread = threading.Thread(target=small)
            thread.start()
            assert done.wait(60)
        thread.join(60)
