"""Two servers of one store in one process, each with a directory of its own."""

from __future__ import annotations

from pathlib import Path

from penchant.catalog.item_biases import ItemBiasFile, ItemBiasTable
from penchant.catalog.view import CatalogView
from penchant.config import Config
from penchant.domain.errors import PenchantError
from penchant.domain.types import Item
from penchant.encoder.library import EncoderLibrary
from penchant.service.catalog import CatalogService, PutResult
from penchant.service.catalog_share import CatalogShare
from penchant.service.clock import Clock
from penchant.service.mended_catalog import mend_catalog
from penchant.service.meter import SilentMeter
from penchant.service.rank import Ranking, RankRequest, RankService
from penchant.service.shared_catalogs import SharedCatalogs
from penchant.service.sharing_store import SharingStore
from penchant.store.base import Store
from penchant.store.counters import scan_counters
from penchant.system.shared_files import SharedFiles
from tests.support.watched_encoder import WatchedEncoder
from tests.support.world import NOW_US


class SharingServer:
    """The catalog and the rankings of one of several servers."""

    def __init__(self, directory: Path, store: Store, files: SharedFiles) -> None:
        self.engine = store
        self.directory = directory
        self.config = Config(store="memory:", encoder=directory, catalog_dir=directory)
        self.share = CatalogShare(directory, files, self.read_biases)
        self.store = SharingStore(store, self.share)
        self.catalogs = SharedCatalogs(self.share, self.config.fold)
        mend_catalog(self.store, directory, self.read_biases, complete=self.share.complete)
        encoders = EncoderLibrary(WatchedEncoder())
        clock: Clock = lambda: NOW_US  # noqa: E731  # A constant clock.
        self.catalog = CatalogService(self.store, self.catalogs, encoders)
        self.ranker = RankService(store, self.catalogs, encoders, clock, SilentMeter(), 50)

    def read_biases(self) -> ItemBiasTable:
        config = self.config
        table = ItemBiasTable(config.offset_half_life_s, config.offset_prior_impressions)
        with self.engine.snapshot() as snapshot:
            table.set(scan_counters(snapshot))
        return table

    def put(self, **texts: str) -> PutResult:
        return self.catalog.put([Item(id_, text) for id_, text in texts.items()])

    def follow(self) -> CatalogView:
        """The catalog after what is missing was fetched, as the threads of a server do it."""
        with self.engine.snapshot() as snapshot:
            view = self.catalogs.follow(snapshot).served
        offsets = ItemBiasFile(self.directory, self.read_biases())
        offsets.publish(view.head.generation, view.head.rows)
        return view

    def rank(self, user: str = "u", k: int = 50) -> Ranking:
        (result,) = self.ranker.rank([RankRequest(user, k)])
        if isinstance(result, PenchantError):
            raise result
        return result
