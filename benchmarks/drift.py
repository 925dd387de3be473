"""How fast a ranking follows a change of taste: `python -m benchmarks.drift --directory DIR`.

Items are women's clothing reviews in their customers' words. Users are synthetic, so the truth is
known: each likes two kinds of clothes, and from a known event on two others. The two files are
evaluated as anybody's would be; then the same replay is analysed event by event.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.drift_plot import draw
from benchmarks.recovery import Curve, curve_of, recovery_of
from penchant.config import Config, parse
from penchant.domain.arrays import Int64
from penchant.encoder.onnx import OnnxEncoder
from penchant.evaluation.baselines import make
from penchant.evaluation.evaluate import EvaluationRequest, evaluate
from penchant.evaluation.evaluation_origin import origin_of
from penchant.evaluation.evaluation_report import numbers
from penchant.evaluation.model_settings import ModelSettings
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.recommender import Recommender
from penchant.evaluation.replay import replay
from penchant.evaluation.replay_log import ReplayLog
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.columns import ItemColumns
from penchant.logs.datasets.movielens import find_files
from penchant.logs.log_source import LogSource
from penchant.logs.open_table import read_rows
from penchant.logs.stream import Stream
from penchant.report.page import as_json
from penchant.system.durable_file import write_whole
from penchant.training.export import ExportRequest, export_encoder

REVIEWS = "WomensClothingE-CommerceReviews.parquet.brotli"
KINDS = (
    "Dresses", "Knits", "Blouses", "Sweaters", "Pants",
    "Jeans", "Skirts", "Jackets", "Lounge", "Swim",
)  # fmt: skip
ITEMS_A_KIND, USERS = 200, 200
BEFORE, AFTER = (30, 50), 40
"""Events of a user before the change, least and most, and after it."""
LIKED_KINDS = 2
OFF_TASTE = 0.2
"""Share of the events about any other item, which the user skips."""
BASELINES = ("ials", "ease", "item-knn", "decayed-popularity")
MAX_TOKENS = 48


@dataclass(frozen=True, slots=True)
class DriftEvent:
    """One event with the user's true taste at that moment."""

    user: int
    since: int
    """The user's events since the change; negative before it."""
    item: int
    likes: bool
    taste: tuple[int, ...]
    """Kinds that the user likes at that moment."""


def plant(kind: Int64, seed: int) -> list[DriftEvent]:
    """Makes a log in which each user changes taste once; users take turns and meet no item twice.

    Args:
        kind: kind of each item, shape (items,).
        seed: seed of all draws.
    """
    random = np.random.default_rng(seed)
    turns: list[tuple[float, DriftEvent]] = []
    for user in range(USERS):
        drawn = random.permutation(len(KINDS))
        tastes = drawn[:LIKED_KINDS], drawn[LIKED_KINDS : 2 * LIKED_KINDS]
        before = int(random.integers(*BEFORE, endpoint=True))
        unmet = np.ones(len(kind), bool)
        for turn in range(before + AFTER):
            taste = tastes[turn >= before]
            likes = bool(random.random() >= OFF_TASTE)
            item = int(random.choice(np.flatnonzero(unmet & (np.isin(kind, taste) == likes))))
            unmet[item] = False
            event = DriftEvent(user, turn - before, item, likes, tuple(taste.tolist()))
            turns.append((turn + random.random(), event))
    return [event for _, event in sorted(turns, key=lambda pair: pair[0])]


def read_reviews(seed: int) -> list[dict[str, str]]:
    """Draws equally many reviews of each kind: id, title, review, class and department."""
    path = find_files()[0].with_name(REVIEWS)
    rows = list(read_rows(path))
    random = np.random.default_rng(seed)
    chosen = []
    for name in KINDS:
        of_kind = [row for row in rows if row["Class Name"] == name and row["Title"]]
        drawn = random.permutation(len(of_kind))[:ITEMS_A_KIND]
        chosen += [of_kind[index] for index in drawn]
    return [_item(number, row) for number, row in enumerate(chosen)]


def _item(number: int, row: dict[str, Any]) -> dict[str, str]:
    return {
        "id": f"review-{number}",
        "title": str(row["Title"]),
        "review": str(row["Review Text"]),
        "class": str(row["Class Name"]),
        "department": str(row["Department Name"]),
    }


