import keras
import numpy as np
import pytest

from latentloom.model_zoo.losses.mmd import KERNEL_WIDTHS, class_conditional_mmd

DIM = 6


def mmd(codes, labels, num_classes=3):
    return float(class_conditional_mmd(keras.ops.convert_to_tensor(codes), labels, num_classes))


def reference(codes, labels):
    """The U-statistic of each class against the rest, by loops."""
    scale, total = 2 * codes.shape[1], 0.0

    def kernel(first, second):
        distance = np.sum((first - second) ** 2)
        return np.mean([w * scale / (w * scale + distance) for w in KERNEL_WIDTHS])

    def mean_kernel(left, right):
        pairs = [kernel(codes[i], codes[j]) for i in left for j in right if i != j]
        return np.mean(pairs)

    for label in np.unique(labels):
        own, rest = np.flatnonzero(labels == label), np.flatnonzero(labels != label)
        if len(own) > 1:
            gap = mean_kernel(own, own) - 2 * mean_kernel(own, rest) + mean_kernel(rest, rest)
            total += len(own) * gap
    return total / len(labels)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_it_is_the_u_statistic_of_the_definition(rng):
    codes, labels = rng.normal(size=(12, DIM)).astype(np.float32), np.arange(12) % 3
    assert mmd(codes, labels) == pytest.approx(reference(codes, labels), abs=1e-5)


def test_a_class_with_one_code_counts_as_nothing(rng):
    codes, labels = rng.normal(size=(7, DIM)).astype(np.float32), np.array([0, 1, 1, 1, 2, 2, 2])
    assert mmd(codes, labels) == pytest.approx(reference(codes, labels), abs=1e-5)
    assert np.isfinite(mmd(codes[:1], labels[:1]))


def test_independent_codes_have_none_on_average(rng):
    labels = np.arange(60) % 3
    found = [mmd(rng.normal(size=(60, DIM)).astype(np.float32), labels) for _ in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(200) + 1e-6


def test_it_grows_with_what_the_codes_tell_of_the_class(rng):
    codes, labels = rng.normal(size=(120, DIM)).astype(np.float32), np.arange(120) % 3
    shift = (labels[:, None] == np.arange(DIM)).astype(np.float32)
    found = [mmd(codes + distance * shift, labels) for distance in (0.0, 1.0, 4.0)]
    assert found[0] < 0.02 < found[1] < found[2] <= 2.0


def test_its_gradient_draws_the_classes_together(rng, gradients_of):
    labels = np.arange(40) % 2
    codes = rng.normal(size=(40, DIM)).astype(np.float32)
    codes[:, 0] += 2.0 * labels
    variable = keras.Variable(codes)
    (gradient,) = gradients_of(
        lambda: class_conditional_mmd(keras.ops.convert_to_tensor(variable), labels, 2), [variable]
    )
    pull = gradient[labels == 1, 0].mean() - gradient[labels == 0, 0].mean()
    assert pull > 0
