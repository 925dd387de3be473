"""The commands that make, publish and roll back a release, each run in a process of its own."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from rich.text import Text

from demos.demo_server import store_in
from demos.progress_steps import step
from penchant.domain.errors import ConfigError
from penchant.report.terminal import Terminal

TRAINED = 0.3
"""Oldest share of the log, which the encoder is trained on."""
HISTORY = 40_000
"""Number of ratings that the server knows when the demo begins."""
KNOWN = HISTORY / 100_000
"""Share of the log that the server knows when the demo begins."""
JUDGING = 1 - TRAINED / KNOWN
"""Newest share of the known log, which judges the encoder."""
WEIGHTS = {
    "slow_weight": 6.0,
    "fast_weight": 5.5,
    "catalog_weight": 120.0,
    "ridge": 1.2,
    "fast_half_life_events": 2.0,
    "offset_weight": 0.75,
}
"""Score weights of the release, chosen on the first 30,000 ratings."""
REFRESH = ("--window", "40", "--text-weight", "2")
"""Refresh settings of the release, chosen on the same ratings."""
COHORT_LOSS = "10%"
"""Largest loss that the gate accepts in any cohort.

An encoder trained for a few minutes loses more to typing errors than an untrained one, and other
score weights favour other genres; the default budget of 3 % would refuse the release for either.
The losses are printed.
"""


def run_command(
    console: Terminal, directory: Path, *arguments: str, show_output: bool = False
) -> float:
    """Runs `penchant` with arguments, shows the command line as a step, and returns its seconds.

    Args:
        console: the terminal.
        directory: the demo's scratch directory, shown as DEMO.
        arguments: name of the command and its options.
        show_output: whether to print the command's output.

    Raises:
        ConfigError: the command failed; its output has been printed.
    """
    shown = shlex.join(["penchant", *(one.replace(str(directory), "DEMO") for one in arguments)])
    began = time.monotonic()
    with step(console, arguments[0]) as running:
        running.done = shown
        run = subprocess.run(
            [sys.executable, "-m", "penchant.cli.main", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
    if run.returncode:
        console.print(Text(run.stdout + run.stderr))
        raise ConfigError(f"demo-release: `{shown}` ended with status {run.returncode}")
    if show_output:
        console.print(Text(run.stdout.rstrip(), style="dim"))
    return time.monotonic() - began


class ReleaseCommands:
    """The commands of one release, on one server."""

    def __init__(
        self,
        console: Terminal,
        directory: Path,
        encoder: Path,
        target: str,
        steps: int,
    ) -> None:
        """Prepares the commands; none is run yet.

        Args:
            console: the terminal.
            directory: the demo's scratch directory, with the server's store.
            encoder: directory of the encoder that serves without a release.
            target: gRPC address of the server.
            steps: training steps of the encoder.
        """
        self._run = partial(run_command, console, directory)
        self._work, self._store = directory / "work", store_in(directory)
        self._encoder, self._target, self._steps = str(encoder), target, steps

    def make(self) -> None:
        """Fine-tunes an encoder, exports, compiles and quantizes it."""
        checkpoint, exported = str(self._work / "checkpoint"), str(self._work / "encoder")
        log = ("--dataset", "movielens")
        self._run(
            "finetune",
            *log,
            *("--train-fraction", str(TRAINED), "--method", "lora"),
            *("--steps", str(self._steps), "--output", checkpoint),
        )
        self._run("export", "--source", checkpoint, "--output", exported)
        self._run("compile", "--source", exported, "--precision", "fp16")
        self._run(
            "quantize",
            *("--source", exported, "--output", self._quantized, *log),
            *("--log-fraction", str(KNOWN), "--validation-fraction", str(JUDGING)),
            show_output=True,
        )

    def publish(self) -> float:
        """Judges the encoder and serves it; returns the command's seconds."""
        weights = [part for pair in WEIGHTS.items() for part in ("--weight", "{}={}".format(*pair))]
        return self._run(
            "publish",
            *("--candidate", self._quantized, "--store", self._store),
            *("--encoder", self._encoder, "--target", self._target),
            *("--relevant", "rating>=4", "--validation-fraction", f"{JUDGING:.2f}"),
            *("--max-cohort-loss", COHORT_LOSS, *weights, *REFRESH),
            show_output=True,
        )

    def roll_back(self) -> float:
        """Serves the configured encoder again; returns the command's seconds."""
        return self._run("rollback", "--store", self._store, "--encoder", self._encoder)

    @property
    def _quantized(self) -> str:
        return str(self._work / "int8")
