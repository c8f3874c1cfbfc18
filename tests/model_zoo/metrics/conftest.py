"""Factors, and codes that separate them, mix them or do not know them."""

import numpy as np
import pytest

HADAMARD = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2


@pytest.fixture(scope="session")
def two_values():
    """Values 0 and 1 of four factors, `(2000, 4)`."""
    return np.random.default_rng(0).integers(0, 2, (2000, 4))


@pytest.fixture(scope="session")
def five_values():
    """Values 0 to 4 of four factors, `(2000, 4)`."""
    return np.random.default_rng(1).integers(0, 5, (2000, 4))


@pytest.fixture(scope="session")
def noise():
    """Codes without any information, `(2000, 4)`."""
    return np.random.default_rng(2).normal(size=(2000, 4))


@pytest.fixture(scope="session")
def perfect():
    """Returns a function that gives each factor a dimension of variance 1, with a little noise."""

    def encode(factors):
        exact = (factors - factors.mean(axis=0)) / factors.std(axis=0)
        return exact + 0.02 * np.random.default_rng(3).normal(size=factors.shape)

    return encode


@pytest.fixture(scope="session")
def rotated(perfect):
    """Returns a function that turns perfect codes by a random orthogonal matrix."""

    def encode(factors, seed=4):
        square = np.random.default_rng(seed).normal(size=(factors.shape[1],) * 2)
        return perfect(factors) @ np.linalg.qr(square)[0]

    return encode


@pytest.fixture(scope="session")
def evenly_mixed(perfect):
    """Returns a function that spreads each of four factors over four dimensions alike."""
    return lambda factors: perfect(factors) @ HADAMARD


@pytest.fixture(scope="session")
def doubled(perfect):
    """Returns a function that gives each factor two dimensions with noise of their own."""

    def encode(factors):
        pairs = np.repeat(perfect(factors), 2, axis=1)
        return pairs + 0.02 * np.random.default_rng(5).normal(size=pairs.shape)

    return encode
