import pytest

from latentloom.model_zoo.networks.architecture import num_stages, resolve_network


@pytest.mark.parametrize(
    ("shape", "network"), [((8, 8, 1), "dense"), ((16, 15, 1), "dense"), ((16, 16, 3), "conv")]
)
def test_auto_chooses_by_the_smaller_side(shape, network):
    assert resolve_network("auto", shape) == network


def test_dense_is_allowed_for_large_images():
    assert resolve_network("dense", (64, 64, 3)) == "dense"


def test_convolutions_on_eight_pixels_are_refused():
    with pytest.raises(ValueError, match="too small.*Set `model.args.network` to dense"):
        resolve_network("conv", (8, 8, 1))


def test_unknown_family_is_refused():
    with pytest.raises(ValueError, match="network='convolutional'"):
        resolve_network("convolutional", (32, 32, 1))


@pytest.mark.parametrize(
    ("side", "stages"), [(8, 0), (9, 1), (16, 1), (17, 2), (28, 2), (32, 2), (64, 3), (128, 4)]
)
def test_halvings_bring_the_longer_side_to_eight(side, stages):
    assert num_stages((8, side, 1)) == stages
    assert -(-side // 2**stages) <= 8


def test_vectors_have_dense_networks():
    assert resolve_network("auto", (5,)) == "dense"


def test_convolutions_on_vectors_are_refused():
    with pytest.raises(ValueError, match="Set `model.args.network` to dense"):
        resolve_network("conv", (64,))
