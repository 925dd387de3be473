"""`penchant publish`: an encoder becomes a release, is judged, and served."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from cyclopts import Parameter

from penchant.cli.client import Connection, connected
from penchant.cli.judging import REFUSED, judging, show
from penchant.cli.next_steps import command_line, next_steps, options
from penchant.launch.shown_token import NO_TOKEN, ShownToken
from penchant.launch.tls import NO_TLS, TlsFiles
from penchant.releases import publish as job
from penchant.releases.publish import PublishOutcome, PublishRequest, PublishResult
from penchant.report.printable import printable
from penchant.report.terminal import Terminal, terminal
from penchant.system.option_types import FLAT, TARGET_IN_USE


def publish(
    request: Annotated[PublishRequest | None, FLAT] = None,
    *,
    target: Annotated[
        str,
        TARGET_IN_USE,
        Parameter(
            metavar="HOST:PORT",
            show_default=False,
            help="gRPC address of the server, to load the new encoder before the switch.",
        ),
    ] = "",
    tls: Annotated[TlsFiles, FLAT] = NO_TLS,
    token: Annotated[ShownToken, FLAT] = NO_TOKEN,
) -> int | None:
    """Builds a release, judges it beside the served one, and serves it in its place.

    A running server may stay up and follows at its next request: no request fails, no ranking mixes
    two encoders' vectors, and users keep all that was learnt of them. Exit status 2: the gate
    refused the release, and nothing changed.
    """
    request = request or PublishRequest()  # Which refuses to be empty.
    console = terminal()
    server = Connection(target, tls, token)
    before_switch = partial(_load_on_server, server) if target else None
    with judging(console) as progress:
        result = job.publish(request, progress, before_switch=before_switch)
    _report(console, request, result)
    return REFUSED if result.outcome is PublishOutcome.REFUSED else None


def _load_on_server(server: Connection, encoder_version: str) -> None:
    with connected(server) as penchant:
        penchant.embed(["ready"], encoder_version=encoder_version)


def _report(console: Terminal, request: PublishRequest, result: PublishResult) -> None:
    for kind, count in result.left_out.counts.items():
        line = f"Left out, {kind}: {count:,} (first: {result.left_out.first[kind]})"
        console.say(printable(line), "yellow")
    id_ = result.release
    if result.outcome is PublishOutcome.ALREADY_SERVED:
        console.say(f"{id_} is served already; nothing is to be done.")
        return
    if result.verdict is None:
        console.say("Not judged: --no-gate.", "yellow")
    else:
        show(console, result.verdict)
    if result.outcome is PublishOutcome.REFUSED:
        console.say("Nothing was published.")
        return
    if result.model_version is not None:
        console.say(f"For a Triton without Penchant: {result.model_version}")
    if result.reasons:
        console.say(result.reasons)
    if result.remark:
        console.say(printable(result.remark), "yellow")
    there = options(store=request.store, settings=request.settings)
    with_encoder = [*there, *options(encoder=request.encoder)]
    releases = command_line("releases", *there)
    publish = command_line("publish", id_, *with_encoder)
    rollback = command_line("rollback", *with_encoder)
    match result.outcome:
        case PublishOutcome.BUILT:
            console.say(f"Built {id_} in {result.folder}.")
            next_steps(console, {publish: "serves it"})
        case PublishOutcome.ON_ROLLOUT:
            plan = request.rollout
            assert plan is not None
            console.say(
                f"On rollout from the next request on: {id_}, {plan.mode} for {plan.share:.0%} of "
                "the users."
            )
            steps = {releases: "how it stands", publish: "serves it to everybody"}
            next_steps(console, {**steps, rollback: "ends the rollout"})
        case _:
            console.say(
                f"Served from the next request on: {id_} (encoder {result.encoder_version}, "
                f"catalog version {result.catalog_version})."
            )
            next_steps(console, {releases: "what is served", rollback: "goes back"})
