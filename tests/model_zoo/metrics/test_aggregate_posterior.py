"""Information under the full sum: closed forms, identities, ceilings, and the batch estimator."""

import numpy as np
import pytest
from keras import ops
from scipy import stats
from scipy.special import logsumexp

from latentloom.model_zoo.losses.aggregate_posterior import (
    gaussian_log_density,
    stratified_log_weights,
)
from latentloom.model_zoo.losses.divergences import BlockDensities, BlockProbabilities, kl_terms
from latentloom.model_zoo.metrics import aggregate_posterior
from latentloom.model_zoo.metrics.aggregate_posterior import aggregate_information
from latentloom.model_zoo.metrics.posteriors import CategoricalPosteriors, GaussianPosteriors


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def gaussian(rng, loc, scale):
    """Posteriors with a sample of each."""
    scale = np.broadcast_to(scale, loc.shape)
    return GaussianPosteriors(loc, scale, loc + scale * rng.normal(size=loc.shape))


def mixed(rng, size=40):
    """Two Gaussian blocks and a categorical one."""
    return {
        "shape": gaussian(rng, rng.normal(size=(size, 2)), rng.uniform(0.2, 1, (size, 2))),
        "style": gaussian(rng, rng.normal(size=(size, 3)), rng.uniform(0.2, 1, (size, 3))),
        "digit": CategoricalPosteriors(rng.dirichlet(np.ones(4), size)),
    }


def tensor(array):
    return ops.convert_to_tensor(np.asarray(array, np.float32))


def test_correlated_gaussian_codes_have_the_information_of_the_closed_form(rng):
    loc = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 10_000)
    both = gaussian(rng, loc, 0.3)
    parts = {
        name: GaussianPosteriors(both.loc[:, [d]], both.scale[:, [d]], both.codes[:, [d]])
        for d, name in enumerate("ab")
    }
    found, as_blocks = aggregate_information({"z": both}), aggregate_information(parts)
    whole = 0.5 * np.log((1.09**2 - 0.6**2) / 0.09**2)
    correlation = -0.5 * np.log(1 - (0.6 / 1.09) ** 2)
    assert found.mutual_information == pytest.approx(whole, abs=0.04)
    assert found.blocks["z"].total_correlation == pytest.approx(correlation, abs=0.02)
    assert as_blocks.mutual_information == pytest.approx(found.mutual_information, abs=1e-9)
    assert as_blocks.total_correlation == pytest.approx(
        found.blocks["z"].total_correlation, abs=1e-9
    )
    np.testing.assert_allclose(
        found.blocks["z"].of_dimensions, 0.5 * np.log(1.09 / 0.09), atol=0.03
    )


def test_total_correlations_are_those_of_the_densities_themselves(rng):
    blocks = {name: block for name, block in mixed(rng).items() if name != "digit"}
    found = aggregate_information(blocks)
    tables = {  # dimensions, codes, posteriors
        name: stats.norm.logpdf(b.codes.T[:, :, None], b.loc.T[:, None], b.scale.T[:, None])
        for name, b in blocks.items()
    }
    marginal = {name: log_mean(table) for name, table in tables.items()}
    joint = {name: log_mean(table.sum(axis=0)) for name, table in tables.items()}
    whole = log_mean(sum(table.sum(axis=0) for table in tables.values()))
    for name, block in found.blocks.items():
        expected = (joint[name] - marginal[name].sum(axis=0)).mean()
        assert block.total_correlation == pytest.approx(expected, abs=1e-9)
        np.testing.assert_allclose(
            block.divergences,
            (marginal[name] - stats.norm.logpdf(blocks[name].codes.T)).mean(axis=1),
        )
    assert found.total_correlation == pytest.approx(np.mean(whole - sum(joint.values())), abs=1e-9)


def log_mean(table):
    return logsumexp(table, axis=-1) - np.log(table.shape[-1])


def test_categorical_values_are_summed_over_beside_gaussian_codes(rng):
    blocks = mixed(rng)
    style, told = blocks["style"], blocks["digit"].probabilities
    found = aggregate_information({"style": style, "digit": blocks["digit"]})
    pairs = stats.norm.logpdf(style.codes[:, None], style.loc, style.scale).sum(axis=-1)
    joint = logsumexp(pairs[:, :, None] + np.log(told), axis=1) - np.log(len(told))
    expected = np.diag(pairs)[:, None] + np.log(told) - joint
    assert found.mutual_information == pytest.approx((told * expected).sum(axis=1).mean())
    parts = sum(block.mutual_information for block in found.blocks.values())
    assert found.total_correlation == pytest.approx(parts - found.mutual_information)


