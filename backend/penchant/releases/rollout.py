"""Beginning and ending a rollout: the candidate's catalog beside the one that is served."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass
from pathlib import Path

from penchant.catalog.view import CatalogReader
from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.rollout import Rollout, Standing, no_sums, standing
from penchant.domain.types import Published
from penchant.refresh.publication import place_refreshed, read_material
from penchant.releases.publish import (
    OnStep,
    Target,
    encode_texts,
    head_of,
    learn,
    write_missing,
)
from penchant.service.clock import Clock, system_clock
from penchant.service.rollout_watch import describe, end_rollout
from penchant.service.user_interest import read_catalog, rollout_directory
from penchant.store.base import Snapshot, Store
from penchant.store.items import read_head
from penchant.store.releases import append_release, read_releases
from penchant.store.rollouts import read_rollout, read_sums, write_rollout, write_sums


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """How a release is tried."""

    mode: str
    """shadow or canary."""
    share: float
    """Of the users, above 0 to 1."""
    max_loss: float = 0.05
    """The share of the metric that may be lost before the server ends it, 0 to 1."""
    min_cases: int = 200
    """Of each side, before anything is said."""


def begin_rollout(
    store: Store,
    directory: Path,
    config: Config,
    target: Target,
    plan: RolloutPlan,
    on_step: OnStep = lambda step: None,
    clock: Clock = system_clock,
) -> Rollout:
    """Puts a release beside what is served; a rollout that is running is replaced.

    Args:
        store: the server's.
        directory: of the catalog's files.
        config: the server's.
        target: the release.
        plan: in which mode, for whom.
        on_step: told what begins.
        clock: microseconds since 1970.

    Raises:
        ConfigError: the release is what is served, the plan is out of range, or the encoder is the
            served one with another refresh, whose residuals would meet.
        EncoderUnavailable, StoreUnavailable: nothing was begun.
    """
    _check(store, target)
    on_step("Encoding texts")
    encode_texts(store, target)
    on_step("Fitting item vectors to the log")
    with store.snapshot() as snapshot:
        material = read_material(snapshot, config, head=head_of(target, read_head(snapshot)))
        fresh = learn(snapshot, target, material)
    on_step("Beginning")
    with store.transaction() as transaction:
        view = read_catalog(transaction, CatalogReader(directory, config.fold))
        before = read_rollout(transaction)
        if before is not None:
            end_rollout(transaction, before, clock(), "replaced by another")
        place = rollout_directory(directory, target.published.release)
        shutil.rmtree(place, ignore_errors=True)
        write_missing(transaction, target)
        head = head_of(target, view.head)
        # In a directory of its own no matrix is there yet to which items could be added.
        empty = dataclasses.replace(view, head=dataclasses.replace(view.head, generation=0))
        head = place_refreshed(transaction, place, config, empty, head, material, fresh)
        rollout = Rollout(
            release=target.published.release,
            mode=plan.mode,
            share=plan.share,
            head=head,
            begun_us=clock(),
            max_loss=plan.max_loss,
            min_cases=plan.min_cases,
        )
        write_rollout(transaction, rollout)
        write_sums(transaction, no_sums())
        note = f"{plan.share:.0%} of the users"
        published = dataclasses.replace(
            target.published, action=plan.mode, at_us=clock(), note=note
        )
        append_release(transaction, published)
        on_step("Committing")
    on_step("Done")
    return rollout


def stop_rollout(store: Store, reason: str, clock: Clock = system_clock) -> Rollout | None:
    """Ends the rollout that is running, and notes how it stood; None: none is."""
    with store.transaction() as transaction:
        rollout = read_rollout(transaction)
        if rollout is not None:
            note = f"{reason}: {describe(rollout, standing(read_sums(transaction), rollout))}"
            end_rollout(transaction, rollout, clock(), note)
    return rollout


def read_standing(snapshot: Snapshot) -> tuple[Rollout, Standing] | None:
    """The running rollout and how it stands; None: none is running."""
    rollout = read_rollout(snapshot)
    return None if rollout is None else (rollout, standing(read_sums(snapshot), rollout))


def _check(store: Store, target: Target) -> None:
    with store.snapshot() as snapshot:
        head, log = read_head(snapshot), read_releases(snapshot)
    if head.release == target.published.release:
        raise ConfigError(f"trial: {head.release} is what is served; name another release")
    served = log[-1] if log else Published("", head.encoder_version, "start", 0)
    same = head.encoder_version == target.encoder.version
    if same and log and served.refresh != target.published.refresh:
        raise ConfigError(
            "trial: the release has the encoder that is served and another refresh; only score "
            "weights can be tried with one encoder, so publish it, or give both the same refresh"
        )
