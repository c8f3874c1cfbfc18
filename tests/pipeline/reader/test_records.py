"""`read` gives what was written, and no more than was asked for."""

import subprocess
import sys

import numpy as np
import pytest
from bundles import make

from latentloom.pipeline.reader import read


@pytest.fixture(scope="module")
def variants(tmp_path_factory):
    return make(tmp_path_factory.mktemp("reader") / "variants", "generate.gate.min_confidence=0.5")


def test_records_are_the_examples_in_the_order_of_the_shards(dataset):
    for split in ("train", "test"):
        examples, records = dataset.read(split), list(read(dataset.path, split))
        assert [record["example_id"] for record in records] == examples.ids
        np.testing.assert_array_equal(
            [record["image"] for record in records], examples.observations
        )
        for name, codes in examples.factors.items():
            assert [record[name] for record in records] == codes.tolist()


def test_grey_images_keep_their_axes(variants):
    record = next(read(variants.path))
    assert record["image"].shape == (8, 8, 1)
    assert record["image"].dtype == np.uint8


def test_generated_records_tell_where_they_come_from(variants):
    for record in read(variants.path):
        assert record["example_id"].startswith(record["anchor_id"])
        assert record["recipe"] == "class_preserving"
        assert record["donor_ids"] == []
        assert 0.5 <= record["judge_confidence"] <= 1


def test_the_parts_of_several_workers_are_the_whole(dataset):
    parts = [read(dataset.path, worker=worker, num_workers=3) for worker in range(3)]
    found = [[record["example_id"] for record in part] for part in parts]
    assert max(map(len, found)) - min(map(len, found)) <= 1
    assert sorted(sum(found, [])) == sorted(dataset.read("train").ids)


def test_a_recipe_and_a_confidence_can_be_asked_for(variants):
    sure = list(read(variants.path, min_confidence=0.99))
    assert 0 < len(sure) < variants.manifest.num_examples("train")
    assert all(record["judge_confidence"] >= 0.99 for record in sure)
    assert not list(read(variants.path, recipes=["swap_zu"]))
    everything = list(read(variants.path, recipes=["swap_zu", "class_preserving"]))
    assert len(everything) == variants.manifest.num_examples("train")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"recipes": ["swap_zu"]}, "are real. Expected.*Leave both out"),
        ({"min_confidence": 0.5}, "are real. Expected.*Leave both out"),
        ({"min_confidence": 2}, "in 0 to 1.*Pass a probability"),
        ({"worker": 2, "num_workers": 2}, "part of .* is out of range.*Number the parts from 0"),
        ({"split": "validation"}, "no such split.*Name one of these"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_read(dataset, settings, message):
    with pytest.raises(ValueError, match=message):
        read(dataset.path, **settings)


def test_a_damaged_record_is_an_error_that_names_it(dataset):
    shard = dataset.shard_path("train", 1)
    with open(shard, "r+b") as file:
        file.seek(20)
        file.write(b"\xff\xff\xff")
    with pytest.raises(ValueError, match=r"record 0 of .*checksum.*latentloom verify"):
        list(read(dataset.path))


def test_reading_imports_neither_tensorflow_nor_keras(dataset):
    program = (
        "import sys; from latentloom.pipeline.reader import read; "
        f"print(len(list(read({dataset.path!r})))); "
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == f"{dataset.manifest.num_examples('train')}\nset()\n", done.stderr
