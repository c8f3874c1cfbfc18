"""Rows are bit-equal whatever the size of their call, for every kind of model and observation."""

import numpy as np
import pytest
from keras import backend

from latentloom.model_zoo.bundle import Bundle
from latentloom.model_zoo.networks.classifier import image_classifier
from latentloom.model_zoo.registry import MODELS, build_model
from latentloom.model_zoo.scaling import PIXELS, Counts, Standardization
from latentloom.pipeline.codec.batching import MOST_ROWS, UNIT, Gathered
from latentloom.pipeline.codec.codec import Codec

CLASSES, IMAGE, WORDS = 3, (28, 28, 1), (300,)
OVERLAYS = {"frame": ["none", "present"], "bar": ["none", "present"]}
CASES = {
    "elegant": ("elegant", {}, (32, 32, 3), PIXELS),
    "drit": ("drit", {"domain": "bar"}, (32, 32, 3), PIXELS),
    "zszu_vae": ("zszu_vae", {}, IMAGE, PIXELS),
    "zszu_vae in colour": ("zszu_vae", {"width": 8}, (20, 16, 3), PIXELS),
    "zszu_vae of vectors": ("zszu_vae", {}, (2,), Standardization((0.0, 0.0), (1.0, 1.0))),
    "gzs_net": ("gzs_net", {}, (32, 32, 3), PIXELS),
    "gzs_net, dense": ("gzs_net", {"network": "dense"}, (16, 16, 3), PIXELS),
    "st_rkm": ("st_rkm", {}, IMAGE, PIXELS),
    "hfvae": ("hfvae", {}, IMAGE, PIXELS),
    "hfvae of words": ("hfvae", {}, WORDS, Counts()),
}


@pytest.fixture(scope="module", params=CASES)
def codec(request):
    name, arguments, shape, scaling = CASES[request.param]
    factors = {"label": [str(label) for label in range(CLASSES)]}
    factors |= OVERLAYS if name in ("drit", "elegant") else {}
    given = {"factor_sizes": {factor: len(names) for factor, names in factors.items()}}
    model = build_model(name, arguments, shape, CLASSES, observation=scaling.kind, **given)
    judge = image_classifier(shape, CLASSES)
    return Codec(Bundle(model, judge, judge, {}, name, arguments, factors, scaling=scaling))


@pytest.fixture(scope="module")
def observations(codec):
    rng = np.random.default_rng(0)
    shape = (MOST_ROWS + 40, *codec.bundle.observation_shape)
    if codec.bundle.scaling.dtype == "float32":
        return rng.normal(size=shape).astype(np.float32)
    most = 256 if codec.bundle.scaling.dtype == "uint8" else 4
    return rng.integers(0, most, shape).astype(codec.bundle.scaling.dtype)


def outcomes(codec, observations):
    """All that records depend on, of every row."""
    codes = codec.encode(observations)
    own = codec.detail(observations, codes)
    found = {**codes, "detail": own}
    for kind, detail in (("plain", None), ("detailed", Gathered(own, np.arange(len(own))))):
        images, probabilities = codec.render_factors(codes, detail)
        found |= {f"{kind}/{n}": p for n, p in {"image": images, **probabilities}.items()}
    return found


def test_every_model_is_tested_here():
    assert {name for name, *_ in CASES.values()} == set(MODELS)


def test_rows_are_bit_equal_in_calls_of_any_size(codec, observations):
    whole = outcomes(codec, observations)
    for start in (0, 7):  # a row is then in another place of its call, too
        for size in (1, UNIT, UNIT + 1, 3 * UNIT, 64, 100, 13 * UNIT, MOST_ROWS):
            rows = slice(start, start + size)
            for name, column in outcomes(codec, observations[rows]).items():
                np.testing.assert_array_equal(column, whole[name][rows], f"{name}, {size} rows")


def test_a_block_is_bit_equal_encoded_with_or_without_the_others(codec, observations):
    whole = codec.encode(observations)
    assert codec.encode(observations, ()) == {}
    for name in whole:
        (alone,) = codec.encode(observations, (name,)).items()
        assert alone[0] == name
        np.testing.assert_array_equal(alone[1], whole[name])
    both = list(whole)[::-1]
    assert list(codec.encode(observations[:1], both)) == list(whole)


@pytest.mark.skipif(backend.backend() == "jax", reason="JAX checks shapes when it compiles")
def test_layers_behind_blocks_that_are_not_asked_for_do_not_run(codec, observations, monkeypatch):
    import tensorflow as tf

    encode = codec.bundle.model.encode
    *others, last = codec.bundle.model.latent_spec

    def with_a_block_that_fails(images):
        codes = dict(encode(images))
        rows = tf.shape(codes[last])[0]
        return codes | {last: tf.reshape(codes[last], (rows + 1, -1))}  # fails where it runs

    monkeypatch.setattr(codec.bundle.model, "encode", with_a_block_that_fails)
    fresh = Codec(codec.bundle)
    if others:
        fresh.encode(observations[:1], others)
    with pytest.raises(tf.errors.InvalidArgumentError):
        fresh.encode(observations[:1], (last,))
