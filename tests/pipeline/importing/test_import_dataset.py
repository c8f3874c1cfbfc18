import hashlib
import resource
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.importing import write_split
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.verification.verify import verify


def hashes(dataset: DatasetDir) -> dict[str, str]:
    files = sorted(Path(dataset.path).iterdir())
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_the_same_import_gives_the_same_bytes(tmp_path, npz):
    first = import_dataset(npz, tmp_path / "a", shards=2)
    second = import_dataset(npz, tmp_path / "b", shards=2)
    assert hashes(first) == hashes(second)


def test_ids_do_not_depend_on_the_number_of_shards(tmp_path, npz):
    one = import_dataset(npz, tmp_path / "a", shards=1).read("train")
    five = import_dataset(npz, tmp_path / "b", shards=5).read("train")
    assert one.ids != five.ids
    one, five = one.take(np.argsort(one.ids)), five.take(np.argsort(five.ids))
    assert one.ids == five.ids
    np.testing.assert_array_equal(one.observations, five.observations)


def test_shards_are_mixed_when_the_source_is_sorted(tmp_path):
    np.savez(
        tmp_path / "sorted.npz",
        images=np.zeros((1000, 2, 2), np.uint8),
        label=np.repeat([0, 1], 500),
    )
    dataset = import_dataset(f"npz:{tmp_path / 'sorted.npz'}", tmp_path / "out", shards=4)
    for shard in dataset.shards("train"):
        assert min(shard.label_counts) > 0.35 * shard.records


def test_the_manifest_counts_what_was_written(dataset, arrays):
    assert dataset.manifest.totals == {"requested": 60, "written": 60, "rejected": 0, "dead": 0}
    for split in ("train", "test"):
        labels = arrays["label"][arrays["split"] == split]
        expected = {name: int((labels == name).sum()) for name in ("cat", "dog", "eel")}
        assert dataset.manifest.label_counts(split) == expected
    assert dataset.manifest.kind == "imported"
    assert dataset.manifest.source["spec"].startswith("npz:")


def test_an_empty_shard_is_read_by_us_and_by_tfds(tmp_path, npz):
    dataset = import_dataset(npz, tmp_path / "out", shards=40)
    lengths = [shard.records for shard in dataset.shards("test")]
    assert 0 in lengths
    assert len(dataset.read("test")) == sum(lengths) == 12
    builder = tfds.builder_from_directory(dataset.path)
    assert len(list(builder.as_dataset(split="test"))) == 12
    assert len(list(builder.as_dataset(split="test[3:7]"))) == 4
    assert verify(dataset.path).ok


def test_shards_follow_the_number_of_examples(tmp_path, npz, monkeypatch):
    monkeypatch.setattr(write_split, "_SHARD_EXAMPLES", 20)
    dataset = import_dataset(npz, tmp_path / "out")
    assert [len(dataset.shards(split)) for split in ("train", "test")] == [3, 1]


def test_progress_ends_at_the_total(tmp_path, npz):
    calls = []
    import_dataset(npz, tmp_path / "out", progress=lambda done, total: calls.append((done, total)))
    assert calls == sorted(calls)
    assert calls[-1] == (60, 60)


def test_a_label_may_be_another_factor(tmp_path, npz, arrays):
    dataset = import_dataset(npz, tmp_path / "out", label="size")
    assert list(dataset.manifest.factors) == ["label", "original_label"]
    assert dataset.manifest.class_names == ["2", "10"]
    examples = dataset.read("train")
    examples = examples.take(np.argsort(examples.ids))
    expected = arrays["size"][arrays["split"] == "train"]
    np.testing.assert_array_equal(examples.labels, expected == 10)


def test_factors_that_are_not_named_are_dropped(tmp_path, npz):
    dataset = import_dataset(npz, tmp_path / "out", factors=[])
    assert list(dataset.manifest.factors) == ["label"]
    assert list(dataset.read("test").factors) == ["label"]


@pytest.mark.parametrize("option", [{"factors": ["sise"]}, {"label": "sise"}])
def test_an_unknown_factor_names_the_nearest(tmp_path, npz, option):
    with pytest.raises(ValueError, match="Did you mean 'size'"):
        import_dataset(npz, tmp_path / "out", **option)
    assert not (tmp_path / "out").exists()


def test_images_are_resized_to_a_square(tmp_path):
    ramp = np.broadcast_to(np.arange(0, 240, 10, dtype=np.uint8), (3, 12, 24))
    np.savez(tmp_path / "ramp.npz", images=ramp, label=np.arange(3))
    spec = f"npz:{tmp_path / 'ramp.npz'}"
    dataset = import_dataset(spec, tmp_path / "out", image_size=8, fit="stretch")
    images = dataset.read("train").loaded().observations
    assert images.shape == (3, 8, 8, 1)
    expected = np.arange(0, 240, 10).reshape(8, 3).mean(1)
    np.testing.assert_allclose(images[0, 0, 1:-1, 0], expected[1:-1], atol=1)


