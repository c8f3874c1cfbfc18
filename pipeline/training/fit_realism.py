"""Fits what the gate for realism compares with, to real examples that the auditor never sees.

Held-out examples set its bounds: examples of the auditor's fold, which the judge never saw.
"""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.bundle import Bundle
from latentloom.model_zoo.metrics.class_gaussians import ClassGaussians
from latentloom.model_zoo.metrics.class_means import residuals, shrunk_means
from latentloom.model_zoo.networks.classifier import NUM_FEATURES
from latentloom.model_zoo.realism_file import realism_statistics
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.codec.realism import DECIMALS, Realism
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.folds import Folds
from latentloom.pipeline.dataset.sampling import choose, rank_in_class

REFERENCES = 200
"""Most real examples of a class that variants are compared with."""
REFERENCE_BYTES = 16 << 20
"""Most bytes of the features of all of them."""
HELD_OUT = 4000
"""Most held-out examples that set the bounds."""


def fit_realism(bundle: Bundle, folds: Folds) -> dict[str, np.ndarray]:
    """Measures real examples; the arrays are those of `model_zoo.realism_file`.

    Codes are samples of the posterior: their spread is that of codes drawn from a prior, which the
    means of the posteriors do not have.

    Args:
        bundle: A bundle with a trained model and trained judges.
        folds: The examples, divided.
    """
    codec, blocks = Codec(bundle), tuple(bundle.model.latent_spec)
    num_classes = len(bundle.class_names)
    statistics = realism_statistics(
        bundle.scaling.kind, sum(block["dim"] for block in bundle.model.latent_spec.values())
    )
    real = choose_references(folds.judge, num_classes)
    arrays = {
        "distance/references": codec.features(real.observations, "judge"),
        "distance/labels": real.labels.astype(np.int32),
    }
    realism = Realism(arrays, codec.kind, blocks)
    if "density" in statistics:
        codes = realism.joined(codec.sample_posterior(real.observations, seed=0))
        gaussians = ClassGaussians.fit(codes, real.labels, num_classes)
        arrays["density/means"] = gaussians.means
        arrays["density/whitening"] = gaussians.whitening
    held_out = choose(folds.auditor, HELD_OUT, 0, "realism")
    measured = realism.measure(
        held_out.observations,
        codec.features(held_out.observations, "judge"),
        codec.sample_posterior(held_out.observations, seed=1),
        held_out.labels,
    )
    for name in statistics:
        values = measured[name], held_out.labels, num_classes
        arrays[f"{name}/centres"] = shrunk_means(*values)
        arrays[f"{name}/held_out"] = np.round(residuals(*values), DECIMALS)
    return arrays


def choose_references(examples: Examples, num_classes: int) -> Examples:
    """Chooses up to `REFERENCES` examples of each class by their ids, and one at least."""
    of_each = REFERENCE_BYTES // (4 * NUM_FEATURES * num_classes)
    mixed = choose(examples, len(examples), 0, "references")
    ranks = rank_in_class(np.arange(len(mixed)), mixed.labels)
    return mixed.take(ranks < max(1, min(REFERENCES, of_each)))
