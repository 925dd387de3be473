"""An export is compared with PyTorch on texts of the catalog too."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import GRAPH
from penchant.encoder.tokens import TextTokenizer
from penchant.logs.datasets.movielens import read_movielens
from penchant.training.catalog_texts import CatalogSource
from penchant.training.comparison_texts import comparison_texts
from penchant.training.export import ExportReport, ExportRequest, export_encoder
from penchant.training.export_graph import write_graph
from penchant.training.pytorch_encoder import SentenceEncoder
from tests.support.command import run
from tests.support.tiny_encoders import write_encoder

ITEMS = 2500


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = ["red", "lamp", *(str(number) for number in range(ITEMS))]
    return write_encoder(tmp_path_factory.mktemp("source"), words, hidden=16, layers=1)


@pytest.fixture(scope="module")
def report(source: Path, tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    return export_encoder(request_of(source, tmp_path_factory.mktemp("report") / "out"))


def request_of(source: Path, output: Path, catalog: Sequence[str] | None = None) -> ExportRequest:
    return ExportRequest(
        output=output,
        source=source,
        dimensions=4,
        max_tokens=16,
        catalog=CatalogSource(texts=catalog),
    )


@pytest.fixture
def same_graph(report: ExportReport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies one graph instead of writing a new one, which takes seconds."""

    def copy(model: SentenceEncoder, path: Path) -> None:
        shutil.copy(report.directory / GRAPH, path)

    monkeypatch.setattr("penchant.training.export_graph.write_graph", copy)


def catalog(size: int) -> list[str]:
    return [f"red lamp {number}" for number in range(size)]


@pytest.mark.usefixtures("same_graph")
@pytest.mark.parametrize(("size", "compared"), [(0, 0), (1, 1), (7, 7), (1000, 1000), (2500, 1000)])
def test_up_to_a_thousand_texts_of_the_catalog_are_compared_evenly_spread(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, compared: int
) -> None:
    seen: list[str] = []
    token_ids = TextTokenizer.token_ids

    def note(texts: TextTokenizer, text: str) -> list[int]:
        seen.append(text)
        return token_ids(texts, text)

    monkeypatch.setattr(TextTokenizer, "token_ids", note)
    texts = catalog(size)
    report = export_encoder(request_of(source, tmp_path / "out", texts))
    assert report.compared_of_catalog == compared
    assert report.compared_texts == 96 + compared == len(comparison_texts()) + compared
    places = sorted({texts.index(text) for text in seen if text.startswith("red lamp ")})
    assert len(places) == compared
    if compared > 1:
        steps = {after - before for before, after in pairwise(places)}
        assert (places[0], places[-1]) == (0, size - 1)
        assert max(steps) - min(steps) <= 1


def test_a_graph_that_differs_on_the_catalog_alone_is_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the graph, only the token of the last item gets another vector."""

    def write_other(model: SentenceEncoder, path: Path) -> None:
        if (tmp_path / "out").exists():
            shutil.copy(tmp_path / "out" / GRAPH, path)
            return
        words = model.get_parameter("body.embeddings.word_embeddings.weight").data
        words[-1] *= -1
        write_graph(model, path)
        words[-1] *= -1

    monkeypatch.setattr("penchant.training.export_graph.write_graph", write_other)
    export_encoder(request_of(source, tmp_path / "out"))
    with pytest.raises(ConfigError, match=r"the ONNX graph differs from PyTorch by \d"):
        export_encoder(request_of(source, tmp_path / "two", catalog(ITEMS)))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def output_of(source: Path, output: Path, *more: object) -> str:
    words = ["--source", source, "--output", output, "--dimensions", 4, "--max-tokens", 16, *more]
    result = run(["export", *words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("same_graph")
def test_the_command_compares_a_file_of_items_and_shows_their_number(
    source: Path, tmp_path: Path
) -> None:
    items = tmp_path / "items.csv"
    rows = [f"{number},red,{number}" for number in range(1200)]
    items.write_text("\n".join(["sku,colour,year", *rows]))
    options = ["--items", items, "--text-template", "{colour} {year}", "--map", "sku=id"]
    said = output_of(source, tmp_path / "out", *options)
    assert "over 1,096 texts, 1,000 of them the catalog's" in said
    said = output_of(source, tmp_path / "out")
    assert "over 96 texts" in said
    assert "catalog" not in said


@pytest.mark.usefixtures("same_graph")
def test_the_command_compares_the_films_of_movielens(source: Path, tmp_path: Path) -> None:
    assert len(read_movielens().films) > 1000
    said = output_of(source, tmp_path / "out", "--dataset", "movielens")
    assert "over 1,096 texts, 1,000 of them the catalog's" in said


def test_the_command_refuses_another_data_set_and_both_sources(tmp_path: Path) -> None:
    output = ["--output", tmp_path / "out"]
    refused = run(["export", *output, "--dataset", "netflix"])
    assert refused.exit_code == 1
    assert "--dataset: got 'netflix', expected movielens" in refused.stderr
    both = ["--dataset", "movielens", "--items", tmp_path / "items.csv"]
    refused = run(["export", *output, *both])
    assert refused.exit_code == 1
    assert "expected movielens, without --items" in refused.stderr
