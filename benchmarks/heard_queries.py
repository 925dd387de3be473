"""Is a query heard in a young shop? Titles, and paraphrases that the server has never seen.

    python -m benchmarks.heard_queries --encoder DIR

Items are Debian's packages of section games: an item's text is its summary and the first sentence
of its description; its title is the summary, a paraphrase the second sentence, which the server
never gets. A server in this process, with defaults: the items are put, then some are viewed once or
liked by many, as in the first days of a shop. Asked for a stranger and for a user with a taste.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np

from penchant.encoder.onnx import OnnxEncoder
from penchant.logs.datasets.debian_control import read_metadata, stanzas
from penchant.server.in_process import InProcessServer, InProcessTransport
from penchant_sdk import Event, Item
from penchant_sdk.client import Penchant

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def described(most: int) -> list[tuple[str, str, str, str]]:
    """Id, title, text and paraphrase of the packages that have all of them."""
    found: list[tuple[str, str, str, str]] = []
    titles: set[str] = set()
    for package in stanzas(read_metadata()):
        lines = package["Description"].split("\n")
        title = lines[0].strip()
        long = " ".join(line.strip() for line in lines[1:] if line.strip() != ".")
        sentences = _SENTENCE.split(long)
        if len(sentences) < 2 or title in titles or len(sentences[1]) < 30:
            continue
        titles.add(title)
        found.append((package["Package"], title, f"{title}. {sentences[0]}", sentences[1]))
    return found[:most]


def main() -> None:
    """Prints the share of titles put first, and where paraphrases find their items."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--events", type=int, default=3000)
    chosen = parser.parse_args()
    games = described(chosen.items)
    ids = [one[0] for one in games]
    server = InProcessServer(OnnxEncoder.load(chosen.encoder, threads=1))
    client = Penchant("shop", transport=InProcessTransport(server, owned=True))
    for start in range(0, len(games), 100):
        client.put_items([Item(id_, text) for id_, _, text, _ in games[start : start + 100]])
    rng = np.random.default_rng(1)
    chances = 1 / np.arange(1, len(ids) + 1)
    chances = rng.permutation(chances / chances.sum())

    def ranks(user: str, place: int) -> list[int]:
        return [
            list(client.rank(user, query=game[place], k=len(ids)).ids).index(game[0]) + 1
            for game in games
        ]

    for moment in ("new, nothing happened", "one view of each tenth item", "many events"):
        if moment.startswith("one"):
            client.feedback([Event(user="v", item=id_, signal="view") for id_ in ids[::10]])
        elif moment.startswith("many"):
            for start in range(0, chosen.events, 100):
                client.feedback(
                    [
                        Event(user=f"u{start + n}", item=str(item), signal="like")
                        for n, item in enumerate(rng.choice(ids, 100, p=chances))
                    ]
                )
            client.feedback([Event(user="ann", item=id_, signal="like") for id_ in ids[7:12]])
        for user in ("stranger", "ann"):
            title, said = np.array(ranks(user, 1)), np.array(ranks(user, 3))
            popular = list(client.rank(user, k=len(ids)).ids)
            without = np.array([popular.index(id_) + 1 for id_ in ids])
            print(
                f"{moment}, {user}: titles first {np.mean(title == 1):.4f}; paraphrases in the "
                f"first ten {np.mean(said <= 10):.3f}, without {np.mean(without <= 10):.3f}",
                flush=True,
            )
            worst = [games[place][1] for place in np.flatnonzero(title > 1)[:5]]
            if worst:
                print(f"  not first: {worst}")


if __name__ == "__main__":
    main()
