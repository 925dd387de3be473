"""What `penchant publish` does with its options: judge, build, switch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from penchant.cli.client import connected
from penchant.cli.gating import judging, show
from penchant.cli.stores import Opened, opened
from penchant.domain.errors import ConfigError
from penchant.encoder.base import Encoder
from penchant.encoder.cache import CachedEncoder
from penchant.encoder.library import MANIFEST
from penchant.encoder.onnx import OnnxEncoder
from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.judge import judge
from penchant.evaluation.gates.side import Side
from penchant.evaluation.gates.validation import Validation
from penchant.evaluation.gates.verdict import Verdict
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.store_log import stream_of_store
from penchant.logs.stream import Stream
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.releases.build import Recipe, build_release
from penchant.releases.manifest import Manifest, check_release, encoder_directory
from penchant.releases.publish import install_release, publish_release, target_of
from penchant.releases.release_gate import (
    GATE,
    PROBES,
    Served,
    earlier_probes,
    frozen_now,
    metrics_of,
    weights_of,
    with_weights,
)
from penchant.releases.rollout import RolloutPlan, begin_rollout
from penchant.releases.triton_repository import write_model_version
from penchant.store.items import read_head
from penchant.store.releases import read_releases


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user chose."""

    store: str
    settings: tuple[str, ...]
    release: str | None
    encoder: Path | None
    weights: Mapping[str, str]
    refresh: RefreshSettings
    reports: tuple[Path, ...]
    build_only: bool
    judged: bool
    budgets: Budgets
    validation: Validation
    attributes: tuple[str, ...]
    relevant: str
    configured: Path
    target: str
    triton: Path | None
    rollout: RolloutPlan | None
    """None: it is served to everybody."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What would be served, built or not."""

    encoder: Encoder
    weights: dict[str, Any]
    refresh: RefreshSettings
    folder: Path | None
    """Of a release that was built."""


def run(console: Console, choices: Choices) -> bool:
    """Whether the gate let it pass; ConfigError where a choice is wrong."""
    weights = weights_of(choices.weights)
    reports = _read_reports(choices.reports)
    with opened(choices.store, choices.settings, choices.configured) as place:
        candidate = _candidate(choices, place, weights)
        with console.status("Reading the log"), place.store.snapshot() as snapshot:
            served = Served(read_head(snapshot), read_releases(snapshot))
            relevance = parse_relevance(choices.relevant)
            if candidate.folder is not None and candidate.folder.name == served.head.release:
                console.print(f"{served.head.release} is what is served; nothing is to be done.")
                return True
            stream = stream_of_store(snapshot, place.config.signals, relevance, LeftOut())
        verdict = _judge(console, choices, place, served, stream, candidate)
        if verdict is not None and not verdict.passed:
            console.print("Nothing was published.")
            return False
        folder = candidate.folder or _build(
            console, choices, place, served, stream, candidate, verdict, reports
        )
        manifest = check_release(folder)
        if choices.triton is not None:
            version = write_model_version(choices.triton, encoder_directory(folder))
            console.print(f"For a Triton without Penchant: {version}", soft_wrap=True)
        if choices.build_only:
            console.print(
                f"Built {manifest.id} in {folder}. Next: penchant publish {manifest.id} "
                f"--store {choices.store}",
                soft_wrap=True,
            )
            return True
        _publish(console, choices, place, folder, manifest)
    return True


def load_encoder(directory: Path) -> Encoder:
    """An encoder in this process; ConfigError where it can't be loaded."""
    return OnnxEncoder.load(directory, threads=1)


def _candidate(choices: Choices, place: Opened, weights: dict[str, Any]) -> _Candidate:
    if choices.encoder is not None:
        return _Candidate(load_encoder(choices.encoder), weights, choices.refresh, None)
    folder = Path(choices.release or "")
    if not (folder / MANIFEST).is_file():
        folder = place.releases / folder.name
    folder = install_release(folder, place.releases)
    manifest = check_release(folder)
    encoder = load_encoder(encoder_directory(folder))
    return _Candidate(encoder, manifest.score_weights, manifest.refresh_settings, folder)


def _judge(
    console: Console,
    choices: Choices,
    place: Opened,
    served: Served,
    stream: Stream,
    candidate: _Candidate,
) -> Verdict | None:
    if not choices.judged:
        console.print("Not judged: --no-gate.", style="yellow")
        return None
    encoder = served.encoder(place.releases, choices.configured, load_encoder)
    config = with_weights(place.config, json.dumps(candidate.weights))
    with judging(console) as progress:
        verdict = judge(
            stream,
            served.side(encoder, place.config),
            Side(CachedEncoder(candidate.encoder), config, candidate.refresh),
            choices.budgets,
            probes=earlier_probes(served.log, place.releases),
            attributes=choices.attributes,
            validation=choices.validation,
            progress=progress,
        )
    show(console, verdict)
    return verdict


def _build(
    console: Console,
    choices: Choices,
    place: Opened,
    served: Served,
    stream: Stream,
    candidate: _Candidate,
    verdict: Verdict | None,
    reports: dict[str, bytes],
) -> Path:
    assert choices.encoder is not None
    with console.status("Building the release"):
        reports[PROBES] = frozen_now(stream, place.config, choices.validation)
        if verdict is not None:
            reports[GATE] = verdict.json().encode()
        recipe = Recipe(
            encoder=choices.encoder,
            score_weights=candidate.weights,
            refresh=candidate.refresh,
            parent=served.head.release,
            metrics={} if verdict is None else metrics_of(verdict),
            reports=reports,
        )
        encode = candidate.encoder.encode
        manifest = build_release(place.releases, stream, place.config, recipe, encode)
    return place.releases / manifest.id


def _publish(
    console: Console, choices: Choices, place: Opened, folder: Path, manifest: Manifest
) -> None:
    with console.status("Loading the encoder") as status:
        target = target_of(folder, "publish", load_encoder)
        if choices.target:
            with connected(choices.target) as penchant:
                penchant.embed(["ready"], encoder_version=manifest.encoder_version)
        if choices.rollout is not None:
            plan = choices.rollout
            begin_rollout(place.store, place.directory, place.config, target, plan, status.update)
            console.print(
                f"On trial from the next request on: {manifest.id}, {plan.mode} for "
                f"{plan.share:.0%} of the users. Next: penchant releases --store {choices.store} "
                f"shows how it stands; penchant publish {manifest.id} --store {choices.store} "
                "serves it to all, penchant rollback ends the trial",
                soft_wrap=True,
            )
            return
        head = publish_release(place.store, place.directory, place.config, target, status.update)
    console.print(
        f"Served from the next request on: {manifest.id} (encoder {head.encoder_version}, catalog "
        f"version {head.version}). Next: penchant releases --store {choices.store}; "
        f"back again: penchant rollback --store {choices.store}",
        soft_wrap=True,
    )


def _read_reports(paths: tuple[Path, ...]) -> dict[str, bytes]:
    try:
        return {path.name: path.read_bytes() for path in paths}
    except OSError as error:
        raise ConfigError(f"--report: {error.filename} can't be read: {error.strerror}") from error
