"""Two data sets agree or not: every kind of difference is found, and named."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from bundles import hashes
from PIL import Image
from typer.testing import CliRunner

from latentloom.pipeline.command import app
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.tfds_metadata import metadata_files
from latentloom.pipeline.dataset.writing import write_manifest
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.storage.png import decode_png, encode_png
from latentloom.pipeline.storage.tf_example import plain_features, serialize
from latentloom.pipeline.storage.tfrecords import ShardWriter, read_records
from latentloom.pipeline.terminal.exit_codes import USERS_MISTAKE, exit_code
from latentloom.pipeline.verification.agreement import CONFIDENCE_TOLERANCE, Agreement
from latentloom.pipeline.verification.compare import compare
from latentloom.pipeline.verification.verify import verify

SHAPE = (6, 5, 3)
GENERATED = {"recipe": "r", "seed": 7, "donor_ids": ["a", "b"], "judge_confidence": 0.95}
Records = list[dict[str, Any]]
Change = Callable[[Records], Records | None]


@pytest.fixture
def pets(dataset) -> Path:
    """60 images in two shards a split, with what `generate` writes beside each."""
    rewrite(Path(dataset.path), lambda records: [record | GENERATED for record in records])
    return Path(dataset.path)


def rewrite(path: Path, change: Change, split: str = "train", index: int = 1) -> None:
    """Changes the records of one shard, and writes a data set that is whole again."""
    dataset = DatasetDir.open(path)
    manifest, entry = dataset.manifest, dataset.shards(split)[index]
    records = [plain_features(data) for data in read_records(path / entry.file)]  # type: ignore[arg-type]
    records = change(records) or records
    with ShardWriter(path / entry.file) as writer:
        for record in records:
            observation = record.get("observation")
            vector = {} if observation is None else {"observation": np.float32(observation)}
            writer.write(serialize(record | vector))
    labels = np.bincount([record["label"] for record in records], minlength=3).tolist()
    sizes = {"records": writer.records, "num_bytes": writer.num_bytes, "sha256": writer.sha256}
    manifest.splits[split][index] = entry.model_copy(update=sizes | {"label_counts": labels})
    written = sum(manifest.num_examples(split) for split in manifest.splits)
    totals = {"requested": written, "written": written, "rejected": 0, "dead": 0}
    manifest = manifest.model_copy(update={"totals": totals})
    write_manifest(path, manifest, metadata_files(manifest))


def changed(path: Path, change: Change, **where: Any) -> Path:
    """A copy of a data set with one shard rewritten."""
    copy = path.with_name("copy")
    shutil.copytree(path, copy)
    rewrite(copy, change, **where)
    assert verify(copy).ok
    return copy


def agreement(path: Path, change: Change, **where: Any) -> Agreement:
    return compare(path, changed(path, change, **where))


def brighter(levels: int, count: int = 1) -> Change:
    """Changes one channel of one pixel of the first images."""

    def change(records: Records) -> None:
        for record in records[:count]:
            image = decode_png([record["image"]], SHAPE).astype(int)
            image[0, 2, 3, 1] += levels if image[0, 2, 3, 1] < 128 else -levels
            record["image"] = encode_png(image.astype(np.uint8))[0]

    return change


def setting(name: str, value: Any) -> Change:
    """Changes a feature of the first three records."""

    def change(records: Records) -> None:
        for record in records[:3]:
            record[name] = value

    return change


def test_a_copy_is_the_same_bytes_and_its_records_are_not_decoded(pets, monkeypatch):
    copy = pets.with_name("copy")
    shutil.copytree(pets, copy)
    monkeypatch.setattr("latentloom.pipeline.verification.compare.parse_record", None)
    found = compare(pets, copy)
    assert found.holds
    assert (found.equal_shards, found.shards, found.records) == (4, 4, 60)
    assert (found.observations, found.share, found.difference, found.confidence) == (0, 0, 0, 0)


def test_one_level_is_within_the_promise(pets):
    found = agreement(pets, brighter(1, count=2))
    assert found.holds
    assert (found.equal_shards, found.records, found.observations) == (3, 60, 2)
    assert found.difference == 1
    assert found.share == pytest.approx(2 / (60 * 90))


def test_a_shard_is_compared_in_batches(pets, monkeypatch):
    monkeypatch.setattr("latentloom.pipeline.verification.compare._BATCH", 2)
    assert agreement(pets, brighter(1, count=5)).observations == 5


def test_two_levels_break_the_promise(pets):
    found = agreement(pets, brighter(2))
    assert found.difference == 2
    assert found.breaches == ("largest difference of images, in levels: 2, more than 1",)


def test_differences_at_either_end_of_the_range_do_not_wrap_around(pets):
    def fill(value: int) -> Change:
        png = encode_png(np.full((1, *SHAPE), value, np.uint8))[0]
        return setting("image", png)

    rewrite(pets, fill(0))
    found = agreement(pets, fill(255))
    assert (found.difference, found.observations) == (255, 3)


def compressed_by_pillow(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG", optimize=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    "encode",
    [lambda image: tf.io.encode_png(image, compression=0).numpy(), compressed_by_pillow],
    ids=["stored", "optimized"],
)
def test_pixels_count_and_not_their_bytes_which_depend_on_the_cpu(pets, encode):
    def change(records: Records) -> None:
        for record in records:
            record["image"] = encode(decode_png([record["image"]], SHAPE)[0])

    other = changed(pets, change)
    found = compare(pets, other)
    assert found.holds
    assert (found.equal_shards, found.observations, found.difference) == (3, 0, 0)
    told = CliRunner().invoke(app, ["verify", str(pets), "--compare", str(other)])
    assert told.exit_code == 0, told.output
    assert "agree: 60 records" in " ".join(told.output.split())


@pytest.mark.parametrize(
    ("name", "value"),
    [("size", None), ("recipe", "s"), ("seed", 8), ("donor_ids", ["b", "a"]), ("extra", 1)],
)
def test_every_other_feature_must_be_the_same(pets, name, value):
    def change(records: Records) -> None:
        for record in records[:3]:
            record[name] = 1 - record["size"] if value is None else value

    found = agreement(pets, change)
    assert dict(found.features) == {name: 3}
    assert found.breaches == (f"'{name}' differs in 3 records",)


def test_another_label_is_named(pets):
    def change(records: Records) -> None:
        records[0]["label"] = (records[0]["label"] + 1) % 3

    assert agreement(pets, change).breaches == ("'label' differs in 1 records",)


def test_a_feature_that_only_one_has_differs(pets):
    found = agreement(pets, lambda records: [r | {"judge_confidence_size": 0.5} for r in records])
    assert set(found.features) == {"judge_confidence_size"}


@pytest.mark.parametrize(("factor", "holds"), [(0.9, True), (1.1, False)])
def test_confidences_may_differ_a_little(pets, factor, holds):
    apart = CONFIDENCE_TOLERANCE * factor
    found = agreement(pets, setting("judge_confidence", 0.95 - apart))
    assert found.confidence == pytest.approx(apart, rel=1e-3)
    assert found.holds == holds
    assert not found.features


def test_records_of_one_directory_alone_are_counted_and_named(pets):
    gone = []

    def change(records: Records) -> Records:
        gone.extend(record["example_id"] for record in (records[0], records[5]))
        new = records[3] | {"example_id": "new"}
        return [new, *(record for record in records if record["example_id"] not in gone)]

    found = agreement(pets, change)
    first, second = found.alone
    assert (first.count, first.ids) == (2, tuple(gone))
    assert (second.count, second.ids) == (1, ("new",))
    assert found.records == 58
    assert not found.features
    assert found.breaches[0] == f"records in {pets} alone: 2 ({', '.join(gone)})"


def test_records_are_matched_by_id_in_any_order(pets):
    found = agreement(pets, lambda records: records[::-1])
    assert found.holds
    assert (found.equal_shards, found.records, found.observations) == (3, 60, 0)


def test_a_record_twice_is_not_a_record_once(pets):
    copy = pets.with_name("copy")
    shutil.copytree(pets, copy)
    rewrite(copy, lambda records: [records[4], *records])
    assert [alone.count for alone in compare(pets, copy).alone] == [0, 1]
    (problem,) = verify(copy).problems
    assert problem.reason.startswith("record 5: has the id")


def test_a_shard_of_other_bytes_than_its_manifest_says_is_not_taken_as_equal(pets):
    copy = changed(pets, lambda records: None)
    shard = sorted(copy.glob("*-train.tfrecord-*"))[0]
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises(ValueError, match="bad record.*Run `latentloom verify`"):
        compare(pets, copy)


@pytest.fixture
def points(tmp_path, arrays) -> Path:
    """60 vectors of two features, of which one varies a million times as much."""
    labels = {name: values for name, values in arrays.items() if name != "images"}
    vectors = np.random.default_rng(0).normal(size=(60, 2)) * [1e-3, 1e3]
    np.savez(tmp_path / "points.npz", **labels, observations=vectors.astype(np.float32))
    import_dataset(f"npz:{tmp_path / 'points.npz'}", tmp_path / "points", shards=2)
    return tmp_path / "points"


@pytest.mark.parametrize(("apart", "holds"), [(0.8e-5, True), (1.2e-5, False)])
@pytest.mark.parametrize(("feature", "scale"), [(0, 1e-3), (1, 1e3)])
def test_vectors_may_differ_by_a_share_of_the_deviation_of_each_feature(
    points, feature, scale, apart, holds
):
    deviation = DatasetDir.open(points).read("train").observations[:, feature].std(dtype=np.float64)
    assert deviation == pytest.approx(scale, rel=0.3)

    def change(records: Records) -> None:
        smallest = min(records, key=lambda record: abs(record["observation"][feature]))
        smallest["observation"][feature] += apart * deviation

    found = agreement(points, change)
    assert found.difference == pytest.approx(apart, rel=0.02)
    assert found.observations == 1
    assert found.holds == holds


@pytest.mark.parametrize(
    ("change", "what", "expected"),
    [
        ({"images": lambda a: a["images"][:, :5]}, "observations", r"\(6, 5, 3\)"),
        ({"size": lambda a: a["size"] + 1}, "factors", r"'size': \['2', '10'\]"),
        ({"split": lambda a: np.full(60, "train")}, "splits", r"\['test', 'train'\]"),
    ],
)
def test_data_sets_of_another_form_are_refused(dataset, arrays, tmp_path, change, what, expected):
    np.savez(tmp_path / "other.npz", **arrays | {k: make(arrays) for k, make in change.items()})
    import_dataset(f"npz:{tmp_path / 'other.npz'}", tmp_path / "other", name="pets", shards=2)
    message = f"different {what}. Expected: .*{expected}.*Compare two runs of one configuration"
    with pytest.raises(ValueError, match=message):
        compare(dataset.path, tmp_path / "other")


def test_another_number_of_shards_is_refused(dataset, npz, tmp_path):
    import_dataset(npz, tmp_path / "three", shards=3)
    with pytest.raises(ValueError, match="different shards. Expected: .*00000-of-00002"):
        compare(dataset.path, tmp_path / "three")


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, ["verify", *map(str, words)])


def test_the_command_exits_0_if_the_promise_holds(pets):
    copy = changed(pets, brighter(1))
    result = run(pets, "--compare", copy)
    assert result.exit_code == 0
    assert "3 of 4" in result.stdout
    assert "agree: 60 records" in result.stdout
    same = run(pets, "--compare", pets)
    assert same.exit_code == 0
    assert "are the same bytes" in same.stdout


def test_the_command_exits_1_and_names_what_differs(pets):
    result = run(pets, "--compare", changed(pets, setting("seed", 8)))
    assert result.exit_code == 1
    assert "'seed' differs in 3 records" in result.stderr
    assert "seed in 3" in result.stdout
    assert run(pets).exit_code == 0


def test_the_command_compares_nothing_with_a_damaged_data_set(pets):
    copy = changed(pets, brighter(1))
    shard = sorted(pets.glob("*.tfrecord-*"))[0]
    shard.write_bytes(shard.read_bytes()[:-1])
    result = run(pets, "--compare", copy)
    assert result.exit_code == 1
    assert shard.name in result.stderr
    assert "Agreement" not in result.stdout


def test_the_command_refuses_what_cannot_be_compared_before_it_verifies(pets, points):
    sorted(pets.glob("*.tfrecord-*"))[0].unlink()
    error = run(pets, "--compare", points).exception
    assert isinstance(error, ValueError)
    assert "have different" in str(error)
    assert exit_code(error) == USERS_MISTAKE


def test_comparing_writes_nothing(pets):
    copy = changed(pets, brighter(1))
    before = hashes(pets), hashes(copy), sorted(copy.iterdir())
    compare(pets, copy)
    assert (hashes(pets), hashes(copy), sorted(copy.iterdir())) == before
