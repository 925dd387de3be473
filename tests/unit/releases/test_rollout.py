"""A rollout under running services: the users who see it, the cases it counts, and its end."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.errors import ConfigError
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.releases.release_rollout import read_standing, stop_rollout
from penchant.service.rank import Ranking, RankRequest
from penchant.store.releases import read_log_of_releases
from penchant.store.rollouts import read_rollout
from tests.support.released import Releasing, load_words
from tests.support.world import World, liked

TEXTS = {f"i{number}": f"word{number} film" for number in range(8)}
USERS = [f"u{number}" for number in range(40)]


@pytest.fixture
def releasing(tmp_path: Path) -> Releasing:
    releasing = Releasing(tmp_path)
    world = releasing.world
    world.put(**TEXTS)
    for place, user in enumerate(USERS):
        for number in range(place % 2, 6, 2):
            ago_s = 1000.0 - number
            world.feed(liked(f"{user}-{number}", f"i{number}", user=user, ago_s=ago_s))
    refresh_store(world.store, world.directory, world.config, RefreshSettings())
    return releasing


def ranking(world: World, user: str) -> tuple[str, list[str], list[float]]:
    reply = world.rank(RankRequest(user, 8, query="word3"))
    return reply.encoder_version, reply.ids, reply.scores


def personal(world: World, user: str) -> dict[str, float]:
    """Scores without the live offsets, which follow within a second."""
    reply = world.rank(RankRequest(user, 8, query="word3", explain=True))
    assert reply.explanations is not None
    parts = zip(reply.ids, reply.explanations, strict=True)
    return {id_: one.slow + one.fast + one.near + one.repeat + one.query for id_, one in parts}


def twin(releasing: Releasing, root: Path) -> Releasing:
    """A second server as this one was before the rollout, to publish the release to everybody."""
    copy = Releasing(root)
    shutil.copytree(releasing.releases, copy.releases)
    copy.world.put(**TEXTS)
    for user in USERS:
        copy.world.feed(*(row.event for row in releasing.world.log(user)))
    return copy


def test_users_of_the_share_see_the_candidate_and_the_others_what_they_saw(
    releasing: Releasing, tmp_path: Path
) -> None:
    world = releasing.world
    before = {user: ranking(world, user) for user in USERS}
    manifest = releasing.build("second", dimensions=8)
    rollout = releasing.begin(manifest.id, "canary", 0.5)
    inside = [user for user in USERS if rollout.tries(user)]
    assert 5 < len(inside) < 35
    other = twin(releasing, tmp_path / "twin")
    other.publish(manifest.id)
    for user in USERS:
        version, ids, scores = ranking(world, user)
        if user not in inside:
            assert (version, ids, scores) == before[user]
            continue
        assert version == manifest.encoder_version
        assert personal(world, user) == pytest.approx(personal(other.world, user), abs=1e-5)


def test_a_shadow_changes_no_reply(releasing: Releasing) -> None:
    before = {user: ranking(releasing.world, user) for user in USERS}
    manifest = releasing.build("second", dimensions=8)
    releasing.begin(manifest.id, "shadow", 1.0)
    assert {user: ranking(releasing.world, user) for user in USERS} == before


def test_a_shadow_counts_hits_of_both_sides_before_the_event_is_learnt(
    releasing: Releasing,
) -> None:
    manifest = releasing.build("second", dimensions=8)
    rollout = releasing.begin(manifest.id, "shadow", 0.5)
    for user in USERS:
        releasing.world.feed(liked(f"new-{user}", "i7", user=user))
        releasing.world.feed(liked(f"again-{user}", "i7", user=user))
        releasing.world.feed(liked(f"new-{user}", "i7", user=user))  # A repetition.
    with releasing.world.store.snapshot() as snapshot:
        found = read_standing(snapshot)
    assert found is not None
    inside = sum(rollout.tries(user) for user in USERS)
    assert found[1].cases == (inside, inside)
    assert found[1].means == (1.0, 1.0)  # Eight items: all are among the first ten.
    assert found[1].overlap == 1.0


def test_a_canary_counts_rewards_in_and_out_of_the_share(releasing: Releasing) -> None:
    manifest = releasing.build("second", dimensions=8)
    rollout = releasing.begin(manifest.id, "canary", 0.5)
    for user in USERS:
        signal = "dislike" if rollout.tries(user) else "like"
        releasing.world.feed(liked(f"new-{user}", "i7", user=user, signal=signal))
        releasing.world.feed(liked(f"seen-{user}", "i6", user=user, signal="impression"))
    with releasing.world.store.snapshot() as snapshot:
        found = read_standing(snapshot)
    assert found is not None
    inside = sum(rollout.tries(user) for user in USERS)
    assert found[1].cases == (len(USERS) - inside, inside)
    assert found[1].means[0] > 0 > found[1].means[1]


def test_a_worse_canary_is_ended_by_the_server_and_the_next_ranking_is_the_old_one(
    releasing: Releasing,
) -> None:
    world = releasing.world
    manifest = releasing.build("second", dimensions=8)
    rollout = releasing.begin(manifest.id, "canary", 0.5, min_cases=50)
    mine = next(user for user in USERS if rollout.tries(user))
    assert ranking(world, mine)[0] == manifest.encoder_version
    fed = 0
    for number in range(3000):
        user = f"v{number}"
        good = number % 10 < (2 if rollout.tries(user) else 8)
        signal = "like" if good else "dislike"
        world.feed(liked(f"n{number}", f"i{number % 8}", user=user, signal=signal))
        fed += 1
        with world.store.snapshot() as snapshot:
            if read_rollout(snapshot) is None:
                break
    assert 100 <= fed < 1500
    assert ranking(world, mine)[0] == world.encoder.version
    with world.store.snapshot() as snapshot:
        last = read_log_of_releases(snapshot)[-1]
    assert (last.action, last.release) == ("end", manifest.id)
    assert last.note.startswith("by itself: mean reward ")


def test_items_put_and_deleted_during_a_rollout_are_so_for_both(releasing: Releasing) -> None:
    world = releasing.world
    manifest = releasing.build("second", dimensions=8)
    rollout = releasing.begin(manifest.id, "canary", 0.5)
    world.put(late="a late film")
    world.catalog.delete(["i0"])
    encoder = load_words(releasing.releases / manifest.id / "encoder")
    for user in USERS:
        reply = world.rank(RankRequest(user, 20))
        assert "late" in reply.ids
        assert "i0" not in reply.ids
    with world.store.snapshot() as snapshot:
        view = world.catalogs.read(snapshot).candidate
    assert view is not None
    assert view.head.release == rollout.release
    late = view.vectors[view.numbers["late"]]
    np.testing.assert_array_equal(late, encoder.encode(["a late film"])[0])


def test_a_refresh_during_a_rollout_refreshes_both(releasing: Releasing) -> None:
    world = releasing.world
    manifest = releasing.build("second", dimensions=8)
    releasing.begin(manifest.id, "canary", 0.5)
    with world.store.snapshot() as snapshot:
        before = world.catalogs.read(snapshot)
    for user in USERS[:20]:
        world.feed(liked(f"x-{user}", "i6", user=user), liked(f"y-{user}", "i7", user=user))
    refresh_store(world.store, world.directory, world.config, RefreshSettings())
    with world.store.snapshot() as snapshot:
        after = world.catalogs.read(snapshot)
    for old, new in ((before.served, after.served), (before.candidate, after.candidate)):
        assert old is not None
        assert new is not None
        assert new.head.version > old.head.version
        assert not np.array_equal(new.vectors[7], old.vectors[7])


def test_publishing_to_all_and_going_back_end_a_rollout(releasing: Releasing) -> None:
    world = releasing.world
    second, third = releasing.build("second"), releasing.build("third")
    releasing.publish(second.id)
    releasing.begin(third.id, "canary", 0.5)
    releasing.publish(third.id)
    assert {ranking(world, user)[0] for user in USERS} == {third.encoder_version}
    assert not list(world.directory.glob("trial-*"))
    releasing.begin(second.id, "canary", 0.5)
    releasing.roll_back()
    assert {ranking(world, user)[0] for user in USERS} == {second.encoder_version}


def test_a_rollout_that_is_stopped_leaves_what_was_served(releasing: Releasing) -> None:
    world = releasing.world
    manifest = releasing.build("second")
    releasing.begin(manifest.id, "canary", 1.0)
    assert stop_rollout(world.store, "by hand") is not None
    assert {ranking(world, user)[0] for user in USERS} == {world.encoder.version}
    assert stop_rollout(world.store, "by hand") is None


def test_the_caches_of_a_rollout_outlive_it_for_nobody(releasing: Releasing) -> None:
    world = releasing.world
    manifest = releasing.build("first", weights={"fast_weight": 0.0})
    expected = {user: world.rank(RankRequest(user, 8)).scores for user in USERS}
    releasing.begin(manifest.id, "canary", 1.0)
    for user in USERS:
        world.feed(liked(f"seen-{user}", "i6", user=user, signal="impression"))
    stop_rollout(world.store, "by hand")
    for user in USERS:
        reply: Ranking = world.rank(RankRequest(user, 8))
        assert reply.encoder_version == world.encoder.version
        assert len(reply.scores) == len(expected[user])
        state = world.state(user)
        assert state is not None
        assert state.key is not None
        assert state.key.settings != world.view().digest


def test_the_served_release_cannot_be_tried(releasing: Releasing) -> None:
    manifest = releasing.build("second")
    releasing.publish(manifest.id)
    with pytest.raises(ConfigError, match="is the served release"):
        releasing.begin(manifest.id, "canary", 0.5)
