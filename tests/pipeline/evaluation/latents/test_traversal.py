"""Traversal of axes: the sheet's cells, and the recipe through the whole pipeline."""

from pathlib import Path

import numpy as np
import pytest
from bundles import digits_bundle, digits_config, digits_data, hashes, make
from known_codes import KnownCodec, images_of, known_examples
from letters import make as make_letters

from latentloom.augment import (
    Anchors,
    Block,
    BlockPrior,
    LatentSpec,
    QualityGate,
    find_recipe,
    plan_variants,
    recombine,
)
from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.evaluation.evaluate import evaluate
from latentloom.pipeline.evaluation.latents.traversal import (
    STEPS,
    draw_traversals,
    shown_axes,
    traverse_block,
)
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.generation.engines import Engine
from latentloom.pipeline.generation.generate import forecast_job
from latentloom.pipeline.verification.verify import verify

TRAVERSE = ("generate.recipe=traverse", "generate.gate.enabled=false")


@pytest.fixture(scope="module")
def examples():
    return known_examples(40)


def traverse(codec, examples, row=5, axes=(0, 1), codes=None):
    codes = codec.encode(examples.observations)["zu"] if codes is None else codes
    one = examples.take(np.array([row]))
    return traverse_block(codec, one, "zu", codes, np.array(axes), QualityGate(0.9))


def test_a_cell_is_decoded_from_the_example_with_one_entry_moved(examples):
    codec = KnownCodec()
    made = traverse(codec, examples)
    label, style = examples.labels[5], codec.encode(examples.observations)["zu"][5, 0]
    row = made.axes.tolist().index(0)  # the style, of 20 levels a standard deviation
    expected = images_of(np.full(len(STEPS), label), 20 * (style + STEPS))
    np.testing.assert_array_equal(made.observations[row], expected)


def test_the_middle_is_the_reconstruction_in_every_row(examples):
    codec = KnownCodec()
    plain = codec.render(codec.encode(examples.observations[[5]]))[0][0]
    for middle in traverse(codec, examples).observations[:, list(STEPS).index(0)]:
        np.testing.assert_array_equal(middle, plain)


def test_axes_are_sorted_by_variance_and_shares_are_those_of_the_whole_block(examples):
    codes = np.random.default_rng(0).normal(size=(1000, 2)) * [1, 3]
    made = traverse(KnownCodec(), examples, codes=codes)
    assert made.axes.tolist() == [1, 0]
    variances = codes.var(axis=0)
    np.testing.assert_allclose(made.shares, variances[[1, 0]] / variances.sum())
    alone = traverse(KnownCodec(), examples, codes=codes, axes=(0,))
    assert alone.axes.tolist() == [0]
    np.testing.assert_allclose(alone.shares, made.shares[1:])


def test_axes_of_known_information_are_sorted_by_it_and_labelled_in_nats(examples):
    codec, one = KnownCodec(), examples.take(np.array([5]))
    codes = np.random.default_rng(0).normal(size=(1000, 2)) * [1, 3]
    told = np.array([1.234, 0.05])
    made = traverse_block(codec, one, "zu", codes, np.arange(2), QualityGate(0.9), told)
    assert made.axes.tolist() == [0, 1]
    assert made.labels == ["1.23 nats", "0.05 nats"]
    plain = traverse(codec, examples, codes=codes)
    assert plain.labels == [f"{100 * share:.1f} %" for share in plain.shares]


def test_codes_that_never_vary_have_no_shares(examples):
    made = traverse(KnownCodec(), examples, codes=np.ones((4, 2)))
    assert made.shares.tolist() == [0.0, 0.0]


def test_what_changes_the_class_is_not_accepted(examples):
    row = int(np.flatnonzero(examples.labels == 1)[0])
    made = traverse(KnownCodec(reads="zu"), examples, row=row)
    accepted = made.accepted[made.axes.tolist().index(1)]  # the class itself
    assert accepted.tolist() == (np.round(1 + STEPS) == 1).tolist()
    assert made.accepted[made.axes.tolist().index(0)].all()


def test_at_most_ten_axes_are_shown_those_of_largest_variance():
    codec = KnownCodec()
    wide = Block("zu", 12, (), BlockPrior.standard_normal(12))
    codec.spec = LatentSpec((codec.spec["zs"], wide))
    codec.encode = lambda images: {
        "zs": np.zeros((len(images), 1), np.float32),
        "zu": np.zeros((len(images), 12), np.float32),
    }
    codes = np.random.default_rng(0).normal(size=(2000, 12)) * np.linspace(0.5, 3, 12)
    made = traverse(codec, known_examples(8), axes=range(12), codes=codes)
    assert made.axes.tolist() == list(range(11, 1, -1))


def test_the_sheet_does_not_depend_on_the_order_of_the_examples(examples):
    codec, settings = KnownCodec(), GenerateConfig()
    sheets = []
    for order in (np.arange(40), np.random.default_rng(1).permutation(40)):
        mixed = examples.take(order)
        latents = codec.encode(mixed.observations)
        axes = shown_axes(codec.spec)
        sheets.append(draw_traversals(codec, mixed, latents, settings, axes))
    assert list(sheets[0]) == ["traversal_of_zu"]
    assert sheets[0] == sheets[1]


