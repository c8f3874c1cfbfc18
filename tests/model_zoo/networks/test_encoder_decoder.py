import numpy as np
import pytest

from latentloom.model_zoo.networks.architecture import Architecture
from latentloom.model_zoo.networks.classifier import image_classifier
from latentloom.model_zoo.networks.encoder_decoder import image_decoder, image_encoder

SIZES = {"network": "conv", "width": 2, "hidden_dim": 4}


@pytest.mark.parametrize("options", [{}, {"kernel_size": 5, "base_side": 4, "group_norm": True}])
@pytest.mark.parametrize("shape", [(28, 28, 1), (17, 50, 3), (33, 16, 2)])
def test_networks_fit_awkward_shapes(shape, options):
    encoder = image_encoder(shape, 5, Architecture(**SIZES, **options), name="encoder")
    decoder = image_decoder(5, shape, Architecture(**SIZES, **options), name="decoder")
    assert encoder.output_shape == (None, 5)
    assert decoder.output_shape == (None, *shape)


@pytest.mark.parametrize("network", ["conv", "dense"])
def test_a_decoder_mixes_colours_of_the_image_by_shares(network):
    sizes = Architecture(**SIZES | {"network": network})
    decoder = image_decoder(5, (17, 20, 3), sizes, rank=4, name="decoder")
    codes = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    images = np.arctanh(np.asarray(decoder(codes), np.float64))
    maps = np.asarray(decoder.get_layer("maps")(codes), np.float64)
    shares = np.exp(maps) / np.exp(maps).sum(axis=-1, keepdims=True)
    assert images.shape == (6, 17, 20, 3)
    for image, own in zip(images.reshape(6, -1, 3), shares.reshape(6, -1, 4), strict=True):
        colours = np.linalg.lstsq(own, image, rcond=None)[0]
        np.testing.assert_allclose(own @ colours, image, atol=1e-4)


@pytest.mark.parametrize("network", ["conv", "dense"])
def test_colours_and_maps_can_have_columns_of_their_own(network):
    sizes = Architecture(**SIZES | {"network": network})
    decoder = image_decoder(5, (17, 20, 3), sizes, rank=3, colour_columns=[1, 4], name="decoder")
    codes = np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32)
    shape_of, colour_of = codes[0], codes[1]
    mixed = np.where(np.isin(np.arange(5), [1, 4]), colour_of, shape_of)[None]
    maps = np.asarray(decoder.get_layer("maps")(shape_of[None, [0, 2, 3]]), np.float64)
    colours = np.asarray(decoder.get_layer("colours")(colour_of[None, [1, 4]]), np.float64)
    shares = np.exp(maps) / np.exp(maps).sum(axis=-1, keepdims=True)
    expected = np.tanh(np.einsum("bhwr,brc->bhwc", shares, colours))
    np.testing.assert_allclose(decoder(mixed), expected, atol=1e-5)


def test_colours_without_maps_are_refused():
    with pytest.raises(ValueError, match="Colour blocks need a decoder that mixes.*rank=0"):
        image_decoder(5, (16, 16, 3), Architecture(**SIZES), colour_columns=[1], name="decoder")


@pytest.mark.parametrize("rank", [-1, 1])
def test_a_rank_that_mixes_nothing_is_refused(rank):
    with pytest.raises(ValueError, match=f"rank={rank}.*Set `model.args.rank` to 3"):
        image_decoder(5, (16, 16, 3), Architecture(**SIZES), rank=rank, name="decoder")


def test_dropout_acts_in_training_only():
    encoder = image_encoder(
        (8, 8, 1), 5, Architecture(network="dense", hidden_dim=32), dropout=0.5, name="encoder"
    )
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 1))
    np.testing.assert_array_equal(encoder(images), encoder(images))
    assert not np.allclose(encoder(images, training=True), encoder(images))


@pytest.mark.parametrize("shape", [(8, 8, 1), (20, 33, 3)])
def test_classifier_gives_one_logit_a_class(shape):
    logits = image_classifier(shape, 7, width=2)(np.zeros((2, *shape), np.float32))
    assert logits.shape == (2, 7)


def test_group_norm_does_not_depend_on_the_rest_of_the_batch():
    decoder = image_decoder(5, (16, 16, 1), Architecture(**SIZES, group_norm=True), name="decoder")
    codes = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    together = np.asarray(decoder(codes, training=True))
    np.testing.assert_allclose(decoder(codes[:1], training=True), together[:1], atol=1e-6)


def test_vectors_have_dense_networks_with_unbounded_output():
    sizes = Architecture(**SIZES | {"network": "dense"})
    encoder = image_encoder((5,), 3, sizes, name="encoder")
    decoder = image_decoder(3, (5,), sizes, name="decoder")
    assert encoder.output_shape == (None, 3)
    far = np.abs(decoder(np.full((1, 3), 1e4, np.float32))).max()
    assert decoder.output_shape == (None, 5)
    assert far > 1


def test_a_classifier_of_vectors_sees_all_features_in_training():
    network = image_classifier((2,), 7)
    assert network.output_shape == (None, 7)
    assert "dropout" not in network.layers[0].name
