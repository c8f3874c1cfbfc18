"""What models make of test images, for models whose answers are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from latentloom.model_zoo.metrics.copies import nearest_examples
from latentloom.model_zoo.metrics.strokes import measure_strokes
from latentloom.model_zoo.metrics.transfer import ratio
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.evaluation.unseen.readings import mean_of, read_model, read_nearest


def bars(count: int, seed: int, widest: int = 9) -> Examples:
    """Bars of random widths; the class is whether a bar is wide."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, 12, 12, 1), np.uint8)
    widths = rng.integers(1, widest, count)
    images[:, 2:10] = 255 * (np.arange(12) < widths[:, None])[:, None, :, None]
    images += rng.integers(0, 25, images.shape, dtype=np.uint8) * (images == 0)
    return Examples(
        images, {"label": (widths > 4).astype(np.int64)}, [f"{seed}/{n}" for n in range(count)]
    )


def codec(render, classify=lambda latents: np.zeros(len(latents["a"]), np.int64)):
    """A codec whose code is the width, and the pixels of the image to render from."""

    def encode(images):
        pixels = images.reshape(len(images), -1).astype(np.float32)
        return {"b": pixels, "a": measure_strokes(images, "width")[:, None]}

    def decode(latents):
        pixels = latents["b"].reshape(-1, 12, 12, 1).astype(np.uint8)
        return render(pixels), None

    return SimpleNamespace(encode=encode, render=decode, classify=classify)


TRAIN, TEST = bars(300, 0), bars(40, 1)
EVERY = np.ones(len(TEST), bool)


def lookup(images):
    return TRAIN.observations[nearest_examples(images, TRAIN.observations)[1][:, 0]]


def test_a_perfect_decoder_loses_nothing_and_has_no_gap():
    figures = read_model(codec(lambda images: images), TRAIN, TEST, [])
    nats = mean_of(figures, "nats", EVERY)
    assert nats == mean_of(figures, "squares", EVERY) == 0
    assert ratio(nats, nats) == 1


def test_a_decoder_that_looks_up_training_images_has_an_excess_of_1():
    nearest = read_nearest(TEST.observations, TRAIN.observations)
    found = read_model(codec(lookup), TRAIN, TEST, [])
    assert mean_of(found, "nats", EVERY) > 0
    for name in ("nats", "squares"):
        np.testing.assert_array_equal(found[name], nearest[name])


def test_an_image_that_was_trained_on_is_its_own_lookup():
    nearest = read_nearest(TRAIN.observations[:5], TRAIN.observations)
    np.testing.assert_array_equal(nearest["nats"], 0)


def test_a_worse_decoder_has_a_gap_above_1():
    good = read_model(codec(lambda images: images // 8 * 8), TRAIN, TEST, [])
    poor = read_model(codec(lambda images: images // 64 * 64), TRAIN, TEST, [])
    gap = ratio(mean_of(poor, "nats", EVERY), mean_of(good, "nats", EVERY))
    assert gap is not None
    assert gap > 2


def test_the_class_that_the_model_reads_is_compared_with_the_label():
    def classify(latents):
        return (latents["a"][:, 0] > 4).astype(np.int64)

    figures = read_model(codec(lambda images: images, classify), TRAIN, TEST, [])
    assert mean_of(figures, "class", EVERY) == 1
    wide = TEST.labels == 1
    none = read_model(codec(lambda images: images), TRAIN, TEST, [])
    assert mean_of(none, "class", wide) == 0
    assert mean_of(none, "class", ~wide) == 1


def test_an_attribute_is_read_from_a_code_that_holds_it_and_from_no_other():
    def width_error(code):
        model = SimpleNamespace(
            encode=lambda images: {"a": code(images)},
            render=lambda latents: (TEST.observations, None),
            classify=codec(None).classify,
        )
        return np.sqrt(mean_of(read_model(model, TRAIN, TEST, ["width"]), "width", EVERY))

    spread = np.std(measure_strokes(TEST.observations, "width"))
    assert width_error(lambda images: 3 * measure_strokes(images, "width")[:, None]) < 0.05
    assert width_error(lambda images: np.ones((len(images), 2))) == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize(("name", "rows"), [("width", EVERY), ("nats", ~EVERY)])
def test_what_was_not_read_has_no_mean(name, rows):
    assert mean_of({"nats": np.ones(len(TEST))}, name, rows) is None
