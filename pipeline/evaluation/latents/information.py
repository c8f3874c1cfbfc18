"""Measures the mutual information of the observation with blocks and axes of a code, in nats."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from latentloom.augment import BlockPrior
from latentloom.model_zoo.metrics.aggregate_posterior import (
    BlockInformation,
    Information,
    aggregate_information,
)
from latentloom.model_zoo.metrics.posteriors import GaussianPosteriors, Posteriors
from latentloom.pipeline.config import Config
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.latents.traversal import draw_traversals, shown_axes
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.charts.information_chart import MOST_BARS, information_chart
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.schema import Picture

LEAST = 0.1
"""Least mutual information, in nats, of an axis that is not dead."""
CHART = "information_of_axes"
CAPTION = (
    "Mutual information of the {one} and each axis, in nats, the strongest first, with the number "
    "of the axis below; at most {most} axes per block. Red bars, below the dashed line at {least} "
    "nats, are dead axes, which the model does not use. The value of a categorical block is one "
    "axis. A block of one axis has its own scale."
)


@dataclass(frozen=True)
class CodeInformation:
    """Posteriors of held-out examples and their information, computed on first use.

    Attributes:
        encoded: The encoded examples.
        config: The configuration; its sections `evaluate` and `generate` apply.
    """

    encoded: EncodedExamples
    config: Config

    @property
    def num_examples(self) -> int:
        """Number of examples that are compared."""
        most = self.config.evaluate.information_examples
        return min(most, len(self.encoded.examples))

    @cached_property
    def posteriors(self) -> dict[str, Posteriors]:
        """Posteriors of the blocks that have densities, for examples chosen by keyed hash."""
        order = np.argsort(self.encoded.keys("information"), kind="stable")
        images = self.encoded.examples.observations[order[: self.num_examples]]
        return self.encoded.codec.posteriors(images, self.encoded.seed)

    @cached_property
    def found(self) -> Information | None:
        """The figures, or None if no block has densities."""
        return aggregate_information(self.posteriors) if self.posteriors else None

    @property
    def of_blocks(self) -> dict[str, BlockInformation]:
        """The figures of each block that has densities."""
        return self.found.blocks if self.found else {}

    @property
    def of_axes(self) -> dict[str, np.ndarray]:
        """Mutual information of the observation and each axis by block, `(dim,)` in nats."""
        return {name: block.of_dimensions for name, block in self.of_blocks.items()}

    @property
    def left_out(self) -> list[str]:
        """Names of the blocks without densities."""
        return [name for name in self.encoded.codec.spec.names if name not in self.posteriors]

    def is_against_prior(self, name: str) -> bool:
        """Whether the divergence of a block is measured from its prior: a uniform categorical
        distribution or a standard normal.
        """
        block = self.encoded.codec.spec[name]
        is_gaussian = isinstance(self.posteriors[name], GaussianPosteriors)
        return not is_gaussian or block.prior == BlockPrior.standard_normal(block.dim)


def evaluate_information(context: EvaluationContext) -> SectionResult:
    """Measures and draws the mutual information of the observation with blocks and axes."""
    information = CodeInformation(context.encoded, context.config)
    return SectionResult(
        measures=measure_code_information(information),
        pictures=draw_code_information(information),
        notes=note_code_information(information),
        axes=describe_axes(information),
    )


def measure_code_information(information: CodeInformation) -> list[Measure]:
    """Measures blocks, their axes together, and the whole code.

    Returns:
        The measures; empty if all blocks of the model are points.
    """
    found, encoded = information.found, information.encoded
    if not found:
        return []
    ceiling = Measure(
        name="Ceiling of mutual information",
        key="information/ceiling",
        value=found.ceiling,
        unit="nats",
        meaning=f"Log of {found.num_examples:,}, the number of {encoded.name} {encoded.many} "
        "compared, reached by codes that do not overlap: a figure near it is limited by the "
        "number of examples, not by the model.",
    )
    measures = [ceiling, *_of_code(encoded, found)]
    for name in found.blocks:
        measures += _of_block(information, name, found.ceiling)
    return measures


def describe_axes(information: CodeInformation) -> dict[str, dict[str, list[float]]]:
    """Figures of the axes of every block, in nats, for `evaluation.json`."""
    figures = {}
    for name, block in information.of_blocks.items():
        figures[name] = {"mutual_information": block.of_dimensions.tolist()}
        if information.is_against_prior(name):
            figures[name]["divergence_from_prior"] = block.divergences.tolist()
    return figures


def draw_code_information(information: CodeInformation) -> dict[str, Picture]:
    """Draws bars of all axes, and a traversal of one example along the most informative axes.

    Categorical blocks and, unless all blocks carry the label, blocks that carry it have bars only.
    Axes of blocks without densities are sorted by their variance.
    """
    encoded, of_axes = information.encoded, information.of_axes
    posteriors = information.posteriors
    caption = CAPTION.format(one=encoded.one, most=MOST_BARS, least=LEAST)
    chart = {CHART: Picture(information_chart(of_axes, LEAST), caption)} if of_axes else {}
    axes = {
        name: axes
        for name, axes in shown_axes(encoded.codec.spec).items()
        if name not in posteriors or isinstance(posteriors[name], GaussianPosteriors)
    }
    generate = information.config.generate
    return chart | draw_traversals(
        encoded.codec, encoded.examples, encoded.latents, generate, axes, of_axes
    )


def note_code_information(information: CodeInformation) -> list[str]:
    """Notes how the information was measured, and why blocks were left out."""
    encoded, found = information.encoded, information.found
    notes = []
    if found:
        notes.append(
            "Mutual information of code and observation, total correlation and the divergence of "
            f"axes are measured on {found.num_examples:,} {encoded.name} {encoded.many}, with one "
            "sample of each Gaussian posterior. The density of a code is its mean density under "
            "the posteriors of all these, not of a batch. Compare models on equally many."
        )
    if information.left_out:
        notes.append(
            f"Mutual information with the {encoded.one} leaves out "
            f"{' and '.join(information.left_out)}: a code without noise has no density, so its "
            "mutual information is infinite."
        )
    return notes


def _of_code(encoded: EncodedExamples, found: Information) -> list[Measure]:
    """Figures of all blocks together if there are two or more."""
    names = " and ".join(found.blocks)
    if len(found.blocks) < 2 or found.mutual_information is None:
        return []
    return [
        _mutual_information(encoded, names, "told", found.mutual_information, found.ceiling),
        _lower(
            "Total correlation between blocks",
            "correlation",
            found.total_correlation,
            f"Dependence between {names}, their information one by one less that of the whole: 0 "
            "if independent. Near the ceiling one block can only repeat another.",
        ),
    ]


def _of_block(information: CodeInformation, name: str, ceiling: float) -> list[Measure]:
    block = information.of_blocks[name]
    dim = len(block.of_dimensions)
    dead = int(np.sum(block.of_dimensions < LEAST))
    of_axes = f" Of its {dim} axes, {dead} have less than {LEAST} nats." if dim > 1 else ""
    told = block.mutual_information
    encoded = information.encoded
    measures = [_mutual_information(encoded, name, f"{name}/told", told, ceiling, of_axes)]
    if dim > 1:
        measures.append(
            _lower(
                f"Total correlation within {name}",
                f"{name}/correlation",
                block.total_correlation,
                "Dependence between the axes of the block: 0 if they are independent.",
            )
        )
    if information.is_against_prior(name):
        measures.append(
            _lower(
                f"Divergence of the axes of {name} from the prior",
                f"{name}/divergence",
                float(block.divergences.sum()),
                "KL divergence of the aggregate code from the prior, axis by axis, summed: 0 if "
                "each axis is distributed like the prior, a standard normal or, for a categorical "
                "block, equal shares.",
            )
        )
    return measures


def _mutual_information(
    encoded: EncodedExamples, what: str, key: str, value: float, ceiling: float, further: str = ""
) -> Measure:
    return Measure(
        name=f"Mutual information of {encoded.one} and {what}",
        key=f"information/{key}",
        value=value,
        unit="nats",
        chance=0.0,
        meaning=f"How well {what} identifies which {encoded.one} was encoded: at most "
        f"{ceiling:.2f} nats.{further}",
    )


def _lower(name: str, key: str, value: float | None, meaning: str) -> Measure:
    return Measure(
        name=name,
        key=f"information/{key}",
        value=value,
        unit="nats",
        chance=0.0,
        better="lower",
        meaning=meaning,
    )
