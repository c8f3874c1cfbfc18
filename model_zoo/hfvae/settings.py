"""Arguments of the hierarchically factorised VAE that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from latentloom.model_zoo.hfvae.likelihoods import LIKELIHOODS
from latentloom.model_zoo.hfvae.topics import TOPIC_MODELS
from latentloom.model_zoo.scaling import Counts
from latentloom.model_zoo.spelling import nearest_name

if TYPE_CHECKING:
    from latentloom.model_zoo.hfvae.hfvae import HFVAE

BLOCK_KEYS = ("dim", "values", "factor")
WEIGHTS = (
    "mutual_information_weight",
    "between_weight",
    "within_weight",
    "dimension_wise_weight",
    "label_weight",
)
POSITIVE = ("temperature", "noise_variance", "num_components", "max_joint_classes")


def check_arguments(model: HFVAE) -> None:
    """Refuses arguments that a model was made with.

    Raises:
        ValueError: A block cannot be, the likelihood is unknown or does not fit, or a number is out
            of range.
    """
    check_blocks(model.blocks, model.num_classes)
    _check_likelihood(model.likelihood_name, model.image_shape, model.observation)
    _check_topics(model)
    for name in WEIGHTS:
        if not getattr(model, name) >= 0:
            raise ValueError(_out_of_range(model, name, "0 or more", "Raise"))
    for name in POSITIVE:
        if not getattr(model, name) > 0:
            raise ValueError(_out_of_range(model, name, "above 0", "Raise"))
    if model.num_examples is not None and model.num_examples < 1:
        raise ValueError(
            "There is nothing to learn from. Expected: num_examples of at least 1, or None. "
            f"Received: num_examples={model.num_examples}. Pass the number of training examples."
        )
    if not 0 < model.label_share <= 1:
        raise ValueError(
            _out_of_range(model, "label_share", "above 0, at most 1", "Change")
            + " To learn without labels, give the block `values` in place of `factor`."
        )


def check_blocks(blocks: Mapping[str, Any], num_classes: int) -> None:
    """Refuses blocks that cannot be.

    Raises:
        ValueError: There is none, a name or a key cannot be, a block has no size or one that is
            not that of its factor, or two blocks are of one factor.
    """
    if not isinstance(blocks, Mapping) or not blocks:
        raise ValueError(
            "A code needs blocks. Expected: one or more, by name. Received: "
            f"blocks={blocks!r}. Set `model.args.blocks`, for example to {{z: {{dim: 10}}}}."
        )
    for name, described in blocks.items():
        _check_block(name, described, num_classes)
    tied = [name for name, described in blocks.items() if "factor" in described]
    if len(tied) > 1:
        raise ValueError(
            "Two blocks are tied to the label. Expected: one at most. Received: "
            f"{', '.join(tied)}. Give all but one `values` in place of `factor`."
        )


def _check_block(name: Any, described: Any, num_classes: int) -> None:
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(
            "A block has no name that can be. Expected: a string without '/'. Received: "
            f"{name!r}. Rename it under `model.args.blocks`."
        )
    kinds = "`dim` for a Gaussian one, `values` or `factor` for a categorical one"
    if not isinstance(described, Mapping) or not described:
        raise ValueError(
            f"Block '{name}' has no kind. Expected: {kinds}. Received: {described!r}. Describe it "
            f"under `model.args.blocks.{name}`."
        )
    for key in described:
        if key not in BLOCK_KEYS:
            raise ValueError(
                f"Block '{name}' has an unknown key. Expected: {', '.join(BLOCK_KEYS)}. Received: "
                f"{key!r}. Did you mean '{nearest_name(str(key), BLOCK_KEYS)}'?"
            )
    if "dim" in described and len(described) > 1:
        raise ValueError(
            f"Block '{name}' is of two kinds. Expected: {kinds}. Received: "
            f"{', '.join(described)}. Drop one of them."
        )
    _check_size(name, described, num_classes)
    if "factor" in described:
        _check_factor(name, described, num_classes)


def _check_size(name: str, described: Mapping[str, Any], num_classes: int) -> None:
    for key, least in (("dim", 1), ("values", 2)):
        size = described.get(key, least)
        if isinstance(size, bool) or not isinstance(size, int) or size < least:
            raise ValueError(
                f"Block '{name}' has no size. Expected: {key} of at least {least}. Received: "
                f"{key}={size!r}. Raise it under `model.args.blocks`, or leave the block out."
            )


def _check_factor(name: str, described: Mapping[str, Any], num_classes: int) -> None:
    if described["factor"] != "label":
        raise ValueError(
            f"Block '{name}' cannot be tied to this factor. Expected: label. Received: "
            f"factor={described['factor']!r}. Write `factor: label`, or `values` alone."
        )
    if described.get("values", num_classes) != num_classes or num_classes < 2:
        raise ValueError(
            f"Block '{name}' does not fit the label. Expected: as many values as classes, "
            f"{num_classes}, two or more. Received: values={described.get('values')}. Leave "
            "`values` out, or `factor`."
        )


def _check_likelihood(name: str, image_shape: tuple[int, ...], observation: str | None) -> None:
    if name not in LIKELIHOODS:
        known = ("auto", *LIKELIHOODS)
        raise ValueError(
            f"The likelihood is unknown. Expected: one of {', '.join(known)}. Received: "
            f"likelihood={name!r}. Did you mean '{nearest_name(str(name), known)}'?"
        )
    if (name == "multinomial") != (observation == Counts.kind):
        raise ValueError(
            "The likelihood does not fit the observations. Expected: multinomial for bags of "
            f"words, and for no others. Received: likelihood={name!r} for observations of kind "
            f"'{observation or 'image or vector'}'. Set `model.args.likelihood` to auto."
        )
    if name == "bernoulli" and len(image_shape) != 3:
        raise ValueError(
            "Vectors have no pixels between black and white. Expected: images for a Bernoulli "
            f"likelihood. Received: observations of shape {image_shape}. Set "
            "`model.args.likelihood` to gaussian."
        )


def _check_topics(model: HFVAE) -> None:
    if model.topic_model not in TOPIC_MODELS:
        raise ValueError(
            f"The topic model is unknown. Expected: one of {', '.join(TOPIC_MODELS)}. Received: "
            f"topic_model={model.topic_model!r}. Did you mean "
            f"'{nearest_name(str(model.topic_model), TOPIC_MODELS)}'?"
        )
    measured = LIKELIHOODS[model.likelihood_name].measured_blocks
    if taken := [name for name in model.blocks if name in measured]:
        raise ValueError(
            f"Block '{taken[0]}' would be there twice. Expected: other names than those of what is "
            f"measured, {', '.join(measured)}. Received: blocks={list(model.blocks)}. Rename it "
            "under `model.args.blocks`."
        )


def _out_of_range(model: HFVAE, name: str, rule: str, fix: str) -> str:
    return (
        f"`{name}` cannot be so. Expected: {rule}. Received: {name}={getattr(model, name)}. {fix} "
        f"`model.args.{name}`."
    )
