"""Measures disentanglement: how well single axes and the whole code predict the factors."""

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
"""Fewest examples per value, on average and of the second most frequent, to compare a factor."""
MOST_AXES = 40
"""Most axes drawn, the most important ones."""
CAPTION = (
    "Importance of each axis to random forests that predict a factor from the mean code; every "
    "column adds up to 1 over all axes. An axis is one dimension of a block, counted from 0. In a "
    "disentangled code no row is important for two factors. Importances mean little if the error "
    "of the forests is near 1."
)
TITLE = "Axes and factors"
ERROR = "Root mean squared error on held-out examples, over the standard deviation of the factor"
FIGURES = {
    "dci_forest_disentanglement": (
        "DCI disentanglement, forest",
        "1 if no axis is important for two factors, to random forests that predict each factor "
        "from the code. With more axes, noise scores higher too.",
    ),
    "dci_forest_completeness": (
        "DCI completeness, forest",
        "1 if no factor needs two axes, to the same forests; low by design if a block of several "
        "axes carries a factor.",
    ),
    "dci_forest_error": (
        "DCI error, forest",
        f"{ERROR}, for the forests, mean over factors: 0 is best, 1 is the error of its mean.",
    ),
    "dci_lasso_disentanglement": (
        "DCI disentanglement, lasso",
        "1 if no axis is important for two factors, to linear regressions (lasso). Inflated if the "
        "code holds nothing of a factor, so compare it with their error.",
    ),
    "dci_lasso_completeness": (
        "DCI completeness, lasso",
        "1 if no factor needs two axes, to the same regressions. Inflated if the code holds "
        "nothing of a factor, so compare it with their error.",
    ),
    "dci_lasso_error": (
        "DCI error, lasso",
        f"{ERROR}, for the lasso: near 1 also for a factor whose values have no order.",
    ),
    "mig": (
        "mutual information gap (MIG)",
        "Mutual information of a factor and its best axis, less that of the second, over the "
        "entropy of the factor, mean over factors: 0 if two axes hold equally much.",
    ),
    "modularity": (
        "modularity",
        "1 if no axis has mutual information with two factors, mean over all axes; an axis of "
        "noise counts about one half.",
    ),
    "sap": (
        "separated attribute predictability (SAP)",
        "Accuracy of a linear classifier of a factor on its best axis, less the accuracy on the "
        "second, mean over factors: 0 if two axes predict equally well, and never 1.",
    ),
    "explicitness": (
        "explicitness",
        "Area under the ROC curve of linear classifiers of each value on the whole code: 0.5 for "
        "guessing, 1 for always right. Rotating the code does not change it.",
    ),
    "factor_vae": (
        "FactorVAE score",
        "Accuracy of guessing the factor whose value a batch of examples shares, from the axis "
        "that varies least.",
    ),
    "beta_vae": (
        "beta-VAE score",
        "Accuracy of a linear classifier of the factor whose value the examples of each pair "
        "share, on the differences of their codes.",
    ),
}
"""Title and meaning of every score of `disentanglement_scores`."""


