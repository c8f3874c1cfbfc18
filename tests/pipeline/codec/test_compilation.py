import keras
import numpy as np
import pytest
from keras import ops

from latentloom.pipeline.codec.compilation import compiled


@pytest.fixture(scope="module")
def dense():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


@pytest.fixture(scope="module")
def run(dense):
    def double(columns):
        codes = columns["codes"]
        return {"whole": ops.cast(codes, "uint8"), "twice": 2.0 * dense(codes)}

    return compiled(double, [dense], {"codes": ((4, 3), "float32")})


def test_columns_go_in_and_come_out_as_arrays(dense, run):
    codes = np.arange(12, dtype=np.float32).reshape(4, 3)
    result = run({"codes": codes})
    assert {type(column) for column in result.values()} == {np.ndarray}
    assert list(result) == ["whole", "twice"]
    np.testing.assert_allclose(result["twice"], 2 * codes @ dense.get_weights()[0], rtol=1e-5)
    np.testing.assert_array_equal(result["whole"], codes.astype(np.uint8))


def test_weights_loaded_later_count(dense, run):
    codes = np.ones((4, 3), np.float32)
    run({"codes": codes})
    dense.set_weights([np.zeros((3, 2)), np.array([1.0, 5.0])])
    np.testing.assert_array_equal(run({"codes": codes})["twice"], [[2.0, 10.0]] * 4)
