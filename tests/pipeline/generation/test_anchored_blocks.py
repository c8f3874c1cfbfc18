"""A model whose block holds the image goes through the whole pipeline as any other."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from bundles import hashes
from overlaid import overlaid_bundle, overlaid_config, overlaid_data

from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.generation.planning.plan_job import plan_job
from latentloom.pipeline.generation.worker.sample_donors import sample_donors
from latentloom.pipeline.verification.verify import verify


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(load_bundle(overlaid_bundle()))


@pytest.fixture(scope="module")
def real():
    return DatasetDir.open(overlaid_data()).read("train")


def made_by(out, recipe, *settings, **options):
    """The records of a run."""
    config = overlaid_config(f"generate.recipe={recipe}", *settings)
    generate(config, overlaid_data(), overlaid_bundle(), out, **options)
    assert verify(out).ok
    builder = tfds.builder_from_directory(str(out))
    return list(tfds.as_numpy(builder.as_dataset(split="train")))


def job_on(out, recipe, *settings):
    config = overlaid_config(f"generate.recipe={recipe}", *settings)
    return plan_job(config.generate, str(overlaid_data()), str(overlaid_bundle()), str(out))


def test_a_decoded_code_is_its_image_and_a_residual(codec, real):
    images = real.observations[:8]
    codes = codec.encode(images)
    scaled = codes["source"].reshape(images.shape)
    np.testing.assert_allclose(scaled, images / 127.5 - 1, atol=1e-6)
    made = codec.render(codes)[0].astype(int)
    assert np.abs(made - images).max() < 255


def test_a_swapped_overlay_has_the_value_of_its_donor(tmp_path, real):
    made = made_by(tmp_path, "swap_factor", "generate.options={factor: frame}")
    of = {i: row for row, i in enumerate(real.ids)}
    assert len(made) == len(real.ids)
    for record in made:
        anchor = of[record["anchor_id"].decode()]
        (donor,) = (of[each.decode()] for each in record["donor_ids"])
        assert record["label"] == real.labels[anchor]
        assert record["frame"] == real.factors["frame"][donor] != real.factors["frame"][anchor]
        assert record["bar"] == real.factors["bar"][anchor]


def test_overlays_of_several_donors_fill_cells(tmp_path, real):
    settings = ("generate.options={}", "generate.cells=balanced", "generate.per_cell=9")
    made = made_by(tmp_path, "recombine_factors", *settings)
    of, donors = {i: row for row, i in enumerate(real.ids)}, []
    for record in made:
        given = [of[each.decode()] for each in record["donor_ids"]]
        assert record["frame"] in real.factors["frame"][given]
        assert record["bar"] in real.factors["bar"][given]
        donors.append(len(given))
    assert max(donors) == 2
    cells = [(r["label"], r["frame"], r["bar"]) for r in made]
    cells += list(zip(*(real.factors[name].tolist() for name in real.factors), strict=True))
    assert min(np.unique(cells, axis=0, return_counts=True)[1]) >= 9


@pytest.mark.parametrize(
    ("recipe", "settings", "unknown"),
    [
        ("interpolate_factor", ["generate.options={factor: bar}"], []),
        ("class_preserving", ["generate.options={}"], ["frame", "bar"]),
        ("traverse", ["generate.options={block: frame}"], ["frame"]),
        ("sample_class", ["generate.options={}"], ["frame", "bar"]),
    ],
)
def test_every_recipe_tells_the_factors_that_it_keeps(tmp_path, recipe, settings, unknown):
    made = made_by(tmp_path, recipe, *settings)
    assert {"label", "frame", "bar"} - set(made[0]) == set(unknown)


def test_the_donor_bank_holds_the_overlay_alone(tmp_path, codec):
    job = job_on(tmp_path, "swap_factor", "generate.options={factor: frame}")
    assert job.plan.blocks.donors == ("frame",)
    assert job.plan.blocks.anchors == ("bar", "source")
    bank = sample_donors(job, DatasetDir.open(overlaid_data()), job.tasks[0], codec)
    assert list(bank.latents) == ["frame"]
    assert len(bank) <= 64 * 14


def test_a_donor_bank_beyond_its_memory_is_refused_before_anything_is_written(tmp_path):
    settings = ["generate.options={factor: frame}", "generate.donors_per_class=100000"]
    with pytest.raises(
        ValueError, match=r"would exceed its memory.*1 MiB.*donors_per_class to \d+, or raise"
    ):
        made_by(tmp_path / "out", "swap_factor", *settings, "generate.donor_memory=1")
    assert not (tmp_path / "out").exists()


def test_interpolating_images_is_refused(tmp_path):
    with pytest.raises(ValueError, match="block 'source', which stays with its anchor"):
        job_on(tmp_path, "interpolate_class", "generate.options={}")


def test_the_bytes_do_not_depend_on_how_far_a_run_got(tmp_path):
    settings = ("generate.options={factor: bar}", "generate.slice_records=40")
    made_by(tmp_path / "whole", "swap_factor", *settings)
    made_by(tmp_path / "again", "swap_factor", *settings)
    shards = sorted((tmp_path / "again").glob("*.tfrecord-*"))
    assert len(shards) > 4
    assert hashes(tmp_path / "whole") == hashes(tmp_path / "again")


def test_a_loaded_bundle_has_directions_for_a_traversal(codec):
    for name in ("frame", "bar"):
        block = codec.spec[name]
        assert block.num_axes == 8 < block.dim
        assert not block.anchored
    assert codec.spec["source"].anchored
    assert codec.spec["source"].prior.is_class_conditional
