"""Exchange of blocks between real images."""

import numpy as np
import pytest
from bundles import digits_bundle, digits_config, digits_data, make

from latentloom.augment import Block, BlockPrior, LatentSpec, QualityGate
from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import one_per_class
from latentloom.pipeline.evaluation.decoded.exchange import can_exchange, exchange_blocks
from latentloom.pipeline.evaluation.variants_report import report_on


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(load_bundle(digits_bundle()))


@pytest.fixture(scope="module")
def digits() -> Examples:
    digits = DatasetDir.open(digits_data()).read("train")
    return digits.take(one_per_class(digits.labels)[:4])


def test_a_cell_has_the_class_of_its_row_and_the_rest_of_its_column(codec, digits):
    exchange = exchange_blocks(codec, digits, QualityGate(0.9))
    latents = codec.encode(digits.observations)
    for row in range(4):
        for column in range(4):
            cell = {"zs": latents["zs"][[row]], "zu": latents["zu"][[column]]}
            image, probabilities = codec.render(cell)
            np.testing.assert_array_equal(exchange.observations[row, column], image[0])
            confident = probabilities[0, digits.labels[row]] >= 0.9
            assert exchange.accepted[row, column] == confident


def test_the_diagonal_is_what_the_model_makes_of_each_image(codec, digits):
    exchange = exchange_blocks(codec, digits, QualityGate(0.9))
    reconstructions, _ = codec.render(codec.encode(digits.observations))
    diagonal = exchange.observations[np.arange(4), np.arange(4)]
    np.testing.assert_array_equal(diagonal, reconstructions)


def test_the_report_shows_the_exchange_and_how_to_read_it(tmp_path):
    make(tmp_path, "generate.gate.enabled=false", "generate.variants_per_example=1")
    report = report_on(digits_config(), digits_data(), digits_bundle(), tmp_path)
    assert "(its zs)" in report.captions["exchange"]
    assert "(its zu)" in report.captions["exchange"]
    assert not [name for name in report.captions if name.startswith("traversal")]
    page = (tmp_path / "report.html").read_text()
    assert "<h3>Exchange</h3>" in page
    assert report.captions["exchange"] in page


@pytest.mark.parametrize(
    ("factors", "possible"), [((("label",), ()), True), ((("label",),), False), (((),), False)]
)
def test_only_a_code_with_both_kinds_of_blocks_can_be_exchanged(factors, possible):
    prior = BlockPrior.standard_normal(2)
    spec = LatentSpec(tuple(Block(f"z{i}", 2, f, prior) for i, f in enumerate(factors)))
    assert can_exchange(spec) == possible
