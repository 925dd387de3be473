"""The window: the latest events as an ordered set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.types import Record
from penchant.domain.window import digest64, empty_record, insert
from tests.support.folds import FoldEvent, histories, window_of


def parts(events: list[FoldEvent], cuts: list[int], capacity: int) -> Record:
    """The record after the events have arrived in parts."""
    record, left = empty_record(), [row.tobytes() for row in window_of(events)]
    for cut in [*cuts, len(left)]:
        record = insert(record, left[:cut], capacity)
        left = left[cut:]
    return record


@given(
    events=histories(max_size=12),
    cuts=st.lists(st.integers(0, 4), max_size=4),
    capacity=st.integers(1, 14),
)
def test_parts_give_the_same_window_as_the_whole(
    events: list[FoldEvent], cuts: list[int], capacity: int
) -> None:
    record = parts(events, cuts, capacity)
    assert record.state_version == len(events)
    assert record.window.tobytes() == window_of(events, capacity).tobytes()


@given(events=histories(max_size=12), capacity=st.integers(1, 14))
def test_a_window_holds_the_latest_events_in_order(events: list[FoldEvent], capacity: int) -> None:
    window = window_of(events, capacity)
    kept = [(int(row["occurred_at_us"]), int(row["event"])) for row in window]
    every = sorted((one.at_s * 10**6, digest64(one.id)) for one in events)
    assert kept == every[-capacity:]


def test_inserting_nothing_is_the_same_record() -> None:
    record = empty_record()
    assert insert(record, [], 1) is record


@given(texts=st.lists(st.text(max_size=5), unique=True, max_size=20))
def test_digests_of_different_texts_differ(texts: list[str]) -> None:
    digests = [digest64(text) for text in texts]
    assert len(set(digests)) == len(texts)
    assert all(0 <= digest < 2**64 for digest in digests)
    assert [digest == 0 for digest in digests] == [text == "" for text in texts]
