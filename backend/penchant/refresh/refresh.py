"""The middle clock as one job: read the log, fit item vectors, publish them beside the server.

Only the last step holds the store's write lock.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.catalog.view import CatalogReader
from penchant.config import Config, with_asked, with_offset_half_life, with_score_weights
from penchant.domain.errors import ConfigError
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.rollout import Rollout
from penchant.domain.types import CatalogHead
from penchant.launch.model_parameters import DEFAULT_STORE, whole_address
from penchant.launch.server_store import ServerSettings, ServerStore, open_server_store
from penchant.logs.columns import COLUMNS_GROUP, EventColumns
from penchant.logs.interactions import LogFile, ReadLog
from penchant.logs.log_source import EVENT_FIELDS, mapped_fields
from penchant.logs.refusals import LeftOut
from penchant.logs.shipped.shipped_source import ShippedSource
from penchant.logs.shipped.trimmed_log import reader_of_whole_log
from penchant.refresh.catalog_update import write_refreshed
from penchant.refresh.item_vectors import RefreshedCatalog, learn_catalog
from penchant.refresh.learnt_weights import LearntWeights
from penchant.refresh.prepared_refresh import publish_refreshed
from penchant.refresh.refresh_input import RefreshInput, read_refresh_input
from penchant.refresh.refresh_memory import RefreshMemory
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.refresh.refresh_turn import refresh_turn
from penchant.refresh.remembered_log import RememberedLog
from penchant.refresh.store_for_workers import check_store_for
from penchant.refresh.user_outcomes import OutcomeReaders
from penchant.service.user_interest import read_catalog, rollout_directory
from penchant.store.base import Store, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.counters import scan_counters
from penchant.store.items import read_head
from penchant.store.refresh_note import RefreshNote
from penchant.store.releases import read_log_of_releases, read_releases
from penchant.store.rollouts import read_rollout, write_rollout
from penchant.system.low_priority import at_low_priority
from penchant.system.option_types import FLAT, OBJECTIVE, STORE_IN_USE, Repeated
from penchant.system.progress import Progress, no_progress
from penchant.system.workers import ALONE, Workers

log = logging.getLogger("penchant")

_DEFAULTS = RefreshSettings()

TURN_S = 120.0
"""Seconds that a refresh on request waits for one under way."""


def _released_or(default: float) -> Parameter:
    return Parameter(show_default=lambda _: f"the served release's, or {default:g}")


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """The store to refresh, the numbers of the fit, and a log that is kept elsewhere, if any."""

    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE] = DEFAULT_STORE
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    settings: ServerSettings = ()
    """A setting, if it is not the one that the server keeps in the store; repeatable."""
    objective: Annotated[str, OBJECTIVE] = ""
    """Signal to learn weights for; `all`: every event with a positive reward alike."""
    window: Annotated[int | None, _released_or(_DEFAULTS.window)] = None
    """Largest distance at which two likes of a user count as near, in places."""
    text_weight: Annotated[float | None, _released_or(_DEFAULTS.text_weight)] = None
    """Weight of two texts' similarity beside co-occurrence."""
    shrinkage: Annotated[float | None, _released_or(_DEFAULTS.shrinkage)] = None
    """Likes at which an item's own vector weighs as much as its text."""
    events: Annotated[Path | None, Parameter(group="A log in a file")] = None
    """File of events to learn from, instead of the store's log."""
    event_columns: Annotated[EventColumns, FLAT] = EventColumns()
    mapped: Annotated[
        Repeated, Parameter(name="--map", metavar="COLUMN=FIELD", group=COLUMNS_GROUP)
    ] = ()
    """Take a field of the events from this column; repeatable."""
    format: Annotated[str | None, Parameter(metavar="NAME", group=COLUMNS_GROUP)] = None
    """Format of the file: csv, tsv, jsonl or parquet; by default, as its content or name says."""
    shipped_log: Annotated[ShippedSource, FLAT] = ShippedSource()
    workers: Annotated[Workers, FLAT] = ALONE
    """Who reads the store's own log."""

    def remembered_log(self) -> RememberedLog:
        """An empty memory of the store's own log, which the request's workers fill."""
        return RememberedLog(OutcomeReaders(self.workers, whole_address(self.store)))

    def fit_settings(self, released: RefreshSettings) -> RefreshSettings:
        """The settings of the fit: the request's, else those of the served release.

        Raises:
            ConfigError: one is out of range.
        """
        return RefreshSettings(
            window=released.window if self.window is None else self.window,
            text_weight=released.text_weight if self.text_weight is None else self.text_weight,
            shrinkage=released.shrinkage if self.shrinkage is None else self.shrinkage,
        )

    def reader(self, server: ServerStore, left_out: LeftOut) -> ReadLog | None:
        """What reads the log, if the store does not hold it all; `left_out` counts what is refused.

        Of a store that was trimmed behind its shipping, that is the shipped log with what the store
        has not shipped.

        Raises:
            ConfigError: the request names two logs, or an entry of `mapped` is wrong.
        """
        file, signals = self.log_file(), server.config.signals
        self.shipped_log.within()
        if file is not None and self.shipped_log:
            raise ConfigError("--shipped: got it with --events, expected either")
        if file is not None:
            return partial(file.read, signals=signals, left_out=left_out)
        if self.shipped_log:
            outcomes = self.shipped_log.outcomes
            return partial(outcomes, store=server.store, signals=signals, left_out=left_out)
        return reader_of_whole_log(server.store, signals, left_out)

    def log_file(self) -> LogFile | None:
        """The file of events, if the request names one.

        Raises:
            ConfigError: an entry of `mapped` is wrong.
        """
        if self.events is None:
            return None
        fields = mapped_fields(self.mapped, EVENT_FIELDS)
        return LogFile(self.events, self.format, self.event_columns.with_fields(fields))


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """The outcome of a refresh."""

    head: CatalogHead
    """The head that readers follow now."""
    events: int
    """Events about items that can be ranked."""
    moved: int
    """Items that have a residual."""
    weights: LearntWeights = field(default_factory=LearntWeights)
    """The weights of the score's parts, and what each adds."""
    left_out: LeftOut = field(default_factory=LeftOut)
    """Rows of a log in a file that were refused, and events of signals that the table lacks."""
    retired: RetiredSignals = field(default_factory=RetiredSignals)
    """Events of the store's log that today's signal table has no reward for."""


