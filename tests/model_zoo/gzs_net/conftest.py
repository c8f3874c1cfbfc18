"""Images that tell their rows."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def images():
    """Returns a function that makes images of `(2, 2, 1)`, every pixel the image's row."""

    def make(count, first=0):
        rows = np.arange(first, first + count, dtype=np.uint8)
        return np.broadcast_to(rows[:, None, None, None], (count, 2, 2, 1)).copy()

    return make
