"""A release is published and rolled back under a real Triton, while clients keep ranking."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from demos.release.continuous_clients import QUERIES, ServedRanking
from demos.release.recomputed_scores import RecomputedScores
from penchant.config import Config, catalog_directory, parse, releases_directory
from penchant.domain.types import Item as DomainItem
from penchant.encoder.onnx import OnnxEncoder
from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, make_stream
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.releases.build import ReleaseRecipe, build_release
from penchant.releases.loaded_release import load_release
from penchant.releases.release_rollout import RolloutPlan, begin_rollout
from penchant.releases.rollback import switch_back
from penchant.releases.switch import switch_to
from penchant.store.lmdb import LmdbStore
from penchant.store.users import read_log, scan_user_ids
from penchant_sdk import Event, Item, Penchant, PenchantError, Ranking
from tests.support.served import served
from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server

WORDS = ("shoes", "dress", "coat", "hat")
ITEMS = [Item(f"i{n}", f"a {WORDS[n % 4]} number {n}") for n in range(40)]
TEXTS = [item.text for item in ITEMS]
USERS = [f"u{n}" for n in range(8)]
AS_OF_S = 1_700_000_000.0
THREADS = 3
TIMEOUT_S = 60.0
BOTH_SEEN = 40
"""Replies from the new space that each phase waits for."""


@pytest.fixture
def encoders(tmp_path: Path) -> list[Path]:
    """Two encoders whose vectors have nothing in common, not even their length."""
    return [
        write_word_encoder(tmp_path / f"encoder-{d}", TEXTS, dimensions=d, seed=d) for d in (16, 8)
    ]


@pytest.fixture
def config(tmp_path: Path, encoders: list[Path]) -> Config:
    return parse({"store": f"lmdb:{tmp_path / 'store'}", "encoder": str(encoders[0])})


@pytest.fixture
def server(tmp_path: Path, encoders: list[Path]) -> Iterator[Server]:
    settings = gather(f"lmdb:{tmp_path / 'store'}", encoders[0])
    with served(Server(tmp_path / "server", settings)) as running:
        yield running
    assert "Traceback" not in running.log_path.read_text(errors="replace")


@pytest.fixture
def store(config: Config, server: Server) -> Iterator[LmdbStore]:
    """The server's store, opened beside it."""
    store = LmdbStore(Path(config.store.partition(":")[2]), map_bytes=0)
    yield store
    store.close()


@pytest.fixture
def penchant(server: Server, config: Config, store: LmdbStore) -> Iterator[Penchant]:
    """A client of a server that has items, users and a refreshed catalog."""
    with Penchant(server.target, timeout_s=TIMEOUT_S) as client:
        client.put_items(ITEMS)
        client.feedback(
            [
                Event(user=user, item=f"i{n}", signal="like", occurred_at=AS_OF_S - 100 + n)
                for place, user in enumerate(USERS)
                for n in range(place % 4, 20, 4)
            ]
        )
        directory = catalog_directory(config)
        assert directory is not None
        refresh_store(store, directory, config, RefreshSettings())
        yield client


def personal(ranking: Ranking) -> dict[str, float]:
    """The part of each score that depends on user, query and space: all but the offset."""
    parts = {}
    for item in ranking.items:
        assert item.explanation is not None
        why = item.explanation
        parts[item.id] = why.slow + why.fast + why.near + why.repeat + why.query
    return parts


@dataclass
class RankingClients:
    """Clients that rank without a pause, always for the same state and moment."""

    target: str
    stopped: threading.Event = field(default_factory=threading.Event)
    replies: list[tuple[str, str, Ranking]] = field(default_factory=list)
    failures: list[PenchantError] = field(default_factory=list)

    def ask(self, client: Penchant, user: str, query: str) -> Ranking:
        return client.rank(user, k=40, query=query, as_of=AS_OF_S, explain=True)

    def run(self, offset: int) -> None:
        with Penchant(self.target, timeout_s=TIMEOUT_S) as client:
            turn = offset
            while not self.stopped.is_set():
                user, query = USERS[turn % len(USERS)], QUERIES[turn % len(QUERIES)]
                try:
                    self.replies.append((user, query, self.ask(client, user, query)))
                except PenchantError as error:
                    self.failures.append(error)
                turn += 1

    def wait_for(self, version: str) -> None:
        """Waits for BOTH_SEEN replies from an encoder's space."""
        seen, deadline = 0, threading.Event()
        while seen < BOTH_SEEN:
            assert not self.failures, self.failures[0]
            deadline.wait(0.05)
            seen = sum(reply.encoder_version == version for _, _, reply in self.replies[-1000:])


