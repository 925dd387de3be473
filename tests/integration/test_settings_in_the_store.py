"""A real server keeps its settings in its store; the commands beside it and the next one follow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from penchant.launch import Server
from penchant.launch.model_parameters import gather, kept_settings_at
from penchant_sdk import Event, Item, Penchant
from tests.support.command import run
from tests.support.printed_commands import commands_in
from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server

TEXTS = [f"a {kind} number {n}" for n, kind in enumerate(["shoe", "coat"] * 6)]
USERS, EACH = 6, 5


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with two encoders and a settings file."""
    directory = tmp_path_factory.mktemp("kept")
    for number in (1, 2):
        write_word_encoder(directory / f"encoder {number}", TEXTS, dimensions=16, seed=number)
    (directory / "penchant.toml").write_text(
        'store = "lmdb:store"\nencoder = "encoder 1"\n'
        '[signals]\nbase = "ads"\nwave = { reward = 0.9 }\n[settings]\nwindow_events = 32\n'
    )
    return directory


@pytest.fixture(scope="module")
def served(place: Path) -> Iterator[Server]:
    """A server with a signal of its own and a window of 32 events."""
    settings = ['signals={"base": "ads", "wave": {"reward": 0.9}}', "window_events=32"]
    parameters = gather(f"lmdb:{place / 'store'}", place / "encoder 1", settings)
    with Server(place / "server", parameters) as running:
        with Penchant(running.target, timeout_s=60.0) as penchant:
            penchant.put_items([Item(str(n), text) for n, text in enumerate(TEXTS)])
            events = [
                Event(f"u{user}", str((user + 2 * n) % len(TEXTS)), "wave")
                for n in range(EACH)
                for user in range(USERS)
            ]
            penchant.feedback(events).raise_for_refused()
        yield running


def test_jobs_beside_a_server_need_no_setting_of_it(
    served: Server, place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # Without a settings file.
    store = f"lmdb:{place / 'store'}"
    refreshed = run(["refresh", "--store", store])
    assert f"Learnt from {USERS * EACH} events" in refreshed.output, refreshed.output
    assert "6 users" in run(["rebuild", "--store", store]).output
    refused = run(["refresh", "--store", store, "--set", "window_events=64"])
    assert re.match(r"penchant: window_events: got 64, expected 32, which the", refused.stderr)
    with Penchant(served.target, timeout_s=60.0) as penchant:
        assert len(penchant.user("u1").window) == EACH


def test_a_release_goes_and_comes_back_as_it_is_printed(
    served: Server, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)  # With one.
    published = run(["publish", "--candidate", "encoder 2", "--no-gate", "--target", served.target])
    assert published.exit_code == 0, published.output
    releases, rollback = commands_in(published.output)
    assert run(releases).exit_code == 0
    back = run(rollback)
    assert "what was there before any release" in back.output, back.output


def test_the_models_themselves_kept_what_the_file_says(served: Server, place: Path) -> None:
    kept = kept_settings_at(f"lmdb:{place / 'store'}")
    assert kept is not None
    assert kept["window_events"] == "32"
    assert '"wave": {"reward": 0.9}' in kept["signals"]
    assert kept["encoder"] == str(place / "encoder 1")
