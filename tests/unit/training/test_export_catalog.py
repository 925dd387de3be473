"""An export is compared with PyTorch on the catalog that it will serve, besides its own texts."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from penchant.cli.export import export as command
from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import GRAPH
from penchant.encoder.tokens import TextTokenizer
from penchant.logs.datasets.movielens import read_movielens
from penchant.training.export import ExportReport, comparison_texts, export
from penchant.training.export_graph import write_graph
from penchant.training.pytorch_encoder import SentenceEncoder
from tests.support.tiny_encoders import write_encoder

ITEMS = 2500


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = ["red", "lamp", *(str(number) for number in range(ITEMS))]
    return write_encoder(tmp_path_factory.mktemp("source"), words, hidden=16, layers=1)


@pytest.fixture(scope="module")
def report(source: Path, tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    return export(source, tmp_path_factory.mktemp("report") / "out", dimensions=4, max_tokens=16)


@pytest.fixture
def same_graph(report: ExportReport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies the one graph instead of writing it anew, which takes seconds."""

    def copy(model: SentenceEncoder, path: Path) -> None:
        shutil.copy(report.directory / GRAPH, path)

    monkeypatch.setattr("penchant.training.export.write_graph", copy)


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
    report = export(source, tmp_path / "out", dimensions=4, max_tokens=16, catalog=texts)
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
    """The token of the last item alone gets another vector in the graph."""

    def write_other(model: SentenceEncoder, path: Path) -> None:
        words = model.get_parameter("body.embeddings.word_embeddings.weight").data
        words[-1] *= -1
        write_graph(model, path)
        words[-1] *= -1

    monkeypatch.setattr("penchant.training.export.write_graph", write_other)
    export(source, tmp_path / "out", dimensions=4, max_tokens=16)
    with pytest.raises(ConfigError, match=r"the ONNX graph differs from PyTorch by \d"):
        export(source, tmp_path / "two", dimensions=4, max_tokens=16, catalog=catalog(ITEMS))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def run(source: Path, output: Path, *more: object) -> str:
    app = typer.Typer()
    app.command()(command)
    words = ["--source", source, "--output", output, "--dimensions", 4, "--max-tokens", 16, *more]
    result = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("same_graph")
def test_the_command_compares_a_file_of_items_and_says_how_many(
    source: Path, tmp_path: Path
) -> None:
    items = tmp_path / "items.csv"
    rows = [f"{number},red,{number}" for number in range(1200)]
    items.write_text("\n".join(["sku,colour,year", *rows]))
    options = ["--items", items, "--text-template", "{colour} {year}", "--map", "sku=id"]
    said = run(source, tmp_path / "out", *options)
    assert "over 1,096 texts, 1,000 of them the catalog's" in said
    said = run(source, tmp_path / "out")
    assert "over 96 texts" in said
    assert "catalog" not in said


@pytest.mark.usefixtures("same_graph")
def test_the_command_compares_the_films_of_movielens(source: Path, tmp_path: Path) -> None:
    assert len(read_movielens().films) > 1000
    said = run(source, tmp_path / "out", "--dataset", "movielens")
    assert "over 1,096 texts, 1,000 of them the catalog's" in said


def test_the_command_refuses_another_data_set_and_both_sources(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--dataset: got 'netflix', expected movielens"):
        command(tmp_path / "out", dataset="netflix")
    with pytest.raises(ConfigError, match="expected movielens, without --items"):
        command(tmp_path / "out", dataset="movielens", items=tmp_path / "items.csv")