def write_files(
    directory: Path, items: Sequence[dict[str, str]], log: Sequence[DriftEvent]
) -> None:
    """Writes items.csv and events.csv, with one event per minute."""
    with (directory / "items.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(items[0]))
        table.writeheader()
        table.writerows(items)
    with (directory / "events.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["user", "item", "signal", "occurred_at", "event_id"])
        for minute, event in enumerate(log):
            signal = "like" if event.likes else "skip"
            row = [
                f"user-{event.user}",
                items[event.item]["id"],
                signal,
                1_700_000_000 + 60 * minute,
            ]
            lines.writerow([*row, f"event-{minute}"])


def source_of(directory: Path, template: str) -> LogSource:
    """The two files, with item texts made by the template."""
    return LogSource(
        directory / "items.csv",
        directory / "events.csv",
        item_columns=ItemColumns(text_template=template),
    )


def write_evaluation(directory: Path, source: LogSource) -> None:
    """Evaluates the two files as `penchant evaluate` does, and writes numbers.json."""
    request = EvaluationRequest(
        log=ReplayLog(source),
        model=ModelSettings(directory / "encoder"),
        baselines=BASELINES,
        attribute="class",
    )
    began = time.monotonic()
    evaluation = evaluate(request)
    origin, seconds = origin_of(request, evaluation.stream), time.monotonic() - began
    write_whole(directory / "numbers.json", as_json(numbers(evaluation, origin, seconds)))
    for summary in evaluation.summaries:
        quality = {name: round(one.mean, 4) for name, one in summary.overall.quality.items()}
        print(json.dumps({"name": summary.name, **quality}), flush=True)


def curves(directory: Path, stream: Stream, log: Sequence[DriftEvent], seed: int) -> list[Curve]:
    """Curves of Penchant and of the baselines: the share of the top ten in the user's taste."""
    parameters = {"store": "memory:", "encoder": str(directory / "encoder")}
    config = parse(parameters)
    encoder = OnnxEncoder.load(config.encoder, threads=config.encoder_threads)
    vectors = encoder.encode([item.text for item in stream.items])
    refreshed = parse({**parameters, "fast_weight": "6"})  # As docs/guides/refresh.md says.
    recommenders: list[Recommender] = [
        PenchantRecommender(config, vectors),
        PenchantRecommender(refreshed, vectors, middle_clock(), "Penchant, refreshed"),
    ]
    recommenders += [make(name, seed) for name in BASELINES]
    replay_config = ReplayConfig()
    targets = choose_targets(stream, replay_config)
    kind = np.array([KINDS.index(item.attributes["class"]) for item in stream.items])
    ranked = [log[position] for position in targets.positions.tolist()]
    user = np.array([event.user for event in ranked])
    since = np.array([event.since for event in ranked])
    found = []
    for recommender in recommenders:
        top = replay(stream, recommender, targets, replay_config).top
        share = np.array(
            [np.isin(kind[row], event.taste).mean() for row, event in zip(top, ranked, strict=True)]
        )
        found.append(curve_of(recommender.name, share, user, since, seed))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="directory for the files")
    parser.add_argument("--picture", type=Path, default=Path("docs/images/drift.png"))
    parser.add_argument("--template", default="{title}. {review}")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    directory, template = options.directory, options.template
    directory.mkdir(parents=True, exist_ok=True)
    items = read_reviews(options.seed)
    log = plant(np.repeat(np.arange(len(KINDS)), ITEMS_A_KIND), options.seed)
    write_files(directory, items, log)
    source = source_of(directory, template)
    stream = ReplayLog(source).read_for(Config("memory:", Path("encoder")), "drift").stream
    texts = [item.text for item in stream.items]
    place = directory / "encoder"
    request = ExportRequest(output=place, projection_texts=texts, max_tokens=MAX_TOKENS)
    export_encoder(request)
    write_evaluation(directory, source)
    found = curves(directory, stream, log, options.seed)
    for curve in found:
        print(json.dumps({"name": curve.name, **asdict(recovery_of(curve))}))
    draw(found, options.picture)


if __name__ == "__main__":
    main()
