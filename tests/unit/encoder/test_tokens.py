from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penchant.encoder.tokens import BATCH, SLACK, group, pad

LENGTHS = st.lists(st.integers(1, 512), max_size=200)


@given(LENGTHS)
def test_every_row_is_in_one_group(lengths: list[int]) -> None:
    assert sorted(row for rows in group(lengths) for row in rows) == list(range(len(lengths)))


@given(LENGTHS)
def test_groups_are_small_and_even(lengths: list[int]) -> None:
    for rows in group(lengths):
        sizes = [lengths[row] for row in rows]
        assert len(rows) <= BATCH
        assert max(sizes) <= 1.25 * min(sizes) + SLACK


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=9), min_size=1, max_size=9))
def test_the_mask_picks_the_tokens(tokens: list[list[int]]) -> None:
    batch = pad(list(range(len(tokens))), tokens, pad_id=0)
    for row, ids in enumerate(tokens):
        assert batch.input_ids[row][batch.attention_mask[row] == 1].tolist() == ids
        assert not batch.input_ids[row][batch.attention_mask[row] == 0].any()
