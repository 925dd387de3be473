"""Cost of trust: `python -m benchmarks.callers_cost`.

Three servers side by side with the same catalog and the same users: one that is open, one that asks
for tokens, its users those of a tenant, and one that has all of it: tokens, mutual TLS, pseudonyms
of its users, and masked texts. One client calls them in turns, so that whatever else the machine
does slows all of them; the figures are ratios of the medians.
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
from penchant.launch.certs import CertsRequest, make_certs
from penchant.launch.development_tokens import KeysRequest, TokenRequest, issue_token, make_keys
from penchant.launch.model_parameters import gather
from penchant.launch.rotate_pseudonyms import RotatePseudonymsRequest, rotate_pseudonyms
from penchant.launch.tls import ServerTls
from penchant.system.pseudonym_keys import new_key
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

    def query(number: int) -> object:
        user, text = prepare.user_id(number % USERS), f"item {number} of 2024, call 020 7946 0018"
        return penchant.rank(user, candidates=candidates, query=text)

    def feedback(number: int) -> object:
        item = candidates[number % CANDIDATES]
        event = Event(prepare.user_id(number % USERS), item, "like", event_id=f"b{next(numbers)}")
        return penchant.feedback([event])

    return {"rank": rank, "rank with a query": query, "feedback": feedback}


def _all_on(directory: Path, encoder: Path) -> tuple[Server, Callable[[str], Penchant]]:
    """A server with all of it on, and how to make a client of it from its address."""
    store, tokens, certs = directory / "all-store", directory / "all-tokens", directory / "certs"
    _filled(store, encoder)
    keys = make_keys(KeysRequest(tokens))
    make_certs(CertsRequest(certs, clients=("app",)))
    names = directory / "pseudonym-keys"
    names.write_text(new_key() + "\n")
    names.chmod(0o600)
    pseudonyms = f"pseudonym_keys=file:{names}"
    rotate_pseudonyms(RotatePseudonymsRequest(store=f"lmdb:{store}", settings=(pseudonyms,)))
    settings = [f"token_keys={keys.public}", "mask_texts=all", pseudonyms]
    parameters = gather(f"lmdb:{store}", encoder, settings)
    server = Server(directory / "all", parameters, tls=ServerTls.of(certs / "server"))
    token = issue_token(TokenRequest(("rank", "feedback"), keys=tokens))

    def client(target: str) -> Penchant:
        return Penchant(target, timeout_s=10.0, token=token, tls=certs / "app")

    return server, client


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
        token = issue_token(TokenRequest(("rank", "feedback"), TENANT, keys=directory / "tokens"))
        settings = [f"token_keys={keys.public}"]
        open_settings = gather(f"lmdb:{plain}", encoder, ["mask_texts=off"])
        all_server, all_client = _all_on(directory, encoder)
        with (
            Server(directory / "open", open_settings) as first,
            Server(directory / "strict", gather(f"lmdb:{asking}", encoder, settings)) as second,
            all_server as third,
            Penchant(first.target, timeout_s=10.0) as without,
            Penchant(second.target, timeout_s=10.0, token=token) as with_token,
            all_client(third.target) as with_all,
        ):
            ways = {"open": without, "tokens": with_token, "all": with_all}
            verbs = {way: _verbs(penchant) for way, penchant in ways.items()}
            for verb in verbs["open"]:
                p50 = _p50s({way: calls[verb] for way, calls in verbs.items()}, rounds)
                figures = ", ".join(f"{way} {ms:.3f} ms" for way, ms in p50.items())
                of_open = [f"{p50[way] / p50['open']:.3f} ({way})" for way in ("tokens", "all")]
                print(f"{verb}: p50 {figures}; times the open server's: {', '.join(of_open)}")


if __name__ == "__main__":
    main()
