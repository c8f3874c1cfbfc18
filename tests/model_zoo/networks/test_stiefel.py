"""Matrices with orthonormal columns are made, measured, mended and told from others."""

import keras
import numpy as np
import pytest

from latentloom.model_zoo.networks.stiefel import (
    OrthonormalColumns,
    Stiefel,
    check_on_manifold,
    orthonormalize,
    stiefel_defect,
)

SHAPES = [(50, 10), (7, 7), (4, 1)]


def defect(matrix):
    """The definition, in float64."""
    columns = keras.ops.convert_to_numpy(matrix).astype(float)
    return np.linalg.norm(columns.T @ columns - np.eye(columns.shape[1]))


def projector(columns):
    """What is invariant under another basis of the same span."""
    return columns @ np.linalg.pinv(columns)


# --- Making -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_drawn_columns_are_orthonormal(shape):
    matrix = OrthonormalColumns(seed=0)(shape)
    assert tuple(matrix.shape) == shape
    assert defect(matrix) < 2e-6


def test_draws_are_uniform_on_the_sphere():
    draws = [OrthonormalColumns(seed=seed)((3, 1)) for seed in range(300)]
    points = np.concatenate([keras.ops.convert_to_numpy(draw) for draw in draws], axis=1)
    np.testing.assert_allclose(points.mean(axis=1), 0.0, atol=0.1)
    np.testing.assert_allclose(points @ points.T / 300, np.eye(3) / 3, atol=0.07)


def test_the_same_seed_draws_the_same_after_a_round_trip_through_the_config():
    initializer = OrthonormalColumns(seed=3)
    serialized = keras.saving.serialize_keras_object(initializer)
    again = keras.saving.deserialize_keras_object(serialized)
    np.testing.assert_array_equal(initializer((5, 2)), again((5, 2)))


@pytest.mark.parametrize("shape", [(3, 5), (4,), (2, 3, 3)])
def test_a_shape_without_orthonormal_columns_is_refused(shape):
    with pytest.raises(ValueError, match=r"shape \(l, m\) with m <= l\. Received: shape=\("):
        OrthonormalColumns()(shape)
    for refuse in (Stiefel(), lambda matrix: check_on_manifold(matrix, "U")):
        with pytest.raises(ValueError, match="Lower the number of columns, or transpose"):
            refuse(np.ones(shape, "float32"))


# --- Mending ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_any_matrix_becomes_orthonormal_and_keeps_its_span(shape):
    matrix = np.random.default_rng(0).normal(size=shape).astype("float32")
    columns = keras.ops.convert_to_numpy(orthonormalize(matrix))
    assert columns.dtype == np.float32
    assert defect(columns) < 2e-6
    np.testing.assert_allclose(projector(columns), projector(matrix), atol=1e-4)


def test_an_orthonormal_matrix_stays_and_one_nearby_moves_little():
    matrix = keras.ops.convert_to_numpy(OrthonormalColumns(seed=0)((50, 10)))
    np.testing.assert_allclose(orthonormalize(-matrix), -matrix, atol=1e-6)
    nearby = matrix + 1e-3 * np.random.default_rng(0).normal(size=matrix.shape).astype("float32")
    moved = np.linalg.norm(keras.ops.convert_to_numpy(orthonormalize(nearby)) - nearby)
    assert 0.1 * defect(nearby) < moved < defect(nearby)


def test_dependent_columns_are_replaced():
    assert defect(orthonormalize(np.zeros((5, 2), "float32"))) < 1e-6


def test_the_constraint_holds_a_weight_on_the_manifold_under_plain_adam():
    layer = keras.layers.Dense(
        3, kernel_initializer=OrthonormalColumns(seed=0), kernel_constraint=Stiefel()
    )
    model = keras.Sequential([keras.Input((8,)), layer])
    model.compile(keras.optimizers.Adam(0.1), "mse", jit_compile=False)
    start = layer.kernel.numpy()
    x = np.random.default_rng(0).normal(size=(32, 8)).astype("float32")
    model.fit(x, x[:, :3], 8, epochs=2, verbose=0)
    assert np.abs(layer.kernel.numpy() - start).max() > 0.1
    assert defect(layer.kernel) < 2e-6


# --- Measuring --------------------------------------------------------------------------------


def test_the_defect_is_that_of_its_definition():
    matrix = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    assert float(stiefel_defect(matrix)) == pytest.approx(defect(matrix), rel=1e-5)
    assert float(stiefel_defect(keras.Variable(np.eye(6, 4)))) == 0.0


def test_a_matrix_on_the_manifold_is_let_pass():
    check_on_manifold(keras.Variable(OrthonormalColumns(seed=0)((50, 10))), "U")


def test_a_matrix_off_the_manifold_is_refused_with_its_defect():
    matrix = np.eye(6, 4, dtype="float32") * np.float32(1.01)
    with pytest.raises(ValueError, match=r"'U' has left .* 0\.0001\. Received: 0\.0402\. Load"):
        check_on_manifold(matrix, "U")


def test_a_matrix_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="Received: nan. Load another checkpoint"):
        check_on_manifold(np.full((3, 2), np.nan, "float32"), "U")


def test_a_matrix_rounded_to_half_precision_is_refused_until_it_is_mended():
    matrix = keras.ops.convert_to_numpy(OrthonormalColumns(seed=0)((50, 10)))
    rounded = matrix.astype("float16").astype("float32")
    with pytest.raises(ValueError, match="if it was merely rounded"):
        check_on_manifold(rounded, "U")
    check_on_manifold(orthonormalize(rounded), "U")
