"""`penchant publish`: an encoder becomes a release, is judged, and served."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from penchant.cli import publishing
from penchant.cli.judging import REFUSED
from penchant.cli.log_options import pairs_of, share_of
from penchant.cli.stores import StoreAddress, StoreSettings
from penchant.domain.errors import ConfigError
from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.validation import Validation
from penchant.launch.model_parameters import HOME
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.releases.rollout import RolloutPlan

_DEFAULTS, _BUDGETS, _PART = RefreshSettings(), Budgets(), Validation()
_MADE, _GATE, _TRIAL = "What it is made of", "The gate", "On trial first"


def _made(help: str) -> Any:
    return typer.Option(help=help, rich_help_panel=_MADE)


def _gate(help: str) -> Any:
    return typer.Option(help=help, rich_help_panel=_GATE)


def publish(
    store: StoreAddress,
    release: Annotated[
        str | None,
        typer.Argument(help="A release that was built: its id, or its folder. Or name --encoder."),
    ] = None,
    encoder: Annotated[
        Path | None, _made("Build a release of this encoder, as `penchant export` writes it.")
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            "--weight",
            metavar="KEY=VALUE",
            help="A setting of the fold that the release brings along; repeatable.",
            rich_help_panel=_MADE,
        ),
    ] = None,
    window: Annotated[int, _made("Of its refresh: see penchant refresh.")] = _DEFAULTS.window,
    text_weight: Annotated[
        float, _made("Of its refresh: see penchant refresh.")
    ] = _DEFAULTS.text_weight,
    shrinkage: Annotated[
        float, _made("Of its refresh: see penchant refresh.")
    ] = _DEFAULTS.shrinkage,
    report: Annotated[
        list[Path] | None,
        _made("A file to keep in the release, as an evaluation's report; repeatable."),
    ] = None,
    build_only: Annotated[
        bool, typer.Option("--build-only", help="Build and judge; serve it later, by its id.")
    ] = False,
    max_loss: Annotated[
        str, _gate("What it may lose over all rankings, as 1% or 0.01.")
    ] = f"{_BUDGETS.overall:.0%}",
    max_cohort_loss: Annotated[
        str, _gate("The same for each cohort, each probe set, and for careless texts.")
    ] = f"{_BUDGETS.cohort:.0%}",
    attributes: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            help="Of the items; each of its values is a cohort; repeatable.",
            rich_help_panel=_GATE,
        ),
    ] = None,
    relevant: Annotated[
        str, _gate("Which events count as a hit: 'rating>=4', 'reward>0.5', signal=purchase.")
    ] = "reward>0",
    validation_fraction: Annotated[
        float, _gate("The share of the log, the newest, that is ranked for.")
    ] = _PART.fraction,
    candidates: Annotated[
        str, _gate("unseen: items that the user has no event about yet; or all.")
    ] = _PART.candidates,
    no_gate: Annotated[
        bool, typer.Option("--no-gate", help="Judge nothing.", rich_help_panel=_GATE)
    ] = False,
    configured: Annotated[
        Path, typer.Option(help="The encoder that the server was configured with.")
    ] = HOME / "encoder",
    target: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="gRPC address of the server: it loads the new encoder before the switch.",
        ),
    ] = "",
    shadow: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Don't serve it: compare it for this share of the users, as 20%.",
            rich_help_panel=_TRIAL,
        ),
    ] = None,
    canary: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Serve it to this share of the users alone, as 5%.",
            rich_help_panel=_TRIAL,
        ),
    ] = None,
    max_trial_loss: Annotated[
        str,
        typer.Option(
            help="What the trial's metric may lose before the server ends it.",
            rich_help_panel=_TRIAL,
        ),
    ] = "5%",
    triton: Annotated[
        Path | None,
        typer.Option(
            metavar="REPOSITORY",
            help="Also add the encoder alone to a model repository, for a Triton without Penchant.",
        ),
    ] = None,
    settings: StoreSettings = None,
) -> None:
    """Builds a release, judges it beside what is served, and serves it in its place.

    A running server may stay up and follows at its next request: no request fails, no ranking mixes
    two encoders' vectors, and users keep all that was learnt of them. Exit status 2: the gate
    refused it, and nothing changed.
    """
    if (release is None) == (encoder is None):
        raise ConfigError("publish: name a release that was built, or --encoder to build one")
    choices = publishing.Choices(
        store=store,
        settings=tuple(settings or ()),
        release=release,
        encoder=encoder,
        weights=pairs_of(weights),
        refresh=RefreshSettings(window, text_weight, shrinkage),
        reports=tuple(report or ()),
        build_only=build_only,
        judged=not no_gate,
        budgets=_budgets(max_loss, max_cohort_loss),
        validation=Validation(validation_fraction, candidates=candidates),
        attributes=tuple(attributes or ()),
        relevant=relevant,
        configured=configured,
        target=target,
        triton=triton,
        rollout=_rollout(shadow, canary, max_trial_loss),
    )
    if not publishing.run(Console(highlight=False), choices):
        raise typer.Exit(REFUSED)


def _rollout(shadow: str | None, canary: str | None, max_loss: str) -> RolloutPlan | None:
    if shadow is not None and canary is not None:
        raise ConfigError("--shadow, --canary: got both, expected one")
    loss = share_of("--max-trial-loss", max_loss)
    if canary is not None:
        return RolloutPlan("canary", share_of("--canary", canary), loss)
    return None if shadow is None else RolloutPlan("shadow", share_of("--shadow", shadow), loss)


def _budgets(overall: str, cohort: str) -> Budgets:
    least = share_of("--max-cohort-loss", cohort)
    return Budgets(share_of("--max-loss", overall), cohort=least, probes=least, robustness=least)
