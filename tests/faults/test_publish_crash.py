"""A publication that is killed at any step leaves the old release or the new one, never neither."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from penchant.catalog import item_biases
from penchant.encoder.library import EncoderLibrary
from penchant.releases.switch import COMMIT, DONE, DROP, ENCODE, FIT, SWITCH
from penchant.service.rank import RankRequest
from penchant.store.lmdb import LmdbStore
from tests.support.feeder import MAP_BYTES
from tests.support.publisher import IN_THE_MIDST_OF_TEXTS, INSTALLING
from tests.support.released import Releasing, load_words
from tests.support.world import World, liked

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = (DROP, DONE)
STEPS = (INSTALLING, ENCODE, IN_THE_MIDST_OF_TEXTS, FIT, SWITCH, COMMIT, *COMMITTED)


def publish_and_die(directory: Path, release: str, step: str) -> int:
    return subprocess.run(
        [sys.executable, "-m", "tests.support.publisher", str(directory), release, step],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        check=False,
    ).returncode


def ranked_reply(world: World) -> tuple[str, list[str], list[float]]:
    reply = world.rank(RankRequest("u", 12, query="word3 film"))
    return reply.encoder_version, reply.ids, reply.scores


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_publication_leaves_one_release_and_the_next_run_completes(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_biases, "WHOLE_EVERY_S", 0.0)  # As a restarted server has them.
    store = LmdbStore(tmp_path / "store", map_bytes=MAP_BYTES)
    server = Releasing(tmp_path, store=store)
    server.world.put(**{f"i{number}": f"word{number} film" for number in range(12)})
    server.world.feed(*(liked(f"e{n}", f"i{n}", ago_s=100.0 - n) for n in range(0, 12, 2)))
    manifest = server.build("second", releases=tmp_path / "built")
    # Texts put after the build must be encoded by the publication itself.
    server.world.put(**{f"late{number}": f"late{number} film" for number in range(10)})
    server.world.feed(liked("late", "i1"))  # All offsets are then those of a restarted server.
    before = ranked_reply(server.world)

    assert publish_and_die(tmp_path, manifest.id, step) < 0
    between = ranked_reply(server.world)
    if step in COMMITTED:
        assert between[0] == manifest.encoder_version
    else:
        assert between == before
    restarted = World(
        tmp_path / "catalog",
        store=store,
        encoders=EncoderLibrary(server.world.encoder, server.releases, load_words),
    )
    assert ranked_reply(restarted) == between

    assert publish_and_die(tmp_path, manifest.id, "never") == 0
    after = ranked_reply(server.world)
    assert after[0] == manifest.encoder_version
    if step in COMMITTED:
        assert after == between
    store.close()