def refresh(request: RefreshRequest, progress: Progress = no_progress) -> RefreshResult:
    """Fits the catalog of a server's store to the log, and publishes a version if anything changed.

    A running server may stay up; it follows at its next request.

    Raises:
        ConfigError: the store or the file can't be read, holds nothing to learn from, or a setting
            is out of range.
        LaunchError: the store's address or a setting can't be read.
        RefreshRunning: another process has been refreshing the store for `TURN_S`.
        StoreUnavailable: another encoder was published meanwhile; nothing changed.
    """
    left_out = LeftOut()
    with open_server_store(request.store, request.settings) as server:
        read = request.reader(server, left_out)
        check_store_for(server.config.store, request.workers)
        config = with_asked(server.config, request.objective)
        settings = request.fit_settings(released_settings(server.store))
        with refresh_turn(request.store, TURN_S, server.store):
            result = refresh_store(
                server.store,
                server.directory,
                config,
                settings,
                read,
                progress,
                elsewhere=request.events is not None,
                own_log=request.remembered_log(),
            )
    for kind, remedy, count in result.retired.cases():
        left_out.add(kind, remedy, count)
    return dataclasses.replace(result, left_out=left_out)


def released_settings(store: Store) -> RefreshSettings:
    """Reads the refresh settings of the served release; the defaults before any release.

    The defaults, too, if its entry in the log of releases can't be read, which the log says.
    """
    with store.snapshot() as snapshot:
        served, entries = read_head(snapshot).release, read_releases(snapshot)
    mine = [entry.refresh for entry in entries if entry.release == served]
    return RefreshSettings(**json.loads(mine[-1])) if mine else RefreshSettings()


