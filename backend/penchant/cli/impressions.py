"""`penchant impressions`: what was shown and what came of it, from a server's store to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from penchant.domain.errors import ConfigError
from penchant.launch.server_store import open_server_store
from penchant.logs.impressions import good_signals, impressions_in
from penchant.report.page import check_writable


def impressions(
    store: Annotated[str, typer.Option(help="The server's store: lmdb:DIRECTORY.")],
    output: Annotated[Path, typer.Option(help="File to write: .parquet or .csv.")],
    reward: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SIGNAL",
            help="An answer that is worth 1; repeatable.",
            show_default="every signal with a positive reward",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="A setting, as the server has it; repeatable."
        ),
    ] = None,
) -> None:
    """Writes the logged impressions with their answers, for `penchant ope`."""
    if output.suffix not in (".parquet", ".csv"):
        raise ConfigError(f"--output: got {output.name}, expected a name in .parquet or .csv")
    check_writable(output, "--output")
    console = Console()
    with open_server_store(store, settings or ()) as found, found.store.snapshot() as snapshot:
        table = found.config.signals
        signals = _signals(reward, sorted(table)) if reward else good_signals(table)
        with console.status("Reading ..."):
            rows = [one.row(signals) for one in impressions_in(snapshot, table)]
    if not rows:
        raise ConfigError(
            "impressions: the log holds none; send an event with the signal `impression` for each "
            "item that was shown, with its place and propensity"
        )
    _write(rows, output)
    answered = sum(row["reward"] == 1 for row in rows)
    told = sum(0 < float(str(row["propensity"])) < 1 for row in rows)
    lines = [
        f"{len(rows):,} impressions, {answered:,} with a reward "
        f"({', '.join(sorted(signals))}), {told:,} explored: {output}",
        f"Try next: penchant ope {output} --policy softmax --position-column position "
        "--user-column user",
    ]
    console.print(Text("\n".join(lines)), soft_wrap=True)


def _signals(names: Sequence[str], known: Sequence[str]) -> frozenset[str]:
    for name in names:
        if name not in known:
            raise ConfigError(f"--reward: got {name!r}, expected some of: {', '.join(known)}")
    return frozenset(names)


def _write(rows: Sequence[dict[str, object]], output: Path) -> None:
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    names = dict.fromkeys(name for row in rows for name in row)  # Contexts differ by row.
    table = pyarrow.table({name: [row.get(name) for row in rows] for name in names})
    if output.suffix == ".csv":
        pyarrow.csv.write_csv(table, output)
    else:
        pyarrow.parquet.write_table(table, output)
