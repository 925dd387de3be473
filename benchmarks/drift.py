"""How fast the ranking follows a change of taste: `python -m benchmarks.drift --directory DIR`.

Items are women's clothing reviews, in their customers' words. Users are synthetic, so the truth is
known: each likes two kinds of clothes, and from one of the user's events on two others. Both files
go through `penchant evaluate` as anybody's would; then the same replay is looked at event by event.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift_plot import draw
from benchmarks.recovery import Curve, curve_of, recovery_of
from penchant.config import parse
from penchant.domain.signals.default import DEFAULT_SIGNALS
from penchant.encoder.onnx import OnnxEncoder
from penchant.encoder.source import default_source
from penchant.evaluation.baselines import make
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.recommender import Recommender
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.columns import ItemColumns
from penchant.logs.datasets.movielens import find_files
from penchant.logs.log_source import LogSource
from penchant.logs.open_table import read_rows
from penchant.logs.read_log import read_source
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE, parse_relevance
from penchant.logs.stream import Stream, make_stream
from penchant.training.export import export

REVIEWS = "WomensClothingE-CommerceReviews.parquet.brotli"
KINDS = (
    "Dresses", "Knits", "Blouses", "Sweaters", "Pants",
    "Jeans", "Skirts", "Jackets", "Lounge", "Swim",
)  # fmt: skip
ITEMS_A_KIND, USERS = 200, 200
BEFORE, AFTER = (30, 50), 40
"""Events of a user before the change, at least and at most, and after it."""
LIKED_KINDS = 2
OFF_TASTE = 0.2
"""The share of the events that are about any other item, and skipped."""
PEERS = "ials,ease,item-knn,decayed-popularity"
MAX_TOKENS = 48


@dataclass(frozen=True, slots=True)
class DriftEvent:
    """One event, and the truth about its user at that moment."""

    user: int
    since: int
    """The user's events since the change; below 0: before it."""
    item: int
    likes: bool
    taste: tuple[int, ...]
    """Kinds that are liked now."""


def plant(kind: NDArray[np.int64], seed: int) -> list[DriftEvent]:
    """A log with one change of taste a user; users take turns, nobody meets an item twice.

    Args:
        kind: of each item, shape (items,).
        seed: of all that is drawn.
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
            act = DriftEvent(user, turn - before, item, likes, tuple(taste.tolist()))
            turns.append((turn + random.random(), act))
    return [act for _, act in sorted(turns, key=lambda pair: pair[0])]


def read_reviews(seed: int) -> list[dict[str, str]]:
    """As many reviews of each kind, drawn by the seed: id, title, review, class, department."""
    path = find_files()[0].with_name(REVIEWS)
    rows = list(read_rows(path))
    random = np.random.default_rng(seed)
    chosen = []
    for name in KINDS:
        of_kind = [row for row in rows if row["Class Name"] == name and row["Title"]]
        places = random.permutation(len(of_kind))[:ITEMS_A_KIND]
        chosen += [of_kind[place] for place in places]
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
    directory: Path, items: Sequence[dict[str, str]], acts: Sequence[DriftEvent]
) -> None:
    """items.csv and events.csv, an event a minute."""
    with (directory / "items.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(items[0]))
        table.writeheader()
        table.writerows(items)
    with (directory / "events.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["user", "item", "signal", "occurred_at", "event_id"])
        for minute, act in enumerate(acts):
            signal = "like" if act.likes else "skip"
            row = [f"user-{act.user}", items[act.item]["id"], signal, 1_700_000_000 + 60 * minute]
            lines.writerow([*row, f"event-{minute}"])


def evaluate_command(directory: Path, template: str) -> list[str]:
    """The command that anybody runs on files of their own."""
    return [
        sys.executable, "-m", "penchant.cli.main", "evaluate",
        "--items", str(directory / "items.csv"), "--events", str(directory / "events.csv"),
        "--text-template", template, "--encoder", str(directory / "encoder"),
        "--attribute", "class", "--peers", PEERS, "--json", str(directory / "numbers.json"),
    ]  # fmt: skip


def read_stream(directory: Path, template: str) -> Stream:
    """The two files, as the command reads them."""
    source = LogSource(
        directory / "items.csv",
        directory / "events.csv",
        item_columns=ItemColumns(text_template=template),
    )
    left_out = LeftOut()
    items, events = read_source(source, left_out, "drift")
    return make_stream(items, events, DEFAULT_SIGNALS, parse_relevance(POSITIVE), left_out)


def curves(directory: Path, stream: Stream, acts: Sequence[DriftEvent], seed: int) -> list[Curve]:
    """Of Penchant and its peers: how much of each top ten is in the user's taste of the moment."""
    parameters = {"store": "memory:", "encoder": str(directory / "encoder")}
    config = parse(parameters)
    encoder = OnnxEncoder.load(config.encoder, threads=config.encoder_threads)
    vectors = encoder.encode([item.text for item in stream.items])
    listening = parse({**parameters, "fast_weight": "6"})  # As docs/guides/refresh.md says.
    recommenders: list[Recommender] = [
        PenchantRecommender(config, vectors),
        PenchantRecommender(listening, vectors, middle_clock(), "Penchant, refreshed"),
    ]
    recommenders += [make(name, seed) for name in PEERS.split(",")]
    plan = ReplayConfig()
    targets = choose_targets(stream, plan)
    kind = np.array([KINDS.index(item.attributes["class"]) for item in stream.items])
    asked = [acts[position] for position in targets.positions.tolist()]
    user = np.array([act.user for act in asked])
    since = np.array([act.since for act in asked])
    found = []
    for recommender in recommenders:
        top = replay(stream, recommender, targets, plan).top
        share = np.array(
            [np.isin(kind[row], act.taste).mean() for row, act in zip(top, asked, strict=True)]
        )
        found.append(curve_of(recommender.name, share, user, since, seed))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="for the files")
    parser.add_argument("--picture", type=Path, default=Path("docs/images/drift.png"))
    parser.add_argument("--template", default="{title}. {review}")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    directory, template = options.directory, options.template
    directory.mkdir(parents=True, exist_ok=True)
    items = read_reviews(options.seed)
    acts = plant(np.repeat(np.arange(len(KINDS)), ITEMS_A_KIND), options.seed)
    write_files(directory, items, acts)
    stream = read_stream(directory, template)
    texts = [item.text for item in stream.items]
    place = directory / "encoder"
    export(default_source(), place, projection="pca", projection_texts=texts, max_tokens=MAX_TOKENS)
    subprocess.run(evaluate_command(directory, template), check=True)
    found = curves(directory, stream, acts, options.seed)
    for curve in found:
        print(json.dumps({"name": curve.name, **asdict(recovery_of(curve))}))
    draw(found, options.picture)


if __name__ == "__main__":
    main()
