"""What a store on Valkey does where its servers refuse, are full, or are away."""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import valkey.exceptions

from penchant.domain.errors import ConfigError, StoreUnavailable
from penchant.store.base import WriteConflict
from penchant.store.guarded_store import GuardedStore
from penchant.store.keys import Kind, encode
from penchant.store.open import open_store
from penchant.store.valkey.place_indexes import user_entry
from penchant.store.valkey.places import Places
from penchant.store.valkey.server_links import ServerLinks
from penchant.store.valkey.valkey_address import parse_address
from penchant.store.valkey.valkey_nodes import ServerCommand
from penchant.store.valkey.valkey_store import ValkeyStore
from tests.contracts.store_laws import apply, contents
from tests.support.certificates import Authority
from tests.support.tls_relay import tls_relay
from tests.support.valkey_servers import (
    ValkeyCluster6,
    ValkeyNode,
    free_ports,
    valkey_cluster,
    valkey_server,
    wait_until,
)

PATIENT = "?timeout_ms=30000"
"""Of calls that must succeed: a busy machine may keep a server from answering for seconds."""
PATIENT_OF_REFUSALS = "timeout_ms=2000"
"""Of those that must be refused by name, which are tried until it is over."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ValkeyNode]:
    with valkey_server(tmp_path / "one") as node:
        yield node


def opened(address: str) -> ValkeyStore:
    store = open_store(address)
    assert isinstance(store, ValkeyStore)
    return store


def record(user: str) -> bytes:
    return encode(Kind.USER, user)


def test_a_server_that_is_not_there_is_named_at_the_start() -> None:
    (port,) = free_ports(1)
    with pytest.raises(StoreUnavailable, match=rf"no answer from 127\.0\.0\.1:{port} within 200"):
        open_store(f"valkey://127.0.0.1:{port}/shop?timeout_ms=200")


def test_a_server_that_ends_is_unavailable_within_the_timeout_and_back_at_once(
    server: ValkeyNode,
) -> None:
    store = opened(f"valkey://{server.name}/shop?timeout_ms=5000")
    apply(store, [(record("u1"), b"1")])
    server.kill()
    began_s = time.monotonic()
    with pytest.raises(
        StoreUnavailable, match="did not answer within 5000 ms; send the call again"
    ):
        contents(store)
    assert time.monotonic() - began_s < 30
    server.start()
    apply(store, [(record("u1"), b"2")])
    assert contents(store) == [(record("u1"), b"2")]
    store.close()


def test_a_user_of_the_server_may_call_what_the_guide_names_and_needs_no_more(
    server: ValkeyNode,
) -> None:
    guide = Path("docs/guides/valkey.md").read_text(encoding="utf-8")
    (rule,) = [line for line in guide.splitlines() if line.startswith("ACL SETUSER penchant ")]
    words = rule.replace("PASSWORD", "secret").split()
    assert server.command(*words) == "OK"
    store = opened(f"valkey://penchant:secret@{server.name}/shop{PATIENT}")
    apply(store, [(record("u1"), b"1"), (b"head", b"2")])
    assert len(contents(store)) == 2
    assert store.usage().entries == 2
    store.close()
    with pytest.raises(StoreUnavailable, match="does not know this user and password"):
        open_store(f"valkey://penchant:wrong@{server.name}/shop{PATIENT}")


def test_a_full_server_refuses_writes_and_still_reads(server: ValkeyNode) -> None:
    store = opened(f"valkey://{server.name}/shop{PATIENT}")
    apply(store, [(record("u1"), b"1")])
    server.command("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(StoreUnavailable, match="is full: raise maxmemory, or forget users"):
        apply(store, [(record("u2"), b"x" * 1000)])
    with store.snapshot() as snapshot:
        assert snapshot.get(record("u1")) == b"1"
    store.close()


def test_a_server_that_would_throw_rows_away_is_refused(tmp_path: Path) -> None:
    options = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]
    with (
        valkey_server(tmp_path / "one", *options) as server,
        pytest.raises(StoreUnavailable, match="got allkeys-lru, expected noeviction"),
    ):
        open_store(f"valkey://{server.name}/shop{PATIENT}")


def test_too_few_replicas_are_said(server: ValkeyNode) -> None:
    store = opened(f"valkey://{server.name}/shop{PATIENT}&wait=1&wait_ms=50")
    with pytest.raises(StoreUnavailable, match="fewer than 1 replicas had the write within 50 ms"):
        apply(store, [(record("u1"), b"1")])

    def read() -> None:  # As for an event that is sent again, and known by now.
        with store.transaction() as transaction:
            assert transaction.get(record("u1")) == b"1"

    with pytest.raises(StoreUnavailable, match="fewer than 1 replicas had the write within 50 ms"):
        read()
    store.close()


def test_functions_that_a_server_has_lost_are_loaded_again(server: ValkeyNode) -> None:
    store = opened(f"valkey://{server.name}/shop{PATIENT}")
    server.command("FUNCTION", "FLUSH")
    apply(store, [(record("u1"), b"1")])
    assert contents(store) == [(record("u1"), b"1")]
    store.close()


def test_what_is_said_beforehand_costs_one_round_trip(
    server: ValkeyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(f"valkey://{server.name}/shop{PATIENT}")
    users = [record(f"u{number}") for number in range(32)]
    apply(store, [(user, b"1") for user in users])
    trips: list[int] = []
    run = store._nodes.run

    def counted(commands: Sequence[ServerCommand], *, durable: bool = False) -> list[Any]:
        trips.extend([len(commands)] * bool(commands))
        return run(commands, durable=durable)

    monkeypatch.setattr(store._nodes, "run", counted)
    with store.snapshot() as snapshot:
        snapshot.fetch([*users, encode(Kind.HEAD), encode(Kind.ROLLOUT), encode(Kind.NEWEST)])
        assert [snapshot.get(user) for user in users] == [b"1"] * 32
        assert snapshot.get(encode(Kind.HEAD)) is None
    assert len(trips) == 1
    with store.transaction() as transaction:
        transaction.fetch(users)
        for user in users:
            transaction.put(user, b"%d" % (1 + int(transaction.get(user) or b"0")))
    assert len(trips) == 3
    store.close()


def test_the_longer_a_node_is_away_the_rarer_anybody_waits_for_it(
    server: ValkeyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(f"valkey://{server.name}/shop{PATIENT}")
    nodes, key = store._nodes, b"{shop:x}"
    monkeypatch.setattr(nodes, "_timeout_s", 0.3)  # From now on: it is not away yet.
    (node,) = nodes.primaries
    with server.paused():
        for lasts_s in (1.0, 2.0, 4.0, 8.0, 8.0):
            (reply,) = nodes.run([ServerCommand(key, [b"GET", key])])
            assert isinstance(reply, StoreUnavailable)
            assert reply.silent
            assert nodes._away[node][1] == lasts_s
            nodes._away[node] = 0.0, lasts_s  # That time is over.
    nodes._away[node] = time.monotonic() + 60.0, 8.0  # And it still counts as away.
    wait_until(lambda: nodes.run([ServerCommand(key, [b"GET", key])]) == [None], "an answer")
    assert not nodes._away
    store.close()


def test_of_any_number_of_commands_each_pipeline_has_its_own_time(
    server: ValkeyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(f"valkey://{server.name}/shop{PATIENT}")
    keys = [b"{shop:%d}" % number for number in range(3000)]
    sent, send = list[int](), store._nodes._send

    def heard(run):  # type: ignore[no-untyped-def] # Of private types.
        sent.append(len(run.left))
        return send(run)

    monkeypatch.setattr(store._nodes, "_send", heard)
    replies = store._nodes.run([ServerCommand(key, [b"SET", key, key]) for key in keys])
    assert replies == [b"OK"] * 3000
    found = store._nodes.run([ServerCommand(key, [b"GET", key]) for key in keys])
    assert (found, max(sent), sum(sent)) == (keys, 1024, 6000)
    store.close()


def test_what_is_long_has_time_for_its_length(
    server: ValkeyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(f"valkey://{server.name}/shop{PATIENT}")
    given_s, read = list[float](), store._nodes._read

    def heard(run, sent):  # type: ignore[no-untyped-def] # Of private types.
        given_s.append(run.deadline - time.monotonic())
        read(run, sent)

    monkeypatch.setattr(store._nodes, "_read", heard)
    rows = [(encode(Kind.RESIDUAL, "set", number), b"x" * 1000) for number in range(40_000)]
    with store.transaction() as transaction:
        for key, value in rows:
            transaction.put(key, value)
    assert max(given_s) > 30.0
    with store.snapshot() as snapshot:
        assert snapshot.get(rows[-1][0]) == rows[-1][1]
    assert given_s[-1] <= 30.0
    store.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ValkeyCluster6]:
    # No failover while a node is away: its replica would answer in its place.
    with valkey_cluster(tmp_path / "six", "--cluster-node-timeout", "60000") as six:
        yield six


def test_a_node_that_is_away_fails_what_lies_there_alone(cluster: ValkeyCluster6) -> None:
    store = opened(cluster.address_of("shop") + "?timeout_ms=2000")
    users = [f"u{number}" for number in range(24)]
    apply(store, [(record(user), b"1") for user in users])
    places = Places("shop")
    victim = cluster.nodes[0]
    nodes = store._nodes
    served = {user: nodes._served[nodes._slot_of(places.user(user).rows)] for user in users}
    there = {user for user, node in served.items() if node == ("127.0.0.1", victim.port)}
    assert 0 < len(there) < len(users)

    def write() -> None:
        with store.transaction() as transaction:
            transaction.fetch([record(user) for user in users])
            for user in users:
                transaction.put(record(user), b"2")

    with store.snapshot() as snapshot, victim.paused():
        snapshot.fetch([record(user) for user in users])
        for user in users:
            if user in there:
                with pytest.raises(StoreUnavailable):
                    snapshot.get(record(user))
            else:
                assert snapshot.get(record(user)) == b"1"
        with pytest.raises((WriteConflict, StoreUnavailable)):
            write()
    store.close()


def test_a_node_that_is_full_or_away_costs_the_users_of_the_others_nothing(
    cluster: ValkeyCluster6,
) -> None:
    engine = opened(cluster.address_of("shop") + "?timeout_ms=2000")
    places, nodes = Places("shop"), engine._nodes

    def port_of(key: bytes) -> int:
        served = nodes._served[nodes._slot_of(key)]
        assert served is not None
        return served[1]

    victim = next(node for node in cluster.nodes[:3] if node.port != port_of(places.catalog.rows))
    keys = {
        user: {places.user(user).rows, user_entry(places, places.user(user)).index}
        for user in (f"u{number}" for number in range(200))
    }
    there = [user for user in keys if port_of(places.user(user).rows) == victim.port][:2]
    others = [user for user in keys if victim.port not in map(port_of, keys[user])][:8]
    store = GuardedStore(engine)

    def write(user: str) -> None:
        with store.transaction() as transaction:
            transaction.put(record(user), b"x" * 1000)

    for user in (*there, *others):
        write(user)

    def others_go_on() -> None:
        assert not store.away
        for user in others:
            write(user)

    victim.command("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(StoreUnavailable, match="is full"):
        write(there[0])
    others_go_on()
    with victim.paused():
        with pytest.raises(StoreUnavailable, match="a server of it did not answer"):
            contents(store, encode(Kind.USER, there[1]))
        others_go_on()
    store.close()


def test_a_store_over_tls_shows_its_certificate_and_checks_the_servers(
    server: ValkeyNode, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "certificates")
    certificate, key = authority.sign("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    with tls_relay(server.port, context) as port:
        address = f"valkeys://localhost:{port}/shop?ca={authority.ca}"
        store = opened(f"{address}&cert={certificate}&key={key}&timeout_ms=30000")
        apply(store, [(record("u1"), b"1")])
        assert contents(store) == [(record("u1"), b"1")]
        store.close()
        stranger = Authority(tmp_path / "others", "stranger")
        untrusted = f"valkeys://localhost:{port}/shop?{PATIENT_OF_REFUSALS}&ca={stranger.ca}"
        for refused, reason in (
            # The server's words may be lost with the connection.
            (
                f"{address}&{PATIENT_OF_REFUSALS}",
                "(it asks for a certificate|.* or asks for cert and key)",
            ),
            (f"{untrusted}&cert={certificate}&key={key}", "its certificate is refused"),
        ):
            with pytest.raises(StoreUnavailable, match=f"^store: localhost:{port}: {reason}"):
                open_store(refused)
    with pytest.raises(StoreUnavailable, match="or speaks none there: then use valkey://"):
        open_store(f"valkeys://{server.name}/shop?timeout_ms=300")


def test_a_last_try_that_is_cut_off_hides_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    links, node = ServerLinks(parse_address("valkey://one:1/shop")), ("one", 1)
    errors = [ssl.SSLEOFError(), valkey.exceptions.TimeoutError(), ConnectionRefusedError()]

    class Refused:
        def __init__(self, **_: object) -> None:
            """Nobody listens."""

        def connect(self) -> None:
            raise errors.pop(0)

    monkeypatch.setattr(links, "_connection", Refused)
    said = []
    while errors:
        with pytest.raises(type(errors[0])):
            links.take(node, 0.0)
        said.append("within TLS" in links.refusal([node]))
    assert said == [True, True, False]


def test_a_file_of_an_address_that_is_none_is_refused_by_its_option_before_any_call(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path / "certificates")
    certificate, key = authority.sign("localhost")
    others_key = Authority(tmp_path / "others").sign("localhost")[1]
    nonsense, locked = tmp_path / "nonsense.pem", tmp_path / "locked.key"
    nonsense.write_text("nonsense")
    subprocess.run(
        ["openssl", "pkey", "-in", key, "-out", locked, "-aes256", "-passout", "pass:secret"],
        check=True,
    )
    for options, option, path, reason in (
        ({"ca": "/nope.pem"}, "ca", "/nope.pem", "No such file or directory"),
        ({"ca": nonsense}, "ca", nonsense, "no certificate"),
        ({"ca": tmp_path}, "ca", tmp_path, ""),
        ({"ca": "%00"}, "ca", "", "null"),
        ({"cert": "/nope.pem", "key": key}, "cert", "/nope.pem", "No such file or directory"),
        ({"cert": nonsense, "key": key}, "cert", nonsense, "no certificate"),
        ({"cert": certificate, "key": "/nope.key"}, "key", "/nope.key", "No such file"),
        ({"cert": certificate, "key": nonsense}, "key", nonsense, ""),
        ({"cert": certificate, "key": others_key}, "key", others_key, "key values mismatch"),
        ({"cert": certificate, "key": locked}, "key", locked, "one with a passphrase"),
    ):
        query = "&".join(f"{name}={value}" for name, value in options.items())
        with pytest.raises(
            ConfigError, match=rf"^store: {option}: got '.*', expected a PEM"
        ) as one:
            open_store(f"valkeys://127.0.0.1:1/shop?{query}")
        assert str(path) in str(one.value)
        assert reason in str(one.value)