def test_a_sample_is_keyed_and_in_proportion(tmp_path, npz):
    whole = import_dataset(npz, tmp_path / "a").read("train")
    dataset = import_dataset(npz, tmp_path / "b", max_examples=24)
    some = dataset.read("train")
    assert [dataset.manifest.num_examples(split) for split in ("train", "test")] == [24, 6]
    assert set(some.ids) < set(whole.ids)
    rows = [whole.ids.index(example_id) for example_id in some.ids]
    np.testing.assert_array_equal(some.observations, whole.observations[rows])
    assert dataset.manifest.totals["requested"] == 30


def test_a_sample_without_a_class_is_refused(tmp_path, npz):
    with pytest.raises(ValueError, match="no example of class .* Raise --max-examples"):
        import_dataset(npz, tmp_path / "out", max_examples=1)
    assert [path.name for path in tmp_path.iterdir()] == ["pets.npz"]


@pytest.mark.parametrize(
    ("option", "fix"),
    [
        ({"shards": 0}, "Raise it"),
        ({"image_size": 0}, "Raise it"),
        ({"max_examples": 0}, "Raise it"),
        ({"name": "My pets"}, "Choose such a name"),
    ],
)
def test_an_impossible_option_is_refused(tmp_path, npz, option, fix):
    with pytest.raises(ValueError, match=fix):
        import_dataset(npz, tmp_path / "out", **option)
    assert not (tmp_path / "out").exists()


def test_the_name_prefixes_files_and_ids(tmp_path, npz):
    dataset = import_dataset(npz, tmp_path / "out", name="zoo")
    assert dataset.shards("test")[0].file == "zoo-test.tfrecord-00000-of-00001"
    assert dataset.read("test").ids[0].startswith("zoo/test/000000")


@pytest.mark.parametrize("spec", ["builtin:font", "npz:", "pets.npz", "ftp:x"])
def test_an_unknown_source_lists_the_known_ones(tmp_path, spec):
    with pytest.raises(
        ValueError, match="builtin:digits, builtin:dsprites, builtin:fonts, builtin:letters"
    ):
        import_dataset(spec, tmp_path / "out")


def test_an_existing_directory_is_not_touched(dataset, npz):
    before = hashes(dataset)
    with pytest.raises(FileExistsError, match="pass --overwrite"):
        import_dataset(npz, dataset.path, shards=1)
    assert hashes(dataset) == before


def test_overwrite_replaces_a_data_set(dataset, npz):
    replaced = import_dataset(npz, dataset.path, shards=1, overwrite=True)
    assert len(replaced.shards("train")) == 1
    assert verify(replaced.path).ok
    assert sorted(p.name for p in Path(dataset.path).parent.iterdir()) == ["pets", "pets.npz"]


def test_overwrite_spares_the_old_data_set_until_the_new_one_is_complete(dataset, tmp_path, npz):
    before = hashes(dataset)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_dataset(npz, dataset.path, overwrite=True, progress=stop)
    assert hashes(dataset) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pets", "pets.npz"]


def test_overwrite_spares_the_source(dataset, arrays):
    np.savez(Path(dataset.path, "raw.npz"), **arrays)
    before = sorted(Path(dataset.path).iterdir())
    sources = ("npz:{}/raw.npz", "tfds:{}", "folder:{}", "tfrecord:{}/*.tfrecord-*")
    for source in sources:
        with pytest.raises(ValueError, match="holds the input.*Choose another output directory"):
            import_dataset(source.format(dataset.path), dataset.path, overwrite=True)
    assert sorted(Path(dataset.path).iterdir()) == before


def test_overwrite_spares_what_is_no_data_set(tmp_path, npz):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    with pytest.raises(FileExistsError, match="choose another directory"):
        import_dataset(npz, tmp_path / "photos", overwrite=True)
    assert (tmp_path / "photos" / "a.jpg").exists()


def test_an_empty_directory_may_be_filled(tmp_path, npz):
    (tmp_path / "out").mkdir()
    assert len(import_dataset(npz, tmp_path / "out").read("test")) == 12


def test_a_full_disk_leaves_nothing_behind(tmp_path, npz):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(OSError, match="free space"):
            import_dataset(npz, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["pets.npz"]


def test_a_place_that_cannot_be_written_is_an_os_error(tmp_path, npz):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Choose another directory"):
        import_dataset(npz, tmp_path / "file" / "out")


def test_image_channels_are_checked_before_work(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((3, 4, 4, 4), np.uint8), label=np.arange(3))
    with pytest.raises(ValueError, match="1 or 3 channels.*Convert them"):
        import_dataset(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out")


def test_a_factor_with_a_reserved_name_is_refused(tmp_path):
    np.savez(
        tmp_path / "a.npz",
        images=np.zeros((3, 4, 4), np.uint8),
        label=np.arange(3),
        seed=np.arange(3),
    )
    with pytest.raises(ValueError, match="'seed' is an invalid name .* Rename it"):
        import_dataset(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out")
