"""Controllable Interpolation Regularisation: blocks that are not interpolated must not change.

Ge et al., Encouraging Disentangled and Convex Representation with Controllable Interpolation
Regularization, WACV 2023, https://arxiv.org/abs/2112.03163.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from latentloom.model_zoo.arguments import Flag, Number
from latentloom.model_zoo.spelling import nearest_name

ALPHAS = ("dimension", "example")
DISTANCES = ("mse", "mae", "scaled_mse", "unheld_scaled_mse")
SMALLEST_VARIANCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class InterpolationSettings:
    """Settings of the interpolation regulariser.

    Args:
        cir_weight: Float, weight of the interpolation regulariser; 0 for none. 0.01 is the
            authors', for codes of about unit scale.
        cir_blocks: Names of the blocks to interpolate, one drawn for each example, or `None` for
            all. The authors interpolate one, the background colour.
        cir_alpha: `"dimension"` or `"example"`; see `interpolation_loss`.
        cir_distance: `"mse"`, `"mae"`, `"scaled_mse"` or `"unheld_scaled_mse"`; see
            `interpolation_loss`.
        cir_stop_gradient: Whether to stop gradients through the target of the regulariser.
    """

    cir_weight: Number = 0.0
    cir_blocks: Sequence[str] | None = None
    cir_alpha: str = "dimension"
    cir_distance: str = "mse"
    cir_stop_gradient: Flag = False


def interpolation_loss(
    encode: Callable[[Any], Mapping[str, Any]],
    decode: Callable[[Mapping[str, Any]], Any],
    latents: Mapping[str, Any],
    seed: keras.random.SeedGenerator,
    *,
    partners: Mapping[str, Any] | None = None,
    which: Any = None,
    blocks: Sequence[str] | None = None,
    alpha: str = "dimension",
    distance: str = "mse",
    stop_gradient: bool = False,
):
    """Interpolates one block of each code towards another example, decodes, and encodes again.

    The loss is the change of all other blocks. The defaults are the authors' form for one block:
    alpha drawn for every dimension, mean squared error, gradients through both ends and the target.
    Deviates: one interpolant an example, not ten; the partner is the previous example of the batch,
    whose order is random.

    Args:
        encode: Maps observations to one `(batch, dim)` tensor a block, without noise.
        decode: Maps such blocks to observations.
        latents: Blocks of a batch of codes, two blocks or more.
        seed: Source of blocks and alphas.
        partners: Blocks of the example that each code is interpolated towards; defaults to the
            previous example of the batch.
        which: Position among `blocks` of the block to interpolate of each example, `(batch,)`;
            drawn by default.
        blocks: Names of the blocks to interpolate, one drawn for each example; defaults to all.
        alpha: `"dimension"` draws a share for every dimension of an example, which samples the box
            between two codes; `"example"` draws one share, which samples their segment.
        distance: `"mse"` or `"mae"`, in the units of the codes; `"scaled_mse"`, each square
            divided by the dimension's variance in the batch, without gradients through the
            variance; or `"unheld_scaled_mse"`, with these gradients, which let codes grow.
        stop_gradient: Whether to stop gradients through the target, the original code.

    Returns:
        A scalar: the mean over examples of the mean over the dimensions of the other blocks.
    """
    chosen = list(blocks or latents)
    batch = ops.shape(next(iter(latents.values())))[0]
    if which is None:
        which = keras.random.randint((batch, 1), 0, len(chosen), seed=seed)
    else:
        which = ops.expand_dims(which, -1)
    is_moved = {
        name: which == chosen.index(name) if name in chosen else ops.zeros_like(which, "bool")
        for name in latents
    }
    moved = {}
    for name, code in latents.items():
        shape = ops.shape(code) if alpha == "dimension" else (batch, 1)
        share = keras.random.uniform(shape, seed=seed)
        partner = ops.roll(code, 1, axis=0) if partners is None else partners[name]
        towards = code + share * (partner - code)
        moved[name] = ops.where(is_moved[name], towards, code)
    found = encode(decode(moved))
    sums, counts = 0.0, 0.0
    for name, code in latents.items():
        target = ops.stop_gradient(code) if stop_gradient else code
        counts += ops.where(is_moved[name], 0.0, float(code.shape[-1]))
        errors = ops.sum(_errors(found[name], target, distance), axis=-1, keepdims=True)
        sums += ops.where(is_moved[name], 0.0, errors)
    return ops.mean(sums / counts)


def _errors(found, target, distance: str):
    difference = found - target
    if distance == "mae":
        return ops.abs(difference)
    if distance == "mse":
        return ops.square(difference)
    variance = ops.var(target, axis=0)
    if distance == "scaled_mse":
        variance = ops.stop_gradient(variance)
    return ops.square(difference) / (variance + SMALLEST_VARIANCE)


def cir_loss(
    settings: InterpolationSettings,
    encode: Callable[[Any], Mapping[str, Any]],
    decode: Callable[[Mapping[str, Any]], Any],
    latents: Mapping[str, Any],
    seed: keras.random.SeedGenerator,
    *,
    partners: Mapping[str, Any] | None = None,
    which: Any = None,
):
    """`interpolation_loss` with these settings; see there for the other arguments."""
    return interpolation_loss(
        encode,
        decode,
        latents,
        seed,
        partners=partners,
        which=which,
        blocks=settings.cir_blocks,
        alpha=settings.cir_alpha,
        distance=settings.cir_distance,
        stop_gradient=settings.cir_stop_gradient,
    )


def check_cir(settings: InterpolationSettings, blocks: Sequence[str]) -> None:
    """Checks the settings of the regulariser for a model with these blocks.

    Raises:
        ValueError: A name is unknown, the weight is negative, or there are fewer than two blocks.
    """
    for name, value, known in (
        ("cir_alpha", settings.cir_alpha, ALPHAS),
        ("cir_distance", settings.cir_distance, DISTANCES),
        *(("cir_blocks", block, blocks) for block in settings.cir_blocks or ()),
    ):
        if value not in known:
            raise ValueError(
                f"`{name}` is unknown. Expected: one of {', '.join(known)}. Received: "
                f"{name}={value!r}. Did you mean '{nearest_name(str(value), known)}'? Set "
                f"`model.args.{name}`."
            )
    if settings.cir_weight < 0 or (settings.cir_weight and len(blocks) < 2):
        raise ValueError(
            "`cir_weight` does not fit the model. Expected: cir_weight >= 0, and two blocks or "
            "more, since all but one must not change. Received: cir_weight="
            f"{settings.cir_weight}, blocks {', '.join(blocks)}. Set `model.args.cir_weight` to "
            "0, or give the model another block."
        )
