"""Measured disentanglement: what single axes of the code tell of the factors, and what all tell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from latentloom.model_zoo.metrics.disentanglement.dci import LEAST_EXAMPLES
from latentloom.model_zoo.metrics.disentanglement.scores import (
    Disentanglement,
    disentanglement_scores,
)
from latentloom.pipeline.config import Config
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.charts.factor_table import factor_table
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.schema import Picture

LEAST_OF_VALUE = 5
"""Fewest examples a value, on average and of the second most frequent, of a factor that counts."""
MOST_AXES = 40
"""Axes that are drawn: those of most importance."""
CAPTION = (
    "The share that each axis has in how random forests tell a factor from the mean code; every "
    "column adds up to 1 over all axes. An axis is one dimension of a block, counted from 0. In a "
    "code that is disentangled no row tells two factors. Shares mean little where the error of the "
    "forests is near 1."
)
TITLE = "Axes and factors"
ERROR = "Root mean squared error on examples apart, over the standard deviation of the factor"
FIGURES = {
    "dci_forest_disentanglement": (
        "DCI disentanglement, forest",
        "1 if no axis is of use for two factors, to random forests that tell each factor from the "
        "code; the more axes, the more has noise of it too.",
    ),
    "dci_forest_completeness": (
        "DCI completeness, forest",
        "1 if no factor needs two axes, to the same forests; low by design where a block of "
        "several axes tells a factor.",
    ),
    "dci_forest_error": (
        "DCI error, forest",
        f"{ERROR}, of the forests, mean of factors: 0 is best, 1 is what guessing its mean gives.",
    ),
    "dci_lasso_disentanglement": (
        "DCI disentanglement, lasso",
        "1 if no axis is of use for two factors, to linear regressions (lasso): inflated where the "
        "code says nothing, so read it beside their error.",
    ),
    "dci_lasso_completeness": (
        "DCI completeness, lasso",
        "1 if no factor needs two axes, to the same regressions: inflated where the code says "
        "nothing, so read it beside their error.",
    ),
    "dci_lasso_error": (
        "DCI error, lasso",
        f"{ERROR}, of the lasso: near 1 also for a factor whose values have no order.",
    ),
    "mig": (
        "mutual information gap (MIG)",
        "By how much the axis that knows most of a factor knows more than the second, of all there "
        "is to know, mean of factors: 0 where two axes of a block know as much.",
    ),
    "modularity": (
        "modularity",
        "1 if no axis knows of two factors, mean of all axes: those of noise count with about a "
        "half.",
    ),
    "sap": (
        "separated attribute predictability (SAP)",
        "Accuracy of a linear classifier on the axis that tells a factor best less that on the "
        "second, mean of factors: 0 where two axes tell as much, and never 1.",
    ),
    "explicitness": (
        "explicitness",
        "How surely linear classifiers tell each value from the whole code, as the area under the "
        "ROC curve: 0.5 for guessing, 1 for always right, however the code is turned.",
    ),
    "factor_vae": (
        "FactorVAE score",
        "Of batches of examples that share the value of one factor: how often the axis that varies "
        "least says which factor it is.",
    ),
    "beta_vae": (
        "beta-VAE score",
        "Of groups of pairs that share the value of one factor: how often a linear classifier says "
        "which factor it is from the differences of their codes.",
    ),
}
"""Title and meaning of every score of `disentanglement_scores`."""


@dataclass(frozen=True)
class FactorCodes:
    """Mean codes beside the factors of their examples. Get some with `FactorCodes.choose`.

    Attributes:
        codes: All blocks side by side, `(n, dim)`.
        axes: Names of the `dim` axes: the block and the number there, from 0.
        factors: Values `(n,)` of each factor that can be compared with the axes.
        left_out: Why each other factor cannot.
        seed: Seed of all splits, trees and batches.
    """

    codes: np.ndarray
    axes: tuple[str, ...]
    factors: dict[str, np.ndarray]
    left_out: dict[str, str]
    seed: int

    @classmethod
    def choose(cls, encoded: EncodedExamples, config: Config) -> FactorCodes:
        """Chooses examples by their keyed hash, at most `evaluate.disentanglement_examples`.

        Left out are factors with one value among them, and those whose values are too rare to be
        learnt and tested: fewer than five examples a value, or fewer than two values of five.
        """
        order = np.argsort(encoded.keys("axes"), kind="stable")
        rows = order[: config.evaluate.disentanglement_examples]
        latents, factors = encoded.latents, encoded.examples.factors
        chosen = {name: values[rows] for name, values in factors.items()}
        reasons = {name: _reason(values) for name, values in chosen.items()}
        return cls(
            codes=np.concatenate([latents[b.name][rows] for b in encoded.codec.spec], axis=1),
            axes=tuple(f"{b.name} {axis}" for b in encoded.codec.spec for axis in range(b.dim)),
            factors={name: values for name, values in chosen.items() if not reasons[name]},
            left_out={name: reason for name, reason in reasons.items() if reason},
            seed=encoded.seed,
        )

    @cached_property
    def found(self) -> Disentanglement | None:
        """What the axes tell of the factors; nothing of under 20 examples or two factors."""
        if len(self.codes) < LEAST_EXAMPLES or len(self.factors) < 2:
            return None
        return disentanglement_scores(self.codes, self.factors, self.seed)

    @cached_property
    def by_chance(self) -> dict[str, float]:
        """The same scores of codes that are given to the next example, in an order of no meaning.

        A code that knows nothing does not have 0 of every score, and the more axes and the fewer
        examples there are, the more it has: only codes of the same kind tell how much.
        """
        others = np.roll(self.codes, 1, axis=0)
        return disentanglement_scores(others, self.factors, self.seed).scores


def evaluate_axes(context: EvaluationContext) -> SectionResult:
    """What single axes of the code tell of the factors."""
    codes = FactorCodes.choose(context.encoded, context.config)
    return SectionResult(
        measure_factor_codes(codes), draw_factor_codes(codes), note_factor_codes(codes)
    )


def measure_factor_codes(codes: FactorCodes) -> list[Measure]:
    """Measures how the axes of the code separate the factors.

    Args:
        codes: Mean codes of held-out examples with their factors.

    Returns:
        Nothing for fewer than 20 examples or two factors.
    """
    if not codes.found:
        return []
    return [
        Measure(
            name=f"{TITLE}: {title}",
            key=f"axes/{score}",
            value=codes.found.scores[score],
            chance=codes.by_chance[score],
            better="lower" if score.endswith("error") else "higher",
            meaning=meaning,
        )
        for score, (title, meaning) in FIGURES.items()
    ]


def draw_factor_codes(codes: FactorCodes) -> dict[str, Picture]:
    """Draws how much each of the most important axes tells of each factor, if it was measured."""
    if not codes.found:
        return {}
    table = codes.found.importance["forest"]
    table = table / np.maximum(table.sum(axis=0), 1e-12)
    shown = np.sort(np.argsort(-table.sum(axis=1), kind="stable")[:MOST_AXES])
    names = [codes.axes[axis] for axis in shown]
    drawing = factor_table(("axis", names), list(codes.factors), table[shown])
    return {"axis_table": Picture(drawing, axis_caption(codes))}


def axis_caption(codes: FactorCodes) -> str:
    """Says how the drawing is to be read, and that it leaves axes out if it does."""
    if len(codes.axes) <= MOST_AXES:
        return CAPTION
    return f"{CAPTION} Of {len(codes.axes)} axes those {MOST_AXES} of most importance are shown."


def note_factor_codes(codes: FactorCodes) -> list[str]:
    """Says what was compared, what chance is, and which factors were left out, and why."""
    if len(codes.factors) + len(codes.left_out) < 2:
        return []
    notes = [
        f"Figures of axes and factors are of {len(codes.codes):,} examples, {len(codes.axes)} axes "
        f"of their mean codes and the factors {', '.join(codes.factors)}. Chance is what the same "
        "codes give if each belongs to another example."
        if codes.found
        else f"Axes and factors were not compared: that takes {LEAST_EXAMPLES} examples or more "
        f"and two factors that vary. There were {len(codes.codes)} and {len(codes.factors)}."
    ]
    reasons = "; ".join(f"{name}, {reason}" for name, reason in codes.left_out.items())
    return notes + ([f"Left out of the figures of axes and factors: {reasons}."] if reasons else [])


def _reason(values: np.ndarray) -> str | None:
    """Why a factor with these values cannot be compared with axes, if it cannot."""
    counts = np.sort(np.unique(values, return_counts=True)[1])
    if len(counts) < 2:
        return "which has one value"
    if counts[-2] < LEAST_OF_VALUE or counts.mean() < LEAST_OF_VALUE:
        return (
            f"whose {len(counts)} values are too rare among {len(values)} examples to be learnt "
            "and tested"
        )
    return None
