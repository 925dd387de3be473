"""Real Tritons whose store moves to Valkey and back while they take events: no ack is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from penchant.launch import Server
from penchant.launch.errors import LaunchError
from penchant.launch.migrate import MigrateRequest, MoveReport, migrate
from penchant.launch.model_parameters import gather
from penchant.launch.server import ATTEMPTS
from penchant.store.open import open_store
from penchant.store.users import read_log
from penchant_sdk import Event, Item, Penchant
from penchant_sdk.errors import PenchantError
from tests.support.command import run
from tests.support.valkey_servers import durability, valkey_server, wait_until
from tests.support.word_encoder import write_word_encoder

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

ITEMS = {f"film-{number}": f"red blue film part{number % 7}" for number in range(30)}
USERS = 8


@dataclass(slots=True)
class Feeder:
    """Feeds events without a pause, each again until it is acknowledged."""

    acked: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    target: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        for number in range(1_000_000):
            event = Event(f"user-{number % USERS}", f"film-{number % 30}", "like")
            event_id = f"event-{number}"
            while not self.stop.is_set():
                try:
                    with Penchant(self.target, timeout_s=5.0, max_attempts=1) as client:
                        self._feed(client, Event(event.user, event.item, "like", event_id=event_id))
                        break
                except PenchantError:
                    time.sleep(0.05)
            if self.stop.is_set():
                return

    def _feed(self, client: Penchant, event: Event) -> None:
        client.feedback([event]).raise_for_refused()
        self.acked.append(event.event_id)
        self.times.append(time.monotonic())

    def more(self, count: int = 15) -> None:
        """Waits for further acks."""
        wanted = len(self.acked) + count
        wait_until(lambda: len(self.acked) >= wanted, "further events")

    def gap_s(self) -> float:
        """The longest time without an ack."""
        return max(late - early for early, late in zip(self.times, self.times[1:], strict=False))


@contextmanager
def feeding(server: Server) -> Iterator[Feeder]:
    feeder = Feeder(target=server.target)
    thread = threading.Thread(target=feeder.run)
    thread.start()
    try:
        yield feeder
    finally:
        feeder.stop.set()
        thread.join()


def describe(directory: Path, name: str, address: str) -> Server:
    more = [f"state_dir={directory / name}"] if address.startswith("valkey") else []
    settings = gather(address, directory / "encoder", more)
    return Server(directory / name / "server", settings, instances={"penchant_rank": 1})


def moved(source: str, target: str, *, finish: bool) -> MoveReport:
    return migrate(MigrateRequest(source=source, target=target, finish=finish)).stores[-1]


def ids_at(address: str) -> list[str]:
    with closing(open_store(address, map_bytes=0)) as store, store.snapshot() as snapshot:
        logs = [read_log(snapshot, f"user-{number}") for number in range(USERS)]
    return [row.event.event_id for log in logs for row in log]


def test_no_acked_event_is_lost_on_the_way_to_valkey_and_back(tmp_path: Path) -> None:
    write_word_encoder(tmp_path / "encoder", ITEMS.values(), dimensions=16, seed=1)
    first, last = f"lmdb:{tmp_path / 'first'}", f"lmdb:{tmp_path / 'last'}"
    with valkey_server(tmp_path / "valkey", *durability("everysec")) as node:
        away = f"valkey://{node.name}/shop?timeout_ms=60000"
        servers = [
            describe(tmp_path, name, address)
            for name, address in (("a", first), ("b", away), ("c", last))
        ]
        servers[0].start(attempts=ATTEMPTS)
        try:
            with Penchant(servers[0].target, timeout_s=30.0) as client:
                client.put_items([Item(id_, text) for id_, text in ITEMS.items()])
            with feeding(servers[0]) as feeder:
                for place, (source, target) in enumerate(((first, away), (away, last))):
                    feeder.more()
                    live = moved(source, target, finish=False)
                    assert live.passes[-1].damaged == []
                    feeder.more()  # It goes on beside the copy.
                    ran = run(["migrate", "--from", source, "--to", target, "--finish"])
                    assert ran.exit_code == 1
                    assert f"process {servers[place].pid} on " in ran.stderr, ran.stderr
                    servers[place].stop()
                    done = moved(source, target, finish=True)
                    assert done.finished
                    assert done.passes[-1].changed == 0
                    assert done.remarks == ()
                    servers[place + 1].start(attempts=ATTEMPTS)
                    feeder.target = servers[place + 1].target
                    feeder.more()
                gap_s = feeder.gap_s()
            print(
                f"longest time without an ack: {gap_s:.1f} s, handed over in {done.refused_s:.2f} s"
            )
            with Penchant(servers[2].target, timeout_s=30.0) as client:
                assert client.rank("user-1", k=5).state_version > 0
            with pytest.raises(LaunchError, match="has moved to valkey"):
                servers[0].start()
        finally:
            for server in servers:
                server.kill()
    found = ids_at(last)
    assert len(found) == len(set(found))
    assert set(feeder.acked) <= set(found)
    log = "".join(server.log_path.read_text(errors="replace") for server in servers[1:])
    assert "Traceback" not in log
