"""`penchant rollback`: back to what was served before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from penchant.cli.stores import StoreAddress, StoreSettings, opened
from penchant.encoder.onnx import OnnxEncoder
from penchant.releases.rollback import roll_back
from penchant.releases.rollout import stop_rollout


def rollback(
    store: StoreAddress,
    release: Annotated[
        str | None,
        typer.Argument(
            help="Id of a release that was served; `start` is before the first.",
            show_default="the one before",
        ),
    ] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(
            help="The server's configured encoder, to go back to before the first release.",
            show_default=".penchant/encoder",
        ),
    ] = None,
    settings: StoreSettings = None,
) -> None:
    """Serves an earlier release again; a running server follows at its next request.

    During a rollout it ends that rollout instead. Nothing is fitted again: what the earlier
    release had learnt is still in the store. Users, their events and everything learnt of them
    stay as they are.
    """
    console = Console(highlight=False)
    to = "" if release == "start" else release
    with (
        opened(store, settings, encoder) as place,
        console.status("Reading the log of releases") as status,
    ):
        if release is None:
            rollout = stop_rollout(place.store, "by penchant rollback")
            if rollout is not None:
                typer.echo(
                    f"The {rollout.mode} of {rollout.release} is ended; what was served stays."
                )
                return
        head = roll_back(
            place.store,
            place.directory,
            place.releases,
            place.config,
            lambda directory: OnnxEncoder.load(directory, threads=1),
            to,
            on_step=status.update,
        )
    typer.echo(
        f"Served from the next request on: {head.release or 'what was there before any release'} "
        f"(encoder {head.encoder_version}, catalog version {head.version}). "
        f"Next: penchant releases --store {store}"
    )
