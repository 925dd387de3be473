"""Penchant as a recommender: the server's own fold, score and counters, without a store.

Every ranking uses the current offsets of all items. A server publishes them within a second
(`penchant.catalog.item_biases.WHOLE_EVERY_S`): no difference if events are seconds apart.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Self

import numpy as np

from penchant.catalog.files import Frozen
from penchant.catalog.item_biases import ItemBiasTable
from penchant.catalog.numbers import ItemNumbers
from penchant.catalog.view import CatalogView, fold_digest
from penchant.config import Config
from penchant.domain.cold_start import fit_cold_start_prior, flat_cold_start_prior, prior_counters
from penchant.domain.context import as_slots
from penchant.domain.errors import ConfigError
from penchant.domain.event_weights import time_bucket
from penchant.domain.interest import Prior, prior_precision
from penchant.domain.long_tail import weighed_tail, whole_tail
from penchant.domain.neighbours import no_neighbours
from penchant.domain.rewards import resolve
from penchant.domain.tally import Tally
from penchant.domain.types import (
    CatalogHead,
    Context,
    Interest,
    Matrix,
    UserState,
    Vector,
)
from penchant.domain.window import empty_record, entry, insert
from penchant.encoder.onnx import OnnxEncoder
from penchant.encoder.shared_encoder import SharedEncoder
from penchant.evaluation.recommender import EncoderRetraining
from penchant.logs.stream import Stream, outcomes_before
from penchant.refresh.item_vectors import RefreshedCatalog, fit_item_vectors, learn_catalog
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.service.catalog_version import gram_of
from penchant.service.scoring import score_all
from penchant.service.user_interest import UserInContext, interest_of, repeats_in, segments_in
from penchant.system.workers import ALONE, Workers

Refresh = Callable[[Stream, int, Matrix], RefreshedCatalog]
"""Refreshes the catalog from a stream's events before a position, given the text vectors."""


def middle_clock(
    settings: RefreshSettings | None = None, learn_for: Config | None = None
) -> Refresh:
    """A refresh as `penchant refresh` does it, from the events before a position.

    Args:
        settings: settings of the fit; default: `RefreshSettings()`.
        learn_for: settings of the server whose score weights are learnt; None: they stay.
    """
    return partial(_refreshed, settings or RefreshSettings(), learn_for)


def _refreshed(
    settings: RefreshSettings,
    learn_for: Config | None,
    stream: Stream,
    until: int,
    text_vectors: Matrix,
) -> RefreshedCatalog:
    events = outcomes_before(stream, until)
    if learn_for is None:
        return fit_item_vectors(events, text_vectors, settings)
    return learn_catalog(events, text_vectors, settings, learn_for)


