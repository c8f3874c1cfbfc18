"""Variants of a batch of images inside a graph: encode, draw, decode, judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from latentloom.augment import (
    RECIPES,
    Anchors,
    LatentSpec,
    Origin,
    VariantPlan,
    find_recipe,
    plan_variants,
)
from latentloom.model_zoo.bundle import Bundle
from latentloom.pipeline.codec.judges import Judges
from latentloom.pipeline.codec.model_functions import DETAIL, ModelFunctions
from latentloom.pipeline.codec.prior_draws import PriorDraws
from latentloom.pipeline.codec.spec import spec_of

_DRAWN = (Origin.KEEP, Origin.PRIOR, Origin.STEP)


class GraphVariants:
    """Makes one variant of each image with the networks of a bundle, in `keras.ops`.

    Args:
        bundle: The bundle, of images.
        recipe: Name of a recipe without donors; its variants keep the class.
        options: Options of the recipe.
        min_confidence: Least probability of the class by the judge, which must also be the
            highest; None to accept all that is finite.
        detail: Share of the detail of an image that is put back into its variant.

    Raises:
        ValueError: If the bundle is not of images, or the recipe cannot run here.
    """

    def __init__(
        self,
        bundle: Bundle,
        recipe: str,
        options: Mapping[str, Any],
        min_confidence: float | None,
        detail: float,
    ):
        _check_images(bundle)
        self.shape, self.num_classes = bundle.observation_shape, len(bundle.class_names)
        self._judges, self._blocks = Judges(bundle), tuple(bundle.model.latent_spec)
        self._functions = ModelFunctions(bundle, self._judges)
        self._min_confidence, self._detail = min_confidence, detail
        spec = spec_of(bundle.model.latent_spec, bundle.priors)
        plan = _plan(recipe, spec, options)
        self._draws = {
            block.name: PriorDraws(block, plan, self.num_classes)
            for block in spec
            if plan.origins[block.name][0] != Origin.KEEP
        }

    def classes(self, images: Any) -> Any:
        """Returns the class that the judge reads in images as stored, int32 of shape `(n,)`."""
        return ops.cast(ops.argmax(self._read(images), axis=-1), "int32")

    def __call__(
        self, images: Any, labels: Any, seed: keras.random.SeedGenerator
    ) -> tuple[Any, Any]:
        """Makes a variant of each image.

        Args:
            images: uint8 of shape `(n, height, width, channels)`.
            labels: Their classes, int32 of shape `(n,)`. Of an unknown class nothing is accepted.
            seed: What the random numbers come from.

        Returns:
            The variants, uint8, and whether the gate accepts each, bool of shape `(n,)`.
        """
        columns = {"images": images}
        codes = dict(self._functions.encode(self._blocks, columns))
        if self._detail:
            own = self._functions.detail({**columns, **codes})[DETAIL]
            columns = {DETAIL: self._detail * own}
        known = ops.clip(labels, 0, self.num_classes - 1)
        drawn = {name: draw(codes[name], known, seed) for name, draw in self._draws.items()}
        made = self._functions.render({**columns, **codes, **drawn})
        return made["image"], self._accepts(made["label"], labels)

    def _accepts(self, probabilities: Any, labels: Any) -> Any:
        """Returns the verdict of `QualityGate` on the class; NaN is never accepted."""
        if self._min_confidence is None:
            return ops.all(ops.isfinite(probabilities), axis=-1)
        expected = ops.one_hot(labels, self.num_classes, dtype="float32")
        confidence: Any = ops.sum(expected * probabilities, axis=-1)
        is_highest = ops.all(confidence[:, None] >= probabilities, axis=-1)  # of no rows, too
        return ops.logical_and(is_highest, confidence >= self._min_confidence)

    def _read(self, images: Any) -> Any:
        return self._judges.read("judge", {"images": images})["label"]


def _plan(recipe: str, spec: LatentSpec, options: Mapping[str, Any]) -> VariantPlan:
    """Plans one variant; its plan says of each block whether it is kept, drawn or moved."""
    anchor = Anchors(["anchor"], {"label": np.zeros(1, np.int64)}, np.ones(1, np.int64))
    if not find_recipe(recipe).needs_donors:
        plan = plan_variants(recipe, anchor, spec, seed=0, options=options)
        if all(np.isin(origins, _DRAWN).all() for origins in plan.origins.values()):
            return plan
    able = [name for name, each in RECIPES.items() if not each.needs_donors and name != "traverse"]
    raise ValueError(
        f"Recipe '{recipe}' needs donors or a plan, which a layer has not. Expected: one of "
        f"{', '.join(sorted(able))}. Received: recipe={recipe!r}. Choose one of these, or write "
        "the variants with `latentloom.generate`."
    )


def _check_images(bundle: Bundle) -> None:
    if bundle.scaling.kind != "image":
        raise ValueError(
            "The layer varies images alone. Expected: a bundle of images. Received: a bundle of "
            f"kind '{bundle.scaling.kind}'. Write variants with `latentloom.generate`."
        )
