"""Recombination through the whole pipeline: what is made, what the records say, what is refused."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from bundles import make as make_digits
from letters import BANDS, NAMES, STEP, letters_bundle, letters_config, letters_data, make

from latentloom.augment import (
    Coverage,
    DonorBank,
    allot_cells,
    anchors_among,
    choose_cells,
    find_clashes,
    plan_variants,
    recombine,
)
from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.coverage_file import read_change
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.generation.graph import run_graph
from latentloom.pipeline.generation.job import JOB_FOLDER
from latentloom.pipeline.generation.planning.cell_counts import count_by_cell
from latentloom.pipeline.generation.planning.factor_plan import plan_factors
from latentloom.pipeline.generation.planning.plan_job import plan_job
from latentloom.pipeline.generation.planning.slices import cut
from latentloom.pipeline.verification.verify import verify

ALL = tuple(NAMES)


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Path:
    """What one run writes: every cell brought up to six examples."""
    out = tmp_path_factory.mktemp("letters") / "out"
    make(out, "generate.cells=balanced")
    return out


def read_records(out: Path) -> dict[str, dict]:
    """The records of a generated data set by id, texts as strings."""
    builder = tfds.builder_from_directory(str(out))
    records = {}
    for record in tfds.as_numpy(builder.as_dataset(split="train")):
        record["donor_ids"] = [donor.decode() for donor in record["donor_ids"]]
        record["anchor_id"] = record["anchor_id"].decode()
        records[record["example_id"].decode()] = record
    return records


def shard_records(out: Path) -> dict[str, bytes]:
    """The bytes of every record by id, whatever shard it lies in."""
    found = {}
    for path in sorted(out.glob("*.tfrecord-*")):
        for data in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            features = tf.train.Example.FromString(data).features.feature
            found[features["example_id"].bytes_list.value[0].decode()] = data
    return found


def real_letters() -> dict[str, tuple[np.ndarray, dict[str, int]]]:
    """Pixels and factors of every real letter by id."""
    real = DatasetDir.open(letters_data()).read("train")
    rows = {name: codes.tolist() for name, codes in real.factors.items()}
    return {
        example_id: (real.observations[row], {name: rows[name][row] for name in rows})
        for row, example_id in enumerate(real.ids)
    }


def test_every_band_of_a_recombination_is_the_value_that_the_record_names(filled):
    real = real_letters()
    for record in read_records(filled).values():
        bands = record["image"][::2, 0, 0].astype(int)
        assert (record["image"] == record["image"][:, :1]).all()
        assert bands[:3].tolist() == [int(STEP * (record[name] + 0.5)) for name in ALL]
        anchor, factors = real[record["anchor_id"]]
        assert bands[3] == anchor[6, 0, 0]
        assert factors["label"] == record["label"]
        given = [real[donor][1] for donor in record["donor_ids"]]
        for name in ("ink", "back"):
            assert record[name] in [donor[name] for donor in given]
        assert record["ink"] != record["back"]


def test_records_say_how_sure_the_judge_is_of_each_factor_and_whether_the_cell_was_seen(filled):
    seen = {tuple(factors.values()) for _, factors in real_letters().values()}
    records = read_records(filled).values()
    for record in records:
        for name in ("judge_confidence", "judge_confidence_ink", "judge_confidence_back"):
            assert record[name] > 0.99
        assert record["seen_combination"] == (tuple(record[name] for name in ALL) in seen)
    assert {record["seen_combination"] for record in records} == {True, False}


def test_every_cell_is_brought_up_to_the_number_asked_for(filled):
    before, after = read_change(filled)
    counted = DatasetDir.open(letters_data()).read("train")
    assert before == Coverage(before.names).count(counted.factors)
    possible = [(a, b, c) for a in range(3) for b in range(3) for c in range(3) if b != c]
    assert {cell: after.counts[cell] for cell in possible} == {
        cell: max(6, before.counts.get(cell, 0)) for cell in possible
    }
    assert set(after.counts) == set(possible)
    totals = DatasetDir.open(filled).manifest.totals
    assert totals["written"] == sum(after.counts.values()) - sum(before.counts.values())
    assert verify(filled).ok


def test_beam_counts_the_examples_of_each_cell(tmp_path):
    real = DatasetDir.open(letters_data()).read("train")
    cells = list(zip(*(real.factors[name].tolist() for name in ALL), strict=True))
    near = str(tmp_path / "out")
    for shards in (1, 3):
        dataset = DatasetDir.open(letters_data(shards))
        for records in (7, 10_000):
            counted = count_by_cell(
                dataset, "train", cut(dataset.shards("train"), records), ALL, near
            )
            assert counted.counts == {cell: cells.count(cell) for cell in set(cells)}
    assert not list(tmp_path.iterdir())


def test_beam_writes_what_the_model_called_directly_makes(filled):
    codec = Codec(load_bundle(letters_bundle()))
    real = DatasetDir.open(letters_data()).read("train")
    latents, names = codec.encode(real.observations), codec.bundle.factors
    clashes = find_clashes(names, [("ink", "back")])
    bank = DonorBank.build(real.ids, real.factors, latents, seed=0, capacity=64)
    before, _ = read_change(filled)
    cells = choose_cells(before, "balanced", 6, clashes)
    allotted = allot_cells(cells, bank, seed=0, clashes=clashes)
    anchors = anchors_among(real.ids, real.factors, bank, *allotted)
    plan = plan_variants("recombine_factors", anchors, codec.spec, seed=0, donors=bank)
    images, _ = codec.render(recombine(latents, bank.latents, plan))
    direct = {
        f"{real.ids[anchor]}/recombine_factors/{variant:04d}": row
        for row, (anchor, variant) in enumerate(zip(plan.anchor, plan.variant, strict=True))
    }
    written = read_records(filled)
    assert sorted(direct) == sorted(written)
    for example_id, row in direct.items():
        np.testing.assert_array_equal(written[example_id]["image"], images[row])
        donors = {int(plan.donors[name][row]) for name in ("ink", "back")}
        assert written[example_id]["donor_ids"] == bank.ids[sorted(donors)].tolist()


def test_the_bytes_of_a_record_do_not_depend_on_how_the_data_is_sharded(filled, tmp_path):
    make(tmp_path / "one", "generate.cells=balanced", shards=1)
    assert len(list((tmp_path / "one").glob("*.tfrecord-*"))) == 1
    assert len(list(filled.glob("*.tfrecord-*"))) == 3
    assert shard_records(tmp_path / "one") == shard_records(filled)


def test_the_order_of_the_shards_does_not_change_the_bytes(filled, tmp_path):
    out = tmp_path / "shuffled"
    settings = letters_config("generate.cells=balanced").generate
    job = plan_job(settings, str(letters_data()), str(letters_bundle()), str(out))
    (out / JOB_FOLDER).mkdir(parents=True)
    run_graph(job, job.tasks[::-1])
    assert shard_records(out) == shard_records(filled)


def test_a_rerun_makes_a_missing_shard_again_and_no_other(tmp_path):
    make(tmp_path / "o")
    before = shard_records(tmp_path / "o")
    first, *others = sorted((tmp_path / "o").glob("*.tfrecord-*"))
    written_at = [path.stat().st_mtime_ns for path in others]
    first.unlink()
    make(tmp_path / "o")
    assert shard_records(tmp_path / "o") == before
    assert [path.stat().st_mtime_ns for path in others] == written_at


def test_unseen_cells_of_some_factors_keep_the_others_of_the_anchor(tmp_path):
    make(tmp_path / "o", "generate.factors=[back, label]", "generate.per_cell=9")
    real, made = real_letters(), read_records(tmp_path / "o")
    assert len(made) == 9
    for record in made.values():
        _, anchor = real[record["anchor_id"]]
        assert (record["label"], record["back"]) == (2, 0)
        assert record["ink"] == anchor["ink"] != 0
        assert not record["seen_combination"]
    assert len({record["anchor_id"] for record in made.values()}) == 9
    assert len({donor for record in made.values() for donor in record["donor_ids"]}) == 9


def test_swapping_a_factor_writes_the_donors_value(tmp_path):
    options = "generate.options={factor: back}"
    make(tmp_path / "o", "generate.recipe=swap_factor", options)
    real, made = real_letters(), read_records(tmp_path / "o")
    assert len(made) == len(real)
    for record in made.values():
        _, anchor = real[record["anchor_id"]]
        (donor,) = [real[donor][1] for donor in record["donor_ids"]]
        assert (record["label"], record["ink"]) == (anchor["label"], anchor["ink"])
        assert record["back"] == donor["back"] not in (anchor["back"], record["ink"])
        assert record["image"][4, 0, 0] == STEP * (record["back"] + 0.5)
    assert any(not record["seen_combination"] for record in made.values())


def test_a_factor_that_is_not_known_is_not_written(tmp_path):
    options = "generate.options={factor: back, same_value: 0}"
    make(tmp_path / "o", "generate.recipe=interpolate_factor", options)
    assert list(DatasetDir.open(tmp_path / "o").manifest.factors) == ["label", "ink"]
    assert "back" not in next(iter(read_records(tmp_path / "o").values()))


def test_a_recombination_in_which_a_factor_is_not_read_back_is_rejected(tmp_path, monkeypatch):
    reads = Codec.render_factors

    def misread(self, *codes):
        images, probabilities = reads(self, *codes)
        probabilities["back"][:, 0] = 0.0  # never the blue of unseen cells
        return images, probabilities

    monkeypatch.setattr(Codec, "render_factors", misread)
    make(tmp_path / "o", "generate.cells=balanced", "generate.gate.attempts=2")
    manifest = DatasetDir.open(tmp_path / "o").manifest
    made = read_records(tmp_path / "o").values()
    assert made
    assert all(record["back"] != 0 for record in made)
    reasons = manifest.details["rejections"].values()
    assert {reason for by_reason in reasons for reason in by_reason} == {"wrong_back"}
    refused = sum(sum(by_reason.values()) for by_reason in reasons)
    assert refused == 2 * manifest.totals["rejected"] > 0


def test_the_report_shows_the_grid_and_the_donors_beside_the_result(filled):
    config = letters_config("generate.cells=balanced")
    report = report_on(config, letters_data(), letters_bundle(), filled)
    assert {"recombinations", "cells"} <= set(report.captions)
    page = (filled / "report.html").read_text()
    for name in ("recombinations", "cells"):
        assert f"<h3>{name.capitalize()}</h3>" in page
    figures = {m["name"]: m for m in json.loads((filled / "report.json").read_text())["numbers"]}
    for name in ("Cell read back", "Class kept", "Factor ink kept", "Factor back kept"):
        assert figures[f"{name}, before the gate"]["value"] == 1.0
    assert figures["Cells without an example, before"]["value"] == 2  # of 27, 9 of one colour
    assert figures["Cells without an example, before"]["unit"] == "of 18"
    assert figures["Cells without an example, after"]["value"] == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ("generate.cells=[{label: q, ink: red, back: green}]",),
            "'q' of factor 'label' was never",
        ),
        (("generate.cells=[{label: a, ink: red}]",), "Name these factors and no others"),
        (("generate.cells=[{label: a, ink: red, back: red}]",), "Leave the cell out"),
        (("generate.cells=rare", "generate.per_cell=1"), "There is no cell to fill"),
        (("generate.factors=[label, bakc]",), "Did you mean 'back'"),
        (("generate.factors=[label]",), "Name more in generate.factors"),
        (("generate.differ=[[ink, label]]",), "Leave this pair out"),
        (("generate.sampling_strategy=auto",), "Set generate.cells and generate.per_cell"),
        (("generate.options={style: priors}",), "Did you mean 'prior'"),
        (("generate.recipe=swap_factor",), "Set the option `factor`"),
        (
            ("generate.recipe=swap_factor", "generate.options={factor: label}"),
            "Choose 'recombine_factors' or 'swap_zu'",
        ),
        (
            ("generate.recipe=interpolate_factor", "generate.options={factor: inks}"),
            "Did you mean 'ink'",
        ),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_written(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        make(tmp_path / "o", *settings)
    assert not list(tmp_path.iterdir())


def test_a_factor_with_one_value_is_refused(tmp_path):
    job = partial(plan_factors, letters_config().generate)
    codec, dataset = Codec(load_bundle(letters_bundle())), DatasetDir.open(letters_data())
    slices = cut(dataset.shards("train"), 10_000)
    whole = count_by_cell(dataset, "train", slices, ALL, str(tmp_path / "o"))
    one = Coverage(whole.names, {cell: n for cell, n in whole.counts.items() if cell[1] == 0})
    with pytest.raises(ValueError, match="Factor 'ink' has too few values.*Leave the factor out"):
        job(dataset.manifest.factors, codec.spec, ALL, lambda factors: one)
    with pytest.raises(ValueError, match="cannot check factor 'ink'.*judge.factors"):
        job(dataset.manifest.factors, codec.spec, ("label",), lambda factors: whole)


def test_a_model_with_one_factor_has_nothing_to_recombine(tmp_path):
    with pytest.raises(ValueError, match="train a model with a block for each factor"):
        make_digits(tmp_path / "o", "generate.recipe=recombine_factors")
    assert not (tmp_path / "o").exists()


def test_the_bands_are_the_blocks_of_the_code():
    assert Codec(load_bundle(letters_bundle())).spec.names == BANDS
