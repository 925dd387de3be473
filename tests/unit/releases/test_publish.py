"""A release under running services: what readers see before it, during it and after a rollback."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.encoder.library import EncoderLibrary
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.releases.loaded_release import install_release, load_release
from penchant.releases.switch import SWITCH, switch_to
from penchant.service.explain import Explanation
from penchant.service.rank import RankRequest
from penchant.store.item_residuals import read_residual
from penchant.store.items import read_text_vector
from penchant.store.refresh_note import read_refresh_note
from penchant.store.releases import read_releases
from tests.support.catalogs import assert_same_catalog, head, ranked, second_reader
from tests.support.released import Releasing, load_words
from tests.support.world import World, liked

TEXTS = {f"i{number}": f"word{number} film" for number in range(8)}


@pytest.fixture
def releasing(tmp_path: Path) -> Releasing:
    """Four users, each liking the even or the odd items, and a refreshed catalog."""
    releasing = Releasing(tmp_path)
    world = releasing.world
    world.put(**TEXTS)
    for user in range(4):
        for place, number in enumerate(range(user % 2, 6, 2)):
            ago_s = 1000.0 - place
            world.feed(liked(f"{user}-{number}", f"i{number}", user=f"u{user}", ago_s=ago_s))
    refresh_store(world.store, world.directory, world.config, RefreshSettings())
    return releasing


def test_a_release_is_served_from_the_next_request_on(releasing: Releasing) -> None:
    world, before = releasing.world, head(releasing.world)
    ranked(world, "u0")
    manifest = releasing.build("second", dimensions=8)
    after = releasing.publish(manifest.id)
    reply = world.rank(RankRequest("u0", 8))
    assert (reply.encoder_version, reply.catalog_version) == (manifest.encoder_version, 3)
    assert (after.version, after.dimensions) == (before.version + 1, 8)
    assert after.release == manifest.id
    assert_same_catalog(world.view(), second_reader(world))


def test_it_ranks_as_a_server_that_never_had_another(releasing: Releasing, tmp_path: Path) -> None:
    manifest = releasing.build("second")
    releasing.publish(manifest.id)
    fresh = Releasing(tmp_path / "fresh")
    fresh.world.put(**TEXTS)
    release = load_release(releasing.releases / manifest.id, "publish", load_words)
    install_release(releasing.releases / manifest.id, fresh.releases)
    switch_to(fresh.world.store, fresh.world.directory, fresh.world.config, release)
    for user in range(4):
        rows = releasing.world.log(f"u{user}")
        fresh.world.feed(*(row.event for row in rows))
    refresh_store(fresh.world.store, fresh.world.directory, fresh.world.config, RefreshSettings())
    for user in range(4):
        expected = personal(releasing.world, f"u{user}")
        assert personal(fresh.world, f"u{user}") == pytest.approx(expected, abs=1e-6)


def test_a_server_without_a_log_begins_with_what_the_release_learnt(
    releasing: Releasing, tmp_path: Path
) -> None:
    manifest = releasing.build("second")
    elsewhere = Releasing(tmp_path / "elsewhere")
    there = elsewhere.world
    there.put(new="a film that the release never saw", **TEXTS)
    folder = install_release(releasing.releases / manifest.id, elsewhere.releases)
    release = load_release(folder, "publish", load_words)
    switch_to(there.store, there.directory, releasing.world.config, release)
    releasing.publish(manifest.id)
    ours, theirs = releasing.world.view(), there.view()
    for id_ in TEXTS:
        one, two = ours.numbers.get(id_), theirs.numbers.get(id_)
        np.testing.assert_array_equal(ours.vectors[one], theirs.vectors[two])
    assert (ours.neighbours["strength"] > 0).sum() == (theirs.neighbours["strength"] > 0).sum() > 0
    # A clock there must not replace them by what a few events teach.
    with there.store.snapshot() as snapshot, releasing.world.store.snapshot() as own:
        note, other = read_refresh_note(snapshot), read_refresh_note(own)
    assert (note.elsewhere, note.events) == (True, manifest.data["events"])
    assert (other.elsewhere, other.events) == (False, manifest.data["events"])


def test_score_weights_come_and_go_with_the_release(releasing: Releasing) -> None:
    world = releasing.world
    fast = sum(part.fast for part in explained(world).values())
    manifest = releasing.build("first", weights={"fast_weight": 0.0, "near_weight": 0.25})
    releasing.publish(manifest.id)
    assert fast != 0
    assert [part.fast for part in explained(world).values()] == [0.0] * 8
    assert world.view().settings.near_weight == 0.25
    releasing.roll_back()
    assert sum(part.fast for part in explained(world).values()) == pytest.approx(fast)


def test_going_back_gives_the_old_rankings_and_encodes_nothing(releasing: Releasing) -> None:
    world = releasing.world
    before = [ranked(world, f"u{user}") for user in range(4)]
    manifest = releasing.build("second", dimensions=8)
    releasing.publish(manifest.id)
    assert [ranked(world, f"u{user}") for user in range(4)] != before
    after = releasing.roll_back()
    assert [ranked(world, f"u{user}") for user in range(4)] == before
    assert (after.release, after.encoder_version) == ("", world.encoder.version)
    assert_same_catalog(world.view(), second_reader(world))


def test_going_back_twice_does_not_come_forward_again(releasing: Releasing) -> None:
    second, third = releasing.build("second"), releasing.build("third")
    releasing.publish(second.id)
    releasing.publish(third.id)
    assert releasing.roll_back().release == second.id
    assert releasing.roll_back().release == ""
    with pytest.raises(ConfigError, match="nothing was served before the first release"):
        releasing.roll_back()
    assert releasing.roll_back(to=third.id).release == third.id
    with releasing.world.store.snapshot() as snapshot:
        actions = [(entry.action, entry.release) for entry in read_releases(snapshot)]
    assert actions == [
        ("start", ""),
        ("publish", second.id),
        ("publish", third.id),
        ("rollback", second.id),
        ("rollback", ""),
        ("rollback", third.id),
    ]


def test_going_back_without_a_release_is_refused(releasing: Releasing) -> None:
    with pytest.raises(ConfigError, match="no release was ever published"):
        releasing.roll_back()
    manifest = releasing.build("second")
    releasing.publish(manifest.id)
    with pytest.raises(ConfigError, match="expected a release that was served before"):
        releasing.roll_back(to="0123456789abcdef")


def test_items_put_after_the_build_are_in_the_release(releasing: Releasing) -> None:
    manifest = releasing.build("second")
    releasing.world.put(new="a new film", i0="word0 with another text")
    releasing.publish(manifest.id)
    encoder = load_words(releasing.releases / manifest.id / "encoder")
    view = releasing.world.view()
    number = view.numbers["new"]
    np.testing.assert_array_equal(view.vectors[number], encoder.encode(["a new film"])[0])
    releasing.world.put(later="put under the release")
    view = releasing.world.view()
    later = view.vectors[view.numbers["later"]]
    np.testing.assert_array_equal(later, encoder.encode(["put under the release"])[0])
    releasing.roll_back()
    assert len(ranked(releasing.world, "u0")) == 10


def test_items_put_while_it_is_published_are_in_the_release(releasing: Releasing) -> None:
    manifest = releasing.build("second")

    def on_step(step: str, done: float) -> None:
        if step == SWITCH:
            releasing.world.put(late="put at the last moment")

    releasing.publish(manifest.id, on_step)
    encoder = load_words(releasing.releases / manifest.id / "encoder")
    view = releasing.world.view()
    late = view.vectors[view.numbers["late"]]
    np.testing.assert_array_equal(late, encoder.encode(["put at the last moment"])[0])


class Interrupted:
    """An encoder that is overtaken by a release while it works."""

    def __init__(self, inner: EncoderLibrary, releasing: Releasing, release: str) -> None:
        self._inner = inner.default
        self._releasing = releasing
        self._release = release
        self.version = self._inner.version
        self.dimensions = self._inner.dimensions

    def encode(self, texts: Sequence[str]) -> Matrix:
        vectors = self._inner.encode(texts)
        if head(self._releasing.world).release != self._release:
            self._releasing.publish(self._release)
        return vectors


@pytest.fixture
def overtaken(releasing: Releasing) -> tuple[World, str]:
    """Services over the same store; a release overtakes their encoder at its first call."""
    release = releasing.build("second", dimensions=8)
    old = releasing.world
    interrupted = Interrupted(EncoderLibrary(old.encoder), releasing, release.id)
    library = EncoderLibrary(interrupted, releasing.releases, load_words)
    world = World(old.directory, store=old.store, encoder=old.encoder, encoders=library)
    return world, release.encoder_version


def test_a_query_that_a_release_overtakes_is_encoded_again(
    overtaken: tuple[World, str], releasing: Releasing
) -> None:
    world, version = overtaken
    reply = world.rank(RankRequest("u0", 8, query="word3"))
    assert reply.encoder_version == version
    again = releasing.world.rank(RankRequest("u0", 8, query="word3"))
    assert (reply.ids, reply.scores) == (again.ids, again.scores)


def test_a_put_that_a_release_overtakes_is_encoded_again(overtaken: tuple[World, str]) -> None:
    world, version = overtaken
    world.put(late="a late film")
    view = world.view()
    with world.store.snapshot() as snapshot:
        expected = read_text_vector(snapshot, version, "a late film")
    assert expected is not None
    np.testing.assert_array_equal(view.vectors[view.numbers["late"]], expected)
    assert view.head.encoder_version == version


def test_vectors_of_the_latest_three_releases_stay(releasing: Releasing) -> None:
    versions = [releasing.world.encoder.version]
    for seed in ("second", "third", "fourth"):
        manifest = releasing.build(seed)
        versions.append(manifest.encoder_version)
        releasing.publish(manifest.id)
    with releasing.world.store.snapshot() as snapshot:
        texts = [read_text_vector(snapshot, version, TEXTS["i0"]) for version in versions]
        residuals = [read_residual(snapshot, version, 0) for version in versions]
    assert [vector is not None for vector in texts] == [False, True, True, True]
    assert [vector is not None for vector in residuals] == [False, True, True, True]
    assert releasing.roll_back(to="").release == ""
    assert len(ranked(releasing.world, "u0")) == 8


def test_records_are_untouched(releasing: Releasing) -> None:
    record = releasing.world.record_bytes("u0")
    releasing.publish(releasing.build("second", dimensions=8).id)
    assert releasing.world.record_bytes("u0") == record


def test_after_a_lost_directory_the_release_is_still_served(releasing: Releasing) -> None:
    manifest = releasing.build("second", weights={"near_weight": 0.0})
    releasing.publish(manifest.id)
    before = personal(releasing.world, "u0")
    for file in releasing.world.directory.iterdir():
        file.unlink()
    world = World(releasing.world.directory, store=releasing.world.store)
    assert personal(world, "u0") == pytest.approx(before, abs=1e-6)
    assert head(world).release == manifest.id


def explained(world: World, user: str = "u0") -> dict[str, Explanation]:
    reply = world.rank(RankRequest(user, 8, explain=True))
    assert reply.explanations is not None
    return dict(zip(reply.ids, reply.explanations, strict=True))


def personal(world: World, user: str) -> dict[str, float]:
    """Scores without the live offsets, which follow within a second."""
    parts = explained(world, user).items()
    return {id_: part.slow + part.fast + part.near for id_, part in parts}
