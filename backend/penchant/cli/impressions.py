"""`penchant impressions`: the logged impressions with their answers, from a store to a file."""

from __future__ import annotations

from typing import Annotated

from rich.console import Console
from rich.text import Text

from penchant.launch.server_store import ServerSettings, open_server_store
from penchant.logs.impressions import ImpressionsRequest, write_impressions
from penchant.report.page import check_writable
from penchant.system.option_types import FLAT


def impressions(
    *,
    store: str,
    request: Annotated[ImpressionsRequest, FLAT],
    settings: ServerSettings = (),
) -> None:
    """Writes the logged impressions with their answers, for `penchant ope`.

    Args:
        store: Store of the server: lmdb:DIRECTORY.
        request: The file, and the answers that count.
        settings: A setting, as the server has it; repeatable.
    """
    output = request.output
    check_writable(output, "--output")
    console = Console()
    with open_server_store(store, settings) as place, console.status("Reading ..."):
        report = write_impressions(place.store, place.config.signals, request)
    lines = [
        f"{report.impressions:,} impressions, {report.rewarded:,} with a reward "
        f"({', '.join(sorted(report.signals))}), {report.explored:,} explored: {output}",
        f"Try next: penchant ope {output} --policy softmax --position-column position "
        "--user-column user",
    ]
    console.print(Text("\n".join(lines)), soft_wrap=True)
