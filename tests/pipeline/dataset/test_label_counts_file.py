"""Label counts of many shards of many classes lie beside the manifest."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from latentloom.pipeline.command import app
from latentloom.pipeline.dataset.class_counts import ClassCounts, add_up
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.entries import ShardEntry
from latentloom.pipeline.dataset.label_counts_file import LABEL_COUNTS_FILE, pack, unpack
from latentloom.pipeline.dataset.manifest import Manifest

CLASSES, SHARDS = 40, 40


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def source(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (200, 2, 2, 1), dtype=np.uint8)
    np.savez(tmp_path / "many.npz", images=images, label=np.arange(200) % CLASSES)
    return f"npz:{tmp_path / 'many.npz'}"


@pytest.fixture
def data(tmp_path, source):
    """200 images of 40 classes in 40 shards, imported by the command."""
    done = run("import", source, tmp_path / "many", "--shards", SHARDS)
    assert done.exit_code == 0, done.output
    return tmp_path / "many"


def manifest_of(shards: int, classes: int, rng: np.random.Generator) -> Manifest:
    counts = rng.poisson(8, (shards, classes))
    entries = [
        ShardEntry(
            file=f"many-train.tfrecord-{index:05d}-of-{shards:05d}",
            records=int(row.sum()),
            num_bytes=16 * int(row.sum()),
            sha256="0" * 64,
            label_counts=row.tolist(),
        )
        for index, row in enumerate(counts)
    ]
    written = int(counts.sum())
    return Manifest(
        kind="imported",
        name="many",
        observation_shape=(28, 28, 1),
        factors={"label": [f"class_{code:06d}" for code in range(classes)]},
        splits={"train": entries},
        totals={"requested": written, "written": written, "rejected": 0, "dead": 0},
    )


def test_a_manifest_grows_with_shards_plus_classes(tmp_path):
    def size(shards: int, classes: int) -> int:
        made = manifest_of(shards, classes, np.random.default_rng(0))
        made.write(tmp_path / "manifest.json")
        read = Manifest.read(tmp_path / "manifest.json")
        assert read.splits == made.splits
        assert read.label_counts("train") == made.label_counts("train")
        return (tmp_path / "manifest.json").stat().st_size

    few, more_shards, more_classes = size(200, 300), size(400, 300), size(200, 600)
    assert abs(size(400, 600) - more_shards - more_classes + few) < 1000
    assert size(400, 600) < 250 * 400 + 20 * 600 + 10_000


def test_many_classes_in_few_shards_take_no_room(tmp_path):
    made = manifest_of(20, 1, np.random.default_rng(0))
    names = [str(code) for code in range(200_000)]
    rare = ClassCounts.of(np.array([7, 199_999]), np.array([3, 1]), len(names))
    entries = [
        entry.model_copy(update={"label_counts": rare, "records": 4, "num_bytes": 64})
        for entry in made.shards
    ]
    changed = {"factors": {"label": names}, "splits": {"train": entries}}
    totals = {"requested": 80, "written": 80, "rejected": 0, "dead": 0}
    made = made.model_copy(update=changed | {"totals": totals})
    made.write(tmp_path / "manifest.json")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 20 * len(names)
    assert Manifest.read(tmp_path / "manifest.json").label_counts("train")["199999"] == 20


def test_counts_lie_beside_the_manifest_of_an_import(data):
    document = json.loads((data / "manifest.json").read_text())
    assert LABEL_COUNTS_FILE in document["files"]
    assert "label_counts" not in document["splits"]["train"][0]
    opened = DatasetDir.open(data)
    for index, shard in enumerate(opened.shards("train")):
        labels = opened.read_shard("train", index)[0].labels
        assert shard.label_counts == np.bincount(labels, minlength=CLASSES).tolist()
    done = run("verify", data)
    assert done.exit_code == 0, done.output


def test_few_counts_stay_in_the_manifest(dataset):
    with open(f"{dataset.path}/manifest.json") as file:
        document = json.load(file)
    assert LABEL_COUNTS_FILE not in document["files"]
    assert len(document["splits"]["train"][0]["label_counts"]) == 3


def test_a_manifest_with_all_counts_still_opens(data):
    file = data / "manifest.json"
    manifest = Manifest.read(file)
    file.write_text(manifest.model_copy(update={"files": {}}).model_dump_json())
    assert Manifest.read(file).splits == manifest.splits


@pytest.mark.parametrize(
    ("damage", "mention"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "other bytes"),
        (lambda path: path.write_bytes(b"PK" + path.read_bytes()[2:-1] + b"x"), "other bytes"),
    ],
    ids=["missing", "cut", "changed"],
)
@pytest.mark.parametrize("verb", ["verify", "inspect"])
def test_damaged_counts_are_named(data, damage, mention, verb):
    damage(data / LABEL_COUNTS_FILE)
    done = run(verb, data)
    assert done.exit_code != 0
    said = f"{done.output}{done.exception}"
    assert LABEL_COUNTS_FILE in said
    assert mention in said


def test_an_import_replaces_its_counts(data, source):
    done = run("import", source, data, "--shards", SHARDS + 1, "--overwrite")
    assert done.exit_code == 0, done.output
    assert run("verify", data).exit_code == 0
    done = run("import", source, data, "--shards", 1, "--overwrite")
    assert done.exit_code == 0, done.output
    assert not (data / LABEL_COUNTS_FILE).exists()


@pytest.mark.parametrize(
    ("lengths", "gaps", "counts", "mention"),
    [
        ([2], [1, 9], [1, 1], "class 9 of 3"),
        ([2], [1, 0], [1, 1], "twice"),
        ([1], [1, 1], [1, 1], "for 1"),
        ([9], [1] * 9, [1] * 9, "more than"),
    ],
)
def test_counts_that_cannot_be_are_refused(tmp_path, lengths, gaps, counts, mention):
    arrays = {"lengths": lengths, "gaps": gaps, "counts": counts}
    np.savez(tmp_path / "bad.npz", **{k: np.array(v, np.uint8) for k, v in arrays.items()})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=mention):
        unpack((tmp_path / "bad.npz").read_bytes(), "bad.npz", 1, 3)


@pytest.mark.parametrize(
    "counts", [[0, 3, 0], [0] * 9 + [300], [], [0, 0, 0], [2**40, 1], [1] * 20, [2**62, 2**62]]
)
def test_class_counts_read_as_a_list(counts):
    found = ClassCounts(counts)
    assert found == counts
    assert counts == found
    assert found != [*counts, 0]
    assert [found[code] for code in range(len(counts))] == list(found) == found.tolist() == counts
    assert sum(found) == sum(counts)
    assert np.asarray(found).tolist() == counts
    assert unpack(pack([found]), "counts", 1, len(counts)) == [found]
    if sum(counts) < 2**63:
        assert add_up([found, found], len(counts)).tolist() == [2 * count for count in counts]
