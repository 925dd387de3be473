"""What every verb reads first: the catalogs as of a snapshot, and a user's interest in one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from penchant.catalog.view import CatalogReader, CatalogView
from penchant.domain.context import Slots, context_digest, nowhere
from penchant.domain.errors import StoreUnavailable
from penchant.domain.interest import fold
from penchant.domain.rollout import Rollout
from penchant.domain.settings import FoldSettings
from penchant.domain.types import CatalogHead, FoldKey, Interest, UserState
from penchant.store.base import Snapshot
from penchant.store.items import read_changes, read_head
from penchant.store.rollouts import read_rollout


def read_catalog(
    snapshot: Snapshot, reader: CatalogReader, head: CatalogHead | None = None
) -> CatalogView:
    """The catalog at a head, by default the snapshot's.

    Raises:
        StoreUnavailable: its files are gone.
    """
    head = head or read_head(snapshot)
    try:
        return reader.view(head, lambda start: read_changes(snapshot, start))
    except FileNotFoundError as error:
        raise StoreUnavailable(
            f"catalog: the files of version {head.version} are not there; "
            "if that lasts, restart the model penchant_catalog, which writes them again"
        ) from error


@dataclass(frozen=True, slots=True)
class Offered:
    """The catalogs that rankings are made from: what is served, and what is on rollout."""

    served: CatalogView
    rollout: Rollout | None = None
    candidate: CatalogView | None = None
    """The rollout's; None: there is none."""

    def shown_to(self, user: str) -> CatalogView:
        """The catalog that a user is ranked by."""
        if self.rollout is None or self.candidate is None or not self.rollout.shows(user):
            return self.served
        return self.candidate


class Catalogs:
    """Follows what is served and what is on rollout; safe in threads."""

    def __init__(self, directory: Path, settings: FoldSettings) -> None:
        self.directory = directory
        self._settings = settings
        self.served = CatalogReader(directory, settings)
        self._tried: tuple[str, CatalogReader] | None = None

    def read(self, snapshot: Snapshot) -> Offered:
        """Both as of a snapshot; raises StoreUnavailable where files are gone."""
        served = read_catalog(snapshot, self.served)
        rollout = read_rollout(snapshot)
        if rollout is None:
            return Offered(served)
        view = read_catalog(snapshot, self._reader(rollout.release), rollout.head)
        # Offsets are everybody's, whatever the space; feedback writes those of what is served.
        return Offered(served, rollout, dataclasses.replace(view, offsets=served.offsets))

    def _reader(self, release: str) -> CatalogReader:
        tried = self._tried
        if tried is None or tried[0] != release:
            place = rollout_directory(self.directory, release)
            tried = self._tried = (release, CatalogReader(place, self._settings))
        return tried[1]


def rollout_directory(directory: Path, release: str) -> Path:
    """Where the files of a catalog on rollout are, by the directory of what is served."""
    return directory / f"trial-{release}"


def fold_key(view: CatalogView, bucket: int, context: Slots) -> FoldKey:
    """What a fold made now for a context is good for."""
    digest = context_digest(context, view.settings)
    return FoldKey(view.head.version, bucket, view.digest, digest)


def interest_of(
    state: UserState, view: CatalogView, bucket: int, context: Slots | None = None
) -> tuple[Interest, bool]:
    """The user's interest in a time bucket and a context, and whether it was folded now.

    False: it was cached. None stands for no context.
    """
    here = nowhere() if context is None else context
    if state.interest is not None and state.key == fold_key(view, bucket, here):
        return state.interest, False
    window = state.record.window
    items = view.items_of(window)
    return fold(view.prior, window, items, bucket, view.settings, here), True