@dataclass(frozen=True)
class FactorCodes:
    """Mean codes and factors of examples. Get them with `FactorCodes.choose`.

    Attributes:
        codes: All blocks that are not anchored side by side, along the axes that a traversal moves
            them, `(n, dim)`.
        axes: Names of the `dim` axes: the block and the number within it, from 0.
        factors: Values `(n,)` of each factor that can be compared with the axes.
        left_out: The reason for each factor that is left out.
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

        Leaves out factors with one value, and factors whose values are too rare to be learnt and
        tested: fewer than five examples per value on average, or fewer than two values with five.
        """
        order = np.argsort(encoded.keys("axes"), kind="stable")
        rows = order[: config.evaluate.disentanglement_examples]
        latents, factors = encoded.latents, encoded.examples.factors
        chosen = {name: values[rows] for name, values in factors.items()}
        reasons = {name: _reason(values) for name, values in chosen.items()}
        blocks = [block for block in encoded.codec.spec if not block.anchored]
        return cls(
            codes=np.concatenate(
                [b.prior.along_axes(latents[b.name][rows]) for b in blocks], axis=1
            ),
            axes=tuple(f"{b.name} {axis}" for b in blocks for axis in range(b.num_axes)),
            factors={name: values for name, values in chosen.items() if not reasons[name]},
            left_out={name: reason for name, reason in reasons.items() if reason},
            seed=encoded.seed,
        )

    @cached_property
    def found(self) -> Disentanglement | None:
        """The scores; None for fewer than 20 examples or two factors."""
        if len(self.codes) < LEAST_EXAMPLES or len(self.factors) < 2:
            return None
        return disentanglement_scores(self.codes, self.factors, self.seed)

    @cached_property
    def by_chance(self) -> dict[str, float]:
        """The scores if each code is assigned to the next example, in an arbitrary order.

        An uninformative code does not score 0 everywhere. Its scores grow with more axes and fewer
        examples, so shuffled codes give the chance level.
        """
        others = np.roll(self.codes, 1, axis=0)
        return disentanglement_scores(others, self.factors, self.seed).scores


def evaluate_axes(context: EvaluationContext) -> SectionResult:
    """Measures and draws how well single axes of the code predict the factors."""
    codes = FactorCodes.choose(context.encoded, context.config)
    return SectionResult(
        measure_factor_codes(codes), draw_factor_codes(codes), note_factor_codes(codes)
    )


def measure_factor_codes(codes: FactorCodes) -> list[Measure]:
    """Measures how the axes of the code separate the factors.

    Args:
        codes: Mean codes of held-out examples with their factors.

    Returns:
        The measures; empty for fewer than 20 examples or two factors.
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
    """Draws the importance of the most important axes for each factor, if it was measured."""
    if not codes.found:
        return {}
    table = codes.found.importance["forest"]
    table = table / np.maximum(table.sum(axis=0), 1e-12)
    shown = np.sort(np.argsort(-table.sum(axis=1), kind="stable")[:MOST_AXES])
    names = [codes.axes[axis] for axis in shown]
    drawing = factor_table(("axis", names), list(codes.factors), table[shown])
    return {"axis_table": Picture(drawing, axis_caption(codes))}


def axis_caption(codes: FactorCodes) -> str:
    """Explains the drawing and says whether it leaves axes out."""
    if len(codes.axes) <= MOST_AXES:
        return CAPTION
    return f"{CAPTION} Shows the {MOST_AXES} most important of {len(codes.axes)} axes."


def note_factor_codes(codes: FactorCodes) -> list[str]:
    """Notes what was compared, the meaning of chance, and why factors were left out."""
    if len(codes.factors) + len(codes.left_out) < 2:
        return []
    notes = [
        f"Figures of axes and factors are of {len(codes.codes):,} examples, {len(codes.axes)} axes "
        f"of their mean codes and the factors {', '.join(codes.factors)}. Chance is the figure for "
        "the same codes, each assigned to another example."
        if codes.found
        else f"Axes and factors were not compared: this needs {LEAST_EXAMPLES} examples or more "
        f"and two factors that vary. There were {len(codes.codes)} and {len(codes.factors)}."
    ]
    reasons = "; ".join(f"{name}, {reason}" for name, reason in codes.left_out.items())
    return notes + ([f"Left out of the figures of axes and factors: {reasons}."] if reasons else [])


def _reason(values: np.ndarray) -> str | None:
    """Why a factor with these values is left out, or None."""
    counts = np.sort(np.unique(values, return_counts=True)[1])
    if len(counts) < 2:
        return "which has one value"
    if counts[-2] < LEAST_OF_VALUE or counts.mean() < LEAST_OF_VALUE:
        return (
            f"whose {len(counts)} values are too rare among {len(values)} examples to be learnt "
            "and tested"
        )
    return None
