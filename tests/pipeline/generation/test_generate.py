"""The main job: exact contents, identical bytes, nothing lost."""

import hashlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from bundles import command, digits_bundle, digits_config, digits_data, hashes, make

from latentloom.augment import Anchors, plan_variants, recombine
from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.generation.engines import Engine
from latentloom.pipeline.generation.graph import run_graph
from latentloom.pipeline.generation.planning.plan_job import plan_job
from latentloom.pipeline.verification.verify import verify


@pytest.fixture(scope="module")
def variants(tmp_path_factory) -> Path:
    """What one run writes."""
    out = tmp_path_factory.mktemp("variants") / "out"
    make(out)
    return out


def test_tfds_reads_every_record_and_every_feature(variants):
    dataset = DatasetDir.open(variants)
    builder = tfds.builder_from_directory(str(variants))
    records = list(tfds.as_numpy(builder.as_dataset(split="train")))
    assert len(records) == dataset.manifest.totals["written"] > 100
    assert set(records[0]) == {
        *("image", "label", "example_id", "anchor_id", "donor_ids", "recipe"),
        *("seen_combination", "judge_confidence", "seed"),
    }
    read = dataset.read("train")
    by_id = {record["example_id"].decode(): record for record in records}
    assert sorted(by_id) == sorted(read.ids)
    for image, label, example_id in zip(read.observations, read.labels, read.ids, strict=True):
        np.testing.assert_array_equal(by_id[example_id]["image"], image)
        assert by_id[example_id]["label"] == label
        assert example_id.startswith(by_id[example_id]["anchor_id"].decode() + "/")
        assert by_id[example_id]["judge_confidence"] >= 0.9
        assert by_id[example_id]["seen_combination"]
        assert len(by_id[example_id]["donor_ids"]) == 0


def test_tf_data_and_the_manifest_agree(variants):
    manifest = DatasetDir.open(variants).manifest
    for shard in manifest.splits["train"]:
        records = list(tf.data.TFRecordDataset(str(variants / shard.file)).as_numpy_iterator())
        labels = [
            tf.train.Example.FromString(r).features.feature["label"].int64_list.value[0]
            for r in records
        ]
        assert len(records) == shard.records
        assert np.bincount(labels, minlength=10).tolist() == shard.label_counts


def test_every_requested_variant_is_written_rejected_or_dead(variants):
    manifest = DatasetDir.open(variants).manifest
    totals = manifest.totals
    examples = DatasetDir.open(digits_data()).manifest.num_examples("train")
    assert totals["requested"] == 4 * examples
    assert totals["requested"] == totals["written"] + totals["rejected"] + totals["dead"]
    assert totals["rejected"] > 0, "the gate of a badly trained model must reject something"
    refused = sum(sum(by.values()) for by in manifest.details["rejections"].values())
    assert refused == manifest.details["candidates"] - totals["written"]


def test_what_is_written_passes_verify(variants):
    assert verify(variants).ok


def test_beam_writes_what_the_model_called_directly_makes(tmp_path):
    make(tmp_path / "out", "generate.gate.enabled=false", "generate.variants_per_example=2")
    codec = Codec(load_bundle(digits_bundle()))
    real = DatasetDir.open(digits_data()).read("train")
    anchors = Anchors(real.ids, real.factors, np.full(len(real), 2))
    plan = plan_variants("class_preserving", anchors, codec.spec, seed=0)
    images, _ = codec.render(recombine(codec.encode(real.observations), None, plan))
    names = [
        f"{real.ids[anchor]}/class_preserving/{variant:04d}"
        for anchor, variant in zip(plan.anchor, plan.variant, strict=True)
    ]
    written = DatasetDir.open(tmp_path / "out").read("train")
    direct = dict(zip(names, images, strict=True))
    assert sorted(direct) == sorted(written.ids)
    for image, example_id in zip(written.observations, written.ids, strict=True):
        np.testing.assert_array_equal(image, direct[example_id])


