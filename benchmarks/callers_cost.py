"""Cost of knowing the caller: `python -m benchmarks.callers_cost`.

Two servers side by side, one that asks for tokens and one that does not, with the same catalog and
the same users, which are those of a tenant on the first. One client calls them in turns, so that
whatever else the machine does slows both; the figure is the ratio of the medians.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import prepare
from penchant.launch import Server
from penchant.launch.development_tokens import KeysRequest, TokenRequest, issue_token, make_keys
from penchant.launch.model_parameters import gather
from penchant_sdk import Event, Penchant
from tests.support.word_encoder import write_word_encoder

ITEMS, USERS, CANDIDATES = 2_000, 200, 100
TENANT = "acme"


def _filled(store: Path, encoder: Path) -> None:
    config = prepare.config_for(store, encoder)
    prepare.fill_catalog(config, ITEMS)
    prepare.fill_users(config, USERS, prepare.now())


def _p50s(calls: dict[str, Callable[[int], object]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each call; the calls take turns."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 50):
        for name, call in calls.items():
            began_s = time.perf_counter()
            call(number)
            took[name].append((time.perf_counter() - began_s) * 1e3)
    return {name: float(np.median(values[50:])) for name, values in took.items()}


def _verbs(penchant: Penchant) -> dict[str, Callable[[int], object]]:
    candidates = [prepare.item_id(number) for number in range(CANDIDATES)]
    numbers = itertools.count()

    def rank(number: int) -> object:
        return penchant.rank(prepare.user_id(number % USERS), candidates=candidates)

    def feedback(number: int) -> object:
        item = candidates[number % CANDIDATES]
        event = Event(prepare.user_id(number % USERS), item, "like", event_id=f"b{next(numbers)}")
        return penchant.feedback([event])

    return {"rank": rank, "feedback": feedback}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2_000)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        encoder = write_word_encoder(directory / "encoder", ["item number"], dimensions=64, seed=1)
        plain, asking = directory / "plain", directory / "asking"
        _filled(plain, encoder)
        _filled(asking / "tenants" / TENANT, encoder)
        keys = make_keys(KeysRequest(directory / "tokens"))
        request = TokenRequest(("rank", "feedback"), TENANT, keys=directory / "tokens")
        token = issue_token(request)
        settings = [f"token_keys={keys.public}"]
        open_server = Server(directory / "open", gather(f"lmdb:{plain}", encoder))
        strict_server = Server(directory / "strict", gather(f"lmdb:{asking}", encoder, settings))
        with (
            open_server as first,
            strict_server as second,
            Penchant(first.target, timeout_s=10.0) as without,
            Penchant(second.target, timeout_s=10.0, token=token) as with_token,
        ):
            of_first, of_second = _verbs(without), _verbs(with_token)
            for verb in of_first:
                calls = {"without": of_first[verb], "with": of_second[verb]}
                p50 = _p50s(calls, rounds)
                print(
                    f"{verb}: p50 {p50['without']:.3f} ms without tokens, {p50['with']:.3f} ms "
                    f"with them, ratio {p50['with'] / p50['without']:.3f}"
                )


if __name__ == "__main__":
    main()
