"""The settings that belong to a store are kept in it, and two commands can't disagree on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penchant.config import Config, parse
from penchant.domain.errors import ConfigError
from penchant.encoder.bag_of_words import BagOfWords
from penchant.encoder.library import EncoderLibrary
from penchant.evaluation.model_settings import config_of
from penchant.launch.model_parameters import changes_to_store, gather, kept_settings_at
from penchant.launch.server_store import ServerStore, open_server_store
from penchant.refresh.rebuild import RebuildRequest, rebuild
from penchant.server.app import App, build
from penchant.server.kept_settings import OF_THE_MACHINE, follow
from penchant.service.meter import SilentMeter
from penchant.store.codec import SCHEMA_VERSION
from penchant.store.lmdb import LmdbStore
from penchant.store.settings_row import read_settings, write_settings
from tests.support.command import run

MAP = 1 << 26
WRITER, READER = "penchant_feedback", "penchant_rank"


def start(place: Path, model: str, **given: str) -> App:
    """One model of a server on the store of a place, as Triton starts it."""
    parameters = {"store": f"lmdb:{place}", "encoder": "/enc", "store_map_bytes": str(MAP), **given}
    encoders = EncoderLibrary(BagOfWords())
    return build([model], parse(parameters), encoders, SilentMeter())


def serve(place: Path, **given: str) -> None:
    """Starts the writing model of a server with settings, and stops it."""
    start(place, WRITER, **given).close()


def address(place: Path) -> str:
    return f"lmdb:{place}"


@contextmanager
def opened(place: Path, *settings: str) -> Iterator[ServerStore]:
    with open_server_store(address(place), settings) as server:
        yield server


def test_what_the_server_was_given_is_what_every_job_works_with(tmp_path: Path) -> None:
    serve(tmp_path, signals="ads", window_events="64", fast_weight="6", offset_half_life_s="60")
    with opened(tmp_path) as server:
        config = server.config
    assert config.signals.keys() == parse_signals("ads")
    assert (config.fold.window_events, config.fold.fast_weight) == (64, 6.0)
    assert config.offset_half_life_s == 60.0


def parse_signals(names: str) -> set[str]:
    return {*parse({"store": "memory:", "encoder": "e", "signals": names}).signals}


def test_a_server_that_is_given_less_goes_on_with_what_the_store_keeps(tmp_path: Path) -> None:
    serve(tmp_path, window_events="64")
    serve(tmp_path, fast_weight="6")
    kept = kept_settings_at(address(tmp_path))
    assert kept == {"encoder": "/enc", "window_events": "64", "fast_weight": "6.0"}
    store = LmdbStore(tmp_path, map_bytes=0)
    config = follow(store, Config(address(tmp_path), Path("/enc")))
    store.close()
    assert (config.fold.window_events, config.fold.fast_weight) == (64, 6.0)


def test_the_settings_of_one_machine_are_not_kept(tmp_path: Path) -> None:
    serve(tmp_path, encoder_threads="3", encoder_runtime="onnxruntime", encoder_fallback="false")
    kept = kept_settings_at(address(tmp_path))
    assert kept is not None
    assert not kept.keys() & OF_THE_MACHINE


@pytest.mark.parametrize(
    "setting", ["window_events=64", "signals=games", "fast_weight=3", "offset_half_life_s=9"]
)
@pytest.mark.parametrize("command", ["refresh", "rollback", "releases", "publish"])
def test_a_job_with_another_setting_than_the_store_is_refused_with_both_values(
    tmp_path: Path, setting: str, command: str
) -> None:
    serve(tmp_path, window_events="32", fast_weight="6")
    more = ["--candidate", "none"] if command == "publish" else []
    result = run([command, *more, "--store", address(tmp_path), "--set", setting])
    name = setting.partition("=")[0]
    assert result.exit_code == 1
    said = rf"penchant: {name}: got .*, expected .*, which the server keeps in the store; leave it"
    assert re.match(said, result.stderr), result.stderr


def test_the_same_setting_given_again_or_one_of_the_machine_is_no_difference(
    tmp_path: Path,
) -> None:
    serve(tmp_path, window_events="32", ridge="5")
    with opened(tmp_path, "ridge=5.0", "window_events=32", "encoder_threads=4") as server:
        assert server.config.encoder_threads == 4


def test_a_store_that_no_server_of_this_release_has_opened_takes_what_is_given(
    tmp_path: Path,
) -> None:
    LmdbStore(tmp_path, map_bytes=MAP).close()
    with opened(tmp_path, "window_events=8") as server:
        assert server.config.fold.window_events == 8


def test_rebuild_may_change_signals_and_window_and_the_store_keeps_them(tmp_path: Path) -> None:
    serve(tmp_path, window_events="32")
    settings = ("window_events=16", "signals=ads")
    done = rebuild(RebuildRequest(store=address(tmp_path), settings=settings))
    assert done.kept == ("signals", "window_events")
    with opened(tmp_path) as server:
        assert server.config.fold.window_events == 16
        assert server.config.signals.keys() == parse_signals("ads")
    with pytest.raises(ConfigError, match=r"ridge: got 3.0, expected 10.0"):
        rebuild(RebuildRequest(store=address(tmp_path), settings=("ridge=3",)))


def test_an_evaluation_of_a_store_begins_from_its_settings_and_may_try_others(
    tmp_path: Path,
) -> None:
    serve(tmp_path, window_events="32", fast_weight="6")
    config = config_of(None, ["fast_weight=3"], address(tmp_path))
    assert (config.fold.window_events, config.fold.fast_weight) == (32, 3.0)
    assert config.encoder == Path("/enc")


def test_the_encoder_that_served_a_store_is_that_of_every_job_and_of_the_next_server(
    tmp_path: Path,
) -> None:
    serve(tmp_path)
    assert gather(address(tmp_path), None)["encoder"] == "/enc"
    with open_server_store(address(tmp_path), (), None) as server:
        assert server.config.encoder == Path("/enc")


def test_a_change_at_a_start_is_said_and_applies(tmp_path: Path) -> None:
    serve(tmp_path, window_events="32")
    parameters = gather(address(tmp_path), Path("/enc"), ["window_events=64"])
    assert changes_to_store(parameters) == {"window_events": ("64", "32")}
    serve(tmp_path, window_events="64")
    with opened(tmp_path) as server:
        assert server.config.fold.window_events == 64


def test_a_setting_kept_by_a_newer_release_does_not_disturb(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, map_bytes=MAP)
    with store.transaction() as transaction:
        write_settings(transaction, {"of_the_future": "1", "ridge": "3.0"})
    with store.snapshot() as snapshot:
        assert read_settings(snapshot) == {"of_the_future": "1", "ridge": "3.0"}
    store.close()
    with opened(tmp_path) as server:
        assert server.config.fold.ridge == 3.0
    assert SCHEMA_VERSION >= 4


def test_config_show_names_the_store_as_the_source(tmp_path: Path) -> None:
    serve(tmp_path, window_events="32")
    shown = run(["config", "show", "--store", address(tmp_path)]).stdout
    assert re.search(r"^window_events = 32 +# kept in the store$", shown, re.MULTILINE)
    assert re.search(r'^encoder = "/enc" +# kept in the store$', shown, re.MULTILINE)
