"""What do callers see, and is anything lost, when a server of Penchant is killed on Valkey?

`python -m benchmarks.valkey_server_kills`: two Tritons on a cluster of six nodes that sync their
log before each answer, with `wait=1`. Two callers know one of both servers each, two know both, and
all feed the same few users, each event until it is acknowledged. The servers are killed in turn
(SIGKILL of the whole process group), and started again. Afterwards each acknowledged event must be
in the log once, and counted once.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant.store.accepted_events import read_accepted
from penchant.store.open import open_store
from penchant.store.users import read_log
from penchant.store.valkey.valkey_store import ValkeyStore
from penchant_sdk import Event, Item, Penchant
from penchant_sdk.errors import PenchantError
from tests.support.served import served
from tests.support.valkey_servers import durability, valkey_cluster, wait_until
from tests.support.word_encoder import write_word_encoder

USERS, LEAST_EVENTS = 5, 20
ITEMS = {f"film-{number}": f"red blue film part{number % 7}" for number in range(30)}


@dataclass(slots=True)
class AckedCaller:
    """Feeds one event after the other, and keeps a ledger."""

    name: str
    target: str
    acked: list[str] = field(default_factory=list)
    errors: int = 0
    longest_s: float = 0.0

    def call(self, stop: threading.Event) -> None:
        """Feeds until it is told to stop."""
        with Penchant(self.target, timeout_s=10.0) as client:
            while not stop.is_set():
                number = len(self.acked)
                event_id, user = f"{self.name}/{number}", f"user-{number % USERS}"
                event = Event(user, f"film-{number % len(ITEMS)}", "like", event_id=event_id)
                began_s = time.monotonic()
                while not self._is_fed(client, event):
                    if stop.is_set():
                        return  # Was never acknowledged.
                    time.sleep(0.05)
                self.acked.append(event_id)
                self.longest_s = max(self.longest_s, time.monotonic() - began_s)

    def _is_fed(self, client: Penchant, event: Event) -> bool:
        try:
            client.feedback([event]).raise_for_refused()
        except PenchantError:
            self.errors += 1
            return False
        return True


def go_on(callers: list[AckedCaller]) -> None:
    """Waits until each caller has gone on for a while."""
    before = [len(caller.acked) for caller in callers]
    wait_until(
        lambda: all(
            len(caller.acked) > old + LEAST_EVENTS
            for caller, old in zip(callers, before, strict=True)
        ),
        "all callers to go on",
        timeout_s=120.0,
    )


def check_nothing_lost(address: str, callers: list[AckedCaller]) -> int:
    """Makes sure that each acknowledged event is there once, and counted once."""
    with closing(open_store(address)) as store:
        assert isinstance(store, ValkeyStore)
        store.settle()
        with store.snapshot() as snapshot:
            logs = [read_log(snapshot, f"user-{number}") for number in range(USERS)]
            counted = read_accepted(snapshot)
    found = [row.event.event_id for log in logs for row in log]
    assert len(found) == len(set(found)) == counted, "each event once, and counted once"
    acked = {event_id for caller in callers for event_id in caller.acked}
    assert acked <= set(found), "acknowledged, and lost"
    return len(acked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=3600.0, help="no kill after so long")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, ExitStack() as opened:
        directory, stop = Path(place), threading.Event()
        write_word_encoder(directory / "encoder", ITEMS.values(), dimensions=16, seed=1)
        cluster = opened.enter_context(valkey_cluster(directory / "six", *durability("always")))
        address = cluster.address_of("kills") + "?wait=1"
        servers = []
        for name in ("one", "two"):
            state = directory / name
            settings = gather(address, directory / "encoder", [f"state_dir={state}"])
            servers.append(opened.enter_context(served(Server(state / "server", settings))))
        one, two = servers
        with Penchant(one.target, timeout_s=30.0) as client:
            client.put_items([Item(id_, text) for id_, text in ITEMS.items()])
        both = f"{one.target},{two.target}"
        callers = [AckedCaller("a", one.target), AckedCaller("b", two.target)]
        callers += [AckedCaller("c", both), AckedCaller("d", both)]
        threads = [threading.Thread(target=caller.call, args=(stop,)) for caller in callers]
        for thread in threads:
            thread.start()
        until_s = time.monotonic() + options.seconds
        of_one: list[float] = []
        of_both: list[float] = []
        try:
            for number in range(options.kills):
                if time.monotonic() > until_s:
                    break
                go_on(callers)
                for caller in callers:
                    caller.longest_s = 0.0
                servers[number % 2].kill()
                servers[number % 2].start()
                go_on(callers)
                of_one.append(round(callers[number % 2].longest_s, 1))
                of_both.append(round(max(caller.longest_s for caller in callers[2:]), 1))
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        row = {
            "kills": len(of_one),
            "acknowledged": check_nothing_lost(address, callers),
            "lost": 0,
            "doubled": 0,
            "longest_event_s_of_callers_of_the_killed_server": of_one,
            "longest_event_s_of_callers_of_both": of_both,
            "errors_of_callers": {caller.name: caller.errors for caller in callers},
        }
        print(json.dumps(row))


if __name__ == "__main__":
    main()
