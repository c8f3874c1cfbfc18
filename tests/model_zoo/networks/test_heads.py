import numpy as np
import pytest
from scipy.special import log_softmax

from latentloom.model_zoo.networks.heads import HeadsCrossentropy, heads_accuracy, split_heads

SIZES = (3, 2)
LOGITS = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
VALUES = np.stack([np.arange(6) % 3, np.arange(6) % 2], axis=1).astype(np.int32)


def test_heads_lie_side_by_side():
    first, second = (np.asarray(part) for part in split_heads(LOGITS, SIZES))
    np.testing.assert_array_equal(np.concatenate([first, second], axis=1), LOGITS)
    assert (first.shape, second.shape) == ((6, 3), (6, 2))


def test_the_loss_is_the_sum_of_the_cross_entropies():
    rows = np.arange(6)
    expected = -log_softmax(LOGITS[:, :3], axis=1)[rows, VALUES[:, 0]]
    expected = expected - log_softmax(LOGITS[:, 3:], axis=1)[rows, VALUES[:, 1]]
    loss = np.asarray(HeadsCrossentropy(SIZES)(VALUES, LOGITS))
    assert loss == pytest.approx(expected.mean(), rel=1e-5)


def test_accuracy_is_the_share_of_factors_read_right():
    accuracy = heads_accuracy(SIZES)
    accuracy.update_state(VALUES, LOGITS)
    right = [LOGITS[:, :3].argmax(1) == VALUES[:, 0], LOGITS[:, 3:].argmax(1) == VALUES[:, 1]]
    assert float(accuracy.result()) == pytest.approx(np.mean(right))
