"""`penchant demo-home`: a small home on a real Triton understands, asks and learns a habit."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators
from rich.table import Table

from demos.demo_server import make_server, run_demo, serving
from demos.demo_tables import demo_table
from demos.home.conversation import UTTERANCES, conversation_table, habit_table
from demos.home.home_settings import HOME_SETTINGS
from demos.home.house import LANGUAGES, house
from demos.home.understanding import OUTSIDE, PARTS, MeasuredPart, draw, measure
from demos.progress_steps import print_next, print_results, step
from penchant.launch.model_parameters import HOME
from penchant.report.page import as_json
from penchant.report.terminal import Terminal
from penchant.system.durable_file import write_whole
from penchant.system.option_types import FLAT
from penchant.training.home.home_encoder import HomeEncoderRequest, encoder_name, home_encoder
from penchant_sdk import Penchant
from penchant_sdk.home import HomeClient

MEASURED = 300
"""Default number of sentences measured in each part."""
PICTURE, NUMBERS = "home.png", "home.json"
NEXT = {
    "examples/home.py": "the same calls in forty lines",
    "penchant quantize --help": "an encoder twice as fast",
    "docs/clients/home.md": "how sentences are understood, and which actions always ask first",
}


@dataclass(frozen=True, slots=True)
class HomeDemo:
    """Options of the home demo."""

    measured: Annotated[int, Parameter(validator=validators.Number(gte=1))] = MEASURED
    """Number of sentences to measure in each part."""
    output: Path = Path("out")
    """Directory for the chart and the numbers."""


def demo_home(*, options: Annotated[HomeDemo, FLAT] = HomeDemo()) -> int:
    """Plays a small home that hears English and Chinese, asks before it opens a door, and learns.

    The encoder is all-MiniLM-L6-v2 with the low-rank adapter that comes with Penchant, fine-tuned
    on Home Assistant's sentence templates. At the end, the demo measures its accuracy on sentences
    that the encoder was not trained on.
    """

    def play(console: Terminal, directory: Path) -> int:
        return 0 if _play(console, directory, options) else 1

    return run_demo(options.output, play)


def _play(console: Terminal, directory: Path, options: HomeDemo) -> bool:
    """Plays the demo; returns whether the habit formed as it should."""
    began = time.monotonic()
    encoder = _encoder_step(console)
    with serving(console, make_server(directory, encoder, settings=HOME_SETTINGS)) as penchant:
        homes = _register(console, penchant)
        for language, home in homes.items():
            console.print(conversation_table(home, language))
        formed = _show_habit(console, homes["en"])
        measured = _measure(console, homes, options.measured)
    console.print(_shares_table(measured))
    picture, numbers = options.output / PICTURE, options.output / NUMBERS
    draw(measured, picture)
    shares = {f"{one.language} {one.part}": float(one.right.mean()) for one in measured}
    write_whole(numbers, as_json(shares))
    print_results(console, time.monotonic() - began, {"Picture": picture, "Numbers": numbers})
    print_next(console, NEXT)
    return formed


def _encoder_step(console: Terminal) -> Path:
    with step(console, "Preparing the encoder") as preparing:
        encoder = home_encoder(HomeEncoderRequest(HOME / encoder_name()))
        preparing.done = f"Encoder: all-MiniLM-L6-v2 with the home adapter, {encoder}"
    return encoder


def _register(console: Terminal, penchant: Penchant) -> dict[str, HomeClient]:
    """Registers the home in each language and returns its clients by language."""
    homes = {language: HomeClient(penchant, language=language) for language in UTTERANCES}
    for language, home in homes.items():
        with step(console, f"Registering the home in {LANGUAGES[language]}") as registering:
            put = home.register(house(language))
            registering.done = f"The home in {LANGUAGES[language]}: {put.changed} actions as items"
    return homes


def _show_habit(console: Terminal, home: HomeClient) -> bool:
    today = datetime.now().astimezone()
    table, formed = habit_table(home, today.replace(hour=23), today.replace(hour=8))
    console.print(table)
    if not formed:
        console.print("[red]The habit did not form or change as it should.[/red]")
    return formed


def _measure(console: Terminal, homes: Mapping[str, HomeClient], most: int) -> list[MeasuredPart]:
    with step(console, "Measuring on sentences that were never trained on"):
        return [part for language, home in homes.items() for part in measure(home, language, most)]


def _shares_table(measured: Sequence[MeasuredPart]) -> Table:
    headings = [name.replace("\n", " ") for name in PARTS.values()]
    table = demo_table(
        "Correct intents (a refusal counts as wrong)", "language", *headings, "outside, refused"
    )
    for language in dict.fromkeys(one.language for one in measured):
        own = {one.part: one for one in measured if one.language == language}
        cells = [f"{own[part].right.mean():.1%} of {len(own[part].right)}" for part in PARTS]
        outside = own[OUTSIDE].right
        table.add_row(LANGUAGES[language], *cells, f"{outside.mean():.1%} of {len(outside)}")
    return table
