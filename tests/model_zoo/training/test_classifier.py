import numpy as np

from latentloom.model_zoo.training.classifier import CLASSIFIER_RANGE, fit_classifier
from latentloom.model_zoo.training.schedule import Schedule


def test_classifier_learns_and_follows_its_seed(digits):
    train = digits[0][:200], digits[1][:200]
    schedule = Schedule(epochs=12, batch_size=50, learning_rate=3e-3, seed=4)
    first = fit_classifier(train, 10, schedule)
    low, high = CLASSIFIER_RANGE
    observations = digits[0][200:300] * np.float32((high - low) / 255) + low
    predicted = np.argmax(first(observations), axis=-1)
    assert np.mean(predicted == digits[1][200:300]) > 0.8
    again = fit_classifier(train, 10, schedule)
    for weight, expected in zip(again.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_a_classifier_learns_several_factors_at_once(digits):
    images, labels = digits[0][:600], digits[1][:600]
    values = np.stack([labels, labels % 2], axis=1)
    network = fit_classifier((images, values), [10, 2], Schedule(epochs=20, learning_rate=3e-3))
    logits = np.asarray(network(images[:300].astype(np.float32) / 127.5 - 1, training=False))
    assert logits.shape == (300, 12)
    assert np.mean(logits[:, :10].argmax(axis=1) == labels[:300]) > 0.9
    assert np.mean(logits[:, 10:].argmax(axis=1) == labels[:300] % 2) > 0.9
