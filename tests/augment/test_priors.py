import numpy as np
import pytest
from scipy import stats

from latentloom.augment import BlockPrior, identity_keys

KEYS = identity_keys(1, "prior", [str(row) for row in range(4000)])


@pytest.fixture
def mixture():
    """Two classes, two components each, far apart: at -30, -10, 10 and 30."""
    loc = np.array([[[-30.0], [-10.0]], [[10.0], [30.0]]])
    return BlockPrior(np.array([[0.25, 0.75], [1.0, 0.0]]), loc, np.full((2, 2, 1), 2.0))


def test_the_standard_normal_prior_is_standard_normal():
    blocks = BlockPrior.standard_normal(3).sample(KEYS)
    assert blocks.shape == (4000, 3)
    assert blocks.dtype == np.float32
    for entry in blocks.T:
        assert stats.kstest(entry, "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(blocks.T) - np.eye(3)).max() < 0.06


def test_a_mixture_draws_from_its_density(mixture):
    def cdf(values):
        return 0.25 * stats.norm.cdf(values, -30, 2) + 0.75 * stats.norm.cdf(values, -10, 2)

    blocks = mixture.sample(KEYS, np.zeros(4000, int))
    assert stats.kstest(blocks[:, 0], cdf).pvalue > 0.01


def test_each_row_is_drawn_from_its_own_class(mixture):
    labels = np.arange(4000) % 2
    np.testing.assert_array_equal(mixture.sample(KEYS, labels)[:, 0] > 0, labels == 1)


def test_a_component_of_weight_zero_is_never_drawn(mixture):
    assert mixture.sample(KEYS, np.ones(4000, int)).max() < 20


def test_weights_a_little_below_one_leave_no_gap_for_the_last_component():
    points = np.array([[[1.0], [2.0]]])
    prior = BlockPrior(np.array([[0.99991, 0.0]]), points, np.zeros_like(points))
    assert prior.sample(np.arange(100_000, dtype=np.uint64)).max() == 1.0


def test_a_key_gives_the_same_block_in_any_batch(mixture):
    labels, rows = np.arange(4000) % 2, np.array([7, 3, 1999])
    whole = mixture.sample(KEYS, labels)
    np.testing.assert_array_equal(mixture.sample(KEYS[rows], labels[rows]), whole[rows])


def test_temperature_zero_gives_the_means(mixture):
    cold = mixture.sample(KEYS, np.zeros(4000, int), temperature=0.0)
    assert set(cold[:, 0].tolist()) == {-30.0, -10.0}


def test_temperature_scales_the_spread():
    prior = BlockPrior.standard_normal(2)
    np.testing.assert_allclose(prior.sample(KEYS, temperature=0.5), 0.5 * prior.sample(KEYS))


def test_a_scale_of_zero_is_a_categorical_prior():
    points = np.eye(3)[None]
    prior = BlockPrior(np.array([[0.2, 0.3, 0.5]]), points, np.zeros_like(points))
    counts = prior.sample(KEYS).sum(axis=0)
    assert stats.chisquare(counts, 4000 * np.array([0.2, 0.3, 0.5])).pvalue > 0.01


def test_only_a_prior_of_several_classes_is_class_conditional(mixture):
    assert mixture.is_class_conditional
    assert mixture.dim == 1
    assert not BlockPrior.standard_normal(4).is_class_conditional


def test_a_prior_survives_a_round_trip_through_npz(mixture, tmp_path):
    arrays = mixture.to_arrays("zs") | BlockPrior.standard_normal(2).to_arrays("zu")
    np.savez(tmp_path / "priors.npz", **arrays)
    with np.load(tmp_path / "priors.npz", allow_pickle=False) as stored:
        assert BlockPrior.from_arrays(stored, "zs") == mixture
        assert BlockPrior.from_arrays(stored, "zu") == BlockPrior.standard_normal(2)


def test_priors_with_other_numbers_are_not_equal(mixture):
    other = BlockPrior(mixture.weights, mixture.loc + 1, mixture.scale)
    assert mixture != other
    assert mixture != "zs"


def test_a_missing_array_is_named(mixture):
    arrays = mixture.to_arrays("zs")
    del arrays["zs/scale"]
    with pytest.raises(ValueError, match="zs/scale.*Export the priors again"):
        BlockPrior.from_arrays(arrays, "zs")


@pytest.mark.parametrize("labels", [None, np.zeros(3, int)])
def test_a_class_conditional_prior_needs_a_label_per_key(mixture, labels):
    with pytest.raises(ValueError, match="Pass one class index per key"):
        mixture.sample(KEYS[:2], labels)


@pytest.mark.parametrize("label", [-1, 2])
def test_a_class_the_prior_does_not_have_is_refused(mixture, label):
    with pytest.raises(ValueError, match="Pass the classes it was trained on"):
        mixture.sample(KEYS[:1], np.array([label]))


@pytest.mark.parametrize("temperature", [-0.1, np.nan, np.inf])
def test_an_impossible_temperature_is_refused(temperature):
    with pytest.raises(ValueError, match="Pass 1.0 for the prior itself"):
        BlockPrior.standard_normal(1).sample(KEYS[:1], temperature=temperature)


@pytest.mark.parametrize(
    ("weights", "loc", "scale", "fix"),
    [
        ([[1.0]], np.zeros((1, 1, 2)), np.ones((1, 1, 3)), "class and component axes"),
        ([1.0], np.zeros((1, 1, 2)), np.ones((1, 1, 2)), "class and component axes"),
        ([[1.0]], np.zeros((1, 1, 0)), np.ones((1, 1, 0)), "class and component axes"),
        ([[1.0]], np.full((1, 1, 1), np.nan), np.ones((1, 1, 1)), "smaller learning rate"),
        ([[1.0]], np.zeros((1, 1, 1)), -np.ones((1, 1, 1)), "Pass standard deviations"),
        ([[0.5]], np.zeros((1, 1, 1)), np.ones((1, 1, 1)), "Normalise each row"),
        ([[1.5, -0.5]], np.zeros((1, 2, 1)), np.ones((1, 2, 1)), "Normalise each row"),
        ([[np.nan]], np.zeros((1, 1, 1)), np.ones((1, 1, 1)), "Normalise each row"),
    ],
)
def test_arrays_that_are_no_mixture_are_refused(weights, loc, scale, fix):
    with pytest.raises(ValueError, match=fix):
        BlockPrior(np.array(weights), loc, scale)


def test_the_spread_is_that_of_draws_over_all_classes(mixture):
    labels = np.arange(len(KEYS)) % 2
    drawn = mixture.sample(KEYS, labels)
    assert mixture.spread.dtype == np.float32
    np.testing.assert_allclose(mixture.spread, drawn.std(axis=0), rtol=0.03)


def test_the_spread_weighs_components_by_their_probability_and_classes_alike():
    weights = np.array([[0.9, 0.1], [0.5, 0.5]])
    loc = np.array([[[1.0], [5.0]], [[-2.0], [3.0]]])
    scale = np.array([[[0.5], [1.0]], [[2.0], [0.0]]])
    share = weights[..., None] / 2
    second = np.sum(share * (scale**2 + loc**2))
    expected = np.sqrt(second - np.sum(share * loc) ** 2)
    np.testing.assert_allclose(BlockPrior(weights, loc, scale).spread, [expected], rtol=1e-6)


def test_a_prior_of_one_point_has_no_spread():
    loc = np.full((7, 3, 2), 0.1)
    loc[0, 0, 1] = 0.2
    spread = BlockPrior(np.full((7, 3), 1 / 3), loc, np.zeros_like(loc)).spread
    assert spread[0] == 0
    assert spread[1] > 0


def test_a_standard_normal_has_a_spread_of_one():
    np.testing.assert_array_equal(BlockPrior.standard_normal(3).spread, np.ones(3, np.float32))


@pytest.fixture
def turned():
    """Two classes that vary along the diagonals of a plane, the second more."""
    axes = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    loc, scale = np.array([[[5.0, 0.0]], [[-5.0, 3.0]]]), np.array([[[2.0, 0.5]], [[4.0, 1.0]]])
    return BlockPrior(np.ones((2, 1)), loc, scale, axes)


def covariance_of(prior, label):
    return prior.axes.T @ np.diag(prior.scale[label, 0] ** 2) @ prior.axes


@pytest.mark.parametrize("label", [0, 1])
def test_a_prior_with_axes_has_a_full_covariance_for_each_class(turned, label):
    blocks = turned.sample(KEYS, np.full(4000, label))
    expected = covariance_of(turned, label)
    np.testing.assert_allclose(np.cov(blocks.T), expected, atol=0.06 * expected.max())
    whitened = (blocks - turned.loc[label, 0]) @ np.linalg.inv(np.linalg.cholesky(expected)).T
    for entry in whitened.T:
        assert stats.kstest(entry, "norm").pvalue > 0.01


def test_the_axes_of_the_entries_themselves_change_nothing():
    loc, scale = np.zeros((1, 1, 3)), np.array([[[1.0, 2.0, 3.0]]])
    plain = BlockPrior(np.ones((1, 1)), loc, scale)
    same = BlockPrior(np.ones((1, 1)), loc, scale, np.eye(3))
    np.testing.assert_array_equal(same.sample(KEYS), plain.sample(KEYS))
    np.testing.assert_array_equal(same.spread, plain.spread)
    assert same != plain


def test_the_spread_of_a_prior_with_axes_is_that_of_its_draws(turned):
    both = np.concatenate([turned.sample(KEYS, np.full(4000, label)) for label in (0, 1)])
    np.testing.assert_allclose(turned.spread, both.std(axis=0), rtol=0.03)


def test_a_draw_along_axes_rounds_alike_in_any_batch(turned):
    labels, rows = np.arange(4000) % 2, np.array([7, 3, 1999])
    whole = turned.sample(KEYS, labels)
    np.testing.assert_array_equal(turned.sample(KEYS[rows], labels[rows]), whole[rows])


@pytest.mark.parametrize("share", [0.1, 0.6, 0.95])
def test_a_step_leaves_the_prior_as_it_is_and_is_as_long_as_it_should_be(turned, share):
    labels, shares = np.zeros(4000, int), np.full(4000, share, np.float32)
    start = turned.sample(KEYS, labels)
    moved = turned.step(start, shares, KEYS + np.uint64(1), labels)
    expected = covariance_of(turned, 0)
    np.testing.assert_allclose(np.cov(moved.T), expected, atol=0.08 * expected.max())
    np.testing.assert_allclose(moved.mean(axis=0), turned.loc[0, 0], atol=0.15)
    correlation = np.corrcoef(start[:, 0], moved[:, 0])[0, 1]
    assert correlation == pytest.approx(np.sqrt(1 - share**2), abs=0.04)


def test_a_step_of_zero_keeps_the_block_and_one_of_one_draws_anew(turned):
    labels, start = np.arange(4000) % 2, np.ones((4000, 2), np.float32)
    kept = turned.step(start, np.zeros(4000, np.float32), KEYS, labels)
    np.testing.assert_allclose(kept, start, rtol=1e-6)
    drawn = turned.step(start, np.ones(4000, np.float32), KEYS, labels)
    np.testing.assert_array_equal(drawn, turned.sample(KEYS, labels))


def test_a_prior_with_axes_survives_a_round_trip_through_npz(turned, tmp_path):
    np.savez(tmp_path / "priors.npz", **turned.to_arrays("zu"))
    with np.load(tmp_path / "priors.npz", allow_pickle=False) as arrays:
        assert BlockPrior.from_arrays(arrays, "zu") == turned


@pytest.mark.parametrize("axes", [np.eye(3), np.ones(2), np.full((2, 2), np.nan)])
def test_axes_that_do_not_fit_are_refused(axes):
    with pytest.raises(ValueError, match="Expected: "):
        BlockPrior(np.ones((1, 1)), np.zeros((1, 1, 2)), np.ones((1, 1, 2)), axes)


@pytest.fixture
def directed():
    """A prior of three entries with two directions."""
    directions = np.array([[0.0, 2.0, 0.0], [0.6, 0.0, 0.8]], np.float32)
    normal = BlockPrior.standard_normal(3)
    return BlockPrior(normal.weights, normal.loc, normal.scale, directions=directions)


def test_a_block_moves_along_a_direction_by_its_standard_deviation(directed):
    blocks, axes = np.ones((2, 3), np.float32), np.array([0, 1])
    moved = directed.shifted(blocks, axes, np.array([1.5, -2.0], np.float32))
    np.testing.assert_allclose(moved, [[1, 4, 1], [-0.2, 1, -0.6]], atol=1e-6)
    np.testing.assert_allclose(directed.axis_spread, [2, 1], rtol=1e-6)
    np.testing.assert_allclose(directed.along_axes(blocks), [[1, 1.4]] * 2, rtol=1e-6)


def test_without_directions_a_block_moves_along_its_entries(mixture):
    blocks = np.zeros((2, 1), np.float32)
    moved = mixture.shifted(blocks, np.zeros(2, int), np.array([1.0, -1.0], np.float32))
    np.testing.assert_array_equal(moved[:, 0], mixture.spread[0] * np.array([1.0, -1.0]))
    np.testing.assert_array_equal(blocks, 0)
    np.testing.assert_array_equal(mixture.axis_spread, mixture.spread)
    assert mixture.along_axes(blocks) is blocks


def test_directions_are_stored_and_read(directed):
    arrays = directed.to_arrays("hat")
    assert sorted(arrays) == ["hat/directions", "hat/loc", "hat/scale", "hat/weights"]
    assert BlockPrior.from_arrays(arrays, "hat") == directed


def test_directions_of_another_size_are_refused():
    normal = BlockPrior.standard_normal(3)
    with pytest.raises(ValueError, match=r"directions `\(a, dim\)`"):
        BlockPrior(normal.weights, normal.loc, normal.scale, directions=np.ones((2, 4)))
