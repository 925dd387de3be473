"""Is a query heard in a young shop? Titles, and paraphrases that the server has never seen.

    python -m benchmarks.heard_queries --encoder DIR [--items 1000]

Titles: films of MovieLens-100K, each asked for by its title. Paraphrases: clothes, of which the
server gets the class and one sentence of a review, and is asked for the review's next sentence. A
server in this process, with defaults: items are put, then every tenth is viewed once, then many
events come, by popularity. QueriedItem for a stranger and for ann, who likes some items.
"""

from __future__ import annotations

import argparse
import re
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from penchant.encoder.onnx import OnnxEncoder
from penchant.logs.datasets.movielens import PACKAGE, read_movielens
from penchant.server.in_process import InProcessServer, InProcessTransport
from penchant_sdk import Event, Item
from penchant_sdk.client import Penchant

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_REVIEWS = "WomensClothingE-CommerceReviews.parquet.brotli"
DEPTH = 10


class QueriedItem(NamedTuple):
    """An item, and the query that asks for it."""

    id: str
    text: str
    query: str


def films(most: int) -> list[QueriedItem]:
    """Films, asked for by their titles."""
    found = [
        QueriedItem(film.id, film.text, film.attributes["title"]) for film in read_movielens().films
    ]
    return found[:most]


def clothes(most: int) -> list[QueriedItem]:
    """Clothes, asked for by a sentence that their texts lack."""
    files = metadata.distribution(PACKAGE).files or []
    path = next(file.locate() for file in files if file.name == _REVIEWS)
    reviews = pq.read_table(path).to_pylist()
    reviews.sort(key=lambda row: (-len(row["Review Text"] or ""), row["Clothing ID"]))
    found: dict[str, QueriedItem] = {}
    for row in reviews:
        sentences = [one for one in _SENTENCE.split(row["Review Text"] or "") if len(one) > 40]
        if len(sentences) > 1:
            id_ = str(row["Clothing ID"])
            text = f"{row['Class Name']}: {sentences[0]}"
            found.setdefault(id_, QueriedItem(id_, text, sentences[1]))
    return list(found.values())[:most]


def main() -> None:
    """Prints how often the item that a query means comes first, and among the first ten."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--events", type=int, default=3000)
    chosen = parser.parse_args()
    encoder = OnnxEncoder.load(chosen.encoder, threads=1)
    for kind, asked in (
        ("titles of films", films(chosen.items)),
        ("paraphrases of clothes", clothes(chosen.items)),
    ):
        server = InProcessServer(encoder)
        client = Penchant("shop", transport=InProcessTransport(server, owned=True))
        ids = [one.id for one in asked]
        for start in range(0, len(ids), 100):
            client.put_items([Item(one.id, one.text) for one in asked[start : start + 100]])
        rng = np.random.default_rng(1)
        chances = rng.permutation(1 / np.arange(1, len(ids) + 1))
        for moment in ("nothing has happened", "a view of every tenth", "many likes"):
            if moment.startswith("a view"):
                client.feedback([Event(user="v", item=id_, signal="view") for id_ in ids[::10]])
            elif moment.startswith("many"):
                drawn = rng.choice(ids, chosen.events, p=chances / chances.sum())
                for start in range(0, chosen.events, 100):
                    client.feedback(
                        [
                            Event(user=f"u{start + n}", item=str(item), signal="like")
                            for n, item in enumerate(drawn[start : start + 100])
                        ]
                    )
                client.feedback([Event(user="ann", item=id_, signal="like") for id_ in ids[7:12]])
            for user in ("stranger", "ann"):
                best = [client.rank(user, query=one.query, k=DEPTH).ids for one in asked]
                first = np.mean([one.id == top[0] for one, top in zip(asked, best, strict=True)])
                within = np.mean([one.id in top for one, top in zip(asked, best, strict=True)])
                print(
                    f"{len(ids):,} {kind}, {moment}, {user}: first {first:.3f}, among the first "
                    f"ten {within:.3f}; without a query {DEPTH / len(ids):.3f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
