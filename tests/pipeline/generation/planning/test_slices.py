"""A shard that is too large is cut, and nothing is lost or made twice at the seams."""

import numpy as np
import pytest
import tensorflow as tf
from bundles import digits_bundle, digits_config, digits_data, make

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import ShardEntry
from latentloom.pipeline.generation.planning.plan_job import plan_job
from latentloom.pipeline.generation.planning.slices import Slice, cut, is_whole
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.storage.tfrecords import BadRecord, frame, read_records

RECORDS = [bytes([index]) * (index + 1) for index in range(20)]


def entry(file: str, records: int) -> ShardEntry:
    return ShardEntry(
        file=file, records=records, num_bytes=16 * records, sha256="0" * 64, label_counts=[records]
    )


def shard_records(folder) -> list[bytes]:
    files = [str(path) for path in sorted(folder.glob("*.tfrecord-*"))]
    return list(tf.data.TFRecordDataset(files).as_numpy_iterator())


def test_shards_are_cut_in_the_order_of_their_names():
    shards = [entry("b", 5), entry("a", 4), entry("c", 0)]
    slices = cut(shards, 2)
    assert slices == [
        *(Slice(1, 0, 2), Slice(1, 2, 4), Slice(0, 0, 2), Slice(0, 2, 4), Slice(0, 4, 5)),
        Slice(2, 0, 0),
    ]
    assert [is_whole(part, shards) for part in slices] == [False] * 5 + [True]
    assert cut(shards, 5) == [Slice(1, 0, 4), Slice(0, 0, 5), Slice(2, 0, 0)]


@pytest.mark.parametrize("size", [1, 3, 7, 20, 100])
def test_slices_of_a_file_are_its_records(tmp_path, size):
    (tmp_path / "a").write_bytes(b"".join(map(frame, RECORDS)))
    parts = [
        list(read_records(tmp_path / "a", 20, start=start, stop=min(start + size, 20)))
        for start in range(0, 20, size)
    ]
    assert [record for part in parts for record in part] == RECORDS
    assert {len(part) for part in parts[:-1]} <= {size}


def test_damage_is_found_in_the_slice_where_it_is(tmp_path):
    framed = [frame(record) for record in RECORDS]
    framed[9] = framed[9][:-6] + b"??????"
    (tmp_path / "a").write_bytes(b"".join(framed)[:-3])
    slices = [list(read_records(tmp_path / "a", 20, start=s, stop=s + 5)) for s in (0, 5, 10, 15)]
    bad = [[r.index for r in part if isinstance(r, BadRecord)] for part in slices]
    assert bad == [[], [9], [], [19]]


def test_past_a_truncated_end_each_slice_misses_its_own_records(tmp_path):
    whole = b"".join(map(frame, RECORDS))
    cut_off = len(b"".join(map(frame, RECORDS[:12]))) + 4
    (tmp_path / "a").write_bytes(whole[:cut_off])
    slices = [list(read_records(tmp_path / "a", 20, start=s, stop=s + 5)) for s in (5, 10, 15)]
    bad = [[r.index for r in part if isinstance(r, BadRecord)] for part in slices]
    assert bad == [[], [12, 13, 14], [15, 16, 17, 18, 19]]


@pytest.mark.parametrize("recipe", ["class_preserving", "swap_zu"])
def test_slices_give_the_same_variants_as_the_whole_shard(tmp_path, recipe):
    import_dataset("builtin:digits", tmp_path / "one", max_examples=300, shards=1)
    settings = (f"generate.recipe={recipe}", "generate.variants_per_example=1")
    for out, records in (("whole", 10_000), ("cut", 50)):
        size = f"generate.slice_records={records}"
        make(tmp_path / out, *settings, size, data=tmp_path / "one")
    whole, parts = DatasetDir.open(tmp_path / "whole"), DatasetDir.open(tmp_path / "cut")
    records = DatasetDir.open(tmp_path / "one").manifest.num_examples("train")
    assert len(whole.shards("train")) == 1
    assert len(parts.shards("train")) == -(-records // 50) > 4
    assert parts.manifest.totals == whole.manifest.totals
    assert shard_records(tmp_path / "cut") == shard_records(tmp_path / "whole")


def test_quotas_are_shared_out_by_what_each_slice_holds(tmp_path):
    settings = digits_config("generate.slice_records=17", "generate.sampling_strategy={3: 41}")
    places = (str(digits_data()), str(digits_bundle()), str(tmp_path / "o"))
    job = plan_job(settings.generate, *places)
    labels = np.concatenate(
        [DatasetDir.open(digits_data()).read_shard("train", index)[0].labels for index in range(3)]
    )
    assert np.sum([task.class_counts for task in job.tasks], axis=0).tolist() == (
        np.bincount(labels, minlength=10).tolist()
    )
    assert all(sum(task.class_counts) == task.stop - task.start <= 17 for task in job.tasks)
    assert sum(task.quotas[3] for task in job.tasks) == 41
    assert all(task.quotas[3] == 0 for task in job.tasks if not task.class_counts[3])
