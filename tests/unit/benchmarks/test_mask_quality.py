"""Masking, on labelled texts and on a catalog's."""

from __future__ import annotations

import pytest

from benchmarks.mask_quality import counts
from benchmarks.personal_texts import MAKERS, labelled_texts
from penchant.domain.masking import masked
from penchant.logs.datasets.debian_snapshot import read_items

LEAST = 0.97


@pytest.mark.parametrize("seed", [1, 2])
def test_each_kind_is_found_with_precision_and_recall_on_labelled_texts(seed: int) -> None:
    found = counts(labelled_texts(seed, 40))
    assert found.keys() == MAKERS.keys()
    for kind, (right, wrong, missed) in found.items():
        assert right / (right + wrong) >= LEAST, kind
        assert right / (right + missed) >= LEAST, kind


def test_texts_of_a_catalog_stay_as_they_are() -> None:
    assert [item.text for item in read_items() if masked(item.text) != item.text] == []
