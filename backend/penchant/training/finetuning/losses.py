"""What training lowers: a sampled softmax over the items of the step, and the way back.

For an anchor u (the history of a user, or one liked item) and a target j that its user liked next
or nearby, over the items N of the step that its user does not like,

    loss(u, j) = -log( e^s(u,j) / (e^s(u,j) + sum_{k in N} e^s(u,k)) )                     (1)
    s(u, k)    = u.x_k / temperature - c log P(k in the step)                              (2)

`rating` and `class` ask instead what an event's reward y will be, from the history before it:

    loss = (u.x_j - y)^2,   loss = -log sigmoid(+-u.x_j / temperature), + where y > 0         (3)

Equation 2 with c = 1 undoes that popular items are in nearly every step (Yi et al., "Sampling-bias-
corrected neural modeling for large corpus item recommendations", 2019, eq. 3). Each item stands in
a step once, however often it was liked there, so P is the probability of at least one appearance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

import torch
from torch import Tensor, nn

NEXT_ITEM, RATING, CLASS = OBJECTIVES = ("next-item", "rating", "class")

_NEVER = -1e9


@dataclass(frozen=True, slots=True)
class Objective:
    """Which loss, and its numbers."""

    name: str = NEXT_ITEM
    """`next-item` (equations 1 and 2), `rating` or `class` (equation 3)."""
    temperature: float = 0.25
    """Above 0; `rating` has none."""
    popularity_correction: float = 0.0
    """c of equation 2, 0 to 1."""


class StepLabels(TypedDict, total=False):
    """What a step knows of its a anchors and n items, beside the texts."""

    anchors: Tensor
    """See `Batch`, shape (a, n)."""
    targets: Tensor
    """See `Batch`, shape (a, n)."""
    negatives: Tensor
    """See `Batch`, bool, shape (a, n)."""
    log_presence: Tensor
    """log P of equation 2, shape (n,)."""
    following: Tensor
    """See `Outcomes`, shape (a,)."""
    rewards: Tensor
    """See `Outcomes`, shape (a,)."""
    teacher: Tensor
    """The last encoder's vectors, shape (n, at least d); absent: nothing to keep."""


def sampled_softmax(vectors: Tensor, labels: StepLabels, temperature: float, c: float) -> Tensor:
    """The mean of equation 1 over all pairs of anchor and target, weighted by `targets`.

    Args:
        vectors: Unit vectors of the items, shape (n, d).
        labels: of the step.
        temperature: of equation 2, above 0.
        c: of equation 2, 0 to 1.

    Returns:
        A scalar.
    """
    anchors = nn.functional.normalize(labels["anchors"] @ vectors, dim=-1)
    scores = anchors @ vectors.T / temperature - c * labels["log_presence"]
    # Finite, since a row of nothing but minus infinity has no gradient.
    against = scores.masked_fill(~labels["negatives"], _NEVER).logsumexp(dim=1, keepdim=True)
    targets = labels["targets"]
    # Where a user likes all items of the step, nothing stands against them, and the loss is 0.
    losses = torch.logaddexp(scores, against) - scores
    return (targets * losses).sum() / targets.sum().clamp(min=1e-9)


def outcome_loss(vectors: Tensor, labels: StepLabels, objective: Objective) -> Tensor:
    """The mean of equation 3 over all anchors; vectors as for `sampled_softmax`."""
    anchors = nn.functional.normalize(labels["anchors"] @ vectors, dim=-1)
    cosines = (anchors * vectors[labels["following"]]).sum(dim=-1)
    rewards = labels["rewards"]
    if objective.name == RATING:
        return nn.functional.mse_loss(cosines, rewards)
    logits = cosines / objective.temperature
    return nn.functional.binary_cross_entropy_with_logits(logits, (rewards > 0).float())


def step_loss(vectors: Tensor, labels: StepLabels, objective: Objective) -> Tensor:
    """The loss of a step by its objective; vectors as for `sampled_softmax`."""
    if objective.name == NEXT_ITEM:
        correction = objective.popularity_correction
        return sampled_softmax(vectors, labels, objective.temperature, correction)
    return outcome_loss(vectors, labels, objective)


def training_loss(
    vectors: Tensor, labels: StepLabels, objective: Objective, distillation_weight: float
) -> Tensor:
    """An objective's loss, and with a teacher the mean of 1 - cos to its vectors (distillation)."""
    loss = step_loss(vectors, labels, objective)
    if "teacher" in labels:
        known = nn.functional.normalize(labels["teacher"][:, : vectors.shape[-1]], dim=-1)
        loss = loss + distillation_weight * (1 - (vectors * known).sum(dim=-1).mean())
    return loss


class StepLoss(nn.Module):
    """`training_loss` of what an encoder makes of a step's texts."""

    def __init__(
        self, model: nn.Module, objective: Objective, distillation_weight: float = 0.0
    ) -> None:
        super().__init__()
        self.model = model
        self.objective = objective
        self.distillation_weight = distillation_weight

    def forward(self, features: Iterable[dict[str, Tensor]], labels: StepLabels) -> Tensor:
        """The loss of a step; its columns of texts, one after the other, are its n items."""
        parts = [self.model(column)["sentence_embedding"] for column in features]
        vectors = nn.functional.normalize(torch.cat(parts).float(), dim=-1)
        with torch.autocast(vectors.device.type, enabled=False):  # Half precision is too coarse.
            return training_loss(vectors, labels, self.objective, self.distillation_weight)
