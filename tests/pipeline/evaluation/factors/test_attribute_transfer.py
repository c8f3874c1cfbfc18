"""The transfer of an attribute by codecs that are known: one copies its looks, others do not."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from latentloom.augment import Block, BlockPrior, LatentSpec
from latentloom.pipeline.config import parse_config
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.factors.attribute_transfer import evaluate_transfer
from latentloom.pipeline.evaluation.factors.transfer_pictures import difference
from latentloom.pipeline.evaluation.factors.transfers import transfers
from latentloom.pipeline.evaluation.folds import EvaluationFolds
from latentloom.pipeline.report.measure import by_key

SIDE = 12
PLACES = {"cap": slice(0, 3), "shoe": slice(9, 12)}
SHAPE = (SIDE, SIDE, 3)
GROUND = 40


def dressed(count: int, seed: int = 0) -> Examples:
    """Grey images of two classes, half with a cap, half with shoes, each in a colour of its own."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    images = rng.integers(0, 9, (count, *SHAPE)) + GROUND + 20 * labels[:, None, None, None]
    factors = {"label": labels}
    for name, place in PLACES.items():
        factors[name] = rng.integers(0, 2, count)
        for row in np.flatnonzero(factors[name]):
            images[row, place] = rng.integers(80, 256, 3)
    return Examples(images.astype(np.uint8), factors, [f"e{seed}-{row}" for row in range(count)])


class Tailor:
    """Holds the image in `source` and the colour of each attribute in its block, 0 for none.

    Args:
        dye: What becomes of the colour of a donor.
        spills: Whether the colour also tints the rest of the image.
    """

    def __init__(self, dye=lambda colour: colour, spills: bool = False):
        self.dye, self.spills = dye, spills
        blocks = [Block(name, 3, (name,), BlockPrior.standard_normal(3)) for name in PLACES]
        image = BlockPrior.standard_normal(432)
        source = Block("source", 432, ("label",), image, anchored=True)
        self.spec = LatentSpec((*blocks, source))
        names = {name: ["none", "present"] for name in ("label", *PLACES)}
        self.bundle = SimpleNamespace(factors=names, model_name="tailor")
        self.kind = SimpleNamespace(one="image", many="images")

    def encode(self, images, blocks=None):
        codes = {"source": images.reshape(len(images), -1).astype(np.float32)}
        for name, place in PLACES.items():
            colours = images[:, place].mean(axis=(1, 2))
            codes[name] = np.where(colours.max(axis=1, keepdims=True) > 79, colours, 0)
        return codes

    def render(self, codes):
        images = codes["source"].reshape(-1, *SHAPE).copy()
        ground = images[:, 4:8].mean(axis=(1, 2, 3))
        own = self.encode(images)
        for name, place in PLACES.items():
            for row in np.flatnonzero((codes[name] != own[name]).any(axis=1)):
                colour = self.dye(codes[name][row]) if codes[name][row].any() else ground[row]
                images[row, place] = colour
                if self.spills:
                    images[row, 4:8] = colour
        return np.clip(images, 0, 255).astype(np.uint8), None


def context_of(codec, *settings) -> EvaluationContext:
    encoded = EncodedExamples.encode(codec, dressed(300), "test", 0)  # type: ignore[arg-type]
    train = dressed(400, seed=1)
    folds = EvaluationFolds(train, encoded.examples, "test", {}, encoded.examples, train, {})
    return EvaluationContext(encoded, folds, None, parse_config({}, "a test", settings))  # type: ignore


def figures_of(codec, *settings):
    return by_key(evaluate_transfer(context_of(codec, *settings)).measures)


def test_a_codec_that_copies_the_looks_has_no_error_and_changes_nothing_else():
    found = figures_of(Tailor())
    for name in PLACES:
        colour = found[f"transfer/{name}/present/colour"]
        assert colour.value == pytest.approx(0, abs=0.003)
        assert colour.chance > 0.1
        outside = found[f"transfer/{name}/outside"]
        assert outside.value == pytest.approx(0, abs=0.003)
        assert outside.chance > 0.03
        nothing = found[f"transfer/{name}/none/colour"]
        assert nothing.value == pytest.approx(nothing.chance, abs=0.02)


def test_a_codec_that_gives_some_cap_is_at_chance():
    rng = np.random.default_rng(2)
    found = figures_of(Tailor(dye=lambda colour: rng.integers(80, 256, 3)))
    colour = found["transfer/cap/present/colour"]
    assert colour.value == pytest.approx(colour.chance, abs=0.03)


def test_a_codec_that_spills_changes_what_is_outside():
    found, clean = figures_of(Tailor(spills=True)), figures_of(Tailor())
    assert found["transfer/cap/outside"].value > 0.1 > clean["transfer/cap/outside"].value


def test_stripes_are_an_error_of_shape_and_not_of_colour():
    stripes = np.where(np.arange(SIDE) % 2, 30.0, -30.0)[None, :, None]
    found = figures_of(Tailor(dye=lambda colour: colour.clip(60, 190) + stripes))
    plain = figures_of(Tailor(dye=lambda colour: colour.clip(60, 190)))
    assert found["transfer/cap/present/shape"].value == pytest.approx(30 / 255, abs=0.01)
    assert plain["transfer/cap/present/shape"].value < 0.01
    colours = [each["transfer/cap/present/colour"].value for each in (found, plain)]
    assert colours[0] == pytest.approx(colours[1], abs=0.01)


def test_donors_have_another_value_and_others_the_value_of_the_donor():
    context = context_of(Tailor())
    made, values = next(transfers(context)), context.encoded.examples.factors["cap"]
    assert (values[made.donors] != values[made.rows]).all()
    assert (values[made.others] == values[made.donors]).all()
    assert (made.others != made.donors).all()
    expected = np.zeros((SIDE, SIDE), bool)
    expected[PLACES["cap"]] = True
    assert (made.region == expected).all()


def test_the_number_of_anchors_is_that_of_evaluate():
    assert len(next(transfers(context_of(Tailor(), "evaluate.anchors=20"))).made) == 20


def test_rare_values_have_no_looks_and_models_without_an_anchored_block_nothing():
    assert "transfer/cap/present/colour" not in figures_of(Tailor(), "evaluate.anchors=9")
    codec = Tailor()
    free = [Block(b.name, b.dim, b.factors, b.prior) for b in codec.spec]
    codec.spec = LatentSpec(tuple(free))
    result = evaluate_transfer(context_of(codec))
    assert (result.measures, result.pictures, result.notes) == ((), {}, ())


def test_an_attribute_that_shows_nowhere_is_named():
    context = context_of(Tailor())
    rng = np.random.default_rng(5)
    for examples in (context.encoded.examples, context.folds.train):
        examples.factors["cap"][:] = rng.integers(0, 2, len(examples))
    result = evaluate_transfer(context)
    assert "looks of cap were not measured" in result.notes[1]
    assert {m.key.split("/")[1] for m in result.measures} == {"shoe"}


def test_the_pictures_show_donors_and_the_difference():
    result = evaluate_transfer(context_of(Tailor()))
    assert set(result.pictures) == {"transfer", "two_attributes"}
    for picture in result.pictures.values():
        assert Image.open(io.BytesIO(picture.png)).width > 300
    assert "takes cap from" in result.pictures["two_attributes"].caption


def test_the_difference_is_grey_where_images_are_alike():
    image = np.full((2, 2, 3), 100, np.uint8)
    other = image.copy()
    other[0, 0] = [90, 100, 255]
    assert difference(image, other)[0, 0].tolist() == [168, 128, 0]
    assert (difference(image, other)[1] == 128).all()
