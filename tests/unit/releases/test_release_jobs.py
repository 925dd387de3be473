"""The jobs of releases as a notebook calls them, over a store in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from penchant.config import parse
from penchant.domain.errors import ConfigError
from penchant.logs.impressions import ImpressionsRequest, write_impressions
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.store_log import stream_of_store
from penchant.refresh.rebuild import RebuildRequest, rebuild
from penchant.refresh.refresh import RefreshRequest, refresh, released_settings
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.releases.publish import PublishOutcome, PublishRequest, publish
from penchant.releases.release_list import ListReleasesRequest, list_releases
from penchant.releases.rollback import START, RollbackRequest, roll_back
from penchant.store.keys import Kind, encode
from tests.support.catalogs import head
from tests.support.lasting_store import opened_by_jobs
from tests.support.released import Releasing, load_words, write_words
from tests.support.world import liked

BARE = {"store": "memory:", "encoder": "/e"}


@pytest.fixture
def releasing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Releasing:
    """The jobs open this world's store, since a process can't open an LMDB store twice."""
    store = opened_by_jobs(tmp_path, monkeypatch)
    releasing = Releasing(tmp_path, store=store)
    releasing.world.put(**{f"i{number}": f"word{number} film" for number in range(8)})
    for user in range(4):
        for number in range(user % 2, 6, 2):
            releasing.world.feed(liked(f"{user}-{number}", f"i{number}", user=f"u{user}"))
    return releasing


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, tuple[str, ...]]:
    """Address of the store, and the settings that name the directories beside it."""
    settings = (f"catalog_dir={tmp_path / 'catalog'}", f"releases_dir={tmp_path / 'releases'}")
    return f"lmdb:{tmp_path / 'store'}", settings


def request_of(
    tmp_path: Path, place: tuple[str, tuple[str, ...]], release: str = ""
) -> PublishRequest:
    store, settings = place
    return PublishRequest(
        release or None,
        store=store,
        settings=settings,
        encoder=tmp_path / "first",
        candidate=None if release else tmp_path / "second",
        no_gate=True,
    )


def test_a_release_is_built_served_listed_and_rolled_back(
    releasing: Releasing, tmp_path: Path, place: tuple[str, tuple[str, ...]]
) -> None:
    store, settings = place
    second = load_words(write_words(tmp_path / "second", "second"))
    before, warmed = head(releasing.world), []
    steps: list[str] = []

    def warm(version: str) -> None:
        assert head(releasing.world) == before
        warmed.append(version)

    request = request_of(tmp_path, place)
    result = publish(
        request, lambda step, done: steps.append(step), before_switch=warm, load=load_words
    )
    assert result.outcome is PublishOutcome.SERVED
    assert result.verdict is None
    assert warmed == [second.version] == [result.encoder_version]
    assert head(releasing.world).release == result.release
    assert head(releasing.world).version == result.catalog_version
    assert list(dict.fromkeys(steps))[:2] == ["Reading the log", "Building the release"]

    again = publish(request_of(tmp_path, place, result.release), load=load_words)
    assert again.outcome is PublishOutcome.ALREADY_SERVED
    found = list_releases(ListReleasesRequest(store=store, settings=settings))
    assert [manifest.id for manifest in found.manifests] == [result.release] == [found.served]

    back = RollbackRequest(START, store=store, settings=settings, encoder=tmp_path / "first")
    rolled = roll_back(back, load=load_words)
    assert rolled.head == head(releasing.world)
    assert head(releasing.world).release == ""


def test_a_rollback_without_a_release_ends_the_rollout(
    releasing: Releasing, tmp_path: Path, place: tuple[str, tuple[str, ...]]
) -> None:
    store, settings = place
    write_words(tmp_path / "second", "second")
    request = replace(request_of(tmp_path, place), canary=0.5)
    tried = publish(request, load=load_words)
    assert tried.outcome is PublishOutcome.ON_ROLLOUT
    assert tried.catalog_version == 0
    back = RollbackRequest(store=store, settings=settings, encoder=tmp_path / "first")
    ended = roll_back(back, load=load_words).ended
    assert ended is not None
    assert ended.release == tried.release


def test_without_the_entry_of_the_served_release_a_rollback_asks_for_a_name(
    releasing: Releasing, tmp_path: Path, place: tuple[str, tuple[str, ...]]
) -> None:
    store, settings = place
    write_words(tmp_path / "second", "second")
    narrow = RefreshSettings(window=3)
    publish(replace(request_of(tmp_path, place), refresh=narrow), load=load_words)
    held = releasing.world.store
    assert released_settings(held).window == 3
    with held.transaction() as transaction:
        key, value = list(transaction.scan(encode(Kind.RELEASE)))[-1]
        transaction.put(key, value[:-1])
    assert released_settings(held) == RefreshSettings(), "not those of another release"
    back = RollbackRequest(store=store, settings=settings, encoder=tmp_path / "first")
    with pytest.raises(ConfigError, match="name the one to go back to: start"):
        roll_back(back, load=load_words)
    roll_back(replace(back, release=START), load=load_words)
    assert head(releasing.world).release == ""


def test_a_request_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name a release that was built, or --candidate"):
        PublishRequest(store="lmdb:s")
    with pytest.raises(ConfigError, match="got both, expected one"):
        PublishRequest("r", store="lmdb:s", shadow=0.2, canary=0.1)


def test_a_refresh_and_a_rebuild_say_how_much_they_did(
    releasing: Releasing, place: tuple[str, tuple[str, ...]]
) -> None:
    store, settings = place
    result = refresh(RefreshRequest(store=store, settings=settings, window=3))
    assert (result.events, result.moved) == (12, 6)
    assert result.head == head(releasing.world)
    narrow = (*settings, "window_events=2")
    assert rebuild(RebuildRequest(store=store, settings=narrow)).users == 4
    assert len(releasing.world.record("u0").window) == 2


def test_no_job_on_a_store_ends_at_an_event_of_a_retired_signal(
    releasing: Releasing, tmp_path: Path, place: tuple[str, tuple[str, ...]]
) -> None:
    store, settings = place
    rating = liked("old", "i1", user="u0", signal="rating", value=5.0)
    impression = liked("shown", "i1", user="u0", signal="impression")
    releasing.world.feed(rating, impression)
    signals = '{"like": {"reward": 1}, "impression": {"reward": -0.1, "wait_s": 60}}'
    today = (*settings, f"signals={signals}")
    write_words(tmp_path / "second", "second")
    expected = "events with the signal 'rating', which the signal table does not hold"

    refreshed = refresh(RefreshRequest(store=store, settings=today, window=3))
    assert refreshed.left_out.counts == {expected: 1}
    assert "1 user; add the signal to the table" in refreshed.left_out.first[expected]
    assert rebuild(RebuildRequest(store=store, settings=today)).retired.events == {expected: 1}
    request = replace(request_of(tmp_path, place), settings=today)
    published = publish(request, load=load_words)
    assert published.outcome is PublishOutcome.SERVED
    assert published.left_out.counts == {expected: 1}
    file = ImpressionsRequest(store=store, settings=today, output=tmp_path / "shown.csv")
    assert write_impressions(file).retired.events == {expected: 1}
    with releasing.world.store.snapshot() as snapshot:
        table, left_out = parse({"signals": signals, **BARE}).signals, LeftOut()
        stream_of_store(snapshot, table, parse_relevance("reward>0"), left_out)
    assert left_out.counts == {expected: 1}
    assert left_out.first[expected].startswith("1 user;")
