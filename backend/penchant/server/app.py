"""The composition root: settings in, a function from calls to replies out."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penchant import wire
from penchant.catalog.offsets import ItemBiasTable
from penchant.config import Config, catalog_directory
from penchant.domain.errors import ConfigError, InternalError, InvalidRequest, PenchantError
from penchant.domain.limits import Limits
from penchant.encoder.base import Encoders
from penchant.server.verbs import (
    Verb,
    catalog_verbs,
    embed_verbs,
    feedback_verbs,
    rank_verbs,
    reserve_verbs,
    user_verbs,
)
from penchant.service.catalog import CatalogService
from penchant.service.clock import Clock, system_clock
from penchant.service.embed import EmbedService
from penchant.service.feedback import FeedbackService
from penchant.service.meter import Meter
from penchant.service.rank import RankService
from penchant.service.reserve import ReserveService
from penchant.service.user_interest import Catalogs
from penchant.service.users import UserService
from penchant.store.base import Store
from penchant.store.counters import scan_counters
from penchant.store.open import open_store
from penchant_proto.methods import METHODS, methods_of
from penchant_proto.v1.service_pb2 import Reply

log = logging.getLogger("penchant")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A call that has been read but not answered."""

    field: str
    request: Any
    """The method's request message."""

    @property
    def slow(self) -> bool:
        """Whether the answer may wait for the encoder, and others should not wait for it."""
        return self.field == "put_items" or (self.field == "rank" and bool(self.request.query))


class App:
    """Answers the methods that it was built with."""

    def __init__(self, verbs: Mapping[str, Verb], limits: Limits, store: Store) -> None:
        self._verbs = verbs
        self._limits = limits
        self._store = store

    def parse(self, payload: bytes) -> Parsed | PenchantError:
        """Reads one call; an error where it is no call, too large, or another model's."""
        try:
            if len(payload) > self._limits.request_bytes:
                raise InvalidRequest(
                    f"REQUEST: got {len(payload)} bytes, "
                    f"expected at most {self._limits.request_bytes}"
                )
            field, call = wire.parse_call(payload)
            if field not in self._verbs:
                raise InvalidRequest(
                    f"method: got {field}, which the model {METHODS[field].model} answers; "
                    f"expected one of: {', '.join(sorted(self._verbs))}"
                )
        except PenchantError as error:
            return error
        return Parsed(field, getattr(call, field))

    def answer(self, calls: Sequence[Parsed]) -> list[Reply | PenchantError]:
        """One reply or error per call, in order; no call can spoil another's."""
        replies: list[Reply | PenchantError] = [InternalError()] * len(calls)
        for field in dict.fromkeys(call.field for call in calls):
            places = [place for place, call in enumerate(calls) if call.field == field]
            answers = self._answer_alike(field, [calls[place].request for place in places])
            for place, reply in zip(places, answers, strict=True):
                replies[place] = reply
        return replies

    def handle(self, payload: bytes) -> Reply | PenchantError:
        """Reads and answers one call."""
        parsed = self.parse(payload)
        return parsed if isinstance(parsed, PenchantError) else self.answer([parsed])[0]

    def close(self) -> None:
        """Closes the store."""
        self._store.close()

    def _answer_alike(self, field: str, requests: Sequence[Any]) -> Sequence[Reply | PenchantError]:
        try:
            return self._verbs[field](requests)
        except PenchantError as error:
            return [error] * len(requests)
        except Exception:
            if len(requests) > 1:  # Whichever is at fault must not cost the others their replies.
                return [self._answer_alike(field, [request])[0] for request in requests]
            log.exception("%s failed", field)
            return [InternalError()]


def build(
    models: Sequence[str],
    config: Config,
    encoders: Encoders,
    meter: Meter,
    clock: Clock = system_clock,
) -> App:
    """The app that answers for some of the contract's Triton models, in this process.

    Args:
        models: their names; a Triton model is given its own, an evaluation all of them.
        config: the settings.
        encoders: for the encoder's model the engines themselves, for the others a way to them.
        meter: takes the measurements.
        clock: microseconds since 1970.

    Raises:
        ConfigError: an unknown model, or settings that do not fit together.
        StoreUnavailable: the store can't be opened.
    """
    fields = frozenset[str]().union(*(methods_of(model) for model in models))
    if not fields:
        known = sorted({method.model for method in METHODS.values()})
        raise ConfigError(f"model: got {models}, expected some of: {', '.join(known)}")
    directory = catalog_directory(config)
    if directory is None:
        raise ConfigError("catalog_dir: missing; a store in memory has no directory of its own")
    store = open_store(config.store, map_bytes=config.store_map_bytes)
    verbs = _verbs(fields, config, store, directory, encoders, meter, clock)
    return App(verbs, config.limits, store)


def _verbs(
    fields: frozenset[str],
    config: Config,
    store: Store,
    directory: Path,
    encoders: Encoders,
    meter: Meter,
    clock: Clock,
) -> dict[str, Verb]:
    """The verbs among `fields`."""
    limits, catalogs = config.limits, Catalogs(directory, config.fold)
    verbs: dict[str, Verb] = {}
    if "embed" in fields:
        verbs |= embed_verbs(EmbedService(store, encoders), limits)
    if "put_items" in fields:
        book = _read_book(store, config)
        verbs |= catalog_verbs(CatalogService(store, catalogs, encoders, book), limits)
    if "rank" in fields:
        explorations = config.explorations_per_day
        rank = RankService(store, catalogs, encoders, clock, meter, explorations)
        verbs |= rank_verbs(rank, limits)
    if "feedback" in fields:
        book = _empty_book(config)
        feedback = FeedbackService(store, catalogs, config.signals, book, limits, clock, meter)
        verbs |= feedback_verbs(feedback, limits, clock)
    if "reserve" in fields:
        verbs |= reserve_verbs(ReserveService(store, catalogs, clock), limits, clock)
    if "get_user" in fields:
        verbs |= user_verbs(UserService(store, catalogs, clock), limits)
    return verbs


def _read_book(store: Store, config: Config) -> ItemBiasTable:
    """Every item's counters."""
    book = _empty_book(config)
    with store.snapshot() as snapshot:
        book.set(scan_counters(snapshot))
    return book


def _empty_book(config: Config) -> ItemBiasTable:
    return ItemBiasTable(config.offset_half_life_s, config.offset_prior_impressions)
