"""Measures the quality of variants: class, rejections and diversity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.augment import (
    Anchors,
    DonorBank,
    Verdicts,
    find_clashes,
    find_recipe,
)
from latentloom.model_zoo.metrics.calibration import calibration_error
from latentloom.model_zoo.metrics.diversity import relative_diversity
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.codec.detail import BYTES_OF_VALUE, detail_of
from latentloom.pipeline.codec.variants import make_variants, plan_attempt
from latentloom.pipeline.config.settings import EvaluateConfig, GenerateConfig
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import sample
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.pictures.registry import pictures_of
from latentloom.pipeline.report.pictures.shown import ShownVariants
from latentloom.pipeline.report.schema import Picture


@dataclass(frozen=True)
class VariantSample:
    """A sample of anchors with their variants before the gate, to show and to measure.

    Attributes:
        anchors: The `a` anchors.
        observations: Their variants as stored, `(a, v, ...)`.
        verdicts: The gate's verdicts on the variants, in the order of anchors, then variants.
        audited: The class that the auditor predicts, `(a * v,)`.
    """

    anchors: Examples
    observations: np.ndarray
    verdicts: Verdicts
    audited: np.ndarray

    @property
    def flat(self) -> np.ndarray:
        """The variants in the order of the verdicts, `(a * v, ...)`."""
        return self.observations.reshape(-1, *self.observations.shape[2:])

    @property
    def anchor(self) -> np.ndarray:
        """The row of the anchor of each variant in this order, `(a * v,)`."""
        return np.repeat(np.arange(len(self.anchors)), self.observations.shape[1])

    @property
    def labels(self) -> np.ndarray:
        """The classes of the variants in this order, `(a * v,)`."""
        return self.anchors.labels[self.anchor]


def evaluate_variants(context: EvaluationContext) -> SectionResult:
    """Measures class-preserving variants of the scored examples."""
    codec, examples, config = context.codec, context.encoded.examples, context.config
    generate = config.generate.preserving_class(codec.spec)
    return SectionResult(
        measure_variants(draw_sample(codec, examples, generate, config.evaluate), examples)
    )


def draw_sample(
    codec: Codec, examples: Examples, generate: GenerateConfig, evaluate: EvaluateConfig
) -> VariantSample:
    """Draws variants of some anchors as the pipeline would on its first attempt."""
    of_each = 1 + evaluate.variants + (BYTES_OF_VALUE if generate.detail else 0)
    chosen = sample(examples, evaluate.anchors, generate.seed, "evaluate", of_each=of_each)
    latents = codec.encode(chosen.observations)
    variants = np.full(len(chosen), evaluate.variants, np.int64)
    anchors = Anchors(chosen.ids, chosen.factors, variants)
    donors = None
    if find_recipe(generate.recipe).takes_donors(generate.options):
        donors = donors_among(codec, examples, generate, codec.spec.carried(examples.factors))
    clashes = find_clashes(codec.bundle.factors, generate.differ)
    plan = plan_attempt(generate, anchors, codec.spec, donors, clashes)
    gate = generate.gate.build(enabled=True)
    detail = detail_of(generate.detail, chosen.observations)
    made = make_variants(codec, latents, donors.latents if donors else None, plan, gate, detail)
    return VariantSample(
        anchors=chosen,
        observations=made.observations.reshape(
            len(chosen), evaluate.variants, *made.observations.shape[1:]
        ),
        verdicts=made.verdicts,
        audited=np.argmax(codec.judge(made.observations), axis=-1),
    )


def donors_among(
    codec: Codec, examples: Examples, generate: GenerateConfig, factors: Sequence[str]
) -> DonorBank:
    """Builds the donor bank of some examples by some factors; encodes only the kept examples."""
    bank = {"seed": generate.seed, "capacity": generate.donors_per_class}
    columns = {name: examples.factors[name] for name in factors}
    kept = set(DonorBank.build(examples.ids, columns, {}, **bank).ids.tolist())
    chosen = examples.take(np.array([example_id in kept for example_id in examples.ids], bool))
    columns = {name: chosen.factors[name] for name in factors}
    return DonorBank.build(chosen.ids, columns, codec.encode(chosen.observations), **bank)


def draw_variants(codec: Codec, sample: VariantSample) -> Picture:
    """Draws some anchors of a sample beside their variants."""
    shown = ShownVariants(
        anchors=sample.anchors,
        variants=sample.observations,
        accepted=sample.verdicts.accepted.reshape(sample.observations.shape[:2]),
        names=codec.bundle.class_names,
    )
    return pictures_of(codec.kind, codec.bundle.vocabulary).variants(shown)


def measure_variants(sample: VariantSample, examples: Examples) -> list[Measure]:
    """Measures the class, the rejections and the diversity of a sample of variants.

    Args:
        sample: Variants before the gate, with the gate's verdicts.
        examples: Real examples to compare the diversity with.
    """
    right, has_pairs = sample.audited == sample.labels, np.bincount(examples.labels).max() > 1
    real = (examples.observations, examples.labels)
    return [
        *measure_passed(sample.verdicts, sample.anchor),
        *_class_kept(sample),
        measure_rejected(sample.verdicts, sample.anchor),
        Measure(
            name="Calibration error of the gate",
            key="variants/calibration",
            value=calibration_error(sample.verdicts.confidence, right),
            chance=0.0,
            better="lower",
            meaning="Mean distance between the judge's probability of the anchor's class and the "
            "share of variants of such a probability that the auditor classifies as that class.",
        ),
        Measure(
            name="Diversity",
            key="variants/diversity",
            value=relative_diversity(sample.observations, *real) if has_pairs else None,
            chance=0.0,
            meaning="Mean Euclidean distance among the variants of one anchor, over the mean "
            "distance among real examples of one class; 0 for a model that ignores its style code.",
        ),
    ]


def measure_rejected(verdicts: Verdicts, anchor: np.ndarray) -> Measure:
    """Share of candidates that the gate rejects, with the row of the anchor of each."""
    return Measure.of_share(
        ~verdicts.accepted,
        anchors=anchor,
        name="Rejected by the gate",
        key="variants/rejected",
        better="lower",
        meaning="Share of candidates that the judge rejects on the first attempt.",
    )


def measure_passed(verdicts: Verdicts, anchor: np.ndarray) -> list[Measure]:
    """Shares of candidates that each gate accepts; none without a gate for realism."""
    if verdicts.of_class is None or verdicts.realistic is None:
        return []
    shares = {
        "both": ("both gates", "the gate for the class and the gate for realism accept"),
        "class": ("the gate for the class", "the judge reads as the expected class"),
        "realism": (
            "the gate for realism",
            "are as near to real examples, as detailed and of as "
            "likely a code as held-out real examples",
        ),
    }
    passed = {"both": verdicts.accepted, "class": verdicts.of_class, "realism": verdicts.realistic}
    return [
        Measure.of_share(
            passed[key],
            anchors=anchor,
            name=f"Passed by {name}",
            key=f"variants/passed/{key}",
            meaning=f"Share of candidates that {meaning}, on the first attempt.",
        )
        for key, (name, meaning) in shares.items()
    ]


def _class_kept(sample: VariantSample) -> list[Measure]:
    labels = sample.labels
    shares = {
        "before": ("all variants", np.ones(len(labels), bool)),
        "after": ("accepted variants", sample.verdicts.accepted),
    }
    return [
        Measure.of_share(
            (sample.audited == labels)[rows],
            labels[rows],
            sample.anchor[rows],
            name=f"Class kept, {when} the gate",
            key=f"variants/kept/label/{when}",
            chance=float(np.bincount(labels).max() / len(labels)),
            meaning=f"Share of {which} that the auditor classifies as the anchor's class.",
        )
        for when, (which, rows) in shares.items()
    ]
