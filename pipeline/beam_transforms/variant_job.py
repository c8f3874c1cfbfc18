"""What workers need to make variants of any example: the bundle, the settings and their plan."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from latentloom.augment import HoldOut, Recipe, find_recipe
from latentloom.model_zoo.bundle import read_description, scaling_of
from latentloom.model_zoo.priors_file import read_priors
from latentloom.model_zoo.realism_file import read_realism
from latentloom.pipeline.codec.detail import check_detail
from latentloom.pipeline.codec.realism import check_realism
from latentloom.pipeline.codec.spec import spec_of
from latentloom.pipeline.config.explanation import explain
from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.dataset.held_out_cells import read_hold_out
from latentloom.pipeline.dataset.known_names import check_generate_names
from latentloom.pipeline.generation.generate import check_backend
from latentloom.pipeline.generation.job import FactorPlan
from latentloom.pipeline.generation.planning.class_quotas import check_donors
from latentloom.pipeline.generation.planning.factor_plan import plan_uncounted
from latentloom.pipeline.observations import KINDS, Kind
from latentloom.pipeline.storage.files import Location, is_remote, local_folder
from latentloom.pipeline.storage.path_checks import check_path

ARGUMENTS = {"variants_per_example": "variants"}
"""Names of arguments that differ from those of the settings of `generate`."""


@dataclass(frozen=True)
class VariantJob:
    """How examples are read and varied, as plain data.

    Attributes:
        model: Bundle directory.
        bundle_digest: Digest of the bundle.
        settings: Settings as of the section `generate` of a configuration.
        plan: How the recipe uses factors, without counts.
        hold_out: Cells that the model was not trained on; their examples are skipped.
        factors: Value names of the factors that every example has, the label first.
        observation: Name of the kind of observation.
        observation_shape: Event shape.
    """

    model: str
    bundle_digest: str
    settings: GenerateConfig
    plan: FactorPlan
    hold_out: HoldOut
    factors: dict[str, tuple[str, ...]]
    observation: str
    observation_shape: tuple[int, ...]

    @property
    def kind(self) -> Kind:
        """The kind of observation."""
        return KINDS[self.observation]

    @property
    def recipe(self) -> Recipe:
        """The recipe."""
        return find_recipe(self.settings.recipe)


def plan_variant_job(bundle: Location, caller: str, **settings: Any) -> VariantJob:
    """Checks that bundle and settings fit each other; loads no model.

    Args:
        bundle: Bundle directory, local or remote.
        caller: Name of the transform, for messages.
        **settings: Settings of the section `generate`, by name.

    Raises:
        FileNotFoundError: The bundle is missing, or one of its files.
        TypeError: `bundle` is no path.
        ValueError: The bundle is damaged, a setting is wrong, recipe and bundle do not fit, or
            Keras does not run on TensorFlow.
    """
    check_backend()
    checked = _settings_of(caller, settings)
    recipe = find_recipe(checked.recipe)
    recipe.resolve(checked.options)
    _check_per_example(recipe, caller)
    model = _bundle_path(bundle)
    with local_folder(model) as folder:
        description = read_description(folder)
        priors, realism = read_priors(folder, description), read_realism(folder, description)
    factors = {name: tuple(values) for name, values in description["factors"].items()}
    observation = scaling_of(description).kind
    check_generate_names(checked, factors)
    check_detail(checked.detail, KINDS[observation])
    if checked.gate.realism:
        check_realism(realism)
    if recipe.takes_donors(checked.options):
        check_donors({}, checked, {})
    spec = spec_of(description["latent_spec"], priors)
    judged = description.get("judge_factors", ["label"])
    return VariantJob(
        model=model,
        bundle_digest=description["digest"],
        settings=checked,
        plan=plan_uncounted(checked, factors, spec, judged),
        hold_out=read_hold_out(description["details"], factors, model),
        factors=factors,
        observation=observation,
        observation_shape=tuple(description["image_shape"]),
    )


def _settings_of(caller: str, settings: Mapping[str, Any]) -> GenerateConfig:
    try:
        return GenerateConfig.model_validate(dict(settings))
    except ValidationError as error:
        told = explain(error, dict(settings), GenerateConfig)
        for name, argument in ARGUMENTS.items():
            told = told.replace(name, argument)
        raise ValueError(f"In the arguments of {caller}: {told}") from None


def _check_per_example(recipe: Recipe, caller: str) -> None:
    if recipe.fills_cells:
        raise ValueError(
            f"The recipe '{recipe.name}' fills cells of a whole data set, and {caller} sees one "
            "example at a time. Expected: a recipe that makes variants of each example. Received: "
            f"recipe={recipe.name!r}. Run `latentloom generate`, or choose another recipe."
        )


def _bundle_path(bundle: Location) -> str:
    """Returns the path of a bundle, which workers read from any working folder."""
    if not isinstance(bundle, (str, os.PathLike)):
        raise TypeError(
            "The bundle is of a wrong type. Expected: the path of a directory, which every worker "
            f"reads. Received: bundle of type {type(bundle).__name__}. Pass what "
            "`latentloom train --out` wrote."
        )
    path = check_path(bundle, "bundle", is_input=True)
    return path if is_remote(path) else os.path.abspath(path)
