"""Laws that every baseline obeys."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from penchant.domain.errors import ConfigError
from penchant.evaluation.baselines import NAMES, make
from penchant.evaluation.recommender import Recommender
from penchant.logs.stream import Stream
from tests.unit.evaluation.baselines.planted import HALF, ITEMS, USERS, likes_of, planted

STREAM = planted()
MIDDLE = len(STREAM.item) * 3 // 4
COLD = USERS - 1
PERSONAL = [name for name in NAMES if "popularity" not in name and "frequency" not in name]
"""Baselines that tell items apart which are new to a user."""


def replayed(name: str, stream: Stream, fits: tuple[int, ...], until: int) -> Recommender:
    """A baseline fitted at these positions, which learnt the events in between one by one."""
    baseline = make(name, seed=3)
    baseline.fit(stream, fits[0])
    for position in range(fits[0], until):
        if position in fits[1:]:
            baseline.fit(stream, position)
        baseline.learn(position)
    return baseline


def scores(baseline: Recommender, stream: Stream) -> list[bytes]:
    now = int(stream.at_us[-1])
    return [baseline.scores(user, now).tobytes() for user in (0, 1, 2, 3, COLD)]


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def baseline(name: str) -> Recommender:
    return replayed(name, STREAM, (MIDDLE, MIDDLE + 50), len(STREAM.item) - 80)


def with_another_future(stream: Stream, since: int) -> Stream:
    """The same stream up to `since`, followed by other likes of other users."""
    user, item, relevant = stream.user.copy(), stream.item.copy(), stream.relevant.copy()
    user[since:] = (user[since:] + 7) % USERS
    item[since:] = (item[since:] + 11) % ITEMS
    relevant[since:] = ~relevant[since:]
    reward = np.where(relevant, 1, -1).astype(np.float32)
    return replace(stream, user=user, item=item, relevant=relevant, reward=reward)


def test_later_events_change_no_score(name: str, baseline: Recommender) -> None:
    until = len(STREAM.item) - 80
    other = with_another_future(STREAM, until)
    again = replayed(name, other, (MIDDLE, MIDDLE + 50), until)
    assert scores(again, STREAM) == scores(baseline, STREAM)


def test_a_fit_does_not_look_ahead(name: str) -> None:
    one, other = make(name, seed=3), make(name, seed=3)
    one.fit(STREAM, MIDDLE)
    other.fit(with_another_future(STREAM, MIDDLE), MIDDLE)
    assert scores(one, STREAM) == scores(other, STREAM)


def test_scores_are_one_finite_float32_per_item(baseline: Recommender) -> None:
    for user in range(USERS):
        found = baseline.scores(user, int(STREAM.at_us[-1]))
        assert found.shape == (ITEMS,)
        assert found.dtype == np.float32
        assert np.isfinite(found).all()


def test_scores_change_nothing(baseline: Recommender) -> None:
    now = int(STREAM.at_us[-1])
    first = baseline.scores(0, now)
    kept = first.copy()
    baseline.scores(1, now)[:] = 0
    np.testing.assert_array_equal(baseline.scores(0, now), kept)
    first[:] = 0
    np.testing.assert_array_equal(baseline.scores(0, now), kept)


def test_a_cold_user_gets_a_ranking_with_few_ties(baseline: Recommender) -> None:
    assert np.unique(baseline.scores(COLD, int(STREAM.at_us[-1]))).size > ITEMS // 4


def test_scores_exist_before_the_first_event(name: str) -> None:
    baseline = make(name, seed=3)
    baseline.fit(STREAM, 0)
    for position in range(3):
        assert np.isfinite(baseline.scores(COLD, 0)).all()
        baseline.learn(position)


@pytest.mark.parametrize("name", PERSONAL, indirect=True)
def test_items_liked_by_the_same_users_rank_together(baseline: Recommender) -> None:
    won = []
    for user in range(USERS - 2):
        found = baseline.scores(user, int(STREAM.at_us[-1]))
        new = [item for item in range(ITEMS) if item not in likes_of(STREAM, user)]
        own = [found[item] for item in new if (item < HALF) == (user % 2 == 0)]
        foreign = [found[item] for item in new if (item < HALF) != (user % 2 == 0)]
        won.append(np.mean(np.greater.outer(own, foreign)))
    assert np.mean(won) > 0.75


def test_a_baseline_has_the_requested_name(name: str, baseline: Recommender) -> None:
    assert baseline.name == name


def test_an_unknown_name_is_refused_with_the_known_names() -> None:
    with pytest.raises(ConfigError, match=r"got 'easy', expected one of popularity, .*ease"):
        make("easy", seed=0)


@pytest.mark.parametrize(
    ("name", "package"),
    [("ials", "implicit"), ("sasrec", "torch"), ("vowpal-wabbit", "vowpalwabbit")],
)
def test_a_missing_package_is_named_with_its_remedy(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"penchant.evaluation.baselines.{name.replace('-', '_')}"
    monkeypatch.delitem(sys.modules, module, raising=False)
    for loaded in [key for key in sys.modules if key.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf"{package}.*pip install 'penchant\[peers\]'"):
        make(name, seed=0)


def test_importing_the_baselines_loads_none_of_their_packages() -> None:
    program = "import sys, penchant.evaluation.baselines; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=600
    )
    assert {"torch", "implicit", "scipy", "vowpalwabbit"} & set(run.stdout.split()) == set()
