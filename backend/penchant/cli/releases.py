"""`penchant releases`: what was built, what is served, and how good it was."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penchant.cli.stores import StoreAddress, StoreSettings, opened
from penchant.domain.errors import ConfigError
from penchant.domain.rollout import Rollout, Standing
from penchant.domain.types import Published
from penchant.encoder.library import MANIFEST
from penchant.releases.manifest import Manifest, read_manifest
from penchant.releases.rollout import read_standing
from penchant.service.rollout_watch import describe
from penchant.store.releases import read_log_of_releases


def releases(
    store: StoreAddress,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, all of each manifest.")] = False,
    settings: StoreSettings = None,
) -> None:
    """Lists the releases beside a store, with what their gates measured, and which is served."""
    with opened(store, settings) as place:
        with place.store.snapshot() as snapshot:
            log, rollout = read_log_of_releases(snapshot), read_standing(snapshot)
        manifests, broken = _read(place.releases)
    if as_json:
        typer.echo(json.dumps(_plain(manifests, log), indent=2))
        return
    console = Console(highlight=False)
    if not manifests and not log:
        console.print(
            "No release yet. Next: penchant publish --encoder DIR --store " + store, soft_wrap=True
        )
        return
    console.print(_table(manifests, _served(log), rollout[0].release if rollout else ""))
    if rollout is not None:
        console.print(Text(_on_trial(*rollout)), soft_wrap=True)
    console.print(_history(log))
    for line in broken:
        console.print(line, style="yellow", soft_wrap=True)


def _read(folder: Path) -> tuple[list[Manifest], list[str]]:
    """The manifests, the oldest first, and what can't be read."""
    manifests, broken = [], []
    for path in sorted(folder.glob(f"[!.]*/{MANIFEST}")):
        try:
            manifests.append(read_manifest(path.parent))
        except ConfigError as error:
            broken.append(str(error))
    return sorted(manifests, key=lambda manifest: manifest.created_at), broken


def _table(manifests: list[Manifest], served: str, tried: str) -> Table:
    table = Table("", box=SIMPLE)
    for name in ("release", "built (UTC)", "d", "events"):
        table.add_column(name, no_wrap=True)
    names = sorted({name for manifest in manifests for name in manifest.metrics})
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    roles = {tried: "on trial", served: "served"}
    for manifest in manifests:
        metrics = [f"{manifest.metrics[n]:.4f}" if n in manifest.metrics else "" for n in names]
        table.add_row(
            roles.get(manifest.id, ""),
            manifest.id,
            manifest.created_at[:16].replace("T", " "),
            str(manifest.dimensions),
            f"{manifest.data.get('events', 0):,}",
            *metrics,
        )
    return table


def _history(log: list[Published]) -> Table:
    table = Table(title="Log", title_justify="left", box=SIMPLE)
    for name in ("when (UTC)", "what", "release"):
        table.add_column(name, no_wrap=True)
    table.add_column("")
    for entry in log:
        when = datetime.fromtimestamp(entry.at_us / 1e6, UTC)
        table.add_row(
            f"{when:%Y-%m-%d %H:%M:%S}", entry.action, entry.release or "(none)", entry.note
        )
    return table


def _served(log: list[Published]) -> str:
    return next((entry.release for entry in reversed(log) if entry.serves), "")


def _on_trial(rollout: Rollout, found: Standing) -> str:
    overlap = "" if math.isnan(found.overlap) else f"; top tens share {found.overlap:.0%}"
    return (
        f"On trial: {rollout.release}, {rollout.mode} for {rollout.share:.0%} of the users. "
        f"{describe(rollout, found)}{overlap}"
    )


def _plain(manifests: list[Manifest], log: list[Published]) -> dict[str, object]:
    return {
        "served": _served(log),
        "releases": [asdict(manifest) for manifest in manifests],
        "log": [asdict(entry) for entry in log],
    }
