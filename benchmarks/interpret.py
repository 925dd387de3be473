"""How far above the floor is the latency of `interpret`, the smart home's call?

    python benchmarks/interpret.py --encoder DIR

The floor is a model that does nothing, on the same server and called by the same process. Sentences
are held-out ones of Home Assistant's templates and hand-written ones;
`docs/measurements/home.md` has the figures.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.table import Table

from benchmarks import calls, client, floor_models, machine
from benchmarks.rounds import Series, run
from demos.home.home_settings import HOME_SETTINGS
from demos.home.house import house
from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant.training.home.corpus import FREE, SEEN, draw_sentences
from penchant.training.home.sentence_templates import HELD_OUT
from penchant_sdk import Penchant
from penchant_sdk.home import HomeClient
from penchant_sdk.home._exact import ExactMatcher

FACTOR = 15
"""With --strict, largest p95 of `interpret` as a multiple of the floor's."""
KINDS = ("exact", "exact, heard before", "free", "free, heard before", "mixed")
_WARM_UP = 10
_SECONDS = 1.5


def sentences(language: str, seed: int) -> dict[str, list[str]]:
    """Sentences by kind: exact ones match a template, free ones match none."""
    rng = random.Random(seed)
    drawn = draw_sentences(language)
    matcher = ExactMatcher(language, house(language))
    templates = [one.text for one in drawn if one.part in (SEEN, HELD_OUT)]
    rng.shuffle(templates)
    exact = [text for text in templates[:1500] if matcher.match(text, in_room=True)]
    said = [one.text for one in drawn if one.part == FREE]
    # A different text each time, so that no cache knows it.
    free = [f"{text} {number}" for number in range(40) for text in said]
    mixed = [text for pair in zip(exact, free, strict=False) for text in pair]
    return {
        "exact": exact,
        "exact, heard before": exact[:20] * 200,
        "free": free,
        "free, heard before": said * 40,
        "mixed": mixed,
    }


def alone(target: str, language: str, kind: str, seconds: float, seed: int) -> list[float]:
    """Latencies of sequential interpretations, in ms.

    Args:
        target: address of the server.
        language: language of the sentences.
        kind: one of `KINDS`.
        seconds: time to go on for.
        seed: seed of the sentences.
    """
    texts = sentences(language, seed)[kind]
    latencies: list[float] = []
    with Penchant(target, timeout_s=30.0) as penchant:
        home = HomeClient(penchant, language=language)
        home.register(house(language))
        for text in texts[-_WARM_UP:]:
            home.interpret(text, user="ann", room=house(language)[0].room)
        end = time.perf_counter() + seconds
        for text in texts:
            started = time.perf_counter()
            if started > end:
                break
            home.interpret(text, user="ann", room=house(language)[0].room)
            latencies.append((time.perf_counter() - started) * 1e3)
    return latencies


def bench(encoder: Path, directory: Path, language: str, rounds: int) -> dict[str, Series]:
    """Measures every kind and the floor, in turn, on one real Triton."""
    settings = gather(f"lmdb:{directory / 'store'}", encoder, HOME_SETTINGS)
    noop = floor_models.write(directory / "noop")
    server = Server(directory / "server", settings, arguments=[f"--model-repository={noop}"])
    with server, client.client_process() as pool:
        target, floor = server.target, calls.floor(floor_models.FLOOR_RANK)
        with Penchant(target, timeout_s=30.0) as penchant:
            HomeClient(penchant, language=language).register(house(language))
        measures = {
            "floor": lambda number: pool.submit(
                client.alone, target, floor, _SECONDS, number
            ).result()
        } | {
            kind: lambda number, kind=kind: pool.submit(
                alone, target, language, kind, _SECONDS, number
            ).result()
            for kind in KINDS
        }
        return run(measures, rounds, lambda said: None)


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark with command-line arguments; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--encoder", type=Path, metavar="DIR", required=True)
    parser.add_argument("--language", default="en")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    parser.add_argument("--strict", action="store_true", help=f"exit with 1 above {FACTOR}x")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="penchant-interpret-") as directory:
        series = bench(options.encoder, Path(directory), options.language, options.rounds)
        facts = machine.facts(Path(directory))
    floor = series["floor"]
    table = Table("", "p50 ms", "p95 ms", "p95 / floor's p95", "calls")
    numbers = {}
    for name, one in series.items():
        ratio = one.quantile(0.95) / floor.quantile(0.95)
        numbers[name] = {"p50_ms": one.quantile(0.5), "p95_ms": one.quantile(0.95), "ratio": ratio}
        cells = (f"{one.quantile(0.5):.2f}", f"{one.quantile(0.95):.2f}", f"{ratio:.1f}")
        table.add_row(name, *cells, f"{len(one.all_ms):,}")
    console = Console()
    console.print(table)
    console.print(facts)
    if options.json:
        options.json.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    worst = max(numbers[kind]["ratio"] for kind in KINDS)
    return 1 if options.strict and worst >= FACTOR else 0


if __name__ == "__main__":
    sys.exit(main())
