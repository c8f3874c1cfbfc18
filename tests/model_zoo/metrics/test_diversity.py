import numpy as np
import pytest

from latentloom.model_zoo.metrics.diversity import mean_pairwise_distance, relative_diversity


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (300, 16, 16, 3), dtype=np.uint8)


def test_distance_of_two_images_is_euclidean():
    pair = np.zeros((1, 2, 2, 2, 1), np.uint8)
    pair[0, 1, 0, :, 0] = [3, 4]
    assert mean_pairwise_distance(pair) == 5.0


def test_distances_are_averaged_over_pairs_and_groups():
    groups = np.array([[[0], [3], [9]], [[0], [0], [6]]], np.uint8)
    assert mean_pairwise_distance(groups) == pytest.approx(np.mean([3, 9, 6, 0, 6, 6]))


def test_distances_agree_with_the_differences(images):
    flat = images[:6].reshape(6, -1).astype(float)
    pairs = [np.linalg.norm(flat[i] - flat[j]) for i in range(6) for j in range(i)]
    assert mean_pairwise_distance(images[:6][None]) == pytest.approx(np.mean(pairs), rel=1e-12)


def test_identical_variants_have_no_diversity(images):
    variants = np.repeat(images[:4, None], 3, axis=1)
    assert relative_diversity(variants, images, np.zeros(300, int)) == 0.0


def test_real_images_of_one_class_are_as_diverse_as_themselves(images):
    labels = np.arange(300) % 3
    groups = np.stack([images[labels == label] for label in range(3)])
    assert relative_diversity(groups, images, labels) == pytest.approx(1.0, rel=1e-9)


def test_half_the_contrast_is_half_the_diversity(images):
    even = images // 2 * 2
    ratio = relative_diversity((even // 2).reshape(3, 100, 16, 16, 3), even, np.arange(300) // 100)
    assert ratio == pytest.approx(0.5, rel=1e-9)


def test_a_class_of_one_image_is_left_out(images):
    labels = np.r_[np.zeros(299, int), 1]
    variants = images[:299][None]
    assert relative_diversity(variants, images, labels) == pytest.approx(1.0, rel=0.02)


def test_a_large_class_is_sampled_by_the_seed(images):
    labels, variants = np.zeros(300, int), images[None, :20]
    once = relative_diversity(variants, images, labels, seed=3)
    assert once == relative_diversity(variants, images, labels, seed=3)
    assert once != relative_diversity(variants, images, labels, seed=4)


def test_diversity_needs_real_pairs(images):
    with pytest.raises(ValueError, match="Give more real images"):
        relative_diversity(images[None], images[:2], np.arange(2))


def test_vectors_that_are_all_but_equal_have_a_distance():
    vectors = np.full((1, 50, 2), 1e3, np.float32)
    vectors[0, 0, 0] += 1e-3
    distance = mean_pairwise_distance(vectors)
    assert 0 <= distance < 1e-3
