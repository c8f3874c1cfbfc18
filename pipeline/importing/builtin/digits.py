"""The 1,797 handwritten digits that come with scikit-learn, 8 x 8 pixels."""

from __future__ import annotations

import numpy as np

from latentloom.augment.randomness import identity_keys
from latentloom.pipeline.importing.arrays import ArraySource

_TEST_SHARE = 5  # one in five


def open_digits() -> ArraySource:
    """Opens the digits. Grey levels 0..16 become 0..255; the hash of its row picks the split."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    keys = identity_keys(0, "digits split", [str(row) for row in range(len(labels))])
    in_test = keys % np.uint64(_TEST_SHARE) == 0
    return ArraySource(
        name="digits",
        description="Handwritten digits of scikit-learn, 8x8 grey; one in five is in `test`.",
        factors={"label": [str(digit) for digit in range(10)]},
        observations=np.rint(pixels * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1),
        codes={"label": labels.astype(np.int64)},
        rows={"train": np.flatnonzero(~in_test), "test": np.flatnonzero(in_test)},
    )
