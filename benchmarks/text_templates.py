"""Templates of item texts: `python -m benchmarks.text_templates --choose` or `--stream NAME`.

The encoder is the default one, projected to the principal components of the texts that a template
makes; the replay runs without a refresh. `--choose` reads the first 30,000 ratings of
MovieLens-100K alone: two thirds are learnt, the rest is ranked for. `--stream` replays all ratings
once.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from threadpoolctl import threadpool_limits

from penchant.config import parse
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Item
from penchant.encoder.onnx import OnnxEncoder
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.replay import replay
from penchant.evaluation.summary import summarise
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.datasets.movielens import read_movielens
from penchant.logs.item_rows import fill_template
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import first_events, make_stream
from penchant.training.export import ExportRequest, export_encoder

CHOSEN_ON, LEARNT = 30_000, 20_000

TEMPLATES = {
    "title": "{name}",
    "title, year": "{name} ({year})",
    "title, year, genres": "{name} ({year}). {genres}",
    "title, genres": "{name}. {genres}",
    "genres first": "{genres}: {name} ({year})",
    "genres twice": "{name} ({year}). {genres}. {genres}",
    "decade": "{name} ({year}). {genres}. A film of the {decade}.",
    "sentence": "{name} is a film of the genres {genres}, first shown in {year}.",
    "genres, decade": "{genres}. A film of the {decade}.",
    "genres": "{genres}",
}


def columns_of(film: Item) -> dict[str, str]:
    """Columns that a template may name: name, year, decade and genres."""
    year = film.attributes.get("year", "")
    name = re.sub(r" \(\d{4}\)", "", film.attributes["title"])
    decade = f"{year[:3]}0s" if year else "past"
    return {
        "id": film.id,
        "name": name,
        "year": year,
        "decade": decade,
        "genres": film.attributes.get("genres", "unknown"),
    }


def text_of(template: str, columns: Mapping[str, str]) -> str:
    """An item's text, as `penchant import` and `penchant evaluate` make it."""
    return fill_template(template, columns)


def measure(template: str, *, whole: bool) -> dict[str, object]:
    """recall@10, recall@50 and NDCG@10 of one template, with 95 % intervals by user."""
    data = read_movielens()
    texts = [text_of(template, columns_of(film)) for film in data.films]
    relevance = parse_relevance("rating>=4")
    stream = make_stream(data.films, data.ratings, DEFAULT_SIGNALS, relevance, LeftOut())
    replay_config = ReplayConfig(refresh_every=0)
    if not whole:
        stream = first_events(stream, CHOSEN_ON)
        replay_config = ReplayConfig(train_fraction=LEARNT / CHOSEN_ON, refresh_every=0)
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / "encoder"
        report = export_encoder(ExportRequest(output=made, projection_texts=texts))
        encoder = OnnxEncoder.load(made, threads=1)
        config = parse({"store": "memory:", "encoder": str(made)})
        penchant = PenchantRecommender(config, encoder.encode(texts))
    targets = choose_targets(stream, replay_config)
    with threadpool_limits(1):
        result = replay(stream, penchant, targets, replay_config)
    quality = summarise(stream, targets, [result], [10, 50], seed=1)[0].overall.quality
    figures: dict[str, object] = {"template": template, "rankings": len(targets.positions)}
    for metric in ("recall@10", "recall@50", "NDCG@10"):
        one = quality[metric]
        figures[metric] = [round(number, 4) for number in (one.mean, one.low, one.high)]
    figures["variance_kept"] = round(report.explained or 0.0, 3)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--choose", action="store_true", help="all templates, on the first ratings")
    what.add_argument("--stream", choices=TEMPLATES, help="one template, on all ratings")
    options = parser.parse_args()
    names = list(TEMPLATES) if options.choose else [options.stream]
    for name in names:
        figures = measure(TEMPLATES[name], whole=not options.choose)
        print(json.dumps({"name": name, **figures}), flush=True)


if __name__ == "__main__":
    main()
