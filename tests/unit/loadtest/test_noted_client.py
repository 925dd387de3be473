"""A client of several servers notes what each promised, and takes them in turns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.ack_ledger import AckLedger, read_ledgers
from loadtest.noted_client import NotedClient
from penchant.server.in_process import InProcessTransport
from penchant_sdk import Event, Item
from penchant_sdk.errors import InvalidRequest, StateBehind
from penchant_sdk.testing import FakeServer


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "acks-0.jsonl"


@pytest.fixture
def client(ledger: Path) -> Iterator[NotedClient]:
    with FakeServer() as server:
        carried = [InProcessTransport(server, owned=False) for _ in range(2)]
        client = NotedClient(["one", "two"], AckLedger(ledger), transports=carried)
        client.put_items([Item("toy", "a toy")])
        yield client
        client.close()


def test_what_was_acknowledged_is_in_the_ledger_and_what_was_refused_is_not(
    client: NotedClient, ledger: Path
) -> None:
    kept = Event(user="ann", item="toy", signal="like")
    refused = Event(user="ann", item="none", signal="like")
    client.feedback([kept, refused])
    client.feedback([kept])  # A duplicate, durable as well.
    client.close()
    assert set(read_ledgers([ledger]).events) == {("ann", kept.event_id)}


def test_verbs_go_to_the_servers_in_turns(client: NotedClient) -> None:
    seen = []
    for _ in range(4):
        client.rank("ann")
        seen.append(client.server)
    assert seen in ([1, 2, 1, 2], [2, 1, 2, 1])


def test_errors_reach_the_caller_as_without_a_ledger(client: NotedClient) -> None:
    with pytest.raises(StateBehind):
        client.rank("ann", min_state_version=5, timeout_s=60.0)
    with pytest.raises(InvalidRequest):
        client.rank("ann", k=-1)
    assert client.rank("ann").ids == ("toy",)


def test_a_ledger_that_is_cut_off_keeps_all_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "acks-1.jsonl"
    path.write_text('[5.0, [["ann", "e1"]]]\n[6.0, "degraded"]\n[7.0, [["ann", "e')
    acks = read_ledgers([path])
    assert (acks.events, acks.degraded) == ({("ann", "e1"): 5.0}, 1)
