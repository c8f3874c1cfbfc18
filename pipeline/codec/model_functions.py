"""The model of a bundle as functions of one batch of tensors, ready to be compiled."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from keras import ops

from latentloom.model_zoo.bundle import Bundle
from latentloom.pipeline.codec.compilation import Columns
from latentloom.pipeline.codec.densities import density_columns, sample_blocks
from latentloom.pipeline.codec.judges import Judges

JUDGE_FEATURES = "judge/features"
"""Name of a column that no factor has."""
DETAIL = "anchor/detail"
"""Name of a column that no block has: what is added to decoded codes, in units of the model."""


class ModelFunctions:
    """Functions from columns of tensors to columns of tensors.

    Columns are `images`, observations as stored; the blocks of a code by name; `labels`; `seed`.

    Args:
        bundle: The loaded bundle.
        judges: Its judges, which classify decoded images.
    """

    def __init__(self, bundle: Bundle, judges: Judges):
        self.bundle, self.model, self.judges = bundle, bundle.model, judges

    def encode(self, blocks: Sequence[str], columns: Columns) -> Columns:
        """Images to some blocks of their codes, without noise."""
        codes = self.model.encode(self._observed(columns))
        return {name: codes[name] for name in blocks}

    def sample(self, columns: Columns) -> Columns:
        """Images to one sample of every block's posterior."""
        return sample_blocks(self.model.posterior(self._observed(columns)), columns["seed"])

    def moments(self, columns: Columns) -> Columns:
        """Images to `<block>/loc` and `<block>/scale` of every posterior that has them."""
        moments = {}
        for name, block in self.model.posterior(self._observed(columns)).items():
            with contextlib.suppress(NotImplementedError):  # TFP distribution without moments
                moments |= {f"{name}/loc": block.mean(), f"{name}/scale": block.stddev()}
        return moments

    def densities(self, columns: Columns) -> Columns:
        """Images to the columns of the posteriors that have densities."""
        return density_columns(self.model.posterior(self._observed(columns)), columns["seed"])

    def evidence(self, columns: Columns) -> Columns:
        """Images to lower bounds on their log probabilities."""
        return {"bound": self.model.evidence_bound(self._observed(columns), columns["seed"])}

    def prior(self, columns: Columns) -> Columns:
        """Labels to draws of the blocks that carry the label, from the model's own prior."""
        prior, blocks = self.model.class_prior(columns["labels"]), self.model.latent_spec.items()
        carriers = {name: prior[name] for name, block in blocks if "label" in block["factors"]}
        return sample_blocks(carriers, columns["seed"])

    def class_scores(self, latents: Columns) -> Columns:
        """Codes to the model's own class scores."""
        return {"scores": self.model.class_scores(latents)}

    def detail(self, columns: Columns) -> Columns:
        """Images and their codes to the images less what the codes decode to."""
        return {DETAIL: self._observed(columns) - self.model.decode(self._codes(columns))}

    def decode(self, columns: Columns) -> Columns:
        """Codes to images."""
        return {"image": self._decoded(columns)[0]}

    def render(self, columns: Columns) -> Columns:
        """Codes to images and to the judge's probabilities by factor, NaN where not finite."""
        images, finite = self._decoded(columns)
        return {"image": images} | _where(finite, self.judges.read("judge", {"images": images}))

    def render_with_features(self, columns: Columns) -> Columns:
        """Like `render`, with `JUDGE_FEATURES`, the judge's last hidden layer."""
        images, finite = self._decoded(columns)
        read, features = self.judges.read_with_features({"images": images})
        return {"image": images, JUDGE_FEATURES: features} | _where(finite, read)

    def _decoded(self, columns: Columns):
        """Codes to images, and to whether codes and images are finite, `(batch, 1)`.

        Adds the column `DETAIL`, if there is one, before images are rounded and clipped.
        """
        latents = self._codes(columns)
        decoded = self.model.decode(latents)
        if DETAIL in columns:
            decoded = decoded + columns[DETAIL]
        images = self.bundle.scaling.from_model(decoded, self.model.value_range)
        finite = ops.all(ops.isfinite(decoded), axis=tuple(range(1, len(decoded.shape))))
        for block in latents.values():  # a network can hide NaN or infinity
            finite = ops.logical_and(finite, ops.all(ops.isfinite(block), axis=-1))
        return images, ops.expand_dims(finite, -1)

    def _codes(self, columns: Columns) -> Columns:
        """The blocks of the code, in their order."""
        return {name: columns[name] for name in self.model.latent_spec}

    def _observed(self, columns: Columns):
        """Scales images as stored to the input of the model."""
        observations = ops.cast(columns["images"], "float32")
        return self.bundle.scaling.to_model(observations, self.model.value_range)


def _where(finite, read: Columns) -> dict[str, Any]:
    """Probabilities by factor, NaN where not finite."""
    return {
        factor: ops.where(finite, probabilities, float("nan"))
        for factor, probabilities in read.items()
    }
