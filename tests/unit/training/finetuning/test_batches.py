from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penchant.logs.stream import Stream
from penchant.training.finetuning.batches import Neighbourhood, contrastive_batch, outcome_batch
from penchant.training.finetuning.negatives import nearest_not_liked
from penchant.training.finetuning.sequences import (
    History,
    cut,
    histories_of,
    item_shares,
    plan_segments,
)

likes = st.lists(st.integers(0, 9), min_size=2, max_size=12)
histories = st.lists(likes, min_size=1, max_size=5).map(
    lambda lists: [
        History(user, np.array(items, np.int64), np.ones(len(items), np.float32))
        for user, items in enumerate(lists)
    ]
)


@given(histories)
def test_an_anchor_has_no_target_of_its_own_among_its_negatives(found: list[History]) -> None:
    batch = contrastive_batch(found, [history.items for history in found], Neighbourhood())
    assert not (batch.negatives & (batch.targets > 0)).any()
    assert not (batch.negatives & (batch.anchors > 0)).any()
    assert (batch.targets.sum(axis=1) > 0).all()
    assert (batch.anchors.sum(axis=1) > 0).all()


@given(histories)
def test_each_item_is_encoded_once(found: list[History]) -> None:
    batch = contrastive_batch(found, [history.items for history in found], Neighbourhood())
    together = np.concatenate([history.items for history in found])
    assert batch.items.tolist() == sorted(set(together.tolist()))


def test_history_looks_back_and_targets_look_ahead() -> None:
    history = History(0, np.array([5, 6, 7]), np.array([1.0, 0.5, 1.0], np.float32))
    near = Neighbourhood(history_half_life=1.0, target_half_life=1.0, pair_weight=0.0)
    batch = contrastive_batch([history], [history.items], near)
    assert batch.items.tolist() == [5, 6, 7]
    # Nothing follows the third like. The second one's history is itself (0.5) and half the first.
    np.testing.assert_allclose(batch.anchors, np.array([[1, 0, 0], [0.5, 0.5, 0]]))
    np.testing.assert_allclose(batch.targets, np.array([[0, 0.5, 0.5], [0, 0, 1]]))


def test_pairs_count_in_both_orders() -> None:
    history = History(0, np.array([5, 6]), np.ones(2, np.float32))
    batch = contrastive_batch([history], [history.items], Neighbourhood(pair_weight=0.5))
    np.testing.assert_allclose(batch.targets, np.array([[0, 1], [0, 0.5], [0.5, 0]]))


def test_an_item_liked_in_another_segment_is_no_negative() -> None:
    history = History(0, np.array([1, 2]), np.ones(2, np.float32))
    other = History(1, np.array([3, 4]), np.ones(2, np.float32))
    batch = contrastive_batch([history, other], [np.array([1, 2, 3]), other.items], Neighbourhood())
    assert batch.items.tolist() == [1, 2, 3, 4]
    assert batch.negatives[0].tolist() == [False, False, False, True]


@given(histories, st.integers(2, 6), st.integers(0, 3))
def test_segments_are_pieces_of_histories_and_equal_for_equal_seeds(
    found: list[History], length: int, seed: int
) -> None:
    plan = plan_segments(found, length, 40, seed)
    assert plan == plan_segments(found, length, 40, seed)
    assert len(plan) == 40
    for segment in plan:
        piece = cut(found, segment, length)
        start = max(0, segment[1])
        whole = found[segment[0]].items
        assert 2 <= len(piece.items) <= length
        assert piece.items.tolist() == whole[start : start + len(piece.items)].tolist()


def test_only_likes_of_the_part_are_taken(stream: Stream) -> None:
    part = np.arange(len(stream.at_us)) < 100
    found = histories_of(stream, part)
    assert sum(len(history.items) for history in found) <= 100
    for history in found:
        own = (stream.user == history.user) & part
        assert history.items.tolist() == stream.item[own].tolist()
    assert abs(item_shares(found, len(stream.items)).sum() - 1) < 1e-9


def test_what_followed_is_the_next_event_with_its_reward() -> None:
    rewards = np.array([-1.0, 1.0, -0.5, 0.3], np.float32)
    history = History(0, np.array([9, 5, 7, 6]), rewards)
    found = outcome_batch([history], Neighbourhood(history_half_life=1.0))
    assert found.items.tolist() == [5, 6, 7, 9]
    # Nothing was liked before the second event; dislikes are no part of a history.
    np.testing.assert_allclose(found.anchors, np.array([[1, 0, 0, 0], [0.5, 0, 0, 0]]))
    assert found.following.tolist() == [2, 1]
    np.testing.assert_allclose(found.rewards, np.array([-0.5, 0.3], np.float32))


@given(histories, st.integers(0, 6), st.integers(0, 3))
def test_hard_negatives_are_never_liked_and_the_nearest_of_the_rest(
    found: list[History], count: int, seed: int
) -> None:
    vectors = np.random.default_rng(seed).normal(size=(10, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for piece in found:
        hard = nearest_not_liked(vectors, piece, piece.items, count)
        others = np.setdiff1d(np.arange(10), piece.items)
        assert len(hard) == min(count, len(others))
        assert np.isin(hard, others).all()
        cosines = vectors @ (piece.rewards @ vectors[piece.items])
        left = np.setdiff1d(others, hard)
        if len(hard) and len(left):
            assert cosines[hard].min() >= cosines[left].max()


def test_hard_negatives_count_for_all_users_who_do_not_like_them() -> None:
    first = History(0, np.array([1, 2]), np.ones(2, np.float32))
    second = History(1, np.array([3, 4]), np.ones(2, np.float32))
    hard = [np.array([7]), np.array([8])]
    batch = contrastive_batch(
        [first, second], [first.items, np.array([3, 4, 7])], Neighbourhood(), hard
    )
    assert batch.items.tolist() == [1, 2, 3, 4, 7, 8]
    assert batch.negatives[0].tolist() == [False, False, True, True, True, True]
    assert batch.negatives[-1].tolist() == [True, True, False, False, False, True]
    assert not batch.targets[:, 4:].any()
