import math

import numpy as np
import pytest
from scipy import ndimage

from latentloom.pipeline.importing.builtin.sprites import (
    ELLIPSE_AXES,
    GRID,
    HEART_SIDE,
    ORIENTATIONS,
    SCALES,
    SHAPES,
    SQUARE_SIDE,
    render_sprites,
    sprite_masks,
)

SQUARE, ELLIPSE, HEART = range(3)


def cells(**values) -> np.ndarray:
    """Codes `(5, n)` of cells that are the same but for the values that are arrays."""
    usual = {"shape": HEART, "scale": 5, "orientation": 3, "x": 10, "y": 20} | values
    return np.stack(np.broadcast_arrays(*usual.values()))


def render(image_size: int = 64, **values) -> np.ndarray:
    """Shares of white of these cells, `(n, image_size, image_size)`."""
    return render_sprites(tuple(cells(**values)), image_size)[..., 0] / 255


def centres(images: np.ndarray) -> np.ndarray:
    """Centres of mass, `(n, 2)`: x and y in pixels of the images from their upper left corner."""
    places = np.arange(images.shape[-1]) + 0.5
    along = [images.sum(axis) @ places for axis in (1, 2)]
    return np.stack(along, axis=-1) / images.sum((1, 2))[:, None]


def second_moments(images: np.ndarray) -> np.ndarray:
    """Covariance of the white pixels' places, x and upward y, `(n, 2, 2)`."""
    places = np.arange(images.shape[-1])
    moments = []
    for image in images:
        rows, columns = np.nonzero(image)
        moments.append(np.cov(places[columns], -places[rows]))
    return np.stack(moments)


def test_the_grid_has_737280_cells():
    assert np.prod(GRID) == 737_280


def test_images_of_64_pixels_are_white_on_black_and_nothing_between():
    shape, scale, orientation = np.unravel_index(np.arange(720), GRID[:3])
    images = render_sprites(tuple(cells(shape=shape, scale=scale, orientation=orientation)), 64)
    assert images.shape == (720, 64, 64, 1)
    assert images.dtype == np.uint8
    assert np.unique(images).tolist() == [0, 255]


@pytest.mark.parametrize("image_size", [32, 64])
def test_every_cell_is_whole_and_inside_its_image(image_size):
    """A sprite in a corner of the positions has as many white pixels as in their middle."""
    grid = (*GRID[:3], 2, 2)
    shape, scale, orientation, x, y = np.unravel_index(np.arange(np.prod(grid)), grid)
    sprite = {"shape": shape, "scale": scale, "orientation": orientation}
    corners = render(image_size, **sprite, x=31 * x, y=31 * y)
    border = np.ones((image_size, image_size), bool)
    border[1:-1, 1:-1] = False
    assert not corners[:, border].any()
    middle = render(image_size, **sprite, x=15, y=15)
    np.testing.assert_allclose(corners.sum((1, 2)), middle.sum((1, 2)), rtol=0.01)


@pytest.mark.parametrize("image_size", [32, 64])
def test_a_step_in_x_or_y_moves_the_centre_of_mass_by_a_64th_and_nothing_else(image_size):
    steps = np.arange(32)
    for axis, name in enumerate("xy"):
        found = centres(render(image_size, **{name: steps})) / image_size
        np.testing.assert_allclose(np.diff(found[:, axis]), 1 / 64, atol=3e-4)
        np.testing.assert_allclose(found[:, 1 - axis], found[0, 1 - axis], atol=3e-4)


def test_the_positions_lie_about_the_middle_of_the_image():
    ends = centres(render(shape=SQUARE, orientation=0, x=np.array([0, 31]), y=np.array([31, 0])))
    np.testing.assert_allclose(ends, [[16.5, 47.5], [47.5, 16.5]])


def test_the_area_grows_as_the_square_of_the_scale():
    areas = sprite_masks().sum((-1, -2)).mean(-1)  # over orientations
    width, height = ELLIPSE_AXES
    full = [SQUARE_SIDE**2, np.pi * width * height, HEART_SIDE**2 * (1 + np.pi / 4)]
    np.testing.assert_allclose(areas, np.outer(full, SCALES**2), rtol=0.02)


def test_orientation_turns_the_long_axis_of_an_ellipse_counter_clockwise():
    moments = second_moments(render(shape=ELLIPSE, orientation=np.arange(40)))
    long_axis = np.linalg.eigh(moments)[1][..., -1]
    turn = np.deg2rad(ORIENTATIONS)
    along = np.abs(long_axis[:, 0] * np.cos(turn) + long_axis[:, 1] * np.sin(turn))
    assert along.min() > math.cos(math.radians(2))


def test_orientation_turns_a_heart_counter_clockwise():
    masks = sprite_masks()[HEART, -1]
    for orientation, degrees in enumerate(ORIENTATIONS):
        turned = ndimage.rotate(masks[0].astype(float), degrees, reshape=False, order=1) > 0.5
        shared, either = (masks & turned).sum((1, 2)), (masks | turned).sum((1, 2))
        assert np.argmax(shared / either) == orientation


@pytest.mark.parametrize("shape", [SQUARE, ELLIPSE, HEART])
def test_a_quarter_of_a_turn_is_exact(shape):
    for masks in sprite_masks()[shape]:
        np.testing.assert_array_equal(np.roll(masks, -10, axis=0), np.rot90(masks, axes=(1, 2)))


def test_orientation_moves_no_sprite():
    shape, orientation = np.unravel_index(np.arange(120), (3, 40))
    found = centres(render(shape=shape, orientation=orientation, x=15, y=15))
    np.testing.assert_allclose(found, 31.5, atol=0.15)


@pytest.mark.parametrize(("shape", "distinct"), [(SQUARE, 10), (ELLIPSE, 20), (HEART, 40)])
def test_squares_repeat_every_90_degrees_and_ellipses_every_180(shape, distinct):
    for masks in sprite_masks()[shape]:
        assert len({mask.tobytes() for mask in masks}) == distinct
        np.testing.assert_array_equal(masks, np.roll(masks, distinct, axis=0))


def test_shapes_and_scales_are_distinct():
    masks = sprite_masks()
    for orientation in range(len(ORIENTATIONS)):
        images = masks[:, :, orientation].reshape(len(SHAPES) * len(SCALES), -1)
        assert len(np.unique(images, axis=0)) == len(images)


def test_a_smaller_image_is_the_mean_of_the_larger():
    rng = np.random.default_rng(0)
    codes = tuple(rng.integers(0, count, 50) for count in GRID)
    large = render_sprites(codes, 64).astype(float).reshape(50, 32, 2, 32, 2, 1)
    np.testing.assert_allclose(render_sprites(codes, 32), large.mean((2, 4)), atol=0.5)


def test_an_image_does_not_depend_on_its_batch():
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(0, count, 30) for count in GRID])
    batch = render_sprites(tuple(codes), 64)
    order = rng.permutation(30)
    np.testing.assert_array_equal(render_sprites(tuple(codes[:, order]), 64), batch[order])
    alone = [render_sprites(tuple(codes[:, [row]]), 64)[0] for row in range(30)]
    np.testing.assert_array_equal(alone, batch)
