"""What callers send is in the store alone: never in a log, a metric, an error of others, a file."""

from __future__ import annotations

import base64
import contextlib
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penchant.store.commit_journal import SEGMENTS
from penchant.store.keys import Kind, decode
from penchant.store.lmdb import LmdbStore
from penchant.store.lmdb_file import DATA
from penchant.system.audit_check import read_audit_log, verify_audit_log
from penchant_sdk import Cap, Event, Item, Penchant, ReserveOption
from penchant_sdk.errors import PenchantError, ServerError
from tests.support.serve_process import FILMS, ServeProcess, serving, wait_until

pytestmark = pytest.mark.server

MARK = "zq7secret"
STORE = Path(".penchant/store")
IN_THE_STORE = (DATA, *SEGMENTS)
"""Files that hold rows of the store."""
USER, OTHER, GONE, HURT = (f"{MARK}-{name}@example.org" for name in ("u", "other", "gone", "hurt"))
QUERY = f"{MARK} film with ann.{MARK}@example.org, token ghp_{MARK}abcdefghijklmnopqrstuvwxyz0"


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    root = tmp_path_factory.mktemp("secrets")
    keys = root / "keys"
    keys.write_text(base64.b64encode(bytes(32)).decode())
    keys.chmod(0o600)
    with serving(root, ["--set", f"pseudonym_keys=file:{keys}"]) as running:
        yield running


def each_verb(penchant: Penchant) -> list[Callable[[], object]]:
    """Every verb, well and badly, with the mark wherever a caller may put it."""
    film = FILMS[0].id
    good = Event(USER, film, "like", event_id=f"{MARK}-e", context={"room": MARK})
    shown = ReserveOption(film, [Cap(f"{MARK}-cap", 3, 60)])
    return [
        lambda: penchant.feedback([good, Event(GONE, film, "like"), Event(HURT, film, "like")]),
        lambda: penchant.feedback([Event(OTHER, film, "purchase")]),
        lambda: penchant.feedback([Event(USER, f"{MARK}-item", "like", event_id=f"{MARK}-x")]),
        lambda: penchant.feedback([Event(USER, film, f"{MARK}-signal")]),
        lambda: penchant.feedback([Event(USER, FILMS[1].id, "like", event_id=f"{MARK}-e")]),
        lambda: penchant.feedback([Event(f"{MARK}\x00", film, "like")]),
        lambda: penchant.rank(USER, k=2, query=QUERY, context={"room": MARK}),
        lambda: penchant.rank(USER, k=2, explain=True),
        lambda: penchant.rank(USER, k=2, candidates=[f"{MARK}-item", film]),
        lambda: penchant.rank(f"{MARK}\x01", k=2),
        lambda: penchant.embed([QUERY]),
        lambda: penchant.embed([QUERY], encoder_version=MARK),
        lambda: penchant.reserve(USER, f"{MARK}-r", [shown], n=1),
        lambda: penchant.reserve(USER, f"{MARK}-r", [ReserveOption(f"{MARK}-item", [])], n=1),
        lambda: penchant.user(f"{MARK}-nobody"),
        lambda: penchant.user(USER),
        lambda: penchant.export_user(USER),
        lambda: penchant.get_items([f"{MARK}-item"]),
        lambda: penchant.delete_items([f"{MARK}-item"]),
        lambda: penchant.put_items([Item(f"{MARK}-\x02", MARK)]),
        lambda: penchant.merge_users(OTHER, USER),
        lambda: penchant.forget_user(GONE),
        lambda: penchant.feedback([Event(GONE, film, "like", occurred_at=1.7e9)]),
        lambda: penchant.forget_user(f"{MARK}-nobody"),
    ]


def damage(store: Path) -> None:
    """Makes every row of one user, and one of everybody's, unreadable."""
    opened = LmdbStore(store, map_bytes=0)
    with opened.transaction() as transaction:
        for kind in (Kind.USER, Kind.LOG, Kind.CONTRIBUTION, Kind.OWNED, Kind.LEDGER):
            for key, value in list(transaction.scan(bytes([kind]))):
                transaction.put(key, value[:-1] + bytes([value[-1] ^ 1]))
                assert decode(key)
    opened.close()


def metrics_of(serve: ServeProcess) -> str:
    with urllib.request.urlopen(serve.said("metrics")) as reply:
        return str(reply.read(), "utf-8")


def test_no_secret_is_written_anywhere_but_into_the_store(serve: ServeProcess) -> None:
    with Penchant(serve.target, timeout_s=60, max_attempts=1) as penchant:
        refused: list[PenchantError] = []
        for call in each_verb(penchant):
            try:
                call()
            except PenchantError as error:
                refused.append(error)
        assert len(refused) >= 6
        damage(serve.directory / STORE)
        failed: list[PenchantError] = []
        for call in each_verb(penchant):
            try:
                call()
            except PenchantError as error:
                failed.append(error)
        assert sum(isinstance(error, ServerError) for error in failed) >= 3
        assert not any("p1~" in str(error) for error in [*refused, *failed])
        with contextlib.suppress(PenchantError):
            penchant.forget_user(HURT)
    wait_until(lambda: "penchant_refused_events_total" in metrics_of(serve), "metrics of refusals")
    assert MARK not in "\n".join(serve.lines) + metrics_of(serve)
    searched = 0
    for path in serve.directory.rglob("*"):
        if path.is_file() and path.name not in IN_THE_STORE:
            with contextlib.suppress(FileNotFoundError):  # The server has just replaced it.
                assert MARK.encode() not in path.read_bytes(), path
                searched += 1
    assert searched > 10
    # Of users, the store holds names alone.
    held = b"".join((serve.directory / STORE / name).read_bytes() for name in IN_THE_STORE)
    for user in (USER, OTHER, GONE, HURT):
        assert user.encode() not in held


def test_the_log_names_each_verb_before_its_work(serve: ServeProcess) -> None:
    directory = serve.directory / STORE / "audit"
    verbs = [row.verb for row in read_audit_log(directory)]
    assert {"settings", "export_user", "forget_user", "merge_users", "delete_items"} <= set(verbs)
    assert verify_audit_log(directory).faults == []
