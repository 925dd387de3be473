"""`penchant demo-release`: from a log to a served release and back, under a client's eyes."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter, validators
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from demos.demo_encoder import prepare_encoder
from demos.demo_server import connect, make_server, until_interrupted
from demos.films.demo import register
from demos.progress_steps import bar, bars, step
from demos.release.asking import AskedRanking, Asking, Recomputed
from penchant.cli.import_ import sdk_event
from penchant.domain.errors import ConfigError
from penchant.encoder.library import load_onnx
from penchant.launch.model_parameters import HOME
from penchant.launch.server_store import ServerStore, open_server_store
from penchant.logs.datasets.movielens import MovieLens, read_movielens
from penchant.releases.manifest import encoder_directory
from penchant.releases.release_gate import GATE
from penchant.store.items import read_head
from penchant.store.releases import read_releases
from penchant.system.option_types import FLAT
from penchant_sdk import Penchant

TRAINED = 0.3
"""The share of the log that the encoder learns from; what comes after judges it."""
HISTORY = 40_000
"""Ratings that the server knows when the demo begins."""
WEIGHTS = {
    "slow_weight": 6.0,
    "fast_weight": 5.5,
    "catalog_weight": 120.0,
    "ridge": 1.2,
    "fast_half_life_events": 2.0,
    "offset_weight": 0.75,
}
"""Score weights that the release brings along; chosen on the first 30,000 ratings."""
REFRESH = ("--window", "40", "--text-weight", "2")
"""The same of its refresh."""
COHORT_LOSS = "10%"
"""A few minutes of training make an encoder that is somewhat more easily misled by typing errors
than the one that was never trained, and other weights favour other genres: the default budget, 3 %,
would refuse it for the former, and by genre for the latter. What is lost is shown."""
WATCHED = 8
PAUSE_S = 3.0
"""How long clients ask between one switch and the next."""
NUMBERS = "release.json"


@dataclass(frozen=True, slots=True)
class ReleaseDemo:
    """Options of the demo."""

    steps: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 30
    """Training steps of the encoder; 0: only its projection learns."""
    output: Path = Path("out")
    """Directory for the numbers."""


def demo_release(*, options: Annotated[ReleaseDemo, FLAT] = ReleaseDemo()) -> int:
    """Fine-tunes, exports, quantizes, compiles, judges, publishes and rolls back a release.

    A server with 40,000 ratings of MovieLens serves all the while; clients rank and feed back
    without a pause. Each step is the command that you would use, and is shown. At the end every
    reply is computed again from the catalog version that it names.
    """
    console = Console(highlight=False)
    options.output.mkdir(parents=True, exist_ok=True)
    return until_interrupted(console, lambda directory: _run(console, directory, options))


def _run(console: Console, directory: Path, options: ReleaseDemo) -> None:
    with step(console, "Reading MovieLens-100K"):
        data = read_movielens()
    with step(console, "Preparing the encoder that serves first") as now:
        encoder, _ = prepare_encoder(HOME, [film.text for film in data.films], now.say)
    store = f"lmdb:{directory / 'store'}"
    server = make_server(directory, encoder, None, keep=False)
    try:
        with step(console, "Starting Triton") as now:
            server.start()
            now.done = f"Triton is up on {server.target}"
        with connect(server.target) as penchant:
            _teach(console, penchant, data)
        play = _Play(console, directory, store, encoder.absolute(), server.target, data, options)
        play.run()
    finally:
        server.stop()


def _teach(console: Console, penchant: Penchant, data: MovieLens) -> None:
    with bars(console) as progress:
        with bar(console, progress, "Registering films", len(data.films)) as task:
            register(penchant, data.films, progress, task)
        with bar(console, progress, "Importing ratings as history", HISTORY) as task:
            for start in range(0, HISTORY, 1000):
                some = data.ratings[start : start + 1000]
                penchant.feedback([sdk_event(event) for event in some], timeout_s=30.0)
                progress.advance(task, len(some))


class _Play:
    """The demo's acts, and what is known after each."""

    def __init__(
        self,
        console: Console,
        directory: Path,
        store: str,
        encoder: Path,
        target: str,
        data: MovieLens,
        options: ReleaseDemo,
    ) -> None:
        self._console, self._directory, self._store = console, directory, store
        self._encoder, self._target, self._data, self._options = encoder, target, data, options
        history = data.ratings[:HISTORY]
        busiest = Counter(event.user for event in history).most_common(WATCHED)
        self._watched = [user for user, _ in busiest]
        self._as_of_s = history[-1].occurred_at_us / 1e6
        self._known: dict[int, Recomputed] = {}

    def run(self) -> None:
        """All acts."""
        self._penchant("refresh", "--store", self._store)
        watched = set(self._watched)
        later = [event for event in self._data.ratings[HISTORY:] if event.user not in watched]
        asking = Asking(self._target, self._watched, self._as_of_s, later)
        times: list[tuple[str, float]] = []
        with open_server_store(self._store, (), self._encoder) as place, asking:
            self._look(place)
            asking.wait(PAUSE_S)
            self._make()
            times.append(("publish", self._publish()))
            self._look(place)
            asking.wait(PAUSE_S)
            times.append(("rollback", self._roll_back()))
            self._look(place)
            asking.wait(PAUSE_S)
            with place.store.snapshot() as snapshot:
                release = read_releases(snapshot)[1].release
            gate = json.loads((place.releases / release / GATE).read_text(encoding="utf-8"))
        self._conclude(asking, gate, dict(times))

    def _make(self) -> None:
        work = self._directory / "work"
        checkpoint, exported, small = work / "checkpoint", work / "encoder", work / "int8"
        log = ("--dataset", "movielens")
        self._penchant(
            "finetune",
            *log,
            *("--train-fraction", str(TRAINED), "--method", "lora"),
            *("--steps", str(self._options.steps), "--output", str(checkpoint)),
        )
        self._penchant("export", "--source", str(checkpoint), "--output", str(exported))
        self._penchant("compile", "--encoder", str(exported), "--precision", "fp16")
        share = HISTORY / len(self._data.ratings)
        self._penchant(
            "quantize",
            *("--encoder", str(exported), "--output", str(small), *log),
            *("--log-fraction", str(share), "--validation-fraction", str(1 - TRAINED / share)),
        )

    def _publish(self) -> float:
        weights = [part for pair in WEIGHTS.items() for part in ("--weight", "{}={}".format(*pair))]
        judged = 1 - TRAINED * len(self._data.ratings) / HISTORY
        return self._penchant(
            "publish",
            *("--encoder", str(self._directory / "work" / "int8"), "--store", self._store),
            *("--configured", str(self._encoder), "--target", self._target),
            *("--relevant", "rating>=4", "--validation-fraction", f"{judged:.2f}"),
            *("--max-cohort-loss", COHORT_LOSS, *weights, *REFRESH),
        )

    def _roll_back(self) -> float:
        return self._penchant("rollback", "--store", self._store, "--encoder", str(self._encoder))

    def _penchant(self, *arguments: str) -> float:
        """Runs a command as one would, in a process of its own; its seconds."""
        shown = shlex.join(["penchant", *(self._short(argument) for argument in arguments)])
        began = time.monotonic()
        with step(self._console, arguments[0]) as now:
            now.done = shown
            run = subprocess.run(
                [sys.executable, "-m", "penchant.cli.main", *arguments],
                capture_output=True,
                text=True,
                check=False,
            )
        if run.returncode:
            self._console.print(Text(run.stdout + run.stderr))
            raise ConfigError(f"demo-release: `{shown}` ended with status {run.returncode}")
        if arguments[0] in ("quantize", "publish"):
            self._console.print(Text(run.stdout.rstrip(), style="dim"))
        return time.monotonic() - began

    def _short(self, argument: str) -> str:
        return argument.replace(str(self._directory), "DEMO")

    def _look(self, place: ServerStore) -> None:
        """Computes what the served version must answer."""
        with place.store.snapshot() as snapshot:
            head = read_head(snapshot)
        released = place.releases / head.release
        directory = encoder_directory(released) if head.release else self._encoder
        known = Recomputed(
            place.store,
            place.directory,
            place.config,
            load_onnx(directory),
            self._watched,
            self._as_of_s,
        )
        self._known[known.version] = known

    def _conclude(self, asking: Asking, gate: dict[str, Any], times: dict[str, float]) -> None:
        mixed = [
            asked
            for asked in asking.asked
            if asked.reply.catalog_version not in self._known
            or not self._known[asked.reply.catalog_version].agrees(asked)
        ]
        whole = {one["metric"]: one for one in gate["findings"] if one["gate"] == "validation"}
        console = self._console
        console.print(_phases(asking.asked, list(self._known.values())))
        console.print(_quality(whole))
        console.print(
            f"{len(asking.asked):,} rankings and {asking.fed:,} events while it happened: "
            f"{len(asking.failures)} failed, {len(mixed)} mixed two vector spaces. Rollback took "
            f"{times['rollback']:.1f} s, the start of the command included.",
            soft_wrap=True,
        )
        numbers = {
            "rankings": len(asking.asked),
            "events": asking.fed,
            "failed": asking.failures,
            "mixed": len(mixed),
            "seconds": times,
            "quality": whole,
        }
        path = self._options.output / NUMBERS
        path.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
        console.print(f"Numbers: {path}. Next: docs/guides/release.md, with your own log.")
        if asking.failures or mixed:
            for failure in asking.failures[:5]:
                console.print(Text(failure, "red"))
            raise ConfigError("demo-release: a request failed or mixed two spaces; see above")


def _phases(asked: Sequence[AskedRanking], known: Sequence[Recomputed]) -> Table:
    table = Table(title="What was served", title_justify="left", box=SIMPLE_HEAD)
    for column in ("", "encoder", "catalog version", "rankings", "p50", "p99"):
        table.add_column(column, justify="right" if column else "left")
    for name, one in zip(("before", "published", "rolled back"), known, strict=True):
        mine = [each.seconds for each in asked if each.reply.catalog_version == one.version]
        low, high = np.quantile(mine, (0.5, 0.99)) * 1000
        row = (one.encoder_version, str(one.version), f"{len(mine):,}")
        table.add_row(name, *row, f"{low:.1f} ms", f"{high:.1f} ms")
    return table


def _quality(whole: dict[str, Any]) -> Table:
    title = "What the gate measured, on ratings that the encoder was not trained on"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("", "before", "published", "rankings"):
        table.add_column(column, justify="right" if column else "left")
    for metric, one in whole.items():
        values = (f"{one['baseline']:.4f}", f"{one['candidate']:.4f}", f"{one['rankings']:,}")
        table.add_row(metric, *values)
    return table
