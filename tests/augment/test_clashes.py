import numpy as np
import pytest

from latentloom.augment import find_clashes, go_together

NAMES = {"label": ("a", "b", "c"), "ink": ("red", "green"), "back": ("red", "green", "blue")}


def test_clashes_are_the_values_of_the_same_name():
    clashes = find_clashes(NAMES, [("ink", "back")])
    expected = [[True, False, False], [False, True, False]]
    assert clashes["ink", "back"].tolist() == expected
    assert clashes["back", "ink"].T.tolist() == expected


@pytest.mark.parametrize(
    ("pair", "fix"),
    [
        (("inks", "back"), "Did you mean 'ink'"),
        (("label", "back"), "Leave this pair out"),
        (("ink", "ink"), "Leave this pair out"),
    ],
)
def test_factors_that_cannot_clash_are_refused(pair, fix):
    with pytest.raises(ValueError, match=fix):
        find_clashes(NAMES, [pair])


def test_a_cell_fits_unless_two_of_its_values_clash():
    cells = np.array(list(np.ndindex(3, 2, 3)))
    fits = go_together(("label", "ink", "back"), cells, find_clashes(NAMES, [("ink", "back")]))
    assert fits.tolist() == [ink != back for _, ink, back in cells.tolist()]


def test_a_clash_with_a_factor_that_is_not_named_does_not_matter():
    clashes = find_clashes(NAMES, [("ink", "back")])
    assert go_together(("label", "ink"), np.zeros((2, 2), int), clashes).all()
