"""`penchant home-data`: sentences of a smart home, and the log that teaches an encoder intents."""

from __future__ import annotations

from typing import Annotated

from rich.table import Table

from penchant.cli.next_steps import command_line, next_steps
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT
from penchant.training.home.home_data import EVENTS, ITEMS, HomeDataRequest, write_home_data
from penchant_sdk.home.spelling import spelt


def home_data(*, request: Annotated[HomeDataRequest, FLAT]) -> None:
    """Writes the training data from which penchant finetune teaches an encoder intents.

    Sentences are drawn from Home Assistant's own templates, with the names of a made-up home, and
    split by template. The files beside the log hold sentences that are only measured.
    """
    console = terminal()
    counts = write_home_data(request, spelt)
    table = Table("language", "part", "sentences")
    for (language, part), count in sorted(counts.items()):
        table.add_row(language, part, f"{count:,}")
    console.print(table)
    items, events = request.output / ITEMS, request.output / EVENTS
    files = ("--items", items, "--events", events, "--output", request.output / "checkpoint")
    finetune = command_line("finetune", *files, "--objective", "next-item", "--method", "lora")
    next_steps(console, {finetune: "docs/clients/home.md has the whole recipe"})
