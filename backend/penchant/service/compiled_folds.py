"""Folds by the compiled module, where it is installed: the same records, in a fraction of the time.

The module bounds the rounding of its sums and NumPy's, and declines a fold whose single precision
could differ: the caller then folds with NumPy. It also declines what is rare: updaters other than
`ridge`, records of older releases, damaged ones. So nothing depends on which of the two ran.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from penchant.catalog.view import CatalogView
from penchant.domain.context import Slots
from penchant.domain.interest import Prior
from penchant.domain.signal_weights import factors_by_code
from penchant.domain.types import RECENT_DTYPE, Interest, Window
from penchant.service.record_draft import RecordDraft
from penchant.system.native_module import native_choice

if TYPE_CHECKING:
    from penchant_native import Folds, FoldTerms

MOST_BUCKET_S = 1e9
"""Longest time bucket of what ranks and takes events by the compiled module, in seconds."""


class CompiledFolds:
    """The compiled folds of the catalogs that are in use; safe in threads."""

    def __init__(self) -> None:
        self._by_prior = WeakKeyDictionary[Prior, "Folds | None"]()
        """A catalog's views of one version and setting share their prior."""

    def version(self, record: bytes) -> int | None:
        """The state version of an encoded record; None: the codec has to look at it.

        Cost: a checksum, about a microsecond for each kilobyte.
        """
        import penchant_native

        return penchant_native.record_version(record)

    def learn(
        self, view: CatalogView, drafts: Sequence[RecordDraft], capacity: int, bucket: int
    ) -> list[bytes | None]:
        """The encoded records with their new events and folds; None for those that are declined.

        Args:
            view: the catalog that the users are ranked by.
            drafts: with one new event or more each.
            capacity: events that a window keeps.
            bucket: `time_bucket` of now.
        """
        learnt: list[bytes | None] = [None] * len(drafts)
        folds = self._folds_of(view)
        if folds is None:
            return learnt
        places = [place for place, draft in enumerate(drafts) if draft.is_as_stored]
        users = [(drafts[place].encoded, b"".join(drafts[place].added)) for place in places]
        start_us = bucket * view.settings.time_bucket_s * 1e6
        values = folds.learn(view.vectors, view.alive, users, capacity, bucket, start_us)
        for place, value in zip(places, values, strict=True):
            learnt[place] = value
        return learnt

    def interest(
        self, view: CatalogView, window: Window, bucket: int, context: Slots
    ) -> Interest | None:
        """`penchant.domain.interest.fold` of a window; None: declined."""
        folds = self._folds_of(view)
        if folds is None:
            return None
        start_us = bucket * view.settings.time_bucket_s * 1e6
        rows, slots = window.tobytes(), context.tobytes()
        parts = folds.interest(view.vectors, view.alive, rows, slots, start_us)
        if parts is None:
            return None
        slow, fast, recent = parts
        return Interest(
            np.frombuffer(slow, np.float32),
            np.frombuffer(fast, np.float32),
            np.frombuffer(recent, RECENT_DTYPE),
        )

    def terms(self, view: CatalogView) -> FoldTerms | None:
        """What folds in a catalog share, for other compiled work; None: there is no way."""
        folds = self._folds_of(view)
        return None if folds is None else folds.terms

    def _folds_of(self, view: CatalogView) -> Folds | None:
        try:
            return self._by_prior[view.prior]
        except KeyError:
            made = self._by_prior[view.prior] = _terms(view)
            return made


def compiled_folds() -> CompiledFolds | None:
    """The compiled folds of this process; None where NumPy runs."""
    return _of_this_process() if native_choice().runs else None


@functools.cache
def _of_this_process() -> CompiledFolds:
    return CompiledFolds()


def _terms(view: CatalogView) -> Folds | None:
    """What the folds of a catalog share; None for an updater that has no compiled way.

    Cost: eigenvalues of a matrix of shape (d, d), about 1 ms at d = 64.
    """
    import penchant_native

    settings, precision = view.settings, view.prior.precision
    if settings.updater != "ridge":
        return None
    # Lowered by what computing it may have added.
    least = np.linalg.eigvalsh(precision)[0] - 1e-12 * np.trace(precision)
    factors = factors_by_code(settings.signal_weights) if settings.signal_weights else None
    return penchant_native.Folds(
        precision=precision,
        target=precision @ view.prior.mean,
        least_eigenvalue=float(least),
        half_life_events=settings.half_life_events,
        half_life_s=settings.half_life_s,
        fast_half_life_events=settings.fast_half_life_events,
        near_half_life_events=settings.near_half_life_events,
        opening_half_life_events=settings.opening_half_life_events,
        context_halvings=settings.context_halvings,
        factors=factors,
        catalog_version=view.head.version,
        settings=view.digest,
    )
