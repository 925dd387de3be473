"""What pseudonyms and masking cost a call: rank and feedback with both on, against both off.

    python -m benchmarks.privacy_cost [--rounds 300]

In process, without Triton, on two stores in turns, so that the machine's load hits both alike. Each
round ranks with a query that holds a year, and sends one event.
"""

from __future__ import annotations

import argparse
import base64
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from penchant_sdk import Event, Item, Penchant
from tests.support.rich_store import served
from tests.support.word_encoder import write_word_encoder

FILMS = {f"i{number}": f"film number{number} about space" for number in range(500)}
QUERY = "a film about space from 1999"


def calls(penchant: Penchant, number: int) -> dict[str, Callable[[], object]]:
    """The calls of one round."""
    user = f"user-{number % 50}"
    return {
        "rank": lambda: penchant.rank(user, k=10),
        "rank with a query": lambda: penchant.rank(user, k=10, query=QUERY),
        "feedback": lambda: penchant.feedback([Event(user, f"i{number}", "like")]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        root = Path(place)
        encoder = write_word_encoder(root / "encoder", FILMS.values(), 16, seed=1)
        keys = root / "keys"
        keys.write_text(base64.b64encode(bytes(32)).decode())
        keys.chmod(0o600)
        settings = {
            "off": {"mask_texts": "off"},
            "on": {"mask_texts": "queries", "pseudonym_keys": f"file:{keys}"},
        }
        clients = {
            name: stack.enter_context(served(root / name, encoder, chosen))
            for name, chosen in settings.items()
        }
        took: dict[tuple[str, str], list[float]] = {}
        for penchant in clients.values():
            penchant.put_items([Item(name, text) for name, text in FILMS.items()])
        for number in range(rounds):
            for name, penchant in clients.items():
                for verb, call in calls(penchant, number).items():
                    started = time.process_time()
                    call()
                    took.setdefault((verb, name), []).append(time.process_time() - started)
    for verb in dict.fromkeys(verb for verb, _ in took):
        off, on = (float(np.median(took[verb, name])) * 1e3 for name in ("off", "on"))
        print(f"{verb:18} off {off:.3f} ms, on {on:.3f} ms of processor time: {on / off:.2f} x")


if __name__ == "__main__":
    main()