class PenchantRecommender:
    """Penchant with the settings of a server; see `Recommender`."""

    def __init__(
        self,
        config: Config,
        vectors: Matrix,
        refresh: Refresh | None = None,
        name: str = "Penchant",
        slow_clock: EncoderRetraining | None = None,
    ) -> None:
        """Makes a recommender that has learnt nothing.

        Args:
            config: settings of a server; its store is not opened.
            vectors: text vectors of the stream's items, in their order, shape (items, d).
            refresh: called at every fit; None: items keep their text vectors.
            name: name shown in the tables.
            slow_clock: called at every fit, before `refresh`; None: the encoder stays.
        """
        self.name = name
        self._config = config
        self._text_vectors = vectors
        self._refresh = refresh
        self._slow_clock = slow_clock
        self.finetuned_at: list[int] = []
        self._version = 0
        self._learnt = 0
        self._fitted = 0
        self._stream: Stream | None = None
        self._view = self._catalog(_unrefreshed(vectors))
        self._states: dict[int, UserState] = {}
        self._tally = Tally(config.offset_half_life_s)
        self._biases = ItemBiasTable(config.offset_half_life_s, config.offset_prior_impressions)

    @classmethod
    def load(
        cls,
        config: Config,
        stream: Stream,
        refresh: Refresh | None = None,
        slow_clock: EncoderRetraining | None = None,
        workers: Workers = ALONE,
    ) -> Self:
        """Encodes the stream's items with the encoder that the settings name.

        With a slow clock that encoder is not read, since the first training makes one.

        Raises:
            ConfigError: there is no encoder in its directory.
        """
        if slow_clock is not None:
            empty = np.zeros((len(stream.items), slow_clock.dimensions), np.float32)
            return cls(config, empty, refresh, slow_clock=slow_clock)
        threads = config.encoder_threads
        inner = OnnxEncoder.load(config.encoder, threads=threads)
        encoder = SharedEncoder(inner, config.encoder, threads, workers)
        return cls(config, encoder.encode([item.text for item in stream.items]), refresh)

    def fit(self, stream: Stream, until: int) -> None:
        """Learns the events before `until` that are new to it, and refreshes the catalog."""
        if len(stream.items) != len(self._text_vectors):
            raise ConfigError(
                f"items: got a stream of {len(stream.items)}, expected {len(self._text_vectors)}, "
                "one per vector"
            )
        self._stream = stream
        for position in range(self._learnt, until):
            self.learn(position)
        if self._slow_clock is not None:
            self._change_encoder(self._slow_clock(stream, until), until)
        if self._refresh is not None:
            fresh = self._refresh(stream, until, self._text_vectors)
            self._view = self._catalog(fresh)
            self._count_prior(stream, until)
            self._biases.follow(fresh.recent)
        self._fitted = until

    def _change_encoder(self, vectors: Matrix | None, until: int) -> None:
        if vectors is None:
            return
        self.finetuned_at.append(until)
        self._text_vectors = vectors
        self._view = self._catalog(_unrefreshed(vectors))

    def _count_prior(self, stream: Stream, until: int) -> None:
        """Gives items put since the last fit their cold-start prior, as a server would now."""
        texts = self._text_vectors
        positives, as_of_us = self._biases.positives(len(texts))
        cold_start_prior = fit_cold_start_prior(texts, positives, as_of_us)
        new = np.flatnonzero((stream.put_at > self._fitted) & (stream.put_at <= until))
        counters = prior_counters(cold_start_prior, texts[new])
        for number in new.tolist():
            self._tally.contributions.pop(number, None)
        self._tally.counters |= zip(new.tolist(), counters, strict=True)
        self._biases.set(zip(new.tolist(), counters, strict=True))

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """Equation 5 of `penchant.domain.interest` over the catalog, shape (items,)."""
        view = self._view
        view.offsets[:] = self._biases.values(view.head.rows)
        seen = self._in_context(user, at_us, context)
        segments = segments_in(view, seen.interest, context)
        repeats = repeats_in(view, seen)
        return score_all(view, seen.interest, repeats=repeats, segments=segments).scores

    def interest(self, user: int, at_us: int, context: Context = ()) -> Interest:
        """The user's interest at a moment and in a context."""
        return self._in_context(user, at_us, context).interest

    def _in_context(self, user: int, at_us: int, context: Context) -> UserInContext:
        bucket, slots = time_bucket(at_us, self._view.settings), as_slots(context)
        state = self._states.get(user) or UserState(empty_record())
        interest = interest_of(state, self._view, bucket, slots)[0]
        return UserInContext("", state.record.window, interest, bucket, slots)

    def learn(self, position: int) -> None:
        """Inserts the event into the user's window and counts it for the item."""
        if self._stream is None or position != self._learnt:
            raise ValueError(f"position: got {position}, expected {self._learnt}, after a fit")
        event, stream = self._stream.events[position], self._stream
        user, item = int(stream.user[position]), int(stream.item[position])
        outcome = resolve(self._config.signals, event.signal, event.value)
        state = self._states.get(user) or UserState(empty_record())
        added = [entry(event, item, outcome)]
        record = insert(state.record, added, self._config.fold.window_events)
        self._states[user] = UserState(record)
        counters = self._tally.count(user, item, outcome, event.occurred_at_us)
        self._biases.set([(item, counters)])
        self._learnt += 1

    def _catalog(self, fresh: RefreshedCatalog) -> CatalogView:
        rows, dimensions = fresh.vectors.shape
        self._version += 1
        alive = np.ones(rows, np.bool_)
        gram = gram_of(fresh.vectors, alive)
        nothing, learnt = flat_cold_start_prior(dimensions), fresh.learnt.settings_json
        of_all = fresh.popularity
        frozen = Frozen(gram, fresh.prior_mean, nothing, of_all, learnt, fresh.segments, fresh.tail)
        fold = self._config.fold.overridden([learnt], keep=self._config.fixed)
        head = CatalogHead(self._version, 1, rows, rows, rows, dimensions)
        popularity = of_all if len(of_all) else np.zeros(rows, np.float32)
        tail = whole_tail(fresh.tail, rows)
        offset_weights, popularity = weighed_tail(popularity, tail, fold)
        return CatalogView(
            head=head,
            settings=fold,
            digest=fold_digest(fold, head),
            vectors=fresh.vectors,
            texts=self._text_vectors,
            offsets=np.zeros(rows, np.float32),
            prior=Prior(prior_precision(gram, fold), fresh.prior_mean),
            neighbours=fresh.neighbours,
            offset_weights=offset_weights,
            popularity=popularity,
            tail=tail,
            frozen=frozen,
            alive=alive,
            ids=[],
            numbers=ItemNumbers(),
        )


def _unrefreshed(vectors: Matrix) -> RefreshedCatalog:
    """A catalog of text vectors alone."""
    dimensions = vectors.shape[1]
    return RefreshedCatalog(vectors, np.zeros_like(vectors), np.zeros(dimensions), no_neighbours())
