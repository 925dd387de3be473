"""An LMDB store that holds a row of every kind, and an app that serves it in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grpc import StatusCode

from penchant.config import parse
from penchant.domain.errors import PenchantError
from penchant.encoder.library import EncoderLibrary, load_onnx
from penchant.server.app import App, build
from penchant.server.in_process import GRPC_CODE_OF, MODELS
from penchant.server.triton.errors import CODE_OF, message_of
from penchant.service.meter import SilentMeter
from penchant.store.counters import add_recounted
from penchant.store.keys import Kind
from penchant.store.ledgers import read_ledger
from penchant.store.lmdb import LmdbStore
from penchant.store.name_keys import NameKeys, write_name_keys
from penchant.store.reservation_log import write_past_ledger
from penchant_sdk import Budget, Cap, Event, Item, Penchant, ReserveOption
from penchant_sdk.errors import error_from_status
from tests.support.command import run
from tests.support.word_encoder import write_word_encoder

USERS = tuple("abcdefgh")
HURT = USERS[0]
"""The user whose rows come first in each kind."""
FILMS = {
    f"i{number}": f"film number{number} about {genre}"
    for number, genre in enumerate(["space", "pastry", "crime", "love"] * 3)
}
PAID = Budget("money", 10, 10_000)
MAP_BYTES = 64 << 20


class AppTransport:
    """Carries a client's calls to an app in this process; see `penchant_sdk.Transport`."""

    def __init__(self, app: App) -> None:
        self._app = app

    def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        reply = self._app.handle(payload)
        if isinstance(reply, PenchantError):
            code: StatusCode = GRPC_CODE_OF[CODE_OF[reply.kind]]
            raise error_from_status(code, message_of(reply))
        return reply.SerializeToString()

    def model_ready(self, model: str, timeout_s: float) -> bool:
        return True

    def close(self) -> None:
        pass


def address_of(root: Path) -> str:
    return f"lmdb:{root / 'store'}"


@contextmanager
def served(
    root: Path, encoder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Penchant]:
    """A client of an app over the store of a directory, from its start to its end."""
    given = {"store": address_of(root), "encoder": str(encoder), "store_map_bytes": str(MAP_BYTES)}
    config = parse(given | dict(settings or {}))
    library = EncoderLibrary(load_onnx(encoder), root / "store/releases")
    app = build(MODELS, config, library, SilentMeter())
    try:
        yield Penchant("in process", transport=AppTransport(app), max_attempts=1, timeout_s=20)
    finally:
        app.close()


@dataclass(frozen=True, slots=True)
class RichStore:
    """The store, and what serves it."""

    root: Path
    """Directory of `store`, and of `second`, another encoder."""
    encoder: Path
    """Directory of the encoder that serves."""


def make_rich_store(root: Path) -> RichStore:
    """Makes the store `root/store` with rows of every kind."""
    encoder = write_word_encoder(root / "first", FILMS.values(), 16, seed=1)
    write_word_encoder(root / "second", FILMS.values(), 16, seed=2)
    names = list(FILMS)
    with served(root, encoder) as penchant:
        penchant.put_items([Item(name, text) for name, text in FILMS.items()])
        for number, user in enumerate(USERS):
            chosen = [names[(number + 3 * step) % len(names)] for step in range(4)]
            events = [Event(user, item, "like", event_id=f"{user}-{item}") for item in chosen]
            events.append(Event(user, chosen[0], "purchase", event_id=f"{user}-bought"))
            penchant.feedback(events).raise_for_refused()
            shown = ReserveOption(chosen[1], [Cap("daily", 5, 3600)], PAID)
            penchant.reserve(user, f"r-{user}", [shown], n=1)
            penchant.feedback(
                [Event(user, chosen[1], "impression", recommendation_id=f"r-{user}")]
            ).raise_for_refused()
    store = ["--store", address_of(root)]
    ship = ["ship", *store, "--to", root / "shipped"]
    for forgotten in USERS[-1], USERS[-2]:  # One is gone from the files, of one they don't know.
        ran = run(ship)
        assert ran.exit_code == 0, ran.output
        with served(root, encoder) as penchant:
            penchant.forget_user(forgotten)
    publish = ["publish", *store, "--encoder", encoder, "--no-gate", "--candidate", root / "second"]
    for command in (["refresh", *store], [*publish, "--canary", "0.5"]):
        ran = run(command)
        assert ran.exit_code == 0, ran.output
    with served(root, encoder) as penchant:
        for user in USERS[:-2]:
            penchant.feedback([Event(user, "i5", "like")]).raise_for_refused()
    opened = LmdbStore(root / "store", map_bytes=MAP_BYTES)
    with opened.transaction() as transaction:
        add_recounted(transaction, [1, 2])
        write_name_keys(transaction, NameKeys())
        write_past_ledger(transaction, HURT, read_ledger(transaction, HURT)[:0])
        kinds = {Kind(key[0]) for key, _ in transaction.scan(b"")}
    opened.close()
    assert kinds == set(Kind), f"no row of {set(Kind) - kinds}"
    return RichStore(root, encoder)