def test_the_same_run_twice_writes_identical_bytes(variants, tmp_path):
    make(tmp_path / "again")
    assert hashes(tmp_path / "again") == hashes(variants)


def test_another_seed_writes_other_bytes(variants, tmp_path):
    make(tmp_path / "other", "generate.seed=1")
    assert not set(hashes(tmp_path / "other").values()) & set(hashes(variants).values())


def test_the_order_of_the_input_shards_does_not_change_the_bytes(variants, tmp_path):
    out = tmp_path / "shuffled"
    job = plan_job(digits_config().generate, str(digits_data()), str(digits_bundle()), str(out))
    out.mkdir()
    run_graph(job, job.tasks[::-1])
    assert hashes(out) == hashes(variants)


@pytest.mark.parametrize("mode", ["multi_processing", "multi_threading"])
def test_two_workers_write_identical_bytes(variants, tmp_path, mode):
    out = tmp_path / "two"
    workers = ("--direct_num_workers=2", f"--direct_running_mode={mode}")
    subprocess.run(command(out, *workers), check=True, timeout=300, capture_output=True)
    assert hashes(out) == hashes(variants)


@pytest.mark.parametrize("shards_before_the_kill", [0, 1, 2])
def test_kill_and_rerun_gives_identical_bytes_and_redoes_no_finished_shard(
    variants, tmp_path, shards_before_the_kill
):
    out = tmp_path / "killed"
    run = subprocess.Popen(command(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(out.glob(".job/*tfrecord*.json"))) < shards_before_the_kill or not out.exists():
        assert time.monotonic() < deadline
        assert run.poll() is None
        time.sleep(0.002)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert not (out / "manifest.json").exists(), "killed too late for this test"
    finished = {path: path.stat().st_mtime_ns for path in out.glob("[!.]*.tfrecord-*")}
    for path in finished:
        assert hashes(variants)[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()
    reported = [p.name.removesuffix(".json") for p in out.glob(".job/*tfrecord*.json")]
    make(out)
    assert hashes(out) == hashes(variants)
    for path, written_at in finished.items():
        if path.name in reported:
            assert path.stat().st_mtime_ns == written_at
    assert verify(out).ok
    assert not list(out.glob(".*.tmp"))


def test_a_damaged_output_shard_alone_is_made_again(variants, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(variants, out)
    first, *others = sorted(out.glob("*.tfrecord-*"))
    first.write_bytes(first.read_bytes()[:-3])
    written_at = [path.stat().st_mtime_ns for path in others]
    make(out)
    assert hashes(out) == hashes(variants)
    assert [path.stat().st_mtime_ns for path in others] == written_at


def test_auto_strategy_balances_the_classes(tmp_path):
    make(tmp_path / "o", "generate.sampling_strategy=auto", "generate.gate.enabled=false")
    before = DatasetDir.open(digits_data()).manifest.label_counts("train")
    made = DatasetDir.open(tmp_path / "o").manifest.label_counts("train")
    assert {before[name] + made[name] for name in before} == {max(before.values())}


def test_minority_strategy_raises_the_smallest_class_only(tmp_path):
    make(tmp_path / "o", "generate.sampling_strategy=minority", "generate.gate.enabled=false")
    before = DatasetDir.open(digits_data()).manifest.label_counts("train")
    made = DatasetDir.open(tmp_path / "o").manifest.label_counts("train")
    smallest = min(before, key=lambda name: before[name])
    assert {name: count for name, count in made.items() if count} == {
        smallest: max(before.values()) - before[smallest]
    }


@pytest.mark.parametrize("form", ["{3: 41, 8: 7}", "{new: {3: 41, 8: 7}}", "{total: {3: %d}}"])
def test_class_quotas_are_met_exactly(tmp_path, caplog, form):
    before = DatasetDir.open(digits_data()).manifest.label_counts("train")["3"]
    quotas = "generate.sampling_strategy=" + form.replace("%d", str(before + 4))
    make(tmp_path / "o", quotas, "generate.gate.enabled=false")
    made = DatasetDir.open(tmp_path / "o").manifest.label_counts("train")
    wanted = {"3": 4} if "total" in form else {"3": 41, "8": 7}
    assert {name: count for name, count in made.items() if count} == wanted
    told = "is taken as 41 new variants of class '3'" in caplog.text
    assert told == form.startswith("{3") == ("Write {new: {3: 41}}" in caplog.text)


def test_a_run_whose_variants_are_all_rejected_fails_with_the_fix(tmp_path):
    with pytest.raises(RuntimeError, match="lower `generate.gate.min_confidence`"):
        make(tmp_path / "o", "generate.gate.min_confidence=1")
    assert not (tmp_path / "o/manifest.json").exists()


def test_attempts_raise_the_number_of_variants_that_pass_the_gate(variants, tmp_path):
    make(tmp_path / "o", "generate.gate.attempts=1")
    once = DatasetDir.open(tmp_path / "o")
    assert once.manifest.details["candidates"] == once.manifest.totals["requested"]
    thrice = DatasetDir.open(variants)
    assert thrice.manifest.totals["written"] > once.manifest.totals["written"]
    assert set(once.read("train").ids) < set(thrice.read("train").ids)


def test_interpolation_records_donors_of_the_same_class(tmp_path):
    make(tmp_path / "o", "generate.recipe=interpolate_zu", "generate.gate.enabled=false")
    real = DatasetDir.open(digits_data()).read("train")
    label_of = dict(zip(real.ids, real.labels, strict=True))
    builder = tfds.builder_from_directory(str(tmp_path / "o"))
    records = list(tfds.as_numpy(builder.as_dataset(split="train")))
    assert len(records) == 4 * len(real)
    for record in records:
        (donor,) = [name.decode() for name in record["donor_ids"]]
        anchor = record["anchor_id"].decode()
        assert donor != anchor
        assert label_of[donor] == label_of[anchor] == record["label"]


def test_interpolation_is_the_same_on_two_workers(tmp_path):
    settings = ("generate.recipe=interpolate_zu", "generate.variants_per_example=1")
    make(tmp_path / "one", *settings)
    two = ("--direct_num_workers=2", "--direct_running_mode=multi_threading")
    make(tmp_path / "two", *settings, engine=Engine(beam_args=two))
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")


def test_a_rerun_with_donors_skips_finished_shards_and_gives_the_same_bytes(tmp_path):
    settings = ("generate.recipe=interpolate_zu", "generate.variants_per_example=1")
    make(tmp_path / "o", *settings)
    before = hashes(tmp_path / "o")
    first, *others = sorted((tmp_path / "o").glob("*.tfrecord-*"))
    first.unlink()
    written_at = [path.stat().st_mtime_ns for path in others]
    make(tmp_path / "o", *settings)
    assert hashes(tmp_path / "o") == before
    assert [path.stat().st_mtime_ns for path in others] == written_at


def test_reconstruct_makes_one_image_that_resembles_its_anchor(tmp_path):
    settings = ("generate.recipe=reconstruct", "generate.gate.enabled=false")
    make(tmp_path / "o", *settings, "generate.variants_per_example=1")
    real = DatasetDir.open(digits_data()).read("train")
    image_of = dict(zip(real.ids, real.loaded().observations.astype(float), strict=True))
    made = DatasetDir.open(tmp_path / "o").read("train").loaded()
    own = [
        np.mean((i - image_of[n.split("/recon")[0]]) ** 2)
        for i, n in zip(made.observations.astype(float), made.ids, strict=True)
    ]
    other = [np.mean((i - real.observations[0]) ** 2) for i in made.observations.astype(float)]
    assert np.mean(own) < 0.7 * np.mean(other)
