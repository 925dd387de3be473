"""The losses of a training step: a sampled softmax over the step's items, and two others.

For an anchor u (a user's history, or one liked item) and a target j that its user liked next or
nearby, with N the step's items that the user does not like,

    loss(u, j) = -log( e^s(u,j) / (e^s(u,j) + sum_{k in N} e^s(u,k)) )                     (1)
    s(u, k)    = u.x_k / temperature - c log P(k in the step)                              (2)

`rating` and `class` predict an event's reward y from the history before it:

    loss = (u.x_j - y)^2,   loss = -log sigmoid(+-u.x_j / temperature), + where y > 0         (3)

Equation 2 with c = 1 corrects for popular items being in nearly every step (Yi et al., "Sampling-
bias-corrected neural modeling for large corpus item recommendations", 2019, eq. 3). An item is in a
step once, however often it was liked there, so P is the probability of at least one appearance.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

import torch
from torch import Tensor, nn

from penchant.training.finetuning.training_objective import NEXT_ITEM, RATING, TrainingObjective

_NEVER = -1e9


class StepLabels(TypedDict, total=False):
    """Labels of a step with a anchors and n items; those of its objective are present."""

    anchors: Tensor
    """See `ContrastiveBatch`, float32, shape (a, n)."""
    targets: Tensor
    """See `ContrastiveBatch`, float32, shape (a, n)."""
    negatives: Tensor
    """See `ContrastiveBatch`, bool, shape (a, n)."""
    log_presence: Tensor
    """log P of equation 2, shape (n,)."""
    following: Tensor
    """See `OutcomeBatch`, int64, shape (a,)."""
    rewards: Tensor
    """See `OutcomeBatch`, float32, shape (a,)."""
    teacher: Tensor
    """The last encoder's vectors, shape (n, at least d); absent: no distillation."""


def sampled_softmax(vectors: Tensor, labels: StepLabels, temperature: float, c: float) -> Tensor:
    """Mean of equation 1 over all pairs of anchor and target, weighted by `targets`, a scalar.

    Args:
        vectors: unit vectors of the step's items, shape (n, d).
        labels: labels of the step.
        temperature: of equation 2, above 0.
        c: popularity correction of equation 2, 0 to 1.
    """
    anchors = nn.functional.normalize(labels["anchors"] @ vectors, dim=-1)
    scores = anchors @ vectors.T / temperature - c * labels["log_presence"]
    # Finite: a row of minus infinities would have no gradient.
    against = scores.masked_fill(~labels["negatives"], _NEVER).logsumexp(dim=1, keepdim=True)
    targets = labels["targets"]
    # The loss is 0 if the user likes all items of the step.
    losses = torch.logaddexp(scores, against) - scores
    return (targets * losses).sum() / targets.sum().clamp(min=1e-9)


def outcome_loss(vectors: Tensor, labels: StepLabels, objective: TrainingObjective) -> Tensor:
    """Mean of equation 3 over all anchors, a scalar; for vectors see `sampled_softmax`."""
    anchors = nn.functional.normalize(labels["anchors"] @ vectors, dim=-1)
    cosines = (anchors * vectors[labels["following"]]).sum(dim=-1)
    rewards = labels["rewards"]
    if objective.name == RATING:
        return nn.functional.mse_loss(cosines, rewards)
    logits = cosines / objective.temperature
    return nn.functional.binary_cross_entropy_with_logits(logits, (rewards > 0).float())


def step_loss(vectors: Tensor, labels: StepLabels, objective: TrainingObjective) -> Tensor:
    """The objective's loss of a step, a scalar; for vectors see `sampled_softmax`."""
    if objective.name == NEXT_ITEM:
        correction = objective.popularity_correction
        return sampled_softmax(vectors, labels, objective.temperature, correction)
    return outcome_loss(vectors, labels, objective)


def training_loss(
    vectors: Tensor, labels: StepLabels, objective: TrainingObjective, distillation_weight: float
) -> Tensor:
    """The objective's loss plus, with a teacher, the weighted mean of 1 - cos to its vectors."""
    loss = step_loss(vectors, labels, objective)
    if "teacher" in labels:
        known = nn.functional.normalize(labels["teacher"][:, : vectors.shape[-1]], dim=-1)
        loss = loss + distillation_weight * (1 - (vectors * known).sum(dim=-1).mean())
    return loss


class StepLoss(nn.Module):
    """`training_loss` of an encoder on the texts of a step."""

    def __init__(
        self, model: nn.Module, objective: TrainingObjective, distillation_weight: float = 0.0
    ) -> None:
        super().__init__()
        self.model = model
        self.objective = objective
        self.distillation_weight = distillation_weight

    def forward(self, features: Iterable[dict[str, Tensor]], labels: StepLabels) -> Tensor:
        """The loss of a step, a scalar.

        Args:
            features: the encoder's inputs for each column of texts; together the step's n items.
            labels: labels of the step.
        """
        parts = [self.model(column)["sentence_embedding"] for column in features]
        vectors = nn.functional.normalize(torch.cat(parts).float(), dim=-1)
        with torch.autocast(vectors.device.type, enabled=False):  # fp16 is too coarse.
            return training_loss(vectors, labels, self.objective, self.distillation_weight)
