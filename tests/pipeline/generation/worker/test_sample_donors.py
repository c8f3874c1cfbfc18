"""Donors are chosen by their keys before they are encoded: the bank is that of all examples."""

import shutil

import numpy as np
import pytest
from bundles import digits_bundle, digits_config, digits_data
from rewriting import edit_records

from latentloom.augment import DonorBank
from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.generation.planning.plan_job import plan_job
from latentloom.pipeline.generation.worker.sample_donors import sample_donors


@pytest.fixture(scope="module")
def codec():
    return Codec(load_bundle(digits_bundle()))


def job_on(data, out, *settings):
    config = digits_config("generate.recipe=swap_zu", *settings)
    return plan_job(config.generate, str(data), str(digits_bundle()), str(out))


def whole_bank(job, dataset, task, codec):
    """The bank by way of the codes of all readable examples."""
    examples, _ = dataset.read_shard("train", dataset.shard_index("train", task.source))
    codes = codec.encode(examples.observations, job.plan.blocks.donors)
    given = {"seed": job.settings.seed, "capacity": job.settings.donors_per_class}
    return DonorBank.build(examples.ids, {"label": examples.labels}, codes, **given)


def assert_equal(bank, other):
    np.testing.assert_array_equal(bank.ids, other.ids)
    np.testing.assert_array_equal(bank.keys, other.keys)
    assert list(bank.latents) == list(other.latents) == ["zu"]
    np.testing.assert_array_equal(bank.latents["zu"], other.latents["zu"])
    np.testing.assert_array_equal(bank.factors["label"], other.factors["label"])


@pytest.mark.parametrize("batch", [7, 1024])
def test_the_bank_is_that_of_all_examples(codec, tmp_path, monkeypatch, batch):
    monkeypatch.setattr("latentloom.pipeline.observations.kind.BATCH_BYTES", batch * 64)
    dataset = DatasetDir.open(digits_data())
    job = job_on(digits_data(), tmp_path, "generate.donors_per_class=3")
    for task in job.tasks:
        bank = sample_donors(job, dataset, task, codec)
        assert 10 <= len(bank) <= 30
        assert_equal(bank, whole_bank(job, dataset, task, codec))


def test_few_examples_are_encoded(codec, tmp_path, monkeypatch):
    encode, rows = codec.encode, []
    monkeypatch.setattr(codec, "encode", lambda *a: rows.append(len(a[0])) or encode(*a))
    job = job_on(digits_data(), tmp_path, "generate.donors_per_class=1")
    sample_donors(job, DatasetDir.open(digits_data()), job.tasks[0], codec)
    assert sum(rows) == 10


def test_damaged_images_give_their_places_to_the_next_donors(codec, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(digits_data(), data)

    def damage(examples):
        for example in examples[::2]:
            (image,) = example.features.feature["image"].bytes_list.value
            example.features.feature["image"].bytes_list.value[0] = image[:-20] + bytes(20)

    file = edit_records(data, damage)
    dataset, job = DatasetDir.open(data), job_on(data, tmp_path, "generate.donors_per_class=2")
    (task,) = (task for task in job.tasks if task.source == file)
    damaged = {letter.record for letter in dataset.read_shard("train", task.index)[1]}
    bank = sample_donors(job, dataset, task, codec)
    assert len(damaged) == -(-(task.stop - task.start) // 2)
    assert len(bank) == 20
    assert_equal(bank, whole_bank(job, dataset, task, codec))
