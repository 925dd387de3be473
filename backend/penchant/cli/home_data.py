"""`penchant home-data`: sentences of a smart home, and the log that teaches an encoder intents."""

from __future__ import annotations

from typing import Annotated

from rich.console import Console
from rich.table import Table

from penchant.system.option_types import FLAT
from penchant.training.home.home_data import EVENTS, ITEMS, HomeDataRequest, write_home_data
from penchant_sdk.home.spelling import spelt


def home_data(*, request: Annotated[HomeDataRequest, FLAT]) -> None:
    """Writes the training data from which penchant finetune teaches an encoder intents.

    Sentences are drawn from Home Assistant's own templates, with the names of a made-up home, and
    split by template. The files beside the log hold sentences that are only measured.
    """
    console = Console(highlight=False)
    counts = write_home_data(request, spelt)
    table = Table("language", "part", "sentences")
    for (language, part), count in sorted(counts.items()):
        table.add_row(language, part, f"{count:,}")
    console.print(table)
    items, events = request.output / ITEMS, request.output / EVENTS
    console.print(
        f"Next: [bold]penchant finetune --items {items} --events {events} "
        "--objective next-item --method lora[/bold]; docs/clients/home.md has the whole recipe."
    )
