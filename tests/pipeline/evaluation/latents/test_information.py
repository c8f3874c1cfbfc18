"""Information of a code whose posteriors are known, as figures, arrays, bars and sheets."""

import numpy as np
import pytest
from known_codes import KnownCodec, known_examples

from latentloom.augment import Block, BlockPrior, LatentSpec
from latentloom.model_zoo.metrics.posteriors import CategoricalPosteriors, GaussianPosteriors
from latentloom.pipeline.config import parse_config
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.latents.information import (
    CodeInformation,
    describe_axes,
    draw_code_information,
    measure_code_information,
    note_code_information,
)
from latentloom.pipeline.report.charts import information_chart
from latentloom.pipeline.report.pictures.images import ImagePictures
from latentloom.pipeline.report.pictures.shown import ShownTraversal


class MeasuredCodec(KnownCodec):
    """The known code with noise on the style and the class as a categorical value, certain."""

    def posteriors(self, images, seed):
        latents = self.encode(images)
        style = np.concatenate([latents["zu"][:, :1], np.zeros((len(images), 1))], axis=1)
        scale = np.broadcast_to([0.05, 1.0], style.shape)
        codes = style + scale * np.random.default_rng(seed).normal(size=style.shape)
        blocks = {"zu": GaussianPosteriors(style, scale, codes)}
        if self.reads == "zs":
            blocks["zs"] = CategoricalPosteriors(np.eye(4)[np.int64(latents["zs"][:, 0])])
        return blocks


def information(codec, *overrides, count=400):
    encoded = EncodedExamples.encode(codec, known_examples(count), "test", 0)
    return CodeInformation(encoded, parse_config({}, "a test", overrides))


def values(found):
    return {measure.name: measure.value for measure in measure_code_information(found)}


def test_blocks_and_the_whole_code_tell_what_they_hold():
    found = values(information(MeasuredCodec()))
    assert found["Ceiling of mutual information"] == pytest.approx(np.log(400))
    assert found["Mutual information of image and zs"] == pytest.approx(np.log(4), abs=1e-6)
    style = 0.5 * np.log(1 + 1 / 0.05**2)  # a channel of signal 1
    assert found["Mutual information of image and zu"] == pytest.approx(style, abs=0.15)
    whole = found["Mutual information of image and zu and zs"]
    parts = found["Mutual information of image and zu"] + np.log(4)
    assert found["Total correlation between blocks"] == pytest.approx(parts - whole)
    assert "Divergence of the axes of zs from the prior" in found


def test_figures_of_axes_are_numbers_and_dead_axes_are_counted():
    measured = information(MeasuredCodec())
    axes = describe_axes(measured)
    assert list(axes) == ["zu", "zs"]
    of_style = axes["zu"]["mutual_information"]
    assert of_style[0] > 2
    assert of_style[1] == pytest.approx(0.0, abs=1e-9)  # the prior itself
    assert axes["zs"]["mutual_information"] == pytest.approx([np.log(4)])
    told = measure_code_information(measured)
    (meaning,) = (m.meaning for m in told if m.name == "Mutual information of image and zu")
    assert "Of its 2 axes, 1 have less than 0.1 nats" in meaning


def test_a_block_alone_is_not_told_twice_and_points_are_left_out_with_a_sentence():
    found = information(MeasuredCodec(reads="zu"))
    assert [name for name in values(found) if name.startswith("Mutual")] == [
        "Mutual information of image and zu"
    ]
    assert any("leaves out zs: a code without noise" in n for n in note_code_information(found))


def test_a_model_of_points_has_no_figures_but_the_sheets_of_its_variance():
    codec = MeasuredCodec()
    codec.posteriors = lambda images, seed: {}
    found = information(codec)
    assert (values(found), describe_axes(found)) == ({}, {})
    drawn = draw_code_information(found)
    assert list(drawn) == ["traversal_of_zu"]
    assert "sorted by their share" in drawn["traversal_of_zu"].caption
    assert len(note_code_information(found)) == 1


def test_the_setting_bounds_the_examples_and_their_order_makes_no_difference():
    found = information(MeasuredCodec(), "evaluate.information_examples=50")
    assert found.found.num_examples == 50
    examples = known_examples()
    mixed = examples.take(np.random.default_rng(0).permutation(400))
    encoded = EncodedExamples.encode(MeasuredCodec(), mixed, "test", 0)
    assert values(CodeInformation(encoded, found.config)) == values(found)


def test_divergence_is_told_of_blocks_with_a_standard_normal_prior_alone():
    codec = MeasuredCodec()
    wide = BlockPrior(np.ones((1, 1)), np.zeros((1, 1, 2)), np.full((1, 1, 2), 2.0))
    codec.spec = LatentSpec((codec.spec["zs"], Block("zu", 2, (), wide)))
    found = information(codec)
    assert "divergence_from_prior" not in describe_axes(found)["zu"]
    assert "Divergence of the axes of zu from the prior" not in values(found)


def test_bars_stand_before_the_sheets_whose_axes_are_in_the_order_of_the_bars(monkeypatch):
    seen: list[ShownTraversal] = []
    traversal = ImagePictures.traversal

    def spy(self, shown):
        seen.append(shown)
        return traversal(self, shown)

    monkeypatch.setattr(ImagePictures, "traversal", spy)
    drawn = draw_code_information(information(MeasuredCodec()))
    assert list(drawn) == ["information_of_axes", "traversal_of_zu"]
    assert seen[0].axes.tolist() == [0, 1]
    assert [label.split()[1] for label in seen[0].labels] == ["nats", "nats"]
    assert "sorted by their mutual information with the image" in drawn["traversal_of_zu"].caption
    bars = drawn["information_of_axes"].caption
    assert f"at most {information_chart.MOST_BARS} axes per block" in bars


def test_a_categorical_block_has_a_bar_and_no_sheet():
    codec = MeasuredCodec()
    blocks = (
        Block("zs", 1, (), codec.spec["zs"].prior),
        Block("zu", 2, ("label",), codec.spec["zu"].prior),
    )
    codec.spec = LatentSpec(blocks)
    assert list(draw_code_information(information(codec))) == ["information_of_axes"]
