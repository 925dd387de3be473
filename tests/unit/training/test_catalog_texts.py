"""Texts of a catalog, and of a file with one a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.logs.columns import ItemColumns
from penchant.logs.datasets.movielens import read_movielens
from penchant.logs.refusals import LeftOut
from penchant.training.catalog_texts import CatalogSource, catalog_texts, text_lines


def test_texts_come_from_the_named_columns_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("sku,colour,year\n1,red,1990\n2,blue,1991\n")
    columns = ItemColumns(text_template="{colour} {year}")
    source = CatalogSource(tmp_path / "items.csv", columns=columns, mapped=("sku=id",))
    assert catalog_texts(source, LeftOut()) == ["red 1990", "blue 1991"]
    source = CatalogSource(tmp_path / "items.csv", mapped=("sku=id", "colour=text"))
    assert catalog_texts(source, LeftOut()) == ["red", "blue"]


def test_texts_come_from_a_data_set_or_from_memory_or_from_nowhere() -> None:
    films = [film.text for film in read_movielens().films]
    assert catalog_texts(CatalogSource(dataset="movielens"), LeftOut()) == films
    assert catalog_texts(CatalogSource(texts=("one", "two")), LeftOut()) == ["one", "two"]
    assert catalog_texts(CatalogSource(), LeftOut()) == []


def test_another_data_set_and_two_sources_are_refused(tmp_path: Path) -> None:
    for source in (CatalogSource(dataset="netflix"), CatalogSource(tmp_path, "movielens")):
        with pytest.raises(ConfigError, match="expected movielens, without --items"):
            catalog_texts(source, LeftOut())


def test_lines_come_from_a_file_without_blank_ones_or_from_memory(tmp_path: Path) -> None:
    (tmp_path / "texts").write_text("one\n\n  \nzwei Größen\n", encoding="utf-8")
    assert text_lines(tmp_path / "texts", "texts") == ["one", "zwei Größen"]
    assert text_lines(["", "one"], "texts") == ["", "one"]
    assert text_lines(None, "texts") == []
    with pytest.raises(ConfigError, match=r"more_texts: .*none can't be read"):
        text_lines(tmp_path / "none", "more_texts")


def test_rows_that_are_refused_are_counted(tmp_path: Path) -> None:
    path, left_out = tmp_path / "films.csv", LeftOut()
    path.write_text("id,text\n1,red\nnan,blue\n3,\n")
    assert catalog_texts(CatalogSource(items=path), left_out) == ["red"]
    assert left_out.counts == {"unreadable rows of items": 1}
    assert left_out.changed == {"items without a text, whose ids stand in": 1}
