"""`penchant demo-home`: a small home on a real Triton understands, asks, and learns habits."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators
from rich.console import Console
from rich.table import Table

from demos.demo_server import until_interrupted
from demos.home.home_settings import HOME_SETTINGS
from demos.home.house import house
from demos.home.talk import LANGUAGES, SAID, habit, plain_table, talk
from demos.home.understanding import OUTSIDE, PARTS, MeasuredPart, draw, measure
from demos.progress_steps import step
from penchant.launch import Server
from penchant.launch.model_parameters import HOME, gather
from penchant.system.option_types import FLAT
from penchant.training.home.home_adapter import adapter_digest
from penchant.training.home.home_encoder import HomeEncoderRequest, home_encoder
from penchant_sdk import Penchant
from penchant_sdk.home import HomeClient

MEASURED = 300
"""Sentences of each part that the demo measures itself by."""
PICTURE, NUMBERS = "home.png", "home.json"
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class HomeDemo:
    """Options of the demo."""

    measured: Annotated[int, Parameter(validator=validators.Number(gte=1))] = MEASURED
    """Sentences of each part to measure with."""
    output: Path = Path("out")
    """Directory for the chart and the numbers."""


def demo_home(*, options: Annotated[HomeDemo, FLAT] = HomeDemo()) -> int:
    """A small home hears English and Chinese, asks before it opens a door, and learns a habit.

    The encoder is all-MiniLM-L6-v2 with the low-rank additions that come with Penchant, fine-tuned
    on Home Assistant's sentence templates. What is measured at the end was never trained on.
    """
    console = Console(highlight=False)
    options.output.mkdir(parents=True, exist_ok=True)

    def run(directory: Path) -> int:
        return 0 if _run(console, directory, options.measured, options.output) else 1

    return until_interrupted(console, run)


def _run(console: Console, directory: Path, most: int, output: Path) -> bool:
    began = time.monotonic()
    with step(console, "Preparing the encoder") as now:
        encoder = home_encoder(HomeEncoderRequest(HOME / f"encoder-home-{adapter_digest()}"))
        now.done = f"The encoder is in {encoder}"
    settings = gather(f"lmdb:{directory / 'store'}", encoder, HOME_SETTINGS)
    server = Server(directory / "server", settings)
    try:
        with step(console, "Starting Triton") as now:
            server.start()
            now.done = f"Triton is up on {server.target}"
        with Penchant(server.target, timeout_s=_TIMEOUT_S) as penchant:
            formed = _play(console, penchant, most, output)
    finally:
        server.stop()
    _what_next(console, time.monotonic() - began, output)
    return formed


def _play(console: Console, penchant: Penchant, most: int, output: Path) -> bool:
    homes = {language: HomeClient(penchant, language=language) for language in SAID}
    for language, home in homes.items():
        with step(console, f"Registering the home in {LANGUAGES[language]}") as now:
            put = home.register(house(language))
            now.done = f"The home in {LANGUAGES[language]}: {put.changed} actions are items"
    for language, home in homes.items():
        console.print(talk(home, language))
    today = datetime.now().astimezone()
    table, formed = habit(homes["en"], today.replace(hour=23), today.replace(hour=8))
    console.print(table)
    if not formed:
        console.print("[red]The habit did not form or change as it should.[/red]")
    found: list[MeasuredPart] = []
    with step(console, "Measuring with sentences that were never trained on"):
        for language, home in homes.items():
            found += measure(home, language, most)
    console.print(_shares(found))
    draw(found, output / PICTURE)
    numbers = {f"{one.language} {one.part}": float(one.right.mean()) for one in found}
    (output / NUMBERS).write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    return formed


def _what_next(console: Console, seconds: float, output: Path) -> None:
    lines = [
        f"Done in {seconds:.0f} s. Picture: {output / PICTURE}. Numbers: {output / NUMBERS}.",
        "",
        "Try next:",
        "  examples/home.py          the same calls in forty lines",
        "  penchant quantize --help  an encoder twice as fast",
        "  docs/clients/home.md      what is understood, what never acts, how it was checked",
    ]
    console.print("\n".join(lines), soft_wrap=True)


def _shares(found: Sequence[MeasuredPart]) -> Table:
    table = plain_table(
        "Intents right, a refusal counted as wrong",
        "language",
        *(name.replace("\n", " ") for name in PARTS.values()),
        "outside, refused",
    )
    for language in dict.fromkeys(one.language for one in found):
        own = {one.part: one for one in found if one.language == language}
        cells = [f"{own[part].right.mean():.1%} of {len(own[part].right)}" for part in PARTS]
        strange = own[OUTSIDE].right
        table.add_row(LANGUAGES[language], *cells, f"{strange.mean():.1%} of {len(strange)}")
    return table
