"""Figures of quality against samples whose figures are known."""

import numpy as np
import pytest
from bundles import digits_bundle, digits_config, digits_data

from latentloom.augment import Verdicts
from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config.settings import EvaluateConfig
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.evaluation.decoded.variants import (
    VariantSample,
    draw_sample,
    measure_variants,
)
from latentloom.pipeline.evaluation.latents.class_probes import find_weak_judges
from latentloom.pipeline.report.measure import Measure


def examples(count: int = 40) -> Examples:
    """Random images of two classes."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 4, 4, 1), dtype=np.uint8)
    return Examples(images, {"label": np.arange(count) % 2}, [f"e{i}" for i in range(count)])


def figures(images: np.ndarray, accepted: list[bool], audited: list[int]) -> dict:
    passed = np.array(accepted)
    verdicts = Verdicts(passed, np.where(passed, 0, 3).astype(np.int8), np.ones(len(passed)))
    sample = VariantSample(
        examples().take(np.arange(len(images))), images, verdicts, np.array(audited)
    )
    return {measure.name: measure.value for measure in measure_variants(sample, examples())}


def test_class_figures_count_what_the_auditor_reads_before_and_after_the_gate():
    images = np.zeros((2, 3, 4, 4, 1), np.uint8)  # anchors of class 0 and 1
    found = figures(images, [True, True, False, True, False, False], [0, 1, 1, 1, 1, 0])
    assert found["Class kept, before the gate"] == pytest.approx(3 / 6)
    assert found["Class kept, after the gate"] == pytest.approx(2 / 3)
    assert found["Rejected by the gate"] == pytest.approx(3 / 6)


def test_a_gate_that_accepts_nothing_leaves_its_figure_unmeasured():
    found = figures(np.zeros((1, 2, 4, 4, 1), np.uint8), [False, False], [0, 0])
    assert found["Class kept, after the gate"] is None
    assert found["Rejected by the gate"] == 1


def test_a_gate_that_is_surer_than_it_is_right_has_a_calibration_error():
    images = np.zeros((2, 2, 4, 4, 1), np.uint8)
    always = figures(images, [True] * 4, [0, 0, 1, 1])  # confidence 1 of each
    assert always["Calibration error of the gate"] == 0
    assert figures(images, [True] * 4, [0, 1, 1, 1])["Calibration error of the gate"] == 0.25


def test_identical_variants_have_no_diversity_and_real_images_have_one():
    real = examples()
    same = np.repeat(real.observations[:2, None], 5, axis=1)
    assert figures(same, [True] * 10, [0] * 10)["Diversity"] == 0
    by_class = np.stack([real.observations[real.labels == label] for label in (0, 1)])
    found = figures(by_class, [True] * 40, [0] * 40)["Diversity"]
    assert found == pytest.approx(1.0)


def test_judges_that_hardly_read_real_examples_are_named_with_the_fix():
    numbers = [
        Measure(name="Judge", key="judge/accuracy/label", value=0.56, chance=0.1),
        Measure(name="Auditor", key="auditor/accuracy/label", value=0.54, chance=0.1),
        Measure(name="Auditor, ink", key="auditor/accuracy/ink", value=0.3, chance=0.25),
        Measure(name="Model", key="model/accuracy/label", value=0.3, chance=0.25),
        Measure(name="Diversity", key="variants/diversity", value=0.1, chance=0.0),
        Measure(name="Accuracy of the judge", value=0.1, chance=0.1),  # written without keys
    ]
    weak = find_weak_judges(numbers)
    assert len(weak) == 2
    assert (
        "The auditor classifies the class correctly in 54.0% of real examples, by chance 10.0%"
        in weak[0]
    )
    assert "classifies the ink correctly in 30.0%" in weak[1]
    assert "judge.epochs" in weak[1]


def test_the_choice_of_examples_does_not_follow_their_order():
    real = examples()
    mixed = real.take(np.random.default_rng(1).permutation(len(real)))
    assert choose(real, 7, 0, "probe").ids == choose(mixed, 7, 0, "probe").ids
    assert set(choose(real, 7, 0, "probe").ids) != set(choose(real, 7, 1, "probe").ids)
    assert len(choose(real, 1000, 0, "probe")) == len(real)


def test_the_sample_takes_its_donors_from_all_examples():
    config = digits_config("generate.recipe=interpolate_zu").generate
    digits = DatasetDir.open(digits_data()).read("train")
    third = np.flatnonzero(digits.labels == 3)
    few = digits.take(np.delete(np.arange(len(digits)), third[2:]))  # class 3 has two examples
    sample = draw_sample(
        Codec(load_bundle(digits_bundle())), few, config, EvaluateConfig(anchors=60, variants=2)
    )
    assert len(sample.observations) == 60
