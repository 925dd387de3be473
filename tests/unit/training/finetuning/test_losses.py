from __future__ import annotations

import math

import torch

from penchant.training.finetuning.losses import StepLabels, sampled_softmax, step_loss
from penchant.training.finetuning.training_objective import TrainingObjective


def labels(targets: list[list[float]], negatives: list[list[bool]]) -> StepLabels:
    count = len(targets[0])
    return {
        "anchors": torch.eye(count)[: len(targets)],
        "targets": torch.tensor(targets),
        "negatives": torch.tensor(negatives),
        "log_presence": torch.zeros(count),
    }


def test_the_loss_of_a_case_worked_by_hand() -> None:
    vectors = torch.eye(3)
    # The anchor is item 0, the target item 1, the negative item 2; both scores are 0.
    step = labels([[0.0, 1.0, 0.0]], [[False, False, True]])
    assert math.isclose(float(sampled_softmax(vectors, step, 1.0, 1.0)), math.log(2), abs_tol=1e-6)


def test_a_rarer_negative_costs_more_where_popularity_is_corrected() -> None:
    vectors = torch.eye(3)
    step = labels([[0.0, 1.0, 0.0]], [[False, False, True]])
    step["log_presence"] = torch.tensor([0.0, 0.0, math.log(0.25)])
    corrected = float(sampled_softmax(vectors, step, 1.0, 1.0))
    assert math.isclose(corrected, math.log(5), rel_tol=1e-6)
    assert math.isclose(float(sampled_softmax(vectors, step, 1.0, 0.0)), math.log(2), rel_tol=1e-6)


def test_without_negatives_there_is_nothing_to_learn() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(3, 4), dim=-1).requires_grad_()
    step = labels([[0.0, 1.0, 0.0]], [[False, False, False]])
    loss = sampled_softmax(vectors, step, 1.0, 0.0)
    torch.autograd.backward(loss)
    assert loss.item() == 0.0
    assert vectors.grad is not None
    assert torch.isfinite(vectors.grad).all()


def test_gradients_pull_the_target_and_push_the_negative() -> None:
    vectors = torch.eye(3, requires_grad=True)
    step = labels([[0.0, 1.0, 0.0]], [[False, False, True]])
    torch.autograd.backward(sampled_softmax(vectors, step, 1.0, 0.0))
    assert vectors.grad is not None
    assert vectors.grad[1, 0] < 0 < vectors.grad[2, 0]


def outcomes(rewards: list[float]) -> StepLabels:
    """The anchor is item 0; what followed is item 1, then item 2."""
    return {
        "anchors": torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]),
        "following": torch.tensor([1, 2]),
        "rewards": torch.tensor(rewards),
    }


def test_a_rating_is_a_cosine() -> None:
    vectors = torch.tensor([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])
    loss = step_loss(vectors, outcomes([0.5, -1.0]), TrainingObjective("rating"))
    assert math.isclose(loss.item(), (0.1**2 + 0.0) / 2, rel_tol=1e-4)


def test_a_class_is_the_sign_of_the_reward() -> None:
    vectors = torch.tensor([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])
    loss = step_loss(vectors, outcomes([0.2, -0.3]), TrainingObjective("class", temperature=0.5))
    expected = (math.log1p(math.exp(-1.2)) + math.log1p(math.exp(-2.0))) / 2
    assert math.isclose(loss.item(), expected, rel_tol=1e-5)
