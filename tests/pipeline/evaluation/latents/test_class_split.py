"""Figures of the split of a code against codecs that are split, or not, by construction."""

import numpy as np
import pytest
from known_codes import CLASSES, KnownCodec, known_examples

from latentloom.augment import Block, BlockPrior, LatentSpec, identity_keys
from latentloom.pipeline.evaluation.decoded.reconstruction import measure_reconstruction
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.latents.class_split import (
    measure_information,
    measure_swap,
    measure_units,
    partners,
)


def values(measure, codec: KnownCodec, **options) -> dict[str, float | int | None]:
    encoded = EncodedExamples.encode(codec, known_examples(**options), "test", 0)
    return {figure.name: figure.value for figure in measure(encoded)}


def test_partners_are_of_another_class_each_equally_likely():
    labels = np.repeat(np.arange(3), [100, 200, 300])
    draws = np.stack(
        [partners(labels, identity_keys(seed, "swap", names())) for seed in range(200)]
    )
    assert (labels[draws] != labels).all()
    for label, size in ((0, 100), (1, 200), (2, 300)):
        counts = np.bincount(draws[:, labels == label].ravel(), minlength=600)
        expected = 200 * size / (600 - size)
        others = counts[labels != label]
        assert counts[labels == label].sum() == 0
        assert others.min() > 0.5 * expected
        assert others.max() < 1.6 * expected


def names() -> list[str]:
    return [f"e{row}" for row in range(600)]


def test_partners_do_not_follow_the_order_of_the_examples():
    labels = np.arange(600) % 3
    keys = identity_keys(0, "swap", names())
    mixed = np.random.default_rng(0).permutation(600)
    np.testing.assert_array_equal(
        mixed[partners(labels[mixed], keys[mixed])], partners(labels, keys)[mixed]
    )


@pytest.mark.parametrize(("reads", "own", "other"), [("zs", 1.0, 0.0), ("zu", 0.0, 1.0)])
def test_the_class_follows_the_block_that_the_decoder_reads_it_from(reads, own, other):
    found = values(measure_swap, KnownCodec(reads))
    assert found == {"Swap: class follows zs": own, "Swap: class follows zu": other}


def test_a_code_that_tells_the_class_has_all_of_its_entropy():
    found = values(measure_information, KnownCodec())
    assert found == {
        "Mutual information of code and class, at least": pytest.approx(np.log(CLASSES))
    }


def test_units_count_what_varies_and_divergence_is_the_closed_form():
    examples = known_examples()
    style, label = KnownCodec().encode(examples.observations)["zu"].T
    found = values(measure_units, KnownCodec())
    assert found["Active units of zu"] == 2
    assert found["KL divergence of zu from its prior"] == pytest.approx(
        0.5 * np.mean(style**2 + label**2)
    )
    assert values(measure_units, KnownCodec(), style=0)["Active units of zu"] == 1


def test_divergence_is_of_blocks_with_a_standard_normal_prior_alone():
    found = values(measure_units, KnownCodec())
    assert [name for name in found if name.startswith("KL")] == [
        "KL divergence of zu from its prior"
    ]
    codec = KnownCodec()
    wide = BlockPrior(np.ones((1, 1)), np.zeros((1, 1, 2)), np.full((1, 1, 2), 2.0))
    codec.spec = LatentSpec((codec.spec["zs"], Block("zu", 2, (), wide)))
    assert list(values(measure_units, codec)) == ["Active units of zu"]


def test_an_infinite_divergence_is_not_measured():
    codec = KnownCodec()
    moments = codec.posterior_moments
    codec.posterior_moments = lambda images: {"zu": (moments(images)["zu"][0], np.zeros((400, 2)))}
    assert values(measure_units, codec)["KL divergence of zu from its prior"] is None


def test_examples_of_one_class_are_refused():
    examples = known_examples()
    alone = examples.take(examples.labels == 1)
    with pytest.raises(ValueError, match="The test examples .* Import more classes"):
        EncodedExamples.encode(KnownCodec(), alone, "test", 0)


def of_blocks_with(*factors):
    """A codec whose blocks all carry these factors."""
    codec = KnownCodec()
    blocks = (Block(b.name, b.dim, factors, b.prior) for b in codec.spec)
    codec.spec = LatentSpec(tuple(blocks))
    return codec


def test_a_code_without_the_label_is_refused():
    with pytest.raises(ValueError, match="'known' does not carry the class.*such as zszu_vae"):
        EncodedExamples.encode(of_blocks_with(), known_examples(), "test", 0)


def test_nothing_is_swapped_where_every_block_carries_the_label():
    found = EncodedExamples.encode(of_blocks_with("label"), known_examples(), "test", 0)
    assert measure_swap(found) == []
    names = [measure.name for measure in measure_reconstruction(found)]
    assert not any("shuffled" in name for name in names)
    assert names
