"""Measured information of a code: what its blocks and axes tell of the observation, in nats."""

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
"""Nats below which an axis counts as dead."""
CHART = "information_of_axes"
CAPTION = (
    "What each axis tells of the {one}, in nats of mutual information, the strongest first, with "
    "its number below; at most {most} a block. Red bars, below the dashed line at {least} nats, "
    "are dead axes, which the model does not use. The value of a categorical block is one axis; a "
    "block of one has a scale of its own."
)


@dataclass(frozen=True)
class CodeInformation:
    """Posteriors of held-out examples, and what is found of them when it is first asked for.

    Attributes:
        encoded: The encoded examples.
        config: The configuration; its sections `evaluate` and `generate` decide.
    """

    encoded: EncodedExamples
    config: Config

    @property
    def num_examples(self) -> int:
        """How many examples are compared."""
        most = self.config.evaluate.information_examples
        return min(most, len(self.encoded.examples))

    @cached_property
    def posteriors(self) -> dict[str, Posteriors]:
        """Posteriors of the blocks that have densities, of examples chosen by keyed hash."""
        order = np.argsort(self.encoded.keys("information"), kind="stable")
        images = self.encoded.examples.images[order[: self.num_examples]]
        return self.encoded.codec.posteriors(images, self.encoded.seed)

    @cached_property
    def found(self) -> Information | None:
        """The figures, or nothing where no block has densities."""
        return aggregate_information(self.posteriors) if self.posteriors else None

    @property
    def of_blocks(self) -> dict[str, BlockInformation]:
        """The figures of each block that has densities."""
        return self.found.blocks if self.found else {}

    @property
    def of_axes(self) -> dict[str, np.ndarray]:
        """By block, `(dim,)` mutual information of observation and each axis, in nats."""
        return {name: block.of_dimensions for name, block in self.of_blocks.items()}

    @property
    def left_out(self) -> list[str]:
        """Names of the blocks without densities."""
        return [name for name in self.encoded.codec.spec.names if name not in self.posteriors]

    def is_against_prior(self, name: str) -> bool:
        """Whether the divergence of a block is from its prior: uniform or standard normal."""
        block = self.encoded.codec.spec[name]
        is_gaussian = isinstance(self.posteriors[name], GaussianPosteriors)
        return not is_gaussian or block.prior == BlockPrior.standard_normal(block.dim)


def evaluate_information(context: EvaluationContext) -> SectionResult:
    """What blocks and axes tell of the observation."""
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
        Nothing for a model whose blocks are all points.
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
        "compared, reached by codes that do not overlap: a figure near it tells of that number, "
        "not of the model.",
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
    """Draws bars of all axes, and one example on its way along the axes that tell most.

    Blocks that carry the label have bars only, unless all do, and so have categorical ones. Axes of
    blocks without densities are sorted by their variance.
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
    """Says how it was measured, and which blocks were left out, and why."""
    encoded, found = information.encoded, information.found
    notes = []
    if found:
        notes.append(
            "Mutual information of code and observation, total correlation and the divergence of "
            f"axes are of {found.num_examples:,} {encoded.name} {encoded.many}, with one sample "
            "of each Gaussian posterior; the density of each code is the mean of those under the "
            "posteriors of all of them, which no batch estimates. Compare models at one number."
        )
    if information.left_out:
        notes.append(
            f"No mutual information with the {encoded.one} is told of "
            f"{' and '.join(information.left_out)}: a code that is a point without noise has no "
            "density, and what it tells is infinite."
        )
    return notes


def _of_code(encoded: EncodedExamples, found: Information) -> list[Measure]:
    """Figures of all blocks together, where there are two or more."""
    names = " and ".join(found.blocks)
    if len(found.blocks) < 2 or found.mutual_information is None:
        return []
    return [
        _mutual_information(encoded, names, "told", found.mutual_information, found.ceiling),
        _lower(
            "Total correlation between blocks",
            "correlation",
            found.total_correlation,
            f"What {names} tell one by one, added up, less what they tell together: 0 if they are "
            "independent. Near the ceiling one can only repeat what the other tells.",
        ),
    ]


def _of_block(information: CodeInformation, name: str, ceiling: float) -> list[Measure]:
    block = information.of_blocks[name]
    dim = len(block.of_dimensions)
    dead = int(np.sum(block.of_dimensions < LEAST))
    of_axes = f" Of its {dim} axes {dead} tell less than {LEAST} nats." if dim > 1 else ""
    told = block.mutual_information
    encoded = information.encoded
    measures = [_mutual_information(encoded, name, f"{name}/told", told, ceiling, of_axes)]
    if dim > 1:
        measures.append(
            _lower(
                f"Total correlation within {name}",
                f"{name}/correlation",
                block.total_correlation,
                "What its axes tell one by one, added up, less what they tell together: 0 if they "
                "are independent.",
            )
        )
    if information.is_against_prior(name):
        measures.append(
            _lower(
                f"Divergence of the axes of {name} from the prior",
                f"{name}/divergence",
                float(block.divergences.sum()),
                "KL divergence of the codes of all, axis by axis, added up: 0 if each axis by "
                "itself is spread as draws of the prior are, a standard normal or, of categorical "
                "values, equal shares.",
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
        meaning=f"What {what} can tell of which {encoded.one} was encoded: at most {ceiling:.2f} "
        f"nats.{further}",
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
