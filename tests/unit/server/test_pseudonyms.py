"""Pseudonyms: the store never sees an id, replies name users as callers do, keys can be added."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.launch.rotate_pseudonyms import RotatePseudonymsRequest, rotate_pseudonyms
from penchant.store import renamed_users
from penchant.store.base import Transaction
from penchant.store.lmdb_file import DATA
from penchant.system.pseudonym_keys import new_key, read_pseudonym_keys
from penchant_sdk import Cap, Event, EventStatus, Item, Penchant, ReserveOption
from penchant_sdk.errors import UserNotFound
from tests.support.rich_store import address_of, served
from tests.support.word_encoder import write_word_encoder

SECRET = "ann.secret@example.org"
FILMS = {"space": "a film about space", "crime": "a film about crime"}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_word_encoder(tmp_path_factory.mktemp("encoder") / "e", FILMS.values(), 16, seed=1)


def key_file(root: Path, keys: int) -> str:
    path = root / "keys"
    lines = [base64.b64encode(bytes([number]) * 32).decode() for number in range(keys)]
    path.write_text("# oldest first\n" + "\n".join(lines))
    path.chmod(0o600)
    return f"file:{path}"


@contextmanager
def server(root: Path, encoder: Path, keys: int) -> Iterator[Penchant]:
    settings = {"pseudonym_keys": key_file(root, keys)} if keys else {}
    with served(root, encoder, settings) as penchant:
        yield penchant


def meet(penchant: Penchant, user: str) -> list[Event]:
    """Items, events, a purchase and a reservation of a user."""
    penchant.put_items([Item(name, text) for name, text in FILMS.items()])
    events = [
        Event(user, "space", "like", event_id="e1"),
        Event(user, "crime", "purchase", event_id="e2"),
    ]
    penchant.feedback(events).raise_for_refused()
    penchant.reserve(user, "r", [ReserveOption("space", [Cap("c", 5, 60)])], n=1)
    return events


def rotate(root: Path, keys: int) -> int:
    setting = f"pseudonym_keys={key_file(root, keys)}"
    return rotate_pseudonyms(
        RotatePseudonymsRequest(store=address_of(root), settings=(setting,))
    ).names


def test_the_store_never_sees_an_id_and_replies_name_users_as_callers_do(
    tmp_path: Path, encoder: Path
) -> None:
    with server(tmp_path, encoder, 2) as penchant:
        events = meet(penchant, SECRET)
        assert penchant.user(SECRET).user == SECRET
        export = penchant.export_user(SECRET)
        assert [row.event.user for row in export.events] == [SECRET] * 2
        assert {row.kind for row in export.kept} >= {"own_items", "reservations", "contributions"}
        assert not penchant.rank(SECRET, k=1).cold_start
        with pytest.raises(UserNotFound, match=r"no event of 'ben@example.org'"):
            penchant.user("ben@example.org")
        assert penchant.merge_users(SECRET, "later@example.org").moved_events == 2
        receipt = penchant.forget_user("later@example.org")
        assert penchant.forget_user("later@example.org") == receipt
        again = replace(events[0], user="later@example.org")
        (result,) = penchant.feedback([again]).results
        assert (result.status, result.reason) == (EventStatus.REFUSED, "UserForgotten")
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file():
            assert b"example.org" not in path.read_bytes(), path


@pytest.mark.parametrize("before", [0, 1])
def test_a_new_key_renames_everybody_and_nothing_else_changes(
    tmp_path: Path, encoder: Path, before: int
) -> None:
    with server(tmp_path, encoder, before) as penchant:
        old_events = meet(penchant, "gone")
        penchant.forget_user("gone")
        events = meet(penchant, SECRET)
        exported, ranked = penchant.export_user(SECRET), penchant.rank(SECRET, k=2).ids
    assert rotate(tmp_path, before + 2) == 4  # A user and a tombstone, through two keys.
    assert b"example.org" not in (tmp_path / "store" / DATA).read_bytes()
    with server(tmp_path, encoder, before + 2) as penchant:
        assert penchant.export_user(SECRET) == exported
        assert penchant.rank(SECRET, k=2).ids == ranked
        (known,) = penchant.feedback(events[:1]).results
        assert known.status is EventStatus.DUPLICATE
        (old,) = penchant.feedback(old_events[:1]).results
        assert old.reason == "UserForgotten"
        assert penchant.forget_user(SECRET).deleted["contributions"] == 2


def test_a_killed_rotation_goes_on_and_no_server_starts_meanwhile(
    tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [f"user{number}" for number in range(8)]
    with server(tmp_path, encoder, 1) as penchant:
        for user in users:
            meet(penchant, user)
        exported = [penchant.export_user(user) for user in users]
    rename = renamed_users.rename_user
    done: list[str] = []

    def dying(transaction: Transaction, user: str, key: bytes) -> None:
        if len(done) == 3:
            raise KeyboardInterrupt
        rename(transaction, user, key)
        done.append(user)

    monkeypatch.setattr("penchant.launch.rotate_pseudonyms.rename_user", dying)
    monkeypatch.setattr("penchant.store.short_transactions.HELD_S", 0.0)
    with pytest.raises(KeyboardInterrupt):
        rotate(tmp_path, 2)
    for keys in (1, 2):
        with (
            pytest.raises(ConfigError, match="a change of keys is under way"),
            server(tmp_path, encoder, keys),
        ):
            pass
    monkeypatch.undo()
    assert rotate(tmp_path, 2) == 5
    assert rotate(tmp_path, 2) == 0
    with server(tmp_path, encoder, 2) as penchant:
        assert [penchant.export_user(user) for user in users] == exported


def test_a_server_with_other_keys_than_its_stores_does_not_start(
    tmp_path: Path, encoder: Path
) -> None:
    with server(tmp_path, encoder, 0) as penchant:
        meet(penchant, "ann")
    with (
        pytest.raises(ConfigError, match=r"got 1 keys, expected .* plain ids"),
        server(tmp_path, encoder, 1),
    ):
        pass
    rotate(tmp_path, 2)
    for keys in (1, 3):
        with (
            pytest.raises(ConfigError, match=r"expected those of the store, which has 2 keys"),
            server(tmp_path, encoder, keys),
        ):
            pass
    with server(tmp_path, encoder, 2) as penchant:
        assert penchant.user("ann").state_version == 2
    with pytest.raises(ConfigError, match="expected first the 2 that"):
        rotate(tmp_path, 1)


def test_no_rotation_beside_a_server(tmp_path: Path, encoder: Path) -> None:
    with server(tmp_path, encoder, 0) as penchant:
        meet(penchant, "ann")
        setting = f"pseudonym_keys={key_file(tmp_path, 1)}"
        command = ["pseudonyms", "rotate", "--store", address_of(tmp_path), "--set", setting]
        ran = subprocess.run(
            [sys.executable, "-m", "penchant.cli.main", *command], capture_output=True, text=True
        )
        assert ran.returncode == 1
        assert "got a second server" in ran.stderr
        assert penchant.user("ann").state_version == 2


@pytest.mark.parametrize(
    ("text", "mode", "problem"),
    [
        ("", 0o600, "got no key in"),
        ("c2hvcnQ=", 0o600, "is no base64 of 32 bytes or more"),
        (base64.b64encode(bytes(32)).decode(), 0o644, "others may read"),
        ("\n".join([base64.b64encode(bytes(32)).decode()] * 2), 0o600, "got a key twice"),
    ],
)
def test_a_bad_file_of_keys_is_refused_without_a_word_of_it(
    tmp_path: Path, text: str, mode: int, problem: str
) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=problem) as refused:
        read_pseudonym_keys(f"file:{path}")
    assert not text or text not in str(refused.value)


def test_keys_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [new_key(), new_key()]
    monkeypatch.setenv("NAMES_OF_USERS", ",".join(keys))
    found = read_pseudonym_keys("env:NAMES_OF_USERS")
    assert [base64.b64encode(key).decode() for key in found] == keys
