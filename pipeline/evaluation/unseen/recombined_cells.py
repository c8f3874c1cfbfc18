"""Measures recombinations of held-out cells and compares them with real examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from latentloom.augment import identity_keys, uniforms
from latentloom.model_zoo.metrics.pixels import mean_squared_errors
from latentloom.model_zoo.training.sharers import CANDIDATES, Sharers
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.codec.detail import detail_of
from latentloom.pipeline.codec.variants import judge_codes
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import sample
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import Measure


@dataclass(frozen=True)
class Attempt:
    """Recombinations that aim at held-out examples, before the gate.

    Attributes:
        expected: Values of the aims, `(n,)` by factor.
        right: Whether the auditor classifies each factor of the recombinations correctly, bool
            `(n,)` by factor.
        real: Whether the auditor classifies each factor of the real examples correctly, bool
            `(n,)` by factor.
        accepted: Whether the gate accepts the recombinations, bool `(n,)`.
        errors: Mean squared difference from the real example, in units of the squared range of
            values, `(n,)`.
    """

    expected: dict[str, np.ndarray]
    right: dict[str, np.ndarray]
    real: dict[str, np.ndarray]
    accepted: np.ndarray
    errors: np.ndarray


def evaluate_unseen_cells(context: EvaluationContext) -> SectionResult:
    """Measures recombinations of cells that were held out of training."""
    unseen = context.folds.unseen
    return SectionResult(measure_unseen_cells(context.codec, context.train, unseen, context.config))


def measure_unseen_cells(
    codec: Codec, train: Examples, unseen: Mapping[str, Examples], config: Config
) -> list[Measure]:
    """Measures recombinations of held-out cells, group by group and together.

    Every held-out example is the aim of one recombination. The donor of a factor is a training
    example with the aim's value of this factor and as few other values in common as possible, so
    that a donor contributes nothing else.

    Args:
        codec: The codec of a bundle.
        train: Training examples of the bundle, as donors.
        unseen: Examples of held-out cells by group.
        config: The configuration; sections `generate` and `evaluate` apply.

    Returns:
        The measures; empty if no cell was held out or the blocks carry fewer than two factors.
    """
    factors = codec.spec.carried(train.factors)
    if not unseen or len(factors) < 2:
        return []
    seed, most = config.generate.seed, config.evaluate.anchors
    attempts = {
        name: attempt(codec, train, sample(examples, most, seed, f"unseen {name}"), config)
        for name, examples in unseen.items()
    }
    if len(attempts) > 1:
        attempts["all groups"] = _together(list(attempts.values()))
    return [number for name, found in attempts.items() for number in _measures(name, found)]


def attempt(codec: Codec, train: Examples, aims: Examples, config: Config) -> Attempt:
    """Recombines training examples to aim at the cells of the held-out examples `aims`."""
    factors = codec.spec.carried(train.factors)
    rows = draw_donors(train, aims, codec, config.generate.seed)
    used, places = np.unique(rows, return_inverse=True)
    donors = train.observations[used]
    encoded = codec.encode(donors)
    places = places.reshape(rows.shape)
    axes = {block.name: factors.index(next(iter(block.factors), "label")) for block in codec.spec}
    codes = {name: encoded[name][places[:, axis]] for name, axis in axes.items()}
    expected = {name: aims.factors[name] for name in factors if name in codec.bundle.judge_sizes}
    gate, detail = config.generate.gate.build(enabled=True), None
    if put_back := detail_of(config.generate.detail, donors):
        detail = put_back.of_variants(codec, encoded, places[:, factors.index("label")])
    made = judge_codes(codec, codes, expected, gate, detail)
    images = made.observations
    span = 255.0 if images.dtype == np.uint8 else float(np.ptp(train.observations))
    errors = mean_squared_errors(images, aims.observations) / span**2
    return Attempt(
        expected=expected,
        right=_right(codec, images, expected),
        real=_right(codec, aims.observations, expected),
        accepted=made.verdicts.accepted,
        errors=errors,
    )


def draw_donors(train: Examples, aims: Examples, codec: Codec, seed: int) -> np.ndarray:
    """Draws a donor for every aim and every factor that a block carries: rows `(n, factors)`."""
    factors = codec.spec.carried(train.factors)
    sizes = {name: len(codec.bundle.factors[name]) for name in factors}
    sharers = Sharers(train.factors, sizes)
    codes = np.stack([aims.factors[name] for name in factors], axis=1)
    axes = np.broadcast_to(np.arange(len(factors)), codes.shape)
    keys = identity_keys(seed, "unseen donors", aims.ids)
    draws = uniforms(keys, len(factors) * CANDIDATES)
    return sharers.draw(codes, None, axes, draws.reshape(*codes.shape, CANDIDATES))


def _right(codec: Codec, images: np.ndarray, expected: Mapping[str, np.ndarray]) -> dict:
    read = codec.judge_factors(images, "auditor")
    return {name: np.argmax(read[name], axis=-1) == values for name, values in expected.items()}


def _together(parts: list[Attempt]) -> Attempt:
    def join(columns: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        return {name: np.concatenate([column[name] for column in columns]) for name in columns[0]}

    return Attempt(
        expected=join([part.expected for part in parts]),
        right=join([part.right for part in parts]),
        real=join([part.real for part in parts]),
        accepted=np.concatenate([part.accepted for part in parts]),
        errors=np.concatenate([part.errors for part in parts]),
    )


def _measures(group: str, found: Attempt) -> list[Measure]:
    reads = "Share of recombinations of held-out cells in which the auditor confirms"
    whole = np.logical_and.reduce(list(found.right.values()))
    real = np.logical_and.reduce(list(found.real.values()))
    shares = {
        "real": ("real examples read", real, None, "Share with every factor classified correctly."),
        "cell/before": (
            "cell read back, before the gate",
            whole,
            None,
            f"{reads} every factor.",
        ),
        **{
            f"read/{name}/before": (
                f"{name} read back, before the gate",
                right,
                found.expected[name],
                f"{reads} this factor.",
            )
            for name, right in found.right.items()
        },
        "cell/after": (
            "cell read back, after the gate",
            whole[found.accepted],
            None,
            "Share of accepted recombinations in which the auditor confirms every factor.",
        ),
    }
    measures = [
        Measure.of_share(
            column,
            values,
            name=f"Unseen cells, {group}: {what}",
            key=f"unseen/{group}/{key}",
            meaning=meaning,
        )
        for key, (what, column, values, meaning) in shares.items()
    ]
    return [*measures, *_costs(group, found)]


def _costs(group: str, found: Attempt) -> list[Measure]:
    """Share that the gate rejects, and distance of the images from real examples."""
    error = max(float(np.mean(found.errors)), 1e-12)
    return [
        Measure.of_share(
            ~found.accepted,
            name=f"Unseen cells, {group}: rejected by the gate",
            key=f"unseen/{group}/rejected",
            better="lower",
            meaning="Share that the judge rejects; it was not trained on these cells.",
        ),
        Measure(
            name=f"Unseen cells, {group}: PSNR",
            key=f"unseen/{group}/psnr",
            value=float(-10 * np.log10(error)),
            unit="dB",
            meaning="Peak signal-to-noise ratio to the real example of the cell. Meaningful if the "
            "factors determine the image, as in renderings.",
        ),
    ]
