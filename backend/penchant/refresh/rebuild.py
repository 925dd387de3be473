"""Rebuilding from the log as one job: users' records, items' counters, ledgers and budgets."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Annotated, Literal

from cyclopts import Parameter

from penchant.catalog.item_biases import ItemBiasTable
from penchant.config import Config
from penchant.domain.retired_signals import RetiredSignals
from penchant.launch.model_parameters import DEFAULT_STORE
from penchant.launch.server_store import ServerSettings, ServerStore, open_server_store
from penchant.logs.shipped.shipped_source import ShippedSource
from penchant.refresh.put_back import put_back
from penchant.refresh.record_workers import record_workers
from penchant.refresh.store_for_workers import check_store_for
from penchant.server.kept_settings import REBUILT, keep
from penchant.service.clock import system_clock
from penchant.service.live_offsets import LiveOffsets
from penchant.service.mended_catalog import mend_catalog, mend_head
from penchant.service.rebuilt_counters import rebuild_counters
from penchant.service.rebuilt_ledgers import RebuiltLedgers, rebuild_ledgers
from penchant.service.rebuilt_records import rebuild_records
from penchant.service.user_interest import Catalogs
from penchant.store.counters import scan_counters
from penchant.store.network_store import in_network
from penchant.system.option_types import FLAT, STORE_IN_USE
from penchant.system.progress import Progress, no_progress
from penchant.system.workers import ALONE, Workers

Part = Literal["all", "records", "counters", "ledgers"]
"""What can be made again from the log."""


@dataclass(frozen=True, slots=True)
class RebuildRequest:
    """The store to rebuild, and the settings to rebuild it under."""

    part: Annotated[Part, Parameter(name="part", metavar="PART")] = "all"
    """Part to rebuild: users' records, items' counters, ledgers with the budgets, or all."""
    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE] = DEFAULT_STORE
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    settings: ServerSettings = ()
    """New signals or a new window, which the store keeps from now on; repeatable."""
    shipped_log: Annotated[ShippedSource, FLAT] = ShippedSource()
    workers: Annotated[Workers, FLAT] = ALONE
    """Who makes records."""


@dataclass(frozen=True, slots=True)
class RebuildResult:
    """The outcome of a rebuild."""

    users: int
    """Users whose logs were read."""
    items: int
    """Items whose counters were made again; 0 unless counters were asked for."""
    unreadable: int
    """Users whose logs can't be read; what they had counted stays."""
    retired: RetiredSignals
    """Events that today's signal table has no reward for."""
    ledgers: RebuiltLedgers
    """Ledgers and budgets; zeros unless they were asked for."""
    kept: tuple[str, ...] = ()
    """Names of the given settings, which the store keeps from now on."""
    head_made_again: bool = False
    """Whether the catalog's head was damaged, and was made again."""
    put_back: int = 0
    """Events that the store lacked and a shipped log held."""


def rebuild(request: RebuildRequest, progress: Progress = no_progress) -> RebuildResult:
    """Rebuilds records, counters, ledgers or all of it from the log, under today's settings.

    Signals and window are those that the store keeps, unless the request names others; the store
    then keeps those. A running server goes on with its own until it is restarted.

    Rows of a shipped log that the store lacks are put back first, if the request names one.

    Raises:
        ConfigError: there is no store, a setting is wrong, or the shipped log can't be read.
        LaunchError: the store's address or a setting can't be read.
    """
    users = items = unreadable = put = 0
    head_made_again = False
    retired, ledgers = RetiredSignals(), RebuiltLedgers()
    with open_server_store(request.store, request.settings, may_differ=REBUILT) as server:
        check_store_for(server.config.store, request.workers)
        server.audit.note("rebuild", note=request.part)
        config = server.config
        request.shipped_log.within()
        if request.shipped_log:
            put = put_back(server.store, request.shipped_log, progress)
        if request.part in ("all", "records"):
            head_made_again = _mend_head(server)
            window = config.fold.window_events
            make = record_workers(config.store, config.signals, window, request.workers)
            users = rebuild_records(server.store, config.signals, window, progress, retired, make)
        if server.store.shared and request.part in ("all", "counters", "ledgers"):
            # What waited would be added to counts that are made from the log, which holds it.
            in_network(server.store).settle(everyone=True)
        if request.part in ("all", "counters"):
            made = rebuild_counters(
                server.store, config.signals, config.offset_half_life_s, progress
            )
            users, items, unreadable = made.users, made.items, made.unreadable
            retired = made.retired
            _publish(server, items)
        if request.part in ("all", "ledgers"):
            ledgers = rebuild_ledgers(server.store, system_clock(), progress)
        kept = tuple(sorted(REBUILT & config.given))
        if kept:
            keep(server.store, config, REBUILT)
    return RebuildResult(users, items, unreadable, retired, ledgers, kept, head_made_again, put)


def _mend_head(server: ServerStore) -> bool:
    """Makes the catalog's head again, if it is damaged, and then its log and its files.

    Returns:
        Whether the head was damaged.
    """
    found = mend_head(server.store, server.directory, whole_only=False)
    mend_catalog(server.store, server.directory, partial(_read_biases, server))
    return "head" in found


def _read_biases(server: ServerStore) -> ItemBiasTable:
    biases = _empty_biases(server.config)
    with server.store.snapshot() as snapshot:
        biases.set(scan_counters(snapshot))
    return biases


def _empty_biases(config: Config) -> ItemBiasTable:
    return ItemBiasTable(config.offset_half_life_s, config.offset_prior_impressions)


def _publish(server: ServerStore, items: int) -> None:
    """Shows rankings the new counters; the process of feedback reads them at its next batch."""
    config = server.config
    catalogs = Catalogs(server.directory, config.fold)
    LiveOffsets(server.store, catalogs, _empty_biases(config)).publish(range(items), system_clock())
