"""Impressions and their answers, as the fold pairs them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import given

from penchant.domain.event_weights import counted
from penchant.domain.rewards import resolve
from penchant.domain.settings import FoldSettings
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Exposure
from penchant.domain.window import empty_record, entry, insert
from penchant.logs.impressions import good_signals, impressions_of
from penchant.store.lmdb import LmdbStore
from tests.support import command
from tests.support.histories import FILMS, USERS, events
from tests.support.world import NOW_US, World, liked

GOOD = good_signals(DEFAULT_SIGNALS)
NUMBERS = {name: number for number, name in enumerate(sorted(FILMS))}


def shown(event_id: str, item: str, recommendation_id: str = "", chance: float = 0.5) -> Event:
    event = liked(event_id, item, signal="impression", recommendation_id=recommendation_id)
    return dataclasses.replace(event, exposure=Exposure(2, chance, score=1.5))


@given(told=events(max_size=20))
def test_an_impression_has_an_answer_where_the_fold_does_not_count_it(told: list[Event]) -> None:
    long_after = int((NOW_US / 1e6 + 10**6) // 600)
    for user in USERS:
        own = [event for event in told if event.user == user]
        rows = [
            entry(event, NUMBERS[event.item], resolve(DEFAULT_SIGNALS, event.signal, event.value))
            for event in own
        ]
        window = insert(empty_record(), rows, 64).window
        counts = counted(window, long_after, FoldSettings())
        unanswered = {
            int(digest)
            for digest, counts_, wait in zip(window["event"], counts, window["wait_s"], strict=True)
            if counts_ and wait >= 0
        }
        found = {
            one.event.event_id for one in impressions_of(own, DEFAULT_SIGNALS) if not one.answers
        }
        assert len(unanswered) == len(found)


def test_only_the_named_signals_are_a_reward() -> None:
    told = [shown("i1", "toy", "r1"), liked("e1", "toy", signal="skip", recommendation_id="r1")]
    (impression,) = impressions_of(told, DEFAULT_SIGNALS)
    assert impression.reward(GOOD) == 0
    assert impression.reward(frozenset({"skip"})) == 1


def test_an_answer_may_come_before_its_impression_and_from_another_day() -> None:
    click = liked("e1", "toy", signal="click", ago_s=86_400.0, recommendation_id="r1")
    (impression,) = impressions_of([click, shown("i1", "toy", "r1")], DEFAULT_SIGNALS)
    assert impression.reward(GOOD) == 1


def run(*arguments: object) -> str:
    done = command.run(arguments)
    assert done.exit_code == 0, done.output
    return done.output


def refusal(*arguments: object) -> str:
    done = command.run(arguments)
    assert done.exit_code == 1, done.output
    return done.stderr


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A store with a log: `toy` is shown as often as `alien`, and clicked."""
    store = LmdbStore(tmp_path / "store")
    world = World(tmp_path / "catalog", store=store)
    world.put(**FILMS)
    rng = np.random.default_rng(2)
    for number in range(300):
        item = ("toy", "alien")[int(rng.integers(2))]
        impression = shown(f"i{number}", item, f"r{number}")
        place = (("part_of_day", "night"),) if number % 2 else ()
        world.feed(dataclasses.replace(impression, user=f"u{number % 40}", context=place))
        if item == "toy" and rng.random() < 0.8:
            click = liked(f"c{number}", item, signal="click", recommendation_id=f"r{number}")
            world.feed(dataclasses.replace(click, user=f"u{number % 40}"))
    store.close()
    return tmp_path


def test_a_stores_impressions_are_what_ope_reads(place: Path) -> None:
    file = place / "impressions.parquet"
    said = run("impressions", "--store", f"lmdb:{place / 'store'}", "--output", file)
    assert "300 impressions" in said
    assert "300 explored" in said
    rows = pyarrow.parquet.read_table(file).to_pylist()
    assert {row["propensity"] for row in rows} == {0.5}
    assert {row["context.part_of_day"] for row in rows} == {None, "night"}
    assert {row["reward"] for row in rows if row["item"] == "alien"} == {0.0}
    output = run("ope", file, "--policy", "popularity", "--user-column", "user")
    assert "clustered by user" in output
    assert "switch-DR" in output


def test_an_unknown_signal_or_an_empty_log_is_refused(place: Path, tmp_path: Path) -> None:
    store, file = f"lmdb:{place / 'store'}", tmp_path / "out.csv"
    said = refusal("impressions", "--store", store, "--output", file, "--reward", "clik")
    assert "--reward: got 'clik', expected some of: click" in said
    said = refusal("impressions", "--store", store, "--output", tmp_path / "out.txt")
    assert "expected a name in .parquet or .csv" in said
    empty = tmp_path / "empty"
    LmdbStore(empty).close()
    said = refusal("impressions", "--store", f"lmdb:{empty}", "--output", file)
    assert "the log holds none; send an event with the signal" in said
