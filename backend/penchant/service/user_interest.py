"""What every verb reads first: the catalogs as of a snapshot, and a user's interest in one."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from penchant.catalog.files import DamagedFile, Frozen
from penchant.catalog.view import CatalogReader, CatalogView
from penchant.domain.context import Slots, context_digest, nowhere
from penchant.domain.errors import StateCorrupt, StoreUnavailable
from penchant.domain.interest import fold, fold_each
from penchant.domain.repeats import Repeats, repeats_of
from penchant.domain.rollout import Rollout
from penchant.domain.segments import SegmentShares, segment_shares
from penchant.domain.settings import FoldSettings
from penchant.domain.types import (
    CatalogHead,
    Context,
    FoldKey,
    Interest,
    Record,
    UserState,
    Window,
)
from penchant.service.compiled_folds import compiled_folds
from penchant.store.base import Snapshot
from penchant.store.items import read_changes, read_head
from penchant.store.keys import Kind, encode
from penchant.store.rollouts import read_rollout


def read_catalog(
    snapshot: Snapshot, reader: CatalogReader, head: CatalogHead | None = None
) -> CatalogView:
    """The catalog at a head, by default the snapshot's.

    Raises:
        StoreUnavailable: the catalog's files are missing or damaged.
    """
    head = head or read_head(snapshot)
    try:
        return reader.view(head, lambda start: read_changes(snapshot, start))
    except (FileNotFoundError, DamagedFile) as error:
        raise StoreUnavailable(
            f"catalog: the files of version {head.version} are missing or damaged; the server "
            "writes them again within seconds; if this persists, restart the server"
        ) from error
    except OSError as error:  # Such as too many open files.
        raise StoreUnavailable(
            f"catalog: its files can't be read: {error.strerror}; send the call again"
        ) from error


@dataclass(frozen=True, slots=True)
class Offered:
    """The catalogs that users are ranked by: the one that is served, and one on rollout."""

    served: CatalogView
    rollout: Rollout | None = None
    candidate: CatalogView | None = None
    """The rollout's catalog; None without a rollout."""

    def shown_to(self, user: str) -> CatalogView:
        """The catalog that a user is ranked by."""
        if self.rollout is None or self.candidate is None or not self.rollout.shows(user):
            return self.served
        return self.candidate


class Catalogs:
    """Follows the catalog that is served and the one on rollout; safe in threads."""

    def __init__(
        self, directory: Path, settings: FoldSettings, fixed: Collection[str] = ()
    ) -> None:
        """Follows the catalogs in a directory; see `CatalogReader` for the arguments."""
        self.directory = directory
        self._settings = settings
        self._fixed = fixed
        self.served = CatalogReader(directory, settings, fixed)
        self.damaged = threading.Event()
        """Set when a file is found missing or damaged; `service.catalog_watch` waits for it."""
        self._candidate: tuple[str, CatalogReader] | None = None

    def read(self, snapshot: Snapshot) -> Offered:
        """Both as of a snapshot; raises StoreUnavailable if files are missing or damaged."""
        try:
            return self._read(snapshot)
        except (StoreUnavailable, StateCorrupt):
            self.damaged.set()
            raise

    def _read(self, snapshot: Snapshot) -> Offered:
        served = read_catalog(snapshot, self.served)
        rollout = read_rollout(snapshot)
        if rollout is None:
            return Offered(served)
        view = read_catalog(snapshot, self._reader(rollout.release), rollout.head)
        # Offsets do not depend on the vector space; feedback writes those of the served catalog.
        return Offered(served, rollout, dataclasses.replace(view, offsets=served.offsets))

    def held(self) -> dict[int, Frozen]:
        """The parts of the served version that this process has in memory, by its number."""
        view = self.served.latest
        return {} if view is None else {view.head.version: view.frozen}

    def _reader(self, release: str) -> CatalogReader:
        known = self._candidate
        if known is None or known[0] != release:
            place = rollout_directory(self.directory, release)
            known = self._candidate = (release, CatalogReader(place, self._settings, self._fixed))
        return known[1]


READ_BY_ALL = (encode(Kind.HEAD), encode(Kind.ROLLOUT), encode(Kind.NEWEST))
"""Keys of the rows that every ranking and every batch of feedback reads."""


def rollout_directory(directory: Path, release: str) -> Path:
    """The directory of a rollout's catalog files, inside that of the served catalog."""
    return directory / f"trial-{release}"


def fold_key(view: CatalogView, bucket: int, context: Slots) -> FoldKey:
    """The key under which a fold for this catalog, time bucket and context is cached."""
    digest = context_digest(context, view.settings)
    return FoldKey(view.head.version, bucket, view.digest, digest)


def interest_of(
    state: UserState, view: CatalogView, bucket: int, context: Slots | None = None
) -> tuple[Interest, bool]:
    """The user's interest in a time bucket and a context, and whether it had to be folded.

    Args:
        state: the user's; its cached fold is used if the key fits.
        view: the catalog.
        bucket: `time_bucket` of now.
        context: shape (5,); None: no context.
    """
    here = nowhere() if context is None else context
    if state.interest is not None and state.key == fold_key(view, bucket, here):
        return state.interest, False
    window = state.record.window
    compiled = compiled_folds()
    if compiled is not None and len(window):
        interest = compiled.interest(view, window, bucket, here)
        if interest is not None:
            return interest, True
    items = view.items_of(window)
    return fold(view.prior, window, items, bucket, view.settings, here), True


def folded_states(view: CatalogView, records: Sequence[Record], bucket: int) -> list[UserState]:
    """Records with the folds that their users' next rankings need, by NumPy.

    Args:
        view: the catalog.
        records: with one event or more each.
        bucket: `time_bucket` of now.
    """
    windows = [record.window for record in records]
    window, lengths = np.concatenate(windows), np.array([len(one) for one in windows])
    items = view.items_of(window)
    # The next ranking is probably made in the context of the last event.
    contexts = np.stack([one["context"][-1] for one in windows])
    interests = fold_each(view.prior, window, lengths, items, bucket, view.settings, contexts)
    return [
        UserState(record, fold_key(view, bucket, context), interest)
        for record, interest, context in zip(records, interests, contexts, strict=True)
    ]


class UserInContext(NamedTuple):
    """A user as one ranking sees them: at a moment, in a context.

    A tuple, since a frozen dataclass takes three times as long to make, on the hot path.
    """

    user: str
    window: Window
    interest: Interest
    """The fold of the window in this time bucket and context."""
    bucket: int
    """`time_bucket` of the moment."""
    context: Slots
    """Shape (5,)."""


def repeats_in(view: CatalogView, user: UserInContext) -> Repeats | None:
    """The user's repeats; None if they have no weight or there are none."""
    if not view.settings.repeat_weight or not len(user.window):
        return None
    return repeats_of(user.window, user.bucket, view.settings)


def segments_in(view: CatalogView, interest: Interest, context: Context) -> SegmentShares | None:
    """What the segments of a ranking's context add; None if they add nothing."""
    if not context or not view.frozen.segments:
        return None
    return segment_shares(view.frozen.segments, context, interest.recent)
