"""All disentanglement scores of a code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentloom.model_zoo.metrics.disentanglement.dci import REGRESSORS, dci
from latentloom.model_zoo.metrics.disentanglement.fixed_factors import (
    beta_vae_score,
    factor_vae_score,
)
from latentloom.model_zoo.metrics.disentanglement.labelled_codes import Factors
from latentloom.model_zoo.metrics.disentanglement.mutual_information import (
    modularity,
    mutual_information_gap,
)
from latentloom.model_zoo.metrics.disentanglement.separability import explicitness, sap_score


@dataclass(frozen=True)
class Disentanglement:
    """Result of `disentanglement_scores`.

    Attributes:
        scores: By name: `mig`, `modularity`, `sap`, `explicitness`, `factor_vae`, `beta_vae`; and
            `dci_<regressor>_disentanglement`, `dci_<regressor>_completeness` and
            `dci_<regressor>_error` for `forest` and `lasso`. Higher is better, except for errors.
        importance: For `forest` and `lasso`, `(dim, num_factors)`: importance of a dimension for a
            factor.
    """

    scores: dict[str, float]
    importance: dict[str, np.ndarray]


def disentanglement_scores(codes: np.ndarray, factors: Factors, seed: int = 0) -> Disentanglement:
    """Computes every disentanglement score; see each function for references and settings.

    Args:
        codes: `(n, dim)`, at least 20 examples.
        factors: Integers, `(n,)` by name or `(n, num_factors)`.
        seed: Seed of all splits, trees and batches.

    Raises:
        ValueError: Codes and factors cannot be compared, or values are too rare.
    """
    scores, importance = {}, {}
    for regressor in REGRESSORS:
        found = dci(codes, factors, regressor, seed)
        scores[f"dci_{regressor}_disentanglement"] = found.disentanglement
        scores[f"dci_{regressor}_completeness"] = found.completeness
        scores[f"dci_{regressor}_error"] = found.informativeness_error
        importance[regressor] = found.importance
    scores |= {
        "mig": mutual_information_gap(codes, factors),
        "modularity": modularity(codes, factors),
        "sap": sap_score(codes, factors, seed),
        "explicitness": explicitness(codes, factors, seed),
        "factor_vae": factor_vae_score(codes, factors, seed),
        "beta_vae": beta_vae_score(codes, factors, seed),
    }
    return Disentanglement(scores, importance)
