import numpy as np
import pytest

from latentloom.augment.columns import as_integers, check_lengths


def test_integers_of_any_width_become_int64():
    column = as_integers("Anchors", "label", np.array([1, 2], np.uint8))
    assert column.dtype == np.int64
    assert column.tolist() == [1, 2]


def test_an_empty_column_may_have_any_type():
    assert as_integers("Anchors", "label", np.array([])).dtype == np.int64


@pytest.mark.parametrize("values", [np.array([0.5]), np.array([True]), np.array(["a"])])
def test_a_column_of_another_kind_is_refused(values):
    with pytest.raises(TypeError, match="Convert the values to indices"):
        as_integers("Anchors", "label", values)


def test_a_matrix_is_not_a_column():
    with pytest.raises(ValueError, match="Pass one value per row"):
        as_integers("Anchors", "label", np.zeros((2, 2), int))


def test_a_short_column_is_named():
    with pytest.raises(ValueError, match=r"len\(font\)=2.*Pass one value per row in every column"):
        check_lengths("Anchors", 3, {"label": np.zeros(3), "font": np.zeros(2)})
