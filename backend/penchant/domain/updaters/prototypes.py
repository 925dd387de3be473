"""`prototypes`: several interests per user, each the ridge solution of one cluster of likes.

    m_j = ridge over all events, with weight rho for likes of other clusters                 (P1)
    score: m.x_i of equation 5 becomes max_j m_j.x_i                                         (P2)

A. Pal et al., "PinnerSage: multi-modal user embeddings for recommendations at Pinterest", KDD
2020: the mean of jazz and gardening describes nobody who likes both. PinnerSage uses Ward's
clusters, each with a medoid and an importance. Here the number of clusters is fixed, so that every
record has the same size; ridge itself weighs a cluster (few likes leave m_j near m_0); and events
that are not likes count in every cluster. One prototype, or rho = 1, is ridge.

The clusters are those of spherical k-means (I. S. Dhillon and D. S. Modha, "Concept decompositions
for large sparse text data using clustering", 2001). The first centre is the latest like; each
further one is the like farthest from all before (T. F. Gonzalez, "Clustering to minimize the
maximum intercluster distance", 1985). Nothing is random: equal windows give equal clusters.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from penchant.domain.arrays import Float64, Int64
from penchant.domain.settings import FoldSettings
from penchant.domain.updaters import ridge
from penchant.domain.updaters.observations import Attribution, Observations

MOST_ROUNDS = 10
"""Rounds of k-means; it usually converges sooner."""

_SAME = 1 - 1e-9
"""Likes with at least this cosine count as the same vector."""


def solve(observations: Observations, settings: FoldSettings) -> Float64:
    """See `Updater.solve`. Cost: p times that of ridge, and O(n p d) for the clusters."""
    return np.stack([_solve_one(one, settings) for one in observations.each()])


def attribute(observations: Observations, settings: FoldSettings) -> Attribution:
    """See `Updater.attribute`: for each prototype, ridge's attribution with its weights."""
    parts = [
        ridge.attribute(dataclasses.replace(observations, weights=own), settings)
        for own in _weights_of_each(observations, settings)
    ]
    return Attribution(
        prior=np.concatenate([part.prior for part in parts]),
        events=np.concatenate([part.events for part in parts]),
    )


def _solve_one(observations: Observations, settings: FoldSettings) -> Float64:
    weights = _weights_of_each(observations, settings)
    count = len(weights)
    each = dataclasses.replace(
        observations,
        vectors=np.tile(observations.vectors, (count, 1)),
        rewards=np.tile(observations.rewards, count),
        weights=weights.ravel(),
        lengths=np.repeat(observations.lengths, count),
    )
    return ridge.solve(each, settings).ravel()


def _weights_of_each(observations: Observations, settings: FoldSettings) -> Float64:
    """The weights of the events in each prototype, shape (p, n).

    If there are fewer clusters than prototypes, the last prototypes repeat the first, which leaves
    every maximum as it is.
    """
    liked = (observations.rewards > 0) & (observations.weights > 0)
    factors = np.ones((settings.prototypes, len(liked)))
    if liked.any():
        weights = observations.weights[liked] * observations.rewards[liked]
        of = cluster(observations.vectors[liked], weights, settings.prototypes)
        own = of == np.arange(settings.prototypes)[:, None]
        own[of.max() + 1 :] = own[0]
        factors[:, liked] = np.where(own, 1.0, settings.prototype_sharing)
    weighted: Float64 = factors * observations.weights
    return weighted


def cluster(vectors: Float64, weights: Float64, most: int) -> Int64:
    """The cluster of each like, counted from 0, shape (n,); equal vectors share one.

    Args:
        vectors: unit vectors, oldest first, shape (n, d), n 1 or more.
        weights: more than 0, shape (n,).
        most: number of clusters, at most.
    """
    centres = _far_apart(vectors, most)
    of: Int64 = (vectors @ centres.T).argmax(axis=1)
    for _ in range(MOST_ROUNDS):
        member = (of == np.arange(len(centres))[:, None]) * weights
        sums = member @ vectors
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.divide(sums, norms, out=centres, where=norms > 0)
        before, of = of, (vectors @ centres.T).argmax(axis=1)
        if (of == before).all():
            break
    return of


def _far_apart(vectors: Float64, most: int) -> Float64:
    """The latest vector, then repeatedly the one farthest from all chosen, shape (<= most, d)."""
    chosen = [len(vectors) - 1]
    nearest = vectors @ vectors[-1]
    while len(chosen) < most:
        next_ = int(nearest.argmin())
        if nearest[next_] >= _SAME:
            break
        chosen.append(next_)
        nearest = np.maximum(nearest, vectors @ vectors[next_])
    return vectors[chosen]