@pytest.fixture
def asking(server: Server, penchant: Penchant) -> Iterator[RankingClients]:
    asking = RankingClients(server.target)
    threads = [threading.Thread(target=asking.run, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    yield asking
    asking.stopped.set()
    for thread in threads:
        thread.join()


def load(directory: Path) -> OnnxEncoder:
    return OnnxEncoder.load(directory, threads=1)


def logged(store: LmdbStore, config: Config) -> Stream:
    items = [DomainItem(item.id, item.text, {}) for item in ITEMS]
    with store.snapshot() as snapshot:
        users = list(scan_user_ids(snapshot))
        events = [row.event for user in users for row in read_log(snapshot, user)]
    return make_stream(items, events, config.signals, parse_relevance("reward>0"), LeftOut())


def expected_of(
    asking: RankingClients, penchant: Penchant
) -> dict[tuple[str, str], dict[str, float]]:
    asked = [(user, query) for user in USERS for query in QUERIES]
    return {(user, query): personal(asking.ask(penchant, user, query)) for user, query in asked}


def recomputed(store: LmdbStore, config: Config, encoder: Path) -> RecomputedScores:
    directory = catalog_directory(config)
    assert directory is not None
    return RecomputedScores(store, directory, config, load(encoder), USERS, AS_OF_S)


def test_no_request_fails_and_no_ranking_mixes_two_spaces(
    config: Config,
    encoders: list[Path],
    store: LmdbStore,
    penchant: Penchant,
    asking: RankingClients,
) -> None:
    directory, releases = catalog_directory(config), releases_directory(config)
    assert directory is not None
    assert releases is not None
    old, new = load(encoders[0]).version, load(encoders[1]).version
    expected = {old: expected_of(asking, penchant)}
    before = recomputed(store, config, encoders[0])
    asking.wait_for(old)
    recipe, encode = ReleaseRecipe(encoders[1]), load(encoders[1]).encode
    manifest = build_release(releases, logged(store, config), config, recipe, encode)
    release = load_release(releases / manifest.id, "publish", load)
    assert penchant.embed(["warm"], encoder_version=new).dimensions == 8

    switch_to(store, directory, config, release)
    assert penchant.rank("u0").encoder_version == new
    expected[new] = expected_of(asking, penchant)
    meanwhile = recomputed(store, config, encoders[1])
    asking.wait_for(new)
    switch_back(store, directory, releases, config, load)
    assert penchant.rank("u0").encoder_version == old
    after = recomputed(store, config, encoders[0])
    asking.wait_for(old)
    asking.stopped.set()

    assert asking.failures == []
    assert {reply.encoder_version for _, _, reply in asking.replies} == {old, new}
    for user, query, reply in asking.replies:
        meant = expected[reply.encoder_version][user, query]
        assert personal(reply) == pytest.approx(meant, abs=1e-4)
    # The check of `penchant demo-release` agrees, and finds a mixture.
    known = {one.version: one for one in (before, meanwhile, after)}
    assert len(known) == 3
    for user, query, reply in asking.replies:
        asked = ServedRanking(user, query, reply, 0.0)
        assert known[reply.catalog_version].agrees(asked)
        mixed = replace(reply, encoder_version=new if reply.encoder_version == old else old)
        other = meanwhile if mixed.encoder_version == new else before
        assert not other.agrees(replace(asked, reply=mixed))


def test_items_put_under_a_release_are_encoded_by_it(
    config: Config, encoders: list[Path], store: LmdbStore, penchant: Penchant
) -> None:
    directory, releases = catalog_directory(config), releases_directory(config)
    assert directory is not None
    assert releases is not None
    recipe, encode = ReleaseRecipe(encoders[1]), load(encoders[1]).encode
    manifest = build_release(releases, logged(store, config), config, recipe, encode)
    switch_to(store, directory, config, load_release(releases / manifest.id, "publish", load))
    put = penchant.put_items([Item("late", "a late coat")])
    assert put.encoder_version == manifest.encoder_version
    assert penchant.embed(["a late coat"]).encoder_version == manifest.encoder_version
    assert "late" in [item.id for item in penchant.rank("u0", k=41, query="late coat").items]


def test_a_canary_is_shown_to_its_share_in_every_process_until_it_is_ended(
    config: Config, encoders: list[Path], store: LmdbStore, penchant: Penchant
) -> None:
    directory, releases = catalog_directory(config), releases_directory(config)
    assert directory is not None
    assert releases is not None
    old = load(encoders[0]).version
    recipe, encode = ReleaseRecipe(encoders[1]), load(encoders[1]).encode
    manifest = build_release(releases, logged(store, config), config, recipe, encode)
    release = load_release(releases / manifest.id, "publish", load)
    rollout = begin_rollout(
        store, directory, config, release, RolloutPlan("canary", 0.5, min_cases=20)
    )
    users = [f"user-{number}" for number in range(60)]
    meant = {user: manifest.encoder_version if rollout.tries(user) else old for user in users}
    for _ in range(3):  # So that each of the two processes is asked.
        shown = {user: penchant.rank(user, query="a new coat").encoder_version for user in users}
        assert shown == meant
    events = [
        Event(user=user, item=f"i{n}", signal="dislike" if rollout.tries(user) else "like")
        for user in users
        for n in range(4)
    ]
    penchant.feedback(events)
    assert {penchant.rank(user).encoder_version for user in users} == {old}
