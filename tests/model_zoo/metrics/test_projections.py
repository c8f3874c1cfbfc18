import numpy as np
import pytest

from latentloom.model_zoo.metrics.projections import neighbour_embedding, principal_components

PROJECTIONS = [principal_components, neighbour_embedding]


def clusters(dim: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """120 codes in three clusters far apart."""
    rng, labels = np.random.default_rng(0), np.arange(120) % 3
    return (20 * np.eye(dim)[labels] + rng.normal(size=(120, dim))).astype(np.float32), labels


@pytest.mark.parametrize("project", PROJECTIONS)
def test_clusters_stay_apart(project):
    codes, labels = clusters()
    points = project(codes)
    centres = np.stack([points[labels == label].mean(axis=0) for label in range(3)])
    nearest = np.linalg.norm(points[:, None] - centres, axis=-1).argmin(axis=1)
    np.testing.assert_array_equal(nearest, labels)


def test_principal_components_keep_the_distances_of_a_plane():
    plane = np.random.default_rng(0).normal(size=(50, 2)) * [3, 1]
    basis, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 2)))
    points = principal_components(plane @ basis.T + 5)
    np.testing.assert_allclose(
        np.linalg.norm(points - points[0], axis=1), np.linalg.norm(plane - plane[0], axis=1)
    )
    assert points[:, 0].var() > points[:, 1].var()


@pytest.mark.parametrize("project", PROJECTIONS)
@pytest.mark.parametrize("codes", [np.ones((30, 4)), np.arange(30.0)[:, None]], ids=["one", "line"])
def test_codes_without_two_directions_are_placed(project, codes):
    points = project(codes)
    assert points.shape == (30, 2)
    assert np.isfinite(points).all()
    assert (np.ptp(points, axis=0).max() == 0) == (np.ptp(codes) == 0)


def test_the_same_seed_places_the_same():
    codes, _ = clusters()
    np.testing.assert_array_equal(neighbour_embedding(codes, 1), neighbour_embedding(codes, 1))