def test_it_is_what_the_estimator_of_training_says_of_a_batch_that_is_the_data(rng):
    blocks, size = mixed(rng, 12), 12
    densities: dict = {
        name: BlockDensities(
            gaussian_log_density(
                tensor(block.codes), tensor(block.loc), tensor(2 * np.log(block.scale))
            ),
            tensor(stats.norm.logpdf(block.codes)),
        )
        for name, block in blocks.items()
        if isinstance(block, GaussianPosteriors)
    }
    told = tensor(np.log(blocks["digit"].probabilities))
    densities["digit"] = BlockProbabilities(told, tensor(np.full(4, -np.log(4))))
    ones = ops.ones((size,))
    terms = kl_terms(densities, stratified_log_weights(ones, size), ones)
    found = aggregate_information(blocks)
    assert found.mutual_information == pytest.approx(float(terms.mutual_information), abs=1e-5)
    assert found.total_correlation == pytest.approx(float(terms.between_blocks), abs=1e-5)
    for name, block in found.blocks.items():
        within = float(terms.within_blocks[name])
        assert block.total_correlation == pytest.approx(within, abs=1e-5)
        np.testing.assert_allclose(block.divergences, terms.dimension_wise[name], atol=1e-5)


def test_codes_that_do_not_overlap_reach_the_ceiling_and_none_is_above_it(rng):
    apart = gaussian(rng, np.arange(300.0)[:, None] * [1, -2], 1e-4)
    found = aggregate_information({"z": apart, "digit": CategoricalPosteriors(np.ones((300, 1)))})
    assert found.ceiling == pytest.approx(np.log(300))
    assert found.mutual_information == pytest.approx(found.ceiling)
    np.testing.assert_allclose(found.blocks["z"].of_dimensions, found.ceiling)
    for scale in (1e-6, 1e-2, 1.0):
        found = aggregate_information({"z": gaussian(rng, rng.normal(size=(200, 6)), scale)})
        assert found.mutual_information <= found.ceiling + 1e-9
        assert found.blocks["z"].of_dimensions.max() <= found.ceiling + 1e-9


def test_scales_of_very_different_size_neither_overflow_nor_vanish(rng):
    scale = np.where(np.arange(100) % 2, 1e-7, 1e3)[:, None]
    found = aggregate_information({"z": gaussian(rng, rng.normal(size=(100, 1)), scale)})
    assert 0.5 * np.log(100) < found.mutual_information <= np.log(100)
    np.testing.assert_allclose(found.blocks["z"].of_dimensions, found.mutual_information, rtol=1e-6)


def test_codes_that_are_the_prior_tell_nothing(rng):
    found = aggregate_information({"z": gaussian(rng, np.zeros((500, 3)), 1.0)})
    block = found.blocks["z"]
    figures = [found.mutual_information, block.total_correlation, *block.of_dimensions]
    np.testing.assert_allclose([*figures, *block.divergences], 0.0, atol=1e-12)


def test_certain_values_that_are_equally_likely_tell_the_log_of_their_number():
    certain = {name: CategoricalPosteriors(np.eye(5)[np.arange(100) % 5]) for name in "ab"}
    found = aggregate_information(certain)
    assert found.blocks["a"].mutual_information == pytest.approx(np.log(5))
    assert found.blocks["a"].divergences == pytest.approx([0.0], abs=1e-12)
    assert found.mutual_information == pytest.approx(np.log(5))
    assert found.total_correlation == pytest.approx(np.log(5))  # one is a copy of the other


def test_a_value_that_is_always_the_same_tells_nothing_and_is_far_from_the_prior():
    found = aggregate_information({"a": CategoricalPosteriors(np.eye(5)[np.zeros(20, int)])})
    assert found.mutual_information == 0.0
    assert found.blocks["a"].divergences == pytest.approx([np.log(5)])


def test_the_size_of_the_chunks_makes_no_difference(rng, monkeypatch):
    blocks = mixed(rng)
    whole = aggregate_information(blocks)
    monkeypatch.setattr(aggregate_posterior, "CHUNK", 7 * 40)
    cut = aggregate_information(blocks)
    assert cut.mutual_information == pytest.approx(whole.mutual_information, abs=1e-12)
    for name, block in cut.blocks.items():
        np.testing.assert_allclose(block.of_dimensions, whole.blocks[name].of_dimensions)


def test_too_many_combinations_of_values_are_not_summed_over(rng):
    wide = {name: CategoricalPosteriors(rng.dirichlet(np.ones(40), 9)) for name in "ab"}
    found = aggregate_information(wide)
    assert found.mutual_information is None
    assert found.total_correlation is None
    assert found.blocks["a"].mutual_information > 0


def test_blocks_of_other_examples_are_refused(rng):
    blocks = mixed(rng, 9) | {"digit": mixed(rng, 8)["digit"]}
    with pytest.raises(ValueError, match=r"'digit': 8.*Pass all blocks of one code"):
        aggregate_information(blocks)
    with pytest.raises(ValueError, match="Pass all blocks of one code"):
        aggregate_information({})
