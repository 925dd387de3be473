"""What every verb reads first: the catalog as of a snapshot, and a user's interest in it."""

from __future__ import annotations

from penchant.catalog.view import CatalogReader, CatalogView
from penchant.domain.errors import StoreUnavailable
from penchant.domain.interest import fold
from penchant.domain.types import FoldKey, Interest, UserState
from penchant.store.base import Snapshot
from penchant.store.items import read_changes, read_head


def read_catalog(snapshot: Snapshot, reader: CatalogReader) -> CatalogView:
    """The catalog at the snapshot's head; raises StoreUnavailable where its files are gone."""
    head = read_head(snapshot)
    try:
        return reader.view(head, lambda start: read_changes(snapshot, start))
    except FileNotFoundError as error:
        raise StoreUnavailable(
            f"catalog: the files of version {head.version} are not there; "
            "if that lasts, restart the model penchant_catalog, which writes them again"
        ) from error


def fold_key(view: CatalogView, bucket: int) -> FoldKey:
    """What a fold made now is good for."""
    return FoldKey(view.head.version, bucket, view.digest)


def interest_of(state: UserState, view: CatalogView, bucket: int) -> tuple[Interest, bool]:
    """The user's interest in a time bucket, and whether it was folded now (False: cached)."""
    if state.interest is not None and state.key == fold_key(view, bucket):
        return state.interest, False
    window = state.record.window
    items = view.items_of(window)
    return fold(view.prior, window, items, bucket, view.settings), True
