"""`penchant releases`: the releases beside a store, the served one, and their figures."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from penchant.domain.rollout import Rollout, Standing
from penchant.domain.types import Published
from penchant.releases.manifest import Manifest
from penchant.releases.release_list import ListReleasesRequest, ReleaseList, list_releases
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.service.rollout_watch import describe
from penchant.system.option_types import FLAT, Flag

_DEFAULTS = ListReleasesRequest()


def releases(
    *,
    request: Annotated[ListReleasesRequest, FLAT] = _DEFAULTS,
    as_json: Annotated[
        Flag, Parameter(name="--json", help="Print JSON, with every manifest in full.")
    ] = False,
) -> None:
    """Lists the releases beside a store, with the figures of their gates, and the served one."""
    found = list_releases(request)
    if as_json:
        print(json.dumps(_plain(found), indent=2))
        return
    console = terminal()
    if not found.manifests and not found.log:
        console.say("No release yet. Next: `penchant publish --help`, which says how to make one.")
        return
    tried = found.rollout[0].release if found.rollout else ""
    console.print(_table(found.manifests, found.served, tried))
    if found.rollout is not None:
        console.print(Text(_on_rollout(*found.rollout)), soft_wrap=True)
    for manifest in found.manifests:
        if manifest.reasons:
            console.say(printable(f"{manifest.id}: {manifest.reasons}"))
    console.print(_history(found.log))
    for line in found.unreadable:
        console.say(printable(line), "yellow")


def _table(manifests: Sequence[Manifest], served: str, tried: str) -> Table:
    table = Table("", box=SIMPLE)
    for name in ("release", "built (UTC)", "d", "events"):
        table.add_column(name, no_wrap=True)
    names = sorted({name for manifest in manifests for name in manifest.metrics})
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    roles = {tried: "on rollout", served: "served"}
    for manifest in manifests:
        metrics = [f"{manifest.metrics[n]:.4f}" if n in manifest.metrics else "" for n in names]
        table.add_row(
            roles.get(manifest.id, ""),
            printable(manifest.id),
            manifest.created_at[:16].replace("T", " "),
            str(manifest.dimensions),
            f"{manifest.data.get('events', 0):,}",
            *metrics,
        )
    return table


def _history(log: Sequence[Published]) -> Table:
    table = Table(title="Log", title_justify="left", box=SIMPLE)
    for name in ("when (UTC)", "what", "release"):
        table.add_column(name, no_wrap=True)
    table.add_column("")
    for entry in log:
        when = datetime.fromtimestamp(entry.at_us / 1e6, UTC)
        table.add_row(
            f"{when:%Y-%m-%d %H:%M:%S}",
            entry.action,
            printable(entry.release or "(none)"),
            printable(entry.note),
        )
    return table


def _on_rollout(rollout: Rollout, found: Standing) -> str:
    overlap = "" if math.isnan(found.overlap) else f"; top tens share {found.overlap:.0%}"
    return (
        f"On rollout: {rollout.release}, {rollout.mode} for {rollout.share:.0%} of the users. "
        f"{describe(rollout, found)}{overlap}"
    )


def _plain(found: ReleaseList) -> dict[str, object]:
    return {
        "served": found.served,
        "releases": [asdict(manifest) for manifest in found.manifests],
        "log": [asdict(entry) for entry in found.log],
    }
