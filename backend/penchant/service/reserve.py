"""Reserve: look at caps and budgets and take of them, one transaction for the whole batch."""

from __future__ import annotations

from collections.abc import Sequence

from penchant.catalog.view import CatalogView
from penchant.domain.errors import PenchantError, UnknownItem
from penchant.domain.reservations import Reservations, ReserveRequest
from penchant.service.clock import Clock
from penchant.service.reservation_ledger import ReservationLedger
from penchant.service.user_interest import Catalogs
from penchant.store.base import Store


class ReserveService:
    """Takes reservations; what makes caps exact is that the store has one writer at a time."""

    def __init__(self, store: Store, catalogs: Catalogs, clock: Clock) -> None:
        self._store = store
        self._catalogs = catalogs
        self._clock = clock

    def reserve(self, requests: Sequence[ReserveRequest]) -> list[Reservations | PenchantError]:
        """What each request gets, durable when this returns; later ones see what earlier ones took.

        Raises:
            StoreUnavailable: nothing of the whole batch was taken.
        """
        now_us = self._clock()
        with self._store.transaction() as transaction:
            view, books = self._catalogs.read(transaction).served, ReservationLedger(transaction)
            replies = [_reserve(view, books, request, now_us) for request in requests]
            books.write()
        return replies


def _reserve(
    view: CatalogView, books: ReservationLedger, request: ReserveRequest, now_us: int
) -> Reservations | PenchantError:
    try:
        for position, option in enumerate(request.options):
            if view.number(option.item) is None:
                raise UnknownItem(
                    f"options[{position}].item: got {option.item[:64]!r}, "
                    "which the catalog does not hold"
                )
        return books.reserve(request, now_us if request.as_of_us is None else request.as_of_us)
    except PenchantError as error:
        return error
