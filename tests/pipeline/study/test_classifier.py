"""Batches hold what an arm says, step by step, and the classifier learns from them."""

import numpy as np
import pytest

from latentloom.pipeline.config.settings import StudyConfig
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.study.classifier import Downstream, MixedBatches, rows_at

SETTINGS = StudyConfig(steps=12, batch_size=8, learning_rate=1e-3, width=4)


def examples(count: int, level: int) -> Examples:
    images = np.full((count, 8, 8, 1), level, np.uint8)
    return Examples(images, {"label": np.arange(count) % 2}, [f"{level}/{i}" for i in range(count)])


@pytest.mark.parametrize(("ratio", "mixed"), [(1.0, 4), (3.0, 6), (1 / 3, 2)])
def test_every_batch_has_the_share_of_mixed_examples(ratio, mixed):
    batches = MixedBatches(examples(10, 0), examples(30, 255), ratio, 2, SETTINGS, 0)
    for index in range(12):
        images, labels = batches[index]
        assert np.sum(images[:, 0, 0, 0] == 1) == mixed
        assert np.sum(images[:, 0, 0, 0] == -1) == 8 - mixed
        np.testing.assert_array_equal(labels.sum(axis=1), 1)


def test_without_a_pool_all_are_real():
    images, _ = MixedBatches(examples(10, 0), None, 0.0, 2, SETTINGS, 0)[0]
    assert images.shape == (8, 8, 8, 1)
    assert np.all(images == -1)


def test_every_example_is_seen_as_often_as_any_other():
    rows = np.concatenate([rows_at(10, 4, index, 3) for index in range(25)])
    assert np.bincount(rows).tolist() == [10] * 10
    assert sorted(rows[:10]) == list(range(10))


def test_batches_follow_the_seed():
    assert rows_at(50, 8, 3, 0).tolist() == rows_at(50, 8, 3, 0).tolist()
    assert rows_at(50, 8, 3, 0).tolist() != rows_at(50, 8, 3, 1).tolist()


def test_a_transform_sees_levels_and_one_hot_labels():
    def darken(images, labels):
        assert images.max() == 255
        return images * 0, labels

    batches = MixedBatches(examples(4, 255), None, 0.0, 2, SETTINGS, 0, darken)
    assert np.all(batches[0][0] == -1)


def test_a_classifier_learns_and_follows_its_seed():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = (rng.uniform(0, 100, (60, 8, 8, 1)) + 100 * labels[:, None, None, None]).astype(
        "uint8"
    )
    both = Examples(images, {"label": labels}, [str(row) for row in range(60)])
    train, test = both.take(np.arange(40)), both.take(np.arange(40, 60))
    batches = MixedBatches(train, None, 0.0, 2, SETTINGS, 0)
    downstream = Downstream((8, 8, 1), 2, SETTINGS)
    found = [downstream.train_and_score(batches, test, seed) for seed in (0, 1, 0)]
    assert found[0]["accuracy"] > 0.9
    assert found[0] == found[2] != found[1]
    assert Downstream((8, 8, 1), 2, SETTINGS).train_and_score(batches, test, 1) == found[1]


def test_the_residual_network_has_settings_of_its_own():
    settings = StudyConfig(network="residual")
    assert (settings.width, settings.learning_rate, settings.label_smoothing) == (16, 3e-3, 0.1)
    assert StudyConfig(network="residual", width=4).width == 4
    assert StudyConfig().width == 32


def test_the_residual_network_learns():
    rng = np.random.default_rng(0)
    labels = np.arange(64) % 2
    images = rng.integers(0, 100, (64, 16, 16, 1)) + 150 * labels[:, None, None, None]
    real = Examples(images.astype(np.uint8), {"label": labels}, [str(i) for i in range(64)])
    settings = StudyConfig(steps=30, batch_size=16, network="residual", width=4)
    found = Downstream((16, 16, 1), 2, settings).train_and_score(
        MixedBatches(real, None, 0.0, 2, settings, 0), real, 0
    )
    assert found["accuracy"] > 0.95
