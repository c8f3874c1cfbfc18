import numpy as np
import pytest

from latentloom.model_zoo.metrics.probes import PROBES, probe_accuracy, probe_hits


@pytest.fixture(scope="module")
def codes():
    """600 codes of three classes far apart, on a scale far from one."""
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 3
    centres = np.array([[0, 0], [9, 0], [0, 9]])
    return 1000 * (centres[labels] + rng.normal(size=(600, 2))) + 1e4, labels


def halves(codes, labels):
    return codes[:300], labels[:300], codes[300:], labels[300:]


@pytest.mark.parametrize("probe", PROBES)
def test_separable_codes_are_read(codes, probe):
    assert probe_accuracy(probe, *halves(*codes)) >= 0.99


@pytest.mark.parametrize("probe", PROBES)
def test_shuffled_labels_are_read_at_chance(codes, probe):
    shuffled = np.random.default_rng(1).permutation(codes[1])
    assert probe_accuracy(probe, *halves(codes[0], shuffled)) == pytest.approx(1 / 3, abs=0.12)


def test_a_curved_border_needs_the_mlp():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(2000, 2))
    labels = (np.linalg.norm(codes, axis=1) > 1.18).astype(int)
    sides = codes[:1000], labels[:1000], codes[1000:], labels[1000:]
    assert probe_accuracy("linear", *sides) < 0.65
    assert probe_accuracy("mlp", *sides) > 0.85


def test_the_same_seed_reads_the_same(codes):
    shuffled = np.random.default_rng(1).permutation(codes[1])
    sides = halves(codes[0], shuffled)
    assert probe_accuracy("mlp", *sides, seed=1) == probe_accuracy("mlp", *sides, seed=1)


def test_unknown_probe_is_refused(codes):
    with pytest.raises(ValueError, match="one of linear, mlp.*probe='svm'"):
        probe_accuracy("svm", *halves(*codes))


@pytest.mark.parametrize("probe", PROBES)
def test_large_codes_are_read_by_their_principal_components(codes, probe):
    noise = np.random.default_rng(2).normal(size=(600, 700))
    large = np.concatenate([codes[0], noise], axis=1)
    assert probe_accuracy(probe, *halves(large, codes[1])) >= 0.95


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("of_each", [1, 4])
def test_ten_classes_of_few_codes_are_read(probe, of_each):
    rng, labels = np.random.default_rng(3), np.repeat(np.arange(10), of_each)
    codes = 20 * np.eye(10)[labels] + rng.normal(size=(len(labels), 10))
    assert probe_accuracy(probe, codes, labels, 20 * np.eye(10), np.arange(10)) >= 0.9


def test_no_test_codes_give_no_hits(codes):
    assert len(probe_hits("linear", *codes, np.zeros((0, 2)), np.zeros(0, int))) == 0
