"""Audits generated examples of the cells that a tie empties.

A classifier may gain from wrong images, since mixing them in breaks the tie all the same. An
independent auditor checks the images.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np

from latentloom.model_zoo.networks.heads import split_heads
from latentloom.model_zoo.training.classifier import fit_classifier, logits_of
from latentloom.model_zoo.training.schedule import Schedule
from latentloom.pipeline.dataset.examples import Examples, Factors
from latentloom.pipeline.study.ties import follows_ties

AUDITOR_SEED = 303
AUDITOR_BATCH = 64


@dataclass(frozen=True)
class Auditor:
    """A classifier of label and tied factors, trained on the whole training split, without ties.

    Args:
        train: The training split.
        factors: Value names of the label and of every other factor.
        ties: The tied factors.
        steps: Least number of training batches, rounded up to whole epochs.
    """

    train: Examples
    factors: Factors
    ties: Mapping[str, float]
    steps: int

    @property
    def sizes(self) -> dict[str, int]:
        """Number of values of each audited factor."""
        return {name: len(self.factors[name]) for name in ("label", *self.ties)}

    @functools.cached_property
    def network(self) -> keras.Sequential:
        """The trained network."""
        values = np.stack([self.train.factors[name] for name in self.sizes], axis=1)
        epochs = math.ceil(self.steps * AUDITOR_BATCH / len(values))
        schedule = Schedule(epochs=epochs, batch_size=AUDITOR_BATCH, seed=AUDITOR_SEED)
        return fit_classifier(
            (self.train.observations, values), list(self.sizes.values()), schedule
        )

    def reads(self, examples: Examples) -> np.ndarray:
        """Whether each example has label and tied factors classified as planned, bool `(n,)`."""
        heads = split_heads(
            logits_of(self.network, examples.observations), list(self.sizes.values())
        )
        read = [
            head.argmax(axis=1) == examples.factors[name]
            for name, head in zip(self.sizes, heads, strict=True)
        ]
        return np.all(read, axis=0)

    def figures(self, examples: Examples) -> dict[str, float]:
        """`count`, the number of examples off the ties; `read`, the mean of `reads` over them."""
        off = examples.take(~follows_ties(examples, self.ties, self.factors))
        return {"count": len(off), "read": float(self.reads(off).mean()) if len(off) else 0.0}
