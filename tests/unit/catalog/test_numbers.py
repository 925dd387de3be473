"""Looking up many ids at once equals looking up each, in any catalog and after any changes."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from penchant.catalog import numbers
from penchant.catalog.numbers import NONE, ItemNumbers


def expected(held: ItemNumbers, ids: list[str]) -> list[int]:
    return [held.get(id_, NONE) for id_ in ids]


@pytest.mark.parametrize("count", [0, 10, 20_000])
def test_all_at_once_finds_what_one_at_a_time_finds(count: int) -> None:
    dice = random.Random(count)
    held = ItemNumbers()
    for number in range(count):
        held.add(f"item {number}", number)
    held.settle()
    for step in range(60):
        for _ in range(100):
            if dice.random() < 0.5:
                held.remove(f"item {dice.randrange(count + 100)}")
            else:
                held.add(f"item {count + dice.randrange(100)}", dice.randrange(count + 1))
        if step % 3 == 0:
            held.settle()
        ids = [f"item {dice.randrange(count + 150)}" for _ in range(50)]
        found = held.find(ids)
        assert found.dtype == np.int64
        assert found.tolist() == expected(held, ids)


def test_readers_find_what_stays_while_the_writer_adds_and_removes() -> None:
    held = ItemNumbers()
    kept = [f"kept {number}" for number in range(10_000)]
    for number, id_ in enumerate(kept):
        held.add(id_, number)
    writing = True

    def write() -> None:
        nonlocal writing
        try:
            for number in range(10_000, 60_000):
                held.add(f"new {number}", number)
                if number % 3 == 0:
                    held.remove(f"new {number - 1}")
                if number % 1000 == 0:
                    held.settle()
        finally:
            writing = False

    def read(seed: int) -> None:
        dice = random.Random(seed)
        while writing:
            rows = [dice.randrange(len(kept)) for _ in range(100)]
            assert held.find([kept[row] for row in rows]).tolist() == rows

    with ThreadPoolExecutor(4) as threads:
        for one in [threads.submit(write), *(threads.submit(read, seed) for seed in range(3))]:
            one.result()
    ids = [f"new {number}" for number in range(10_000, 60_000)]
    assert held.find(ids).tolist() == expected(held, ids)


def test_ids_with_one_hash_are_distinguished(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clash(str):
        __slots__ = ()

        def __hash__(self) -> int:
            return hash(self[:1])

    monkeypatch.setattr(numbers, "_FEW", 1)
    held = ItemNumbers()
    ids = [Clash("ab"), Clash("ac"), Clash("b")]
    for number, id_ in enumerate(ids):
        held.add(id_, number)
    held.settle()
    assert held.find(ids).tolist() == [0, 1, 2]
