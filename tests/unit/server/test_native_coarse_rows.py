"""Coarse rows change no ranking, and a file of them is used only if it is what it should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.catalog import coarse_rows
from penchant.catalog.coarse_rows import CoarseBytes, CoarseRows
from penchant.catalog.view import CatalogView
from penchant.domain.types import Matrix
from penchant_proto.v1.service_pb2 import Call, Reply
from tests.support.native_shop import USER, Numbers, Shop, any_numbers, eighths

penchant_native = pytest.importorskip("penchant_native", reason="not built: pip install ./native")

ROWS = 2000


def heavy_tailed(rng: np.random.Generator) -> Numbers:
    """A few numbers dwarf the others."""
    return lambda shape: (rng.standard_cauchy(shape) ** 3).astype(np.float32)


def of_one_size(rng: np.random.Generator) -> Numbers:
    """Rows of one length, as encoders give them."""

    def drawn(shape: tuple[int, ...]) -> Matrix:
        found = rng.standard_normal(shape)
        rows: Matrix = (found / np.linalg.norm(found, axis=-1, keepdims=True)).astype(np.float32)
        return rows

    return drawn


def odd(rng: np.random.Generator) -> Numbers:
    """Some numbers are as small or large as they get, and some are none at all."""
    values = np.array([0, -0.0, 1e-42, -1e-38, 1e30, -3e38, np.inf, np.nan, 1, -1], np.float32)
    shares = np.array([30, 5, 2, 2, 0.02, 0.02, 0.01, 0.01, 30, 30])
    return lambda shape: rng.choice(values, shape, p=shares / shares.sum())


KINDS = (eighths, any_numbers, heavy_tailed, of_one_size, odd)


def ranked(shop: Shop, view: CatalogView, call: Call) -> list[tuple[str, float]] | None:
    shop.view = view
    shop.offered = replace(shop.offered, served=view)
    parsed = shop.native.parse(call.SerializeToString())
    assert parsed is not None
    (reply,) = shop.native.answer([parsed])
    if reply is None:
        return None
    return [(one.id, one.score) for one in Reply.FromString(reply).rank.items]


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    kind=st.sampled_from(KINDS),
    k=st.sampled_from([1, 10, 100]),
    twins=st.sampled_from([0.0, 0.5, 0.99]),
    share=st.sampled_from([1.0, 0.9, 0.81]),
    user=st.sampled_from([USER, USER, "nobody"]),
    exclude=st.booleans(),
)
def test_coarse_rows_change_no_ranking(
    seed: int,
    kind: Callable[[np.random.Generator], Numbers],
    k: int,
    twins: float,
    share: float,
    user: str,
    exclude: bool,
) -> None:
    """Bit for bit, also where many items are alike, and where items were added since."""
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        shop = Shop(seed, ROWS, kind)
        vectors = shop.view.vectors.copy()
        alike = shop.rng.random(ROWS) < twins
        vectors[alike] = vectors[shop.rng.integers(0, 5, int(alike.sum()))]
        view = replace(shop.view, vectors=vectors)
        call = Call()
        call.rank.user, call.rank.k, call.rank.exclude_seen = user, k, exclude
        plain = ranked(shop, view, call)
        patch.setattr(coarse_rows, "LEAST_NUMBERS", 1)
        first = int(share * ROWS)
        fewer = replace(
            view,
            head=replace(view.head, rows=first),
            vectors=vectors[:first],
            offsets=view.offsets[:first],
            offset_weights=view.offset_weights[:first],
            popularity=view.popularity[:first],
            tail=view.tail[:first],
            alive=view.alive[:first],
        )
        ranked(shop, fewer, call)
        coarse = ranked(shop, replace(view), call)
    assert coarse == plain or any(np.isnan(score) for _, score in plain or ())


def coarse_of(vectors: Matrix) -> bytes:
    content = np.zeros(penchant_native.coarse_size(*vectors.shape), np.uint8)
    penchant_native.write_coarse_rows(vectors, content)
    return content.tobytes()


class OtherRows:
    """Writes the coarse rows of the same vectors in another order."""

    coarse_size = staticmethod(penchant_native.coarse_size)

    def write_coarse_rows(self, vectors: Matrix, content: CoarseBytes) -> None:
        penchant_native.write_coarse_rows(vectors[::-1].copy(), content)


class NoRows:
    """Gives bytes that are no coarse rows."""

    def __init__(self, size: int) -> None:
        self.size = size

    def coarse_size(self, rows: int, dimensions: int) -> int:
        return self.size

    def write_coarse_rows(self, vectors: Matrix, content: CoarseBytes) -> None:
        content[:] = 0


def test_a_large_catalog_is_ranked_by_its_coarse_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen by a lie: where they are those of other items, others are found."""
    monkeypatch.setattr(coarse_rows, "LEAST_NUMBERS", 1)
    told = []
    for writer in (penchant_native, OtherRows()):
        shop = Shop(5, ROWS, of_one_size)
        shop.native._coarse = CoarseRows(shop.directory, writer)
        call = Call()
        call.rank.user, call.rank.k = "nobody", 5
        told.append(ranked(shop, shop.view, call))
    assert told[0] != told[1]


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> CatalogView:
    monkeypatch.setattr(coarse_rows, "LEAST_NUMBERS", 1)
    found = Shop(7, 200, any_numbers).view
    return replace(found, head=replace(found.head, generation=3))


