"""`prototypes`: several interests a user, each a ridge solution of its own cluster of likes.

    m_j = ridge of all events, where a like of another cluster counts only rho               (P1)
    score: m.x_i of equation 5 becomes max_j m_j.x_i                                         (P2)

A. Pal et al., "PinnerSage: multi-modal user embeddings for recommendations at Pinterest", KDD
2020: a user who likes jazz and gardening is not well said by the mean of the two. There the
clusters are Ward's and each is a medoid with an importance; here their number is fixed, so that
every record has one size, what a cluster weighs is ridge's own (few likes leave m_j near m_0), and
events that are no likes count in all. One prototype, or rho = 1, is ridge.

The clusters are those of spherical k-means (I. S. Dhillon and D. S. Modha, "Concept decompositions
for large sparse text data using clustering", 2001) that begin with the latest like and then, again
and again, the like that is least like all before (T. F. Gonzalez, "Clustering to minimize the
maximum intercluster distance", 1985). Nothing is drawn: equal windows, equal clusters.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from penchant.domain.arrays import Float64
from penchant.domain.settings import FoldSettings
from penchant.domain.updaters import ridge
from penchant.domain.updaters.observations import Observations, Parts

MOST_ROUNDS = 10
"""Of k-means; it mostly settles sooner."""

_SAME = 1 - 1e-9
"""Likes with a cosine of at least this are one place."""


def solve(observations: Observations, settings: FoldSettings) -> Float64:
    """See `Updater.solve`. Cost: p times that of ridge, and O(n p d) for the clusters."""
    return np.stack([_solve_one(one, settings) for one in observations.each()])


def split(observations: Observations, settings: FoldSettings) -> Parts:
    """See `Updater.split`: each prototype's is ridge's with its weights."""
    parts = [
        ridge.split(dataclasses.replace(observations, weights=own), settings)
        for own in _weights_of_each(observations, settings)
    ]
    return Parts(
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
    """The weights that each prototype gives the events, shape (p, n).

    Where there are fewer clusters than prototypes, the last ones repeat the first, which changes no
    maximum.
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


def cluster(vectors: Float64, weights: Float64, most: int) -> NDArray[np.int64]:
    """The cluster of each like, from 0, shape (n,); equal vectors share one.

    Args:
        vectors: unit vectors, oldest first, shape (n, d), n 1 or more.
        weights: more than 0, shape (n,).
        most: clusters at most.
    """
    centres = _far_apart(vectors, most)
    of: NDArray[np.int64] = (vectors @ centres.T).argmax(axis=1)
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
    """The latest vector, then each time the one whose nearest is farthest, shape (<= most, d)."""
    chosen = [len(vectors) - 1]
    nearest = vectors @ vectors[-1]
    while len(chosen) < most:
        next_ = int(nearest.argmin())
        if nearest[next_] >= _SAME:
            break
        chosen.append(next_)
        nearest = np.maximum(nearest, vectors @ vectors[next_])
    return vectors[chosen]
