"""A small grid of factors, each image of which tells its row."""

import numpy as np
import pytest

SIZES = {"label": 4, "size": 3, "ink": 3}


@pytest.fixture(scope="session")
def sizes():
    return dict(SIZES)


@pytest.fixture(scope="session")
def grid():
    """Every cell of the grid twice, as factors."""
    cells = np.stack(np.unravel_index(np.arange(36).repeat(2), tuple(SIZES.values())), axis=1)
    return dict(zip(SIZES, cells.T, strict=True))


@pytest.fixture(scope="session")
def images():
    """Returns a function that makes images of `(2, 2, 1)`, every pixel the image's row."""

    def make(count, first=0):
        rows = np.arange(first, first + count, dtype=np.uint8)
        return np.broadcast_to(rows[:, None, None, None], (count, 2, 2, 1)).copy()

    return make
