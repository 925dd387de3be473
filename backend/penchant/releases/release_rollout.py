"""Begins and ends a rollout: the candidate's catalog lies beside the served one."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass
from pathlib import Path

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.rollout import Rollout, Standing, no_sums, standing
from penchant.domain.types import Published
from penchant.refresh.catalog_update import FittedParts
from penchant.releases.loaded_release import LoadedRelease
from penchant.releases.prepared_switch import (
    PreparedResiduals,
    PreparedTexts,
    prepared_reader,
    write_prepared,
)
from penchant.releases.switch import (
    COMMIT,
    DONE,
    encode_and_fit,
    encode_changed,
    head_of,
)
from penchant.service.clock import Clock, system_clock
from penchant.service.rollout_watch import describe, end_rollout
from penchant.service.user_interest import read_catalog, rollout_directory
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.items import read_head
from penchant.store.releases import append_release, read_releases
from penchant.store.rollouts import read_rollout, read_sums, write_rollout, write_sums
from penchant.system.progress import Progress, no_progress


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """The mode of a rollout, its share of the users, and its limits."""

    mode: str
    """`shadow` (compared, shown to nobody) or `canary` (shown to the share)."""
    share: float
    """Share of the users, above 0 to 1."""
    max_loss: float = 0.05
    """Relative loss of the metric at which the server ends the rollout, 0 to 1."""
    min_cases: int = 200
    """Cases on each side before the server compares them, 1 or more."""


def begin_rollout(
    store: Store,
    directory: Path,
    config: Config,
    release: LoadedRelease,
    plan: RolloutPlan,
    progress: Progress = no_progress,
    clock: Clock = system_clock,
) -> Rollout:
    """Puts a release on rollout beside the served one, in place of any rollout that is running.

    Args:
        store: the server's store.
        directory: directory of the catalog's files.
        config: the server's settings.
        release: the release, installed in the server's directory of releases.
        plan: mode, share and limits.
        progress: called as steps begin and end.
        clock: gives the time in microseconds since 1970.

    Raises:
        ConfigError: the release is the served one, the plan is out of range, or the release has the
            served encoder with other refresh settings, whose residuals would overwrite each other.
        EncoderUnavailable, StoreUnavailable: no rollout began.
    """
    _check(store, release)
    source, fresh = encode_and_fit(store, config, release, progress)
    progress("Beginning", 0.0)
    encoder = release.encoder
    reader = prepared_reader(store, directory, config)
    with store.snapshot() as snapshot:
        texts = PreparedTexts.read(snapshot, config, encoder.version, encoder.dimensions)
    residuals = PreparedResiduals.staged_in(store, source, fresh)

    def begin(transaction: Transaction) -> Rollout:
        view = read_catalog(transaction, reader)
        before = read_rollout(transaction)
        if before is not None:
            end_rollout(transaction, before, clock(), "replaced by another")
        place = rollout_directory(directory, release.published.release)
        shutil.rmtree(place, ignore_errors=True)
        changed = encode_changed(transaction, release, texts)
        head = head_of(release, view.head)
        fitted = FittedParts.made(fresh, source, head.rows)
        # The candidate's own directory holds no matrix yet that items could be appended to.
        empty = dataclasses.replace(view, head=dataclasses.replace(view.head, generation=0))
        head = write_prepared(transaction, place, empty, head, texts, changed, residuals, fitted)
        rollout = Rollout(
            release=release.published.release,
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
            release.published, action=plan.mode, at_us=clock(), note=note
        )
        append_release(transaction, published)
        progress(COMMIT, 0.0)
        return rollout

    rollout = in_transaction(store, begin)
    progress(DONE, 1.0)
    return rollout


def stop_rollout(store: Store, reason: str, clock: Clock = system_clock) -> Rollout | None:
    """Ends the rollout that is running, and logs how it stood.

    Returns:
        The rollout; None if none was running.
    """

    def stop(transaction: Transaction) -> Rollout | None:
        rollout = read_rollout(transaction)
        if rollout is not None:
            note = f"{reason}: {describe(rollout, standing(read_sums(transaction), rollout))}"
            end_rollout(transaction, rollout, clock(), note)
        return rollout

    return in_transaction(store, stop)


def read_standing(snapshot: Snapshot) -> tuple[Rollout, Standing] | None:
    """Reads the running rollout and its standing; None if none is running."""
    rollout = read_rollout(snapshot)
    return None if rollout is None else (rollout, standing(read_sums(snapshot), rollout))


def _check(store: Store, release: LoadedRelease) -> None:
    with store.snapshot() as snapshot:
        head, log = read_head(snapshot), read_releases(snapshot)
    if head.release == release.published.release:
        raise ConfigError(f"rollout: {head.release} is the served release; name another")
    served = log[-1] if log else Published("", head.encoder_version, "start", 0)
    same = head.encoder_version == release.encoder.version
    if same and log and served.refresh != release.published.refresh:
        raise ConfigError(
            "rollout: the release has the served encoder and other refresh settings; with one "
            "encoder only score weights can be tried, so publish it, or give both the same refresh"
        )
