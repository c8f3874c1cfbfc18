"""Gaussians of codes, one a class, with a covariance within classes that all share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentloom.model_zoo.metrics.class_means import shrunk_means

LEAST_VARIANCE = 1e-6
"""Variance that is added on every axis, over the mean variance: some axes may not vary at all."""


@dataclass(frozen=True, eq=False)
class ClassGaussians:
    """A Gaussian for each class, with one covariance.

    Args:
        means: `(classes, dim)`.
        whitening: `(dim, dim)`: a difference to the mean times it has unit covariance.
    """

    means: np.ndarray
    whitening: np.ndarray

    @classmethod
    def fit(cls, codes: np.ndarray, labels: np.ndarray, num_classes: int) -> ClassGaussians:
        """Fits them; means are shrunk to the mean of all, the covariance to its diagonal.

        Args:
            codes: `(n, dim)` floats, finite.
            labels: Classes, `(n,)`.
            num_classes: Number of classes; some may have no code.
        """
        codes = codes.astype(np.float64)
        means = shrunk_means(codes, labels, num_classes)
        rest = codes - means[labels]
        dim, degrees = codes.shape[1], max(len(codes) - num_classes, 1)
        covariance = rest.T @ rest / degrees
        kept = degrees / (degrees + dim)
        variances = np.diag(covariance)
        covariance = kept * covariance + (1 - kept) * np.diag(variances)
        covariance += np.eye(dim) * max(LEAST_VARIANCE * variances.mean(), 1e-12)
        whitening = np.linalg.inv(np.linalg.cholesky(covariance)).T
        return cls(means.astype(np.float32), whitening.astype(np.float32))

    def log_density(self, codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Log density of codes under the Gaussians of their classes, `(n,)` float64 in nats."""
        whitening = self.whitening.astype(np.float64)
        rest = (codes.astype(np.float64) - self.means[labels]) @ whitening
        spread = np.log(np.diag(whitening)).sum() - len(whitening) / 2 * np.log(2 * np.pi)
        return spread - np.square(rest).sum(axis=1) / 2