def test_blocks_with_the_label_are_shown_where_there_are_no_others():
    spec = KnownCodec().spec
    assert {name: axes.tolist() for name, axes in shown_axes(spec).items()} == {"zu": [0, 1]}
    assert list(shown_axes(LatentSpec((spec["zs"],)))) == ["zs"]


@pytest.fixture(scope="module")
def moved(tmp_path_factory) -> Path:
    """Variants along the axes 3 and 0 of zu."""
    out = tmp_path_factory.mktemp("traverse") / "out"
    make(out, *TRAVERSE, "generate.options.axes=3,0")
    return out


def test_what_is_written_is_the_anchor_with_one_entry_moved(moved):
    assert verify(moved).ok
    codec = Codec(load_bundle(digits_bundle()))
    real, made = DatasetDir.open(digits_data()).read("train"), DatasetDir.open(moved).read("train")
    config = digits_config(*TRAVERSE, "generate.options.axes=3,0").generate
    variants = np.full(len(real), config.variants_per_example)
    anchors = Anchors(real.ids, {"label": real.labels}, variants)
    plan = plan_variants("traverse", anchors, codec.spec, seed=config.seed, options=config.options)
    latents = codec.encode(real.observations)
    codes = recombine(latents, None, plan)
    images = codec.render(codes)[0]
    row_of = {example_id: row for row, example_id in enumerate(made.ids)}
    names = [
        f"{real.ids[anchor]}/traverse/{variant:04d}"
        for anchor, variant in zip(plan.anchor, plan.variant, strict=True)
    ]
    rows = [row_of[name] for name in names]
    assert len(rows) == len(made)
    np.testing.assert_array_equal(made.observations[rows], images)
    np.testing.assert_array_equal(made.labels[rows], plan.label)
    changed = codes["zu"] != latents["zu"][plan.anchor]
    assert set(np.flatnonzero(changed.any(axis=0))) == {0, 3}
    assert (changed.sum(axis=1) == 1).all()


def test_two_workers_write_identical_bytes(moved, tmp_path):
    two = ("--direct_num_workers=2", "--direct_running_mode=multi_threading")
    make(tmp_path / "two", *TRAVERSE, "generate.options.axes=3,0", engine=Engine(beam_args=two))
    assert hashes(moved) == hashes(tmp_path / "two")


def test_the_report_shows_the_axes_that_were_moved_along(moved):
    config = digits_config(*TRAVERSE, "generate.options.axes=3,0")
    report = report_on(config, digits_data(), digits_bundle(), moved)
    assert "one axis per row" in report.captions["traversal_of_zu"]
    assert "sorted by their share" in report.captions["traversal_of_zu"]
    page = (moved / "report.html").read_text()
    assert "<h3>Traversal of zu</h3>" in page


def test_the_evaluation_shows_the_axes_of_the_block_without_the_label(tmp_path):
    report = evaluate(digits_data(), digits_bundle(), tmp_path / "out")
    assert [name for name in report.captions if "traversal" in name] == ["traversal_of_zu"]
    assert (
        "Axes are sorted by their mutual information with the image"
        in report.captions["traversal_of_zu"]
    )
    assert "<h3>Traversal of zu</h3>" in (tmp_path / "out" / "evaluation.html").read_text()


@pytest.mark.parametrize(
    ("text", "axes"), [("2", [2]), ("0,1", [0, 1]), ("'1,0'", [1, 0]), ("all", list(range(16)))]
)
def test_axes_may_be_given_as_yaml_reads_them(text, axes):
    spec = LatentSpec((Block("zu", 16, (), BlockPrior.standard_normal(16)),))
    options = digits_config(*TRAVERSE, f"generate.options.axes={text}").generate.options
    assert find_recipe("traverse").traversed(spec, options)["zu"].tolist() == axes


def test_a_dry_run_tells_what_would_be_made(tmp_path):
    config = digits_config(*TRAVERSE, "generate.options.axes=0,1")
    said = forecast_job(config, digits_data(), digits_bundle(), tmp_path / "out")
    assert said.requested == 4 * sum(said.examples.values())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{axes: '16'}", "'zu' has no axis 16.*its size is 16"),
        ("{axes: 0-3}", "Write for example axes=0,1,2"),
        ("{axes: 2.5}", "Write for example axes=0,1,2"),
        ("{axes: [0, 1]}", r"'generate.options.axes' is wrong"),
        ("{block: zx}", "Did you mean"),
        ("{extent: 0}", "Pass standard deviations, in order"),
        ("{axis: 1}", "Did you mean 'axes'"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_work_starts(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        make(tmp_path / "o", *TRAVERSE, f"generate.options={options}")
    assert not (tmp_path / "o").exists()


def test_a_factor_whose_block_was_moved_is_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"any of .*Set the option `block`"):
        make_letters(tmp_path / "o", *TRAVERSE)
    make_letters(tmp_path / "o", *TRAVERSE, "generate.options={block: back}")
    assert list(DatasetDir.open(tmp_path / "o").manifest.factors) == ["label", "ink"]
