"""A model's store and catalogs, as an engine on this machine or one over a network needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from penchant.catalog.item_biases import ItemBiasTable
from penchant.config import Config
from penchant.domain.limits import AHEAD_US
from penchant.service.catalog_share import CatalogShare
from penchant.service.clock import Clock
from penchant.service.counts_follower import CountsFollower
from penchant.service.shared_catalogs import CatalogFollower, SharedCatalogs
from penchant.service.sharing_store import SharingStore
from penchant.service.user_interest import Catalogs
from penchant.store.address import is_network
from penchant.store.base import Snapshot, Store
from penchant.store.counters import scan_counters
from penchant.store.guarded_store import GuardedStore
from penchant.store.network_store import in_network
from penchant.store.remembered_rows import RememberedRows
from penchant.system.shared_files import SharedFiles, UrlFiles


@dataclass(frozen=True, slots=True)
class ServedStore:
    """The store of a model's process, and the catalogs that it follows."""

    store: Store
    """For what does not change the catalog."""
    changing: Store
    """The same for what does."""
    catalogs: Catalogs
    complete: Callable[[Snapshot], None] | None = None
    """Fetches the catalog's files that are missing here; None: nobody else could have them."""
    followers: list[CatalogFollower | CountsFollower] = field(default_factory=list)
    """Threads that follow what other servers write."""

    def close(self) -> None:
        """Ends the threads; the engine is the opener's to close."""
        for follower in self.followers:
            follower.close()


def guarded(engine: Store, config: Config, *, ranks: bool) -> Store:
    """An engine as calls use it: one over a network may be away.

    Args:
        engine: the open store.
        config: the settings.
        ranks: whether what was read last may stand in for a store that is away.
    """
    if not is_network(config.store):
        return engine
    return GuardedStore(engine, RememberedRows() if ranks else None)


def served_store(
    store: Store,
    config: Config,
    directory: Path,
    read_biases: Callable[[], ItemBiasTable],
    *,
    follows: bool = True,
) -> ServedStore:
    """The store and the catalogs of a process.

    Args:
        store: as `guarded` made it.
        config: the settings.
        directory: of the catalog's files.
        read_biases: reads every item's counters.
        follows: whether to begin a thread that follows the catalogs.

    Raises:
        ConfigError: the place where servers share files can't be opened.
    """
    if not is_network(config.store):
        return ServedStore(store, store, Catalogs(directory, config.fold, config.fixed))
    share = CatalogShare(directory, shared_files(store, config), read_biases)
    catalogs = SharedCatalogs(share, config.fold, config.fixed)
    served = ServedStore(store, SharingStore(store, share), catalogs, share.complete)
    if follows:
        served.followers.append(CatalogFollower(store, catalogs))
    return served


def read_item_biases(store: Store, config: Config, clock: Clock) -> ItemBiasTable:
    """Every item's counters, none of them dated after the clock."""
    item_biases = empty_item_biases(config)
    with store.snapshot() as snapshot:
        item_biases.set(scan_counters(snapshot))
    item_biases.limit(clock() + AHEAD_US)
    return item_biases


def empty_item_biases(config: Config) -> ItemBiasTable:
    """A table of no counters."""
    return ItemBiasTable(config.offset_half_life_s, config.offset_prior_impressions)


def shared_files(store: Store, config: Config) -> SharedFiles:
    """Where the servers of a store share the catalog's files; raises ConfigError."""
    if config.catalog_share:
        return UrlFiles(config.catalog_share)
    return in_network(store).files
