"""`penchant publish`: an encoder becomes a release, is judged, and served."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from penchant.cli.client import Connection, connected
from penchant.cli.judging import REFUSED, judging, show
from penchant.launch.tls import NO_TLS, TlsFiles
from penchant.releases import publish as job
from penchant.releases.publish import PublishOutcome, PublishRequest, PublishResult
from penchant.system.option_types import FLAT


def publish(
    request: Annotated[PublishRequest, FLAT],
    *,
    target: Annotated[
        str,
        Parameter(
            metavar="HOST:PORT",
            show_default=False,
            help="gRPC address of the server, to load the new encoder before the switch.",
        ),
    ] = "",
    tls: Annotated[TlsFiles, FLAT] = NO_TLS,
) -> int | None:
    """Builds a release, judges it beside the served one, and serves it in its place.

    A running server may stay up and follows at its next request: no request fails, no ranking mixes
    two encoders' vectors, and users keep all that was learnt of them. Exit status 2: the gate
    refused the release, and nothing changed.
    """
    console = Console(highlight=False)
    before_switch = partial(_load_on_server, Connection(target, tls)) if target else None
    with judging(console) as progress:
        result = job.publish(request, progress, before_switch=before_switch)
    _report(console, request, result)
    return REFUSED if result.outcome is PublishOutcome.REFUSED else None


def _load_on_server(server: Connection, encoder_version: str) -> None:
    with connected(server) as penchant:
        penchant.embed(["ready"], encoder_version=encoder_version)


def _report(console: Console, request: PublishRequest, result: PublishResult) -> None:
    for kind, count in result.left_out.counts.items():
        line = f"Left out, {kind}: {count:,} (first: {result.left_out.first[kind]})"
        console.print(Text(line, "yellow"), soft_wrap=True)
    store, id_ = f"--store {request.store}", result.release
    if result.outcome is PublishOutcome.ALREADY_SERVED:
        console.print(f"{id_} is served already; nothing is to be done.")
        return
    if result.verdict is None:
        console.print("Not judged: --no-gate.", style="yellow")
    else:
        show(console, result.verdict)
    if result.outcome is PublishOutcome.REFUSED:
        console.print("Nothing was published.")
        return
    if result.model_version is not None:
        console.print(f"For a Triton without Penchant: {result.model_version}", soft_wrap=True)
    match result.outcome:
        case PublishOutcome.BUILT:
            text = f"Built {id_} in {result.folder}. Next: penchant publish {id_} {store}"
        case PublishOutcome.ON_ROLLOUT:
            plan = request.rollout
            assert plan is not None
            text = (
                f"On rollout from the next request on: {id_}, {plan.mode} for {plan.share:.0%} of "
                f"the users. Next: penchant releases {store} shows how it stands; penchant publish "
                f"{id_} {store} serves it to everybody, penchant rollback {store} ends the rollout"
            )
        case _:
            text = (
                f"Served from the next request on: {id_} (encoder {result.encoder_version}, "
                f"catalog version {result.catalog_version}). Next: penchant releases {store}; "
                f"back again: penchant rollback {store}"
            )
    console.print(text, soft_wrap=True)