def held_by(coarse: CoarseRows, view: CatalogView) -> bytes:
    found = coarse.of(view)
    assert found is not None
    return found.tobytes()


def test_all_processes_map_one_file(view: CatalogView, tmp_path: Path) -> None:
    expected = coarse_of(view.vectors)
    first = CoarseRows(tmp_path, penchant_native)
    assert held_by(first, view) == expected
    (path,) = tmp_path.iterdir()
    assert path.name == "coarse-3.i8"
    made = path.stat()
    second = CoarseRows(tmp_path, penchant_native)
    assert held_by(second, view) == expected
    assert path.stat() == made  # Not written again.
    assert first.whole()
    assert second.whole()


@pytest.mark.parametrize("damage", ["flipped", "cut", "longer", "empty"])
def test_a_damaged_file_is_written_again(view: CatalogView, tmp_path: Path, damage: str) -> None:
    expected = held_by(CoarseRows(tmp_path, penchant_native), view)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    flipped = content[:70] + bytes([content[70] ^ 1]) + content[71:]
    cases = {"flipped": flipped, "cut": content[:50], "longer": content + b"x", "empty": b""}
    path.write_bytes(cases[damage])
    assert held_by(CoarseRows(tmp_path, penchant_native), view) == expected
    assert path.read_bytes() == expected


def test_a_file_that_is_truncated_is_no_longer_read(view: CatalogView, tmp_path: Path) -> None:
    coarse = CoarseRows(tmp_path, penchant_native)
    expected = held_by(coarse, view)
    (path,) = tmp_path.iterdir()
    with path.open("r+b") as file:
        file.truncate(10)
    assert not coarse.whole()
    assert held_by(coarse, view) == expected
    assert coarse.whole()


def test_a_process_that_cannot_write_holds_its_own(view: CatalogView, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    coarse = CoarseRows(blocked / "catalog", penchant_native)
    assert held_by(coarse, view) == coarse_of(view.vectors)
    assert coarse.whole()


def test_rows_that_are_added_are_coarse_once_they_are_many(
    view: CatalogView, tmp_path: Path
) -> None:
    coarse = CoarseRows(tmp_path, penchant_native)
    sizes = [
        len(held_by(coarse, replace(view, vectors=view.vectors[:rows]))) for rows in (100, 125, 126)
    ]
    assert sizes[0] == sizes[1] == len(coarse_of(view.vectors[:100]))
    assert sizes[2] == len(coarse_of(view.vectors[:126]))
    newer = replace(view, head=replace(view.head, generation=4))
    assert held_by(coarse, newer) == coarse_of(view.vectors)


def test_a_small_catalog_has_none(
    view: CatalogView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coarse_rows, "LEAST_NUMBERS", view.vectors.size + 1)
    assert CoarseRows(tmp_path, penchant_native).of(view) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [11, 8 + 31 * (4 + 64)])
def test_bytes_that_do_not_fit_are_refused(view: CatalogView, tmp_path: Path, size: int) -> None:
    shop = Shop(5, 30, any_numbers)
    call = Call()
    call.rank.user, call.rank.k = USER, 5
    shop.native._coarse = CoarseRows(tmp_path, NoRows(size))
    with pytest.raises(ValueError, match="coarse"):
        ranked(shop, shop.view, call)