def refresh_store(
    store: Store,
    directory: Path,
    config: Config,
    settings: RefreshSettings,
    read: ReadLog | None = None,
    progress: Progress = no_progress,
    memory: RefreshMemory | None = None,
    *,
    elsewhere: bool | None = None,
    own_log: RememberedLog | None = None,
) -> RefreshResult:
    """Fits a catalog to the whole log, and publishes a version if anything changed.

    Args:
        store: the server's store, or a copy.
        directory: directory of the catalog's files.
        config: the server's settings.
        settings: settings of the fit.
        read: reads a log that is kept elsewhere; None: the store's own.
        progress: called as steps begin and end.
        memory: of a process that refreshes again and again, which then reads and fits at low
            priority; None: everything is learnt anew.
        elsewhere: whether what `read` reads is another log than the store's own; None: it is.
        own_log: reads the store's own log where there is no `memory`; None: this process does.

    Raises:
        ConfigError: the store holds no items; or as `read` raises it.
        StoreUnavailable: another encoder was published meanwhile, or the files are gone; nothing
            changed.
    """
    began_s = time.monotonic()
    known = memory or RefreshMemory(own_log or RememberedLog())
    learn = partial(_learn, store, config, settings, read, progress, known)
    source, tried, fresh = learn() if memory is None else at_low_priority(learn)
    progress("Publishing", 0.0)
    note = RefreshNote(
        at_s=time.time(),
        took_s=time.monotonic() - began_s,
        events=len(source.events.item),
        accepted=source.accepted,
        elsewhere=read is not None if elsewhere is None else elsewhere,
        learnt=fresh.learnt.sentence,
    )
    head = publish_refreshed(store, directory, config, source, fresh, note)
    if tried is not None:
        # The offsets of the served catalog are those of the other one, too.
        pace_s = fresh.recent.half_life_s or config.offset_half_life_s
        _refresh_rollout(store, directory, with_offset_half_life(config, pace_s), *tried)
    progress("Publishing", 1.0)
    moved = int(fresh.residuals.any(axis=1).sum())
    return RefreshResult(head, len(source.events.item), moved, fresh.learnt, retired=source.retired)


_Tried = tuple[Rollout, RefreshInput]
"""A release on rollout, and the input of a refresh in its space."""


def _learn(
    store: Store,
    config: Config,
    settings: RefreshSettings,
    read: ReadLog | None,
    progress: Progress,
    memory: RefreshMemory,
) -> tuple[RefreshInput, _Tried | None, RefreshedCatalog]:
    """Reads the log and fits to it, without a lock on anything."""
    progress("Reading the log", 0.0)
    with store.snapshot() as snapshot:
        source = read_refresh_input(snapshot, config, read, remembered=memory.log)
        if any(counters.impressions for _, counters in scan_counters(snapshot)):
            # Offsets hold rates then, which only the counters tell.
            config = with_offset_half_life(config, config.offset_half_life_s)
        rollout = read_rollout(snapshot)
        tried = None
        if rollout is not None:
            tried = rollout, read_refresh_input(snapshot, config, read, rollout.head, memory.log)
    progress("Reading the log", 1.0)
    progress("Fitting item vectors", 0.0)
    events = len(source.events.item)
    served = with_score_weights(config, source.head.score_weights)
    known = memory.weights(events, settings, served)
    fresh = learn_catalog(source.events, source.texts, settings, served, known)
    if known is None:
        memory.keep(fresh.learnt, events, settings, served)
    progress("Fitting item vectors", 1.0)
    return source, tried, fresh


def _refresh_rollout(
    store: Store, directory: Path, config: Config, rollout: Rollout, source: RefreshInput
) -> None:
    """Refreshes the catalog of a release on rollout by its own settings, unless it has ended."""
    with store.snapshot() as snapshot:
        entries = reversed(read_log_of_releases(snapshot))
    by = next((entry.refresh for entry in entries if entry.release == rollout.release), None)
    if by is None:  # Its row is corrupt, which the log says.
        log.warning("the release on rollout is not refreshed; end its rollout and begin it again")
        return
    tried = with_score_weights(config, source.head.score_weights)
    fresh = learn_catalog(source.events, source.texts, RefreshSettings(**json.loads(by)), tried)

    def switch(transaction: Transaction) -> None:
        now = read_rollout(transaction)
        if now is None or now.release != rollout.release:
            return
        place = rollout_directory(directory, rollout.release)
        view = read_catalog(transaction, CatalogReader(place, config.fold), now.head)
        head = write_refreshed(transaction, place, config, view, now.head, source, fresh)
        write_rollout(transaction, dataclasses.replace(now, head=head))

    in_transaction(store, switch)
