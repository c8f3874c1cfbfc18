"""Translations between domains by codecs that are known: one keeps the class, others do not."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from latentloom.augment import Block, BlockPrior, LatentSpec
from latentloom.pipeline.config import parse_config
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.factors.domain_translation import evaluate_translation
from latentloom.pipeline.evaluation.factors.translations import translations
from latentloom.pipeline.evaluation.folds import EvaluationFolds
from latentloom.pipeline.report.measure import by_key

SIDE, CLASSES = 8, 4
SITES = ["north", "south"]
GROUNDS = np.array([60.0, 180.0])
"""Mean level of the ground in each domain, which varies by 12."""


def painted(count: int, seed: int = 0) -> Examples:
    """Images whose class is the row of a white line, whose domain the level of the ground."""
    rng = np.random.default_rng(seed)
    labels, sites = rng.integers(0, CLASSES, count), rng.integers(0, 2, count)
    levels = GROUNDS[sites] + 12 * rng.normal(size=count)
    images = paint(labels, levels)
    return Examples(images, {"label": labels, "site": sites}, [f"{seed}/{i}" for i in range(count)])


def paint(labels, levels):
    images = np.repeat(levels, SIDE * SIDE * 3).reshape(-1, SIDE, SIDE, 3)
    images[np.arange(len(labels)), labels] = 250
    return np.rint(np.clip(images, 0, 255)).astype(np.uint8)


class Painter:
    """Reads line and ground, and paints them.

    Args:
        draws: Which label it paints, given the label and the level of the ground.
        looks: Whether it paints the ground that it is told, or its own grey.
    """

    def __init__(self, draws=lambda labels, levels: labels, looks: bool = True):
        self.draws, self.looks = draws, looks
        prior = BlockPrior(
            np.full((1, 2), 0.5), GROUNDS[None, :, None], np.full((1, 2, 1), 12.0), values=[0, 1]
        )
        content = Block("content", 1, ("label",), BlockPrior.standard_normal(1))
        self.spec = LatentSpec((content, Block("look", 1, ("site",), prior)))
        names = {"label": list("abcd"), "site": SITES}
        self.bundle = SimpleNamespace(factors=names, model_name="painter", judge_sizes=names)
        self.kind = SimpleNamespace(one="image", many="images")

    def encode(self, images, blocks=("content", "look")):
        line = (images[:, :, 0, 0] == 250).argmax(axis=1)[:, None]
        codes = {"content": line, "look": images[:, -1].mean(axis=(1, 2))[:, None]}
        return {name: codes[name].astype(np.float32) for name in blocks}

    def render(self, codes):
        levels = codes["look"][:, 0] if self.looks else np.full(len(codes["look"]), 60.0)
        return paint(self.draws(codes["content"][:, 0].astype(int), levels), levels), None

    def judge_factors(self, images, judge):
        codes = self.encode(images)
        site = np.abs(codes["look"] - GROUNDS).argmin(axis=1)
        return {
            "label": np.eye(CLASSES)[codes["content"][:, 0].astype(int)],
            "site": np.eye(2)[site],
        }


def context_of(codec, *settings) -> EvaluationContext:
    encoded = EncodedExamples.encode(codec, painted(300), "test", 0)  # type: ignore[arg-type]
    train = painted(50, seed=1)
    folds = EvaluationFolds(train, encoded.examples, "test", {}, encoded.examples, train, {})
    return EvaluationContext(encoded, folds, None, parse_config({}, "a test", settings))  # type: ignore


def figures_of(codec):
    return by_key(evaluate_translation(context_of(codec)).measures)


def test_a_codec_that_translates_keeps_the_class_and_reaches_the_domain_both_ways():
    found = figures_of(Painter())
    for way in ("north/south", "south/north"):
        for manner in ("drawn", "guided"):
            assert found[f"translation/{way}/kept/{manner}"].value == 1
            assert found[f"translation/{way}/kept/{manner}"].chance == pytest.approx(0.25, abs=0.05)
            assert found[f"translation/{way}/reached/{manner}"].value == 1
        assert found[f"translation/{way}/drift/content"].value == 0
        assert found[f"translation/{way}/diversity"].value == pytest.approx(1, abs=0.2)
    assert found["translation/kept/drawn"].value == 1


def test_the_weaker_direction_is_named_first():
    def draws(labels, levels):
        return np.where(levels > 120, (labels + 1) % CLASSES, labels)

    result = evaluate_translation(context_of(Painter(draws)))
    found = by_key(result.measures)
    assert result.measures[0].key == "translation/kept/drawn"
    assert found["translation/kept/drawn"].value == 0
    assert "north to south" in found["translation/kept/drawn"].meaning
    assert found["translation/south/north/kept/guided"].value == 1
    assert found["translation/north/south/drift/content"].value > 0.3


def test_a_codec_that_ignores_looks_reaches_nothing_and_has_no_diversity():
    found = figures_of(Painter(looks=False))
    assert found["translation/north/south/reached/drawn"].value == 0
    assert found["translation/north/south/diversity"].value == 0


def test_anchors_donors_and_looks_are_those_of_the_direction():
    context = context_of(Painter(), "evaluate.anchors=20")
    sites = context.encoded.examples.factors["site"]
    made = list(translations(context))
    assert [(each.source, each.target) for each in made] == [(0, 1), (1, 0)]
    for each in made:
        assert len(each.rows) == len(each.drawn) == 20
        assert (sites[each.rows] == each.source).all()
        assert (sites[each.donors] == each.target).all()
        assert (each.drawn != each.redrawn).any()


def test_each_pair_of_domains_has_a_sheet_with_both_directions():
    pictures = evaluate_translation(context_of(Painter())).pictures
    assert list(pictures) == ["translation_0_1"]
    assert "the class should be the anchor's" in pictures["translation_0_1"].caption.lower()
    assert Image.open(io.BytesIO(pictures["translation_0_1"].png)).width > 6 * SIDE


def test_models_that_cannot_draw_a_domain_or_keep_the_image_have_no_translations():
    codec = Painter()
    content, look = codec.spec
    unknown = Block("look", 1, ("site",), BlockPrior.standard_normal(1))
    source = Block("source", 1, (), BlockPrior.standard_normal(1), anchored=True)
    for blocks in ((content, unknown), (content, look, source)):
        codec = Painter()
        codec.spec = LatentSpec(blocks)
        encoded = context_of(Painter())
        object.__setattr__(encoded.encoded, "codec", codec)
        assert not list(translations(encoded))
