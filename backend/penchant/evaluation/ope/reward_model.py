"""The reward model q(x, a) of DM and DR, cross-fitted: no model predicts a row that it saw.

V. Chernozhukov et al., "Double/Debiased Machine Learning", Econometrics Journal 21 (2018).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, Ridge

from penchant.domain.arrays import Float64, Int64, Mask
from penchant.evaluation.ope.logged_impressions import LoggedImpressions


def folds_of(cluster: Int64, folds: int, seed: int) -> Int64:
    """Assigns each row a fold in [0, folds), the same for all rows of a user; shape (n,)."""
    count = int(cluster.max()) + 1
    order = np.random.default_rng(seed).permutation(count)
    return (order % folds)[cluster].astype(np.int64)


def cross_fit(log: LoggedImpressions, fold: Int64, regularisation: float = 1.0) -> Float64:
    """Predicts the mean reward of every action on every row.

    The model is a logistic regression if all rewards are 0 or 1, else a ridge regression, with an
    effect for each action, each position and each feature of the context. It has no interactions:
    it can't learn that one context likes one action more. Such errors bias DM, but only widen DR's
    interval.

    Args:
        log: n impressions.
        fold: fold of each row, two folds or more, shape (n,); a row's model is fitted to the other
            folds only.
        regularisation: strength of the L2 penalty, as scikit-learn's `alpha` or `1 / C`.

    Returns:
        Shape (n, actions).
    """
    q = np.empty((len(log.action), len(log.actions)))
    design = _design(log)
    binary = bool(np.isin(log.reward, (0.0, 1.0)).all())
    for number in np.unique(fold):
        held = fold == number
        train = ~held
        q[held] = _fit(design, log, train, held, binary, regularisation)
    return q


def _fit(
    design: sparse.csr_matrix,
    log: LoggedImpressions,
    train: Mask,
    held: Mask,
    binary: bool,
    regularisation: float,
) -> Float64:
    reward = log.reward[train]
    actions = len(log.actions)
    if len(np.unique(reward)) == 1:
        return np.full((int(held.sum()), actions), reward[0])
    if binary:
        model = LogisticRegression(C=1 / regularisation, max_iter=1000)
        model.fit(design[train], reward.astype(np.int64))
    else:
        model = Ridge(alpha=regularisation).fit(design[train], reward)
    effects = np.ravel(model.coef_)
    of_row = np.ravel(design[held][:, actions:] @ effects[actions:]) + float(
        np.ravel(model.intercept_)[0]
    )
    score = of_row[:, None] + effects[None, :actions]
    return np.asarray(expit(score) if binary else score, dtype=np.float64)


def _design(log: LoggedImpressions) -> sparse.csr_matrix:
    def indicators(code: Int64, columns: int) -> sparse.csr_matrix:
        rows = np.arange(len(code))
        return sparse.csr_matrix((np.ones(len(code)), (rows, code)), (len(code), columns))

    parts = [indicators(log.action, len(log.actions))]
    if len(log.positions) > 1:
        parts.append(indicators(log.position, len(log.positions)))
    if log.context.shape[1]:
        parts.append(sparse.csr_matrix(log.context))
    return sparse.hstack(parts, format="csr")
