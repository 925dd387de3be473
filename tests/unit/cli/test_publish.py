"""The commands publish, releases and rollback, on a store that a server could have open."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from penchant.encoder.library import EncoderLibrary
from penchant.encoder.onnx import OnnxEncoder
from penchant.store.lmdb import LmdbStore
from tests.support.command import Ran, run
from tests.support.feeder import MAP_BYTES
from tests.support.kinds_shop import ITEMS, fill_with_kinds
from tests.support.word_encoder import write_word_encoder
from tests.support.world import World

USERS = 30


def load(directory: Path) -> OnnxEncoder:
    return OnnxEncoder.load(directory, threads=1)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A store with users who like one kind each, and an encoder that knows the kinds."""
    first = write_word_encoder(tmp_path / "first", ITEMS, dimensions=32, seed=1)
    store = LmdbStore(tmp_path / "store", map_bytes=MAP_BYTES)
    encoders = EncoderLibrary(load(first), tmp_path / "store" / "releases", load)
    world = World(tmp_path / "store" / "catalog", store=store, encoders=encoders)
    fill_with_kinds(world, USERS)
    store.close()
    return tmp_path


def penchant(place: Path, *arguments: str) -> Ran:
    given = [*arguments, "--store", f"lmdb:{place / 'store'}"]
    return run(given)


def publish(place: Path, *arguments: str) -> Ran:
    common = ("--encoder", str(place / "first"), "--validation-fraction", "0.4")
    return penchant(place, "publish", *arguments, *common)


def listed(place: Path) -> dict[str, Any]:
    result = penchant(place, "releases", "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output)
    return found


def test_a_release_is_published_listed_and_taken_back(place: Path) -> None:
    second = write_word_encoder(place / "second", ITEMS, dimensions=32, seed=2)
    result = publish(place, "--candidate", str(second), "--max-loss", "60%", "--weight", "ridge=5")
    assert result.exit_code == 0, result.output
    assert "Served from the next request on" in result.output
    found = listed(place)
    (release,) = found["releases"]
    assert found["served"] == release["id"]
    assert release["score_weights"] == {"ridge": 5.0}
    assert set(release["files"]) >= {"gate.json", "probes.parquet", "items.npz"}
    assert release["metrics"]["NDCG@10"] > 0
    table = penchant(place, "releases").output
    assert "served" in table
    assert release["id"] in table

    back = penchant(place, "rollback", "--encoder", str(place / "first"))
    assert back.exit_code == 0, back.output
    assert listed(place)["served"] == ""
    again = publish(place, release["id"], "--max-loss", "60%")
    assert again.exit_code == 0, again.output
    assert listed(place)["served"] == release["id"]
    assert "nothing is to be done" in publish(place, release["id"]).output


def test_every_file_of_a_release_beside_the_store_is_its_users_alone(place: Path) -> None:
    before = os.umask(0)
    try:
        second = write_word_encoder(place / "second", ITEMS, dimensions=32, seed=1)
        result = publish(place, "--candidate", str(second))
        assert result.exit_code == 0, result.output
    finally:
        os.umask(before)
    store = place / "store"
    assert len(list((store / "releases").rglob("*"))) > 3
    modes = {path: path.stat().st_mode & 0o077 for path in [store, *store.rglob("*")]}
    assert not any(modes.values()), modes


def test_a_bad_candidate_is_refused_with_the_cohort_and_the_figure(place: Path) -> None:
    blind = write_word_encoder(place / "blind", ["nothing of these"], dimensions=32, seed=3)
    # A refresh would give even these texts vectors, so the learnt parts of the score are off too.
    nothing = ("--weight=slow_weight=0", "--weight=fast_weight=0", "--weight=near_weight=0")
    result = publish(place, "--candidate", str(blind), *nothing)
    assert result.exit_code == 2
    assert "gate: refused: " in result.output
    assert "NDCG@10 fell from" in result.output
    assert "Nothing was published." in result.output
    assert listed(place) == {"served": "", "releases": [], "log": []}
    assert not list((place / "store").glob("releases/*"))


def test_build_only_serves_nothing_and_the_id_publishes_it(place: Path) -> None:
    second = write_word_encoder(place / "second", ITEMS, dimensions=32, seed=2)
    common = ("--max-loss", "60%")
    built = publish(place, "--candidate", str(second), "--build-only", *common)
    assert built.exit_code == 0, built.output
    found = listed(place)
    (release,) = found["releases"]
    assert found["served"] == ""
    folder = place / "store" / "releases" / release["id"]
    assert publish(place, str(folder), *common).exit_code == 0
    assert listed(place)["served"] == release["id"]


def test_a_canary_is_listed_as_it_stands_and_rollback_ends_it(place: Path) -> None:
    second = write_word_encoder(place / "second", ITEMS, dimensions=32, seed=2)
    result = publish(place, "--candidate", str(second), "--no-gate", "--canary", "20%")
    assert result.exit_code == 0, result.output
    assert "canary for 20% of the users" in result.output
    found = listed(place)
    assert found["served"] == ""
    table = penchant(place, "releases").output
    assert "on rollout" in table
    assert "canary for 20% of the users" in table
    ended = penchant(place, "rollback", "--encoder", str(place / "first"))
    assert "The canary of" in ended.output
    assert "is ended" in ended.output
    actions = [entry["action"] for entry in listed(place)["log"]]
    assert actions == ["canary", "end"]


def test_a_stock_tritons_repository_gets_a_version(place: Path) -> None:
    second = write_word_encoder(place / "second", ITEMS, dimensions=32, seed=2)
    models = place / "models"
    more = ("--no-gate", "--build-only", "--triton", str(models))
    assert publish(place, "--candidate", str(second), *more).exit_code == 0
    assert (models / "penchant_text_encoder" / "1" / "model.onnx").is_file()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "name a release that was built, or --candidate"),
        (("some", "--candidate", "dir"), "name a release that was built, or --candidate"),
        (("some",), "holds no release.json"),
        (("--candidate", "none"), "is not a directory"),
        (("--candidate", "none", "--weight", "fast=1"), "--weight: got fast, expected one of"),
        (("--candidate", "none", "--max-loss", "lots"), "expected a share such as 1% or 0.01"),
        (("some", "--canary", "5%", "--shadow", "5%"), "got both, expected one"),
    ],
)
def test_what_does_not_fit_is_said(place: Path, arguments: tuple[str, ...], expected: str) -> None:
    result = publish(place, *arguments)
    assert result.exit_code == 1
    assert expected in result.stderr


def test_a_baseline_that_is_not_served_is_refused(place: Path) -> None:
    second = write_word_encoder(place / "second", ITEMS, dimensions=32, seed=2)
    given = ["publish", "--candidate", str(second), "--encoder", str(second)]
    result = penchant(place, *given)
    assert "name the server's encoder with --encoder" in result.stderr


def test_without_a_release_the_next_step_is_said(place: Path) -> None:
    assert "Next: `penchant publish --help`" in penchant(place, "releases").output
    back = penchant(place, "rollback", "--encoder", str(place / "first"))
    assert "no release was ever published" in back.stderr
