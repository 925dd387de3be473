"""Do the alerts fire? Each trouble is caused on a real server beside a real Prometheus.

`python -m benchmarks.alerts_live`: as root, since the store lies on a small file system of its own.
The rules are those of `deploy/rules`, with an hour as a minute. Draws the dashboard's panels with
the data of the run into `--picture`.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dashboard_picture import draw
from benchmarks.encoder import encoder_directory
from benchmarks.live_prometheus import LivePrometheus, live_prometheus
from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant.store.writer_lock import WriterLock
from penchant.system.supervision import RestartNote
from penchant_sdk import Event, Exposure, Item, Penchant, PenchantError

GOOD_S = 80.0
"""Seconds of a good life before anything is caused: more than a scaled hour."""
WAIT_S = 120.0
DISK = "160m"
ITEMS, USERS = 200, 300


class Traffic:
    """Users who rank and answer, some with a query, until told to stop."""

    def __init__(self, target: str) -> None:
        self.likes = 0.9
        """Chance that an answer is a like, else a dislike."""
        self._target = target
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(2)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the threads."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        chance = random.Random(number)
        with Penchant(self._target, timeout_s=3.0, max_attempts=1) as penchant:
            while not self._over.wait(0.03):
                user = f"u{chance.randrange(USERS)}"
                with suppress(PenchantError):
                    self._visit(penchant, user, chance)

    def _visit(self, penchant: Penchant, user: str, chance: random.Random) -> None:
        query = f"number {chance.randrange(ITEMS)}" if chance.random() < 0.3 else ""
        ranking = penchant.rank(user, k=10, query=query)
        place = chance.randrange(len(ranking.items))
        item = ranking.items[place]
        shown = Exposure(position=place + 1, score=item.score)
        signal_ = "like" if chance.random() < self.likes else "dislike"
        penchant.feedback(
            [
                Event(user=user, item=item.id, signal="impression", exposure=shown),
                Event(user=user, item=item.id, signal=signal_),
            ]
        )


@dataclass(frozen=True, slots=True)
class Caused:
    """One trouble, when it began, and after how many seconds its alert fired; None: it did not."""

    alert: str
    trouble: str
    at_s: float
    after_s: float | None


class LiveRun:
    """Causes troubles one after the other, and waits for their alerts."""

    def __init__(self, prometheus: LivePrometheus) -> None:
        self._prometheus = prometheus
        self.caused: list[Caused] = []

    @contextmanager
    def cause(self, *alerts: str, trouble: str) -> Iterator[None]:
        """Notes when each alert fires after the body, which causes the trouble."""
        began_s, at_s = time.monotonic(), time.time()
        already = self._prometheus.firing()
        yield
        waiting = set(alerts)
        while waiting and time.monotonic() - began_s < WAIT_S:
            time.sleep(0.25)
            for alert in waiting & self._prometheus.firing():
                after_s = round(time.monotonic() - began_s, 1)
                self._note(Caused(alert, trouble, at_s, after_s), already)
                waiting.remove(alert)
        for alert in waiting:
            self._note(Caused(alert, trouble, at_s, None), already)

    def _note(self, caused: Caused, already: set[str]) -> None:
        self.caused.append(caused)
        fired = "did not fire" if caused.after_s is None else f"fired after {caused.after_s} s"
        before = " (fired before it, too)" if caused.alert in already else ""
        print(f"{caused.trouble}: {caused.alert} {fired}{before}", flush=True)


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def held_writer(store: Path) -> Iterator[None]:
    """Holds the store's turn to write for 2.5 s at a time, as long transactions would."""
    over = threading.Event()

    def hold() -> None:
        lock = WriterLock(store)
        while not over.is_set():
            with lock.held():
                over.wait(2.5)
            over.wait(0.3)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def troubles(run: LiveRun, server: Server, traffic: Traffic, store: Path) -> None:
    """Each trouble in turn; the server works again after each."""
    print(f"a good life of {GOOD_S:g} s", flush=True)
    time.sleep(GOOD_S)
    with held_writer(store), run.cause("PenchantStale", trouble="another program's long writes"):
        pass
    ballast = store.parent / "ballast"
    free = os.statvfs(store)
    with run.cause("PenchantDiskNearlyFull", trouble="a disk of which 5 % is free"):
        keep = int(0.05 * free.f_blocks * free.f_frsize)
        ballast.write_bytes(bytes(free.f_bavail * free.f_frsize - keep))
    ballast.unlink()
    away = store.with_name("moved-away")
    with run.cause("PenchantStoreAway", "PenchantErrorBudgetBurns", trouble="a moved store"):
        store.rename(away)
    away.rename(store)
    time.sleep(5)
    with run.cause(
        "PenchantEncoderAway", "PenchantProcessDead", trouble="kill -9 of the encoder's process"
    ):
        os.kill(server.pids()["penchant_encoder_0_0"], signal.SIGKILL)
    with run.cause("PenchantDown", trouble="kill -9 of the server"):
        server.kill()
    with run.cause("PenchantRestarted", trouble="its restart"):
        server.start(RestartNote(1, "triton_ended", time.time()).environment())
    time.sleep(5)
    with run.cause("PenchantQualityDrops", trouble="users who begin to dislike"):
        traffic.likes = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--picture", type=Path, default=Path("docs/images/dashboard.png"))
    options = parser.parse_args()
    encoder = encoder_directory(options.encoder, print)
    with tempfile.TemporaryDirectory() as place, small_disk(Path(place) / "disk") as disk:
        store = disk / "store"
        settings = gather(f"lmdb:{store}", encoder, (f"store_map_bytes={64 << 20}",))
        with Server(Path(place) / "server", settings) as server:
            fill(server.target)
            traffic = Traffic(server.target)
            with live_prometheus(Path(place), server.ports.metrics) as prometheus:
                run, began_s = LiveRun(prometheus), time.time()
                try:
                    troubles(run, server, traffic, store)
                finally:
                    traffic.stop()
                moments = [(one.at_s, one.alert.removeprefix("Penchant")) for one in run.caused]
                draw(prometheus, began_s, time.time(), moments, options.picture)
    missing = [one.alert for one in run.caused if one.after_s is None]
    sys.exit(f"did not fire: {', '.join(missing)}" if missing else 0)


def fill(target: str) -> None:
    with Penchant(target, timeout_s=60.0) as penchant:
        penchant.put_items([Item(f"i{n}", f"thing number {n}") for n in range(ITEMS)])


if __name__ == "__main__":
    main()
