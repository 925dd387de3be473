"""Feedback that no server takes: kept on disk, and delivered in order when one is back."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import stat
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from grpc import StatusCode

from penchant_sdk import (
    AsyncPenchant,
    Event,
    EventStatus,
    InvalidRequest,
    Penchant,
    SpoolRefused,
    StoreUnavailable,
    Unavailable,
)
from penchant_sdk._spool_file import SpoolFile
from tests.support.small_disk import filled, small_disk
from tests.support.stub_endpoint import StubEndpoint
from tests.support.valkey_servers import free_ports

PATIENCE_S = 60.0
ROOT = Path(__file__).resolve().parents[2]
AWAY = StatusCode.UNAVAILABLE, "[StoreUnavailable] the store is away"


def until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def holds(file: Path, text: str) -> bool:
    return file.exists() and text in file.read_text()


@contextmanager
def endpoint_process(port: int, ledger: Path) -> Iterator[subprocess.Popen[str]]:
    """An endpoint in a process of its own, killed at the end."""
    command = [sys.executable, "-m", "tests.support.stub_endpoint", str(port), str(ledger)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            server.stdout.readline()
            yield server
        finally:
            server.kill()


def events(count: int, *, first: int = 0, users: int = 3) -> list[Event]:
    return [
        Event(f"u{n % users}", "1", "like", event_id=f"e{n:06}")
        for n in range(first, first + count)
    ]


def by_user(found: list[tuple[str, str]]) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = defaultdict(list)
    for user, event_id in found:
        ids[user].append(event_id)
    return ids


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def client(endpoint: StubEndpoint, spool: Path, **options: object) -> Penchant:
    return Penchant(endpoint.target, timeout_s=60.0, max_attempts=1, spool=spool, **options)  # type: ignore[arg-type]  # By name.


def test_feedback_waits_while_the_store_is_away_and_comes_in_order_afterwards(
    spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with StubEndpoint() as endpoint, client(endpoint, spool) as penchant:
        ack = penchant.feedback(events(10))
        assert {one.status for one in ack.results} == {EventStatus.ACCEPTED}
        endpoint.failure = AWAY
        for n in range(10, 20):
            ack = penchant.feedback(events(1, first=n))
            assert ack.results[0].status is EventStatus.SPOOLED
            assert ack.results[0].status.value == "spooled"
            assert ack.spooled == ack.results
            assert ack.refused == ()
            assert ack.state_version(ack.results[0].user) == 0
        ack.raise_for_refused()
        assert penchant.spooled_events == 10
        with pytest.raises(StoreUnavailable):
            penchant.rank("u0")
        endpoint.failure = None
        until(lambda: not penchant.spooled_events)
        ack = penchant.feedback(events(1, first=20))
        assert ack.results[0].status is EventStatus.ACCEPTED
        assert ack.state_version("u2") == 7
    wanted = by_user([(event.user, event.event_id) for event in events(21)])
    assert by_user(endpoint.events) == wanted
    assert "waits in" in caplog.text


def test_later_events_of_a_user_never_overtake_those_that_wait(spool: Path) -> None:
    with StubEndpoint() as endpoint:
        endpoint.failure = AWAY
        with client(endpoint, spool) as penchant:
            penchant.feedback(events(3))
            endpoint.failure = None
            for n in range(3, 60):
                penchant.feedback(events(1, first=n))
            until(lambda: not penchant.spooled_events)
        wanted = by_user([(event.user, event.event_id) for event in events(60)])
        assert by_user(endpoint.events) == wanted


def test_the_asynchronous_client_spools_too(spool: Path) -> None:
    async def main() -> None:
        async with AsyncPenchant(
            endpoint.target, timeout_s=60.0, max_attempts=1, spool=spool
        ) as penchant:
            endpoint.failure = AWAY
            acks = [await penchant.feedback(events(5, first=5 * n)) for n in range(4)]
            assert all(len(ack.spooled) == 5 for ack in acks)
            endpoint.failure = None
            while penchant.spooled_events:
                await asyncio.sleep(0.01)

    with StubEndpoint() as endpoint:
        asyncio.run(main())
        wanted = by_user([(event.user, event.event_id) for event in events(20)])
        assert by_user(endpoint.events) == wanted


def test_what_a_killed_program_was_told_is_spooled_comes_from_the_next_one(
    spool: Path, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    endpoint = StubEndpoint()
    (endpoint.port,) = free_ports(1)  # Where nothing listens, and no other test's server does.
    command = [sys.executable, "-m", "tests.support.spooling", endpoint.target]
    for first in (0, 100_000):
        program = subprocess.Popen([*command, spool, ledger, str(first)], cwd=ROOT)
        try:
            until(partial(holds, ledger, f"e{first + 50:06}"))
        finally:
            program.send_signal(signal.SIGKILL)
            program.wait(PATIENCE_S)
        with spool.open("ab") as file:
            file.write(b"\xf1EV\x9a\xff\x00\x00\x00torn")
    told = {tuple(line.split()) for line in ledger.read_text().splitlines()}
    with endpoint, client(endpoint, spool) as penchant:
        until(lambda: not penchant.spooled_events)
        assert len(told) > 100
        assert told - set(endpoint.events) == set()
        assert len(set(endpoint.events)) == len(endpoint.events)
        for ids in by_user(endpoint.events).values():
            assert ids == sorted(ids)
    assert spool.stat().st_size < 100


def test_a_server_that_is_killed_again_and_again_gets_each_event_once(
    spool: Path, tmp_path: Path
) -> None:
    ledger = tmp_path / "accepted"
    (port,) = free_ports(1)
    ids: list[str] = []
    with Penchant(f"127.0.0.1:{port}", timeout_s=1.0, max_attempts=1, spool=spool) as penchant:
        for life in range(3):
            with endpoint_process(port, ledger) as server:
                for n in range(40):
                    event = Event("u", "1", "like", event_id=f"{life}-{n:03}")
                    assert not penchant.feedback([event]).refused
                    ids.append(event.event_id)
                    if n == 20:
                        server.kill()
                        server.wait(PATIENCE_S)
        with endpoint_process(port, ledger):
            until(lambda: not penchant.spooled_events)
    accepted = ledger.read_text().split()
    assert list(dict.fromkeys(accepted)) == ids


def test_what_does_not_fit_is_refused_by_name_and_leaves_the_rest(spool: Path) -> None:
    with StubEndpoint() as endpoint:
        endpoint.failure = AWAY
        with client(endpoint, spool, spool_bytes=4096) as penchant:
            kept = 0
            with pytest.raises(SpoolRefused, match=r"holds \d+ of its 4096 bytes") as refused:  # noqa: PT012  # How many fit is not known.
                while True:
                    penchant.feedback(events(1, first=kept))
                    kept += 1
            assert str(spool) in str(refused.value)
            assert isinstance(refused.value, Unavailable)
            assert spool.stat().st_size <= 4096
            with pytest.raises(SpoolRefused):
                penchant.feedback(events(1000, first=kept))
            endpoint.failure = None
            until(lambda: not penchant.spooled_events)
            endpoint.failure = AWAY
            assert penchant.feedback(events(1, first=kept)).spooled
    assert len(endpoint.events) == kept


def test_a_full_disk_refuses_by_name_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk, StubEndpoint() as endpoint:
        endpoint.failure = AWAY
        with client(endpoint, disk / "spool") as penchant:
            assert penchant.feedback(events(2)).spooled
            with filled(disk), pytest.raises(SpoolRefused, match="No space left"):
                penchant.feedback(events(900, first=2))
            assert penchant.feedback(events(2, first=2)).spooled
            endpoint.failure = None
            until(lambda: not penchant.spooled_events)
        assert [event_id for _, event_id in endpoint.events] == [
            event.event_id for event in events(4)
        ]


def test_an_event_that_the_server_refuses_holds_up_no_other(
    spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with StubEndpoint() as endpoint:
        endpoint.failure = AWAY
        with client(endpoint, spool) as penchant:
            penchant.feedback(events(5))
            endpoint.refused_id = "e000002"
            endpoint.failure = None
            until(lambda: not penchant.spooled_events)
    assert [event_id[-1] for _, event_id in endpoint.events] == ["0", "1", "3", "4"]
    assert "'e000002' is refused" in caplog.text


def test_a_spool_belongs_to_one_client_and_to_its_owner(spool: Path) -> None:
    with StubEndpoint() as endpoint, client(endpoint, spool):
        assert stat.S_IMODE(spool.stat().st_mode) == 0o600
        with pytest.raises(InvalidRequest, match=r"spool: got .*another client uses, expected"):
            client(endpoint, spool)
        code = (
            "from penchant_sdk import Penchant, InvalidRequest\n"
            "try:\n    Penchant('a:1', spool=__import__('sys').argv[1])\n"
            "except InvalidRequest as error:\n    print(error)\n"
        )
        other = subprocess.run(
            [sys.executable, "-c", code, spool], capture_output=True, text=True, check=True
        )
        assert "another client uses" in other.stdout
    spool.chmod(0o644)
    with client(endpoint, spool):
        assert stat.S_IMODE(spool.stat().st_mode) == 0o600


def test_a_fork_is_refused_the_spool_of_its_parent(spool: Path) -> None:
    file = SpoolFile(spool)
    child = os.fork()
    if not child:
        try:
            file.append([b"x"])
        except InvalidRequest:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    file.append([b"y"])
    file.close()


@pytest.mark.parametrize("name", [".", "none/spool", "link", "text", "pipe"])
def test_a_path_that_is_no_spool_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "text").write_text("my diary, which is longer than a header")
    (tmp_path / "link").symlink_to(tmp_path / "text")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidRequest, match=r"^spool: got .*, expected"):
        Penchant("a:1", spool=tmp_path / name)
    assert (tmp_path / "text").read_text().startswith("my diary")


def test_any_torn_tail_is_cut_off_and_every_whole_row_stays(spool: Path) -> None:
    rows = [bytes([n]) * (n + 1) for n in range(5)]
    file = SpoolFile(spool)
    file.append(rows)
    file.close()
    whole = spool.read_bytes()
    lengths = [len(row) + 12 for row in rows]
    for cut in range(len(whole) + 1):
        spool.write_bytes(whole[:cut])
        file = SpoolFile(spool)
        complete = sum(20 + sum(lengths[: n + 1]) <= cut for n in range(5))
        assert list(file.waiting()) == rows[:complete]
        file.append([b"next"])
        file.close()
        file = SpoolFile(spool)
        assert list(file.waiting()) == [*rows[:complete], b"next"]
        file.close()


def test_damage_costs_the_damaged_row_alone_and_is_told(
    spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [bytes([n]) * 40 for n in range(1, 6)]
    file = SpoolFile(spool)
    file.append(rows)
    file.close()
    whole = spool.read_bytes()
    row = len(whole[20:]) // 5
    for byte in range(20 + 2 * row, 20 + 3 * row):
        damaged = bytearray(whole)
        damaged[byte] ^= 0x55
        spool.write_bytes(damaged)
        with caplog.at_level(logging.ERROR, "penchant_sdk"):
            file = SpoolFile(spool)
        assert list(file.waiting()) == [*rows[:2], *rows[3:]]
        found, behind = file.read(100)
        assert found == [*rows[:2], *rows[3:]]
        file.advance(behind)
        assert file.empty
        file.close()
    assert "damaged bytes are left out" in caplog.text


def test_a_damaged_header_costs_no_row(spool: Path) -> None:
    file = SpoolFile(spool)
    file.append([b"one", b"two"])
    _, behind = file.read(1)
    file.advance(behind)
    file.close()
    content = bytearray(spool.read_bytes())
    content[10] ^= 0xFF
    spool.write_bytes(content)
    file = SpoolFile(spool)
    assert list(file.waiting()) == [b"one", b"two"]
    file.close()


def test_a_full_spool_that_is_half_delivered_has_room_again(spool: Path) -> None:
    file = SpoolFile(spool, 4096)
    row = bytes(100)
    with pytest.raises(SpoolRefused):  # noqa: PT012  # How many fit is not known.
        while True:
            file.append([row])
    count = len(list(file.waiting()))
    _, behind = file.read(count // 2)
    file.advance(behind)
    for _ in range(count // 2):
        file.append([row])
    assert spool.stat().st_size <= 4096
    assert len(list(file.waiting())) == count
    with pytest.raises(InvalidRequest):
        SpoolFile(spool)
    assert stat.S_IMODE(spool.stat().st_mode) == 0o600
    file.close()
