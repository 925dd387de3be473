"""Ledgers and budgets in a store: they survive a round trip, and damage is detected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import StateCorrupt
from penchant.domain.frequency_caps import LEDGER_DTYPE
from penchant.domain.spending import Spending
from penchant.store import codec, ledgers

DIGESTS = st.integers(0, 2**64 - 1)
TIMES = st.integers(-1, 2**62)
ROWS = st.tuples(*[DIGESTS] * 4, *[TIMES] * 5)
SPENDINGS = st.builds(
    Spending, st.integers(0, 2**80), st.dictionaries(st.integers(0, 2**40), st.integers(1, 2**60))
)


@given(rows=st.lists(ROWS, max_size=5))
def test_a_ledger_is_read_as_it_was_written(rows: list[tuple[int, ...]]) -> None:
    ledger = np.array(rows, LEDGER_DTYPE)
    np.testing.assert_array_equal(ledgers.decode_ledger(ledgers.encode_ledger(ledger)), ledger)


@given(spending=SPENDINGS)
def test_a_budget_is_read_as_it_was_written(spending: Spending) -> None:
    assert ledgers.decode_spending(ledgers.encode_spending(spending)) == spending


def test_a_ledger_of_another_layout_is_corrupt() -> None:
    with pytest.raises(StateCorrupt, match="ledger: got 71 bytes, expected entries of 72"):
        ledgers.decode_ledger(codec.seal(bytes(71)))


def test_damage_is_corrupt() -> None:
    value = bytearray(ledgers.encode_spending(Spending(5, {7: 3})))
    value[-2] ^= 1
    with pytest.raises(StateCorrupt, match="budget: checksum differs"):
        ledgers.decode_spending(bytes(value))
