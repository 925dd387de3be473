"""SASRec never sees later likes, and it learns their order."""

from __future__ import annotations

import numpy as np
import torch

from penchant.evaluation.baselines.sasrec import Network, SasRec, SasRecSettings, crop, one_thread
from tests.unit.evaluation.baselines.planted import ITEMS, stream_of

SMALL = SasRecSettings(
    dimensions=16, blocks=1, heads=1, dropout=0.0, length=8, epochs=150, rate=1e-2
)


def test_a_state_depends_on_no_later_input() -> None:
    torch.manual_seed(0)
    network = Network(ITEMS, SMALL).eval()
    inputs = torch.tensor([[0, 3, 4, 5, 6]])
    other = torch.tensor([[0, 3, 4, 9, 1]])
    with one_thread(), torch.inference_mode():
        one, two = network(inputs), network(other)
    torch.testing.assert_close(one[:, :3], two[:, :3])
    assert not torch.allclose(one[:, 3:], two[:, 3:])


def test_every_like_is_predicted_from_earlier_likes() -> None:
    liked = list(range(5, 17))
    inputs, targets = crop(liked, 8, predict=True)
    np.testing.assert_array_equal(inputs[1:], targets[:-1] + 1)
    assert targets[-1] == 16
    asked, _ = crop(liked, 8)
    assert asked[-1] == 17
    assert len(inputs) == len(targets) == len(asked) == 8


def test_it_learns_the_order_of_items() -> None:
    chains = [[(start + step) % ITEMS for step in range(6)] for start in range(ITEMS)]
    user = [number for number in range(ITEMS) for _ in range(6)]
    item = [liked for chain in chains for liked in chain]
    stream = stream_of([*user, ITEMS], [*item, 7], [True] * (len(item) + 1), users=ITEMS + 1)
    baseline = SasRec(0, SMALL)
    baseline.fit(stream, len(item))
    baseline.learn(len(item))
    assert int(np.argmax(baseline.scores(ITEMS, 0))) == 8


def test_the_number_of_pytorch_threads_is_restored() -> None:
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
