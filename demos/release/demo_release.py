"""`penchant demo-release`: from a log to a served release and back, under load."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, validators
from rich.text import Text

from demos.demo_encoder import encoder_step
from demos.demo_server import make_server, run_demo, serving, store_in
from demos.fill_server import films_step, history_step, movielens_step
from demos.progress_steps import print_next
from demos.release.continuous_clients import ContinuousClients
from demos.release.recomputed_scores import ServedVersions
from demos.release.release_commands import HISTORY, ReleaseCommands, run_command
from demos.release.release_tables import phases_table, quality_table
from penchant.domain.errors import ConfigError
from penchant.domain.types import Event
from penchant.launch.model_parameters import HOME
from penchant.launch.server_store import ServerStore, open_server_store
from penchant.releases.release_gate import GATE
from penchant.report.page import as_json
from penchant.report.terminal import Terminal
from penchant.store.releases import read_releases
from penchant.system.durable_file import write_whole
from penchant.system.option_types import FLAT

WATCHED = 8
"""Number of users whose scores are recomputed."""
PAUSE_S = 3.0
"""Seconds that clients go on between one switch and the next."""
NUMBERS = "release.json"
NEXT = {
    "penchant publish --help": "judge and serve an encoder of your own",
    "docs/guides/release.md": "the same steps with your own log",
}


@dataclass(frozen=True, slots=True)
class ReleaseDemo:
    """Options of the release demo."""

    steps: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 30
    """Training steps of the encoder; 0 trains only its projection."""
    output: Path = Path("out")
    """Directory for the numbers."""


def demo_release(*, options: Annotated[ReleaseDemo, FLAT] = ReleaseDemo()) -> int:
    """Fine-tunes, exports, quantizes, compiles, judges, publishes and rolls back a release.

    A server with 40,000 ratings of MovieLens serves all the while, and clients rank and feed back
    without a pause. Each step is a command that you would use, and its command line is shown. At
    the end, every reply is recomputed from the catalog version that it names.
    """

    def play(console: Terminal, directory: Path) -> None:
        _play(console, directory, options)

    return run_demo(options.output, play)


def _play(console: Terminal, directory: Path, options: ReleaseDemo) -> None:
    data = movielens_step(console)
    history = data.ratings[:HISTORY]
    encoder = encoder_step(console, HOME, [film.text for film in data.films]).absolute()
    server = make_server(directory, encoder)
    with serving(console, server) as penchant:
        films_step(console, penchant, data.films)
        history_step(console, penchant, "Importing ratings as history", history)
        run_command(console, directory, "refresh", "--store", store_in(directory))
        watched = _busiest_users(history)
        as_of_s = history[-1].occurred_at_us / 1e6
        later = [event for event in data.ratings[HISTORY:] if event.user not in watched]
        with (
            open_server_store(store_in(directory), (), encoder) as place,
            ContinuousClients(server.target, watched, as_of_s, later) as clients,
        ):
            release = ReleaseCommands(console, directory, encoder, server.target, options.steps)
            served = ServedVersions(place, encoder, watched, as_of_s)
            served.recompute()
            clients.wait(PAUSE_S)
            release.make()
            seconds = {"publish": release.publish()}
            served.recompute()
            clients.wait(PAUSE_S)
            seconds["rollback"] = release.roll_back()
            served.recompute()
            clients.wait(PAUSE_S)
            findings = _findings_of_gate(place)
    _report(console, clients, served, findings, seconds, options.output / NUMBERS)


def _busiest_users(history: tuple[Event, ...]) -> list[str]:
    counts = Counter(event.user for event in history)
    return [user for user, _ in counts.most_common(WATCHED)]


def _findings_of_gate(place: ServerStore) -> dict[str, Any]:
    """The gate's findings on the validation part of the log, by metric."""
    with place.store.snapshot() as snapshot:
        published = read_releases(snapshot)[1].release
    gate = json.loads((place.releases / published / GATE).read_text(encoding="utf-8"))
    return {one["metric"]: one for one in gate["findings"] if one["gate"] == "validation"}


def _report(
    console: Terminal,
    clients: ContinuousClients,
    served: ServedVersions,
    findings: dict[str, Any],
    seconds: dict[str, float],
    path: Path,
) -> None:
    mixed = sum(not served.agree(ranking) for ranking in clients.served)
    console.print(phases_table(clients.served, list(served.versions.values())))
    console.print(quality_table(findings))
    console.print(
        f"{len(clients.served):,} rankings and {clients.fed:,} events meanwhile: "
        f"{len(clients.failures)} failed, {mixed} mixed two vector spaces. Rollback took "
        f"{seconds['rollback']:.1f} s, including the start of the command.",
        soft_wrap=True,
    )
    numbers = {
        "rankings": len(clients.served),
        "events": clients.fed,
        "failed": clients.failures,
        "mixed": mixed,
        "seconds": seconds,
        "quality": findings,
    }
    write_whole(path, as_json(numbers))
    console.print(f"Numbers: {path}.", soft_wrap=True)
    print_next(console, NEXT)
    if clients.failures or mixed:
        for failure in clients.failures[:5]:
            console.print(Text(failure, "red"))
        raise ConfigError("demo-release: a request failed or mixed two vector spaces; see above")
