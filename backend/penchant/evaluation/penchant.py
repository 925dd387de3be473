"""Penchant as a recommender: the server's own fold, score and counters, without a store.

Every ranking uses the current offsets of all items. A server publishes them within a second
(`penchant.catalog.item_biases.WHOLE_EVERY_S`): no difference if events are seconds apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np

from penchant.catalog.item_biases import ItemBiasTable
from penchant.catalog.numbers import ItemNumbers
from penchant.catalog.view import CatalogView, fold_digest
from penchant.config import Config
from penchant.domain.arrays import Float64
from penchant.domain.cold_start import fit_cold_start_prior, flat_cold_start_prior, prior_counters
from penchant.domain.context import as_slots
from penchant.domain.errors import ConfigError
from penchant.domain.event_weights import time_bucket
from penchant.domain.interest import Prior, prior_precision, score, user_vector
from penchant.domain.neighbours import Neighbours, near_all, no_neighbours
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
from penchant.evaluation.recommender import EncoderRetraining
from penchant.logs.interactions import Interactions
from penchant.logs.stream import Stream
from penchant.refresh.item_vectors import RefreshedCatalog, fit_item_vectors
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.service.catalog_version import gram_of
from penchant.service.user_interest import interest_of

Refresh = Callable[[Stream, int, Matrix], RefreshedCatalog]
"""Refreshes the catalog from a stream's events before a position, given the text vectors."""


def middle_clock(settings: RefreshSettings | None = None) -> Refresh:
    """A refresh as `penchant refresh` does it, from the events before a position."""

    def run(stream: Stream, until: int, text_vectors: Matrix) -> RefreshedCatalog:
        user, item, reward = stream.user[:until], stream.item[:until], stream.reward[:until]
        events = Interactions(user, item, reward, stream.at_us[:until])
        return fit_item_vectors(events, text_vectors, settings)

    return run


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
        self._view = self._catalog(vectors, np.zeros(vectors.shape[1]), no_neighbours())
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
    ) -> Self:
        """Encodes the stream's items with the encoder that the settings name.

        With a slow clock that encoder is not read, since the first training makes one.

        Raises:
            ConfigError: there is no encoder in its directory.
        """
        if slow_clock is not None:
            empty = np.zeros((len(stream.items), slow_clock.dimensions), np.float32)
            return cls(config, empty, refresh, slow_clock=slow_clock)
        encoder = OnnxEncoder.load(config.encoder, threads=config.encoder_threads)
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
            self._view = self._catalog(fresh.vectors, fresh.prior_mean, fresh.neighbours)
            self._count_prior(stream, until)
        self._fitted = until

    def _change_encoder(self, vectors: Matrix | None, until: int) -> None:
        if vectors is None:
            return
        self.finetuned_at.append(until)
        self._text_vectors = vectors
        self._view = self._catalog(vectors, np.zeros(vectors.shape[1]), no_neighbours())

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
        view, fold = self._view, self._config.fold
        interest = self.interest(user, at_us, context)
        view.offsets[:] = self._biases.values(view.head.rows)
        vector = user_vector(interest, None, fold)
        scores = score(view.vectors, view.offsets, vector, fold)[0]
        if len(view.neighbours):
            near = near_all(view.neighbours, interest.recent, view.head.rows)
            scores += np.float32(fold.near_weight) * near
        return scores

    def interest(self, user: int, at_us: int, context: Context = ()) -> Interest:
        """The user's interest at a moment and in a context."""
        bucket = time_bucket(at_us, self._config.fold)
        state = self._states.get(user) or UserState(empty_record())
        return interest_of(state, self._view, bucket, as_slots(context))[0]

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

    def _catalog(self, vectors: Matrix, prior_mean: Float64, neighbours: Neighbours) -> CatalogView:
        rows, dimensions = vectors.shape
        self._version += 1
        alive = np.ones(rows, np.bool_)
        precision = prior_precision(gram_of(vectors, alive), self._config.fold)
        head = CatalogHead(self._version, 1, rows, rows, rows, dimensions)
        return CatalogView(
            head=head,
            settings=self._config.fold,
            digest=fold_digest(self._config.fold, head),
            vectors=vectors,
            offsets=np.zeros(rows, np.float32),
            prior=Prior(precision, prior_mean),
            cold_start_prior=flat_cold_start_prior(dimensions),
            neighbours=neighbours,
            alive=alive,
            ids=[],
            numbers=ItemNumbers(),
        )
