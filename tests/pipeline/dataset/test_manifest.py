import json

import pytest
from pydantic import ValidationError

from latentloom.pipeline.dataset.manifest import Manifest, ShardEntry, library_versions


def entry(file: str = "a", counts: tuple[int, ...] = (2, 1)) -> ShardEntry:
    return ShardEntry(
        file=file,
        records=sum(counts),
        num_bytes=16 * sum(counts),
        sha256="0" * 64,
        label_counts=list(counts),
    )


def manifest(**changed) -> Manifest:
    values = {
        "kind": "imported",
        "name": "pets",
        "image_shape": (4, 4, 1),
        "factors": {"label": ["cat", "dog"], "size": ["s", "l"]},
        "splits": {"train": [entry("a"), entry("b", (0, 4))]},
        "totals": {"requested": 8, "written": 7, "rejected": 0, "dead": 1},
    }
    return Manifest(**(values | changed))


def test_a_manifest_is_read_as_written(tmp_path):
    manifest().write(tmp_path / "m.json")
    assert Manifest.read(tmp_path / "m.json") == manifest()


def test_counts_are_summed_over_shards():
    assert manifest().num_examples("train") == 7
    assert manifest().label_counts("train") == {"cat": 2, "dog": 5}
    assert manifest().num_examples("test") == 0
    assert manifest().label_counts("test") == {"cat": 0, "dog": 0}


def test_details_of_the_wrong_type_are_refused():
    with pytest.raises(ValidationError, match="dead_letters"):
        manifest(details={"dead_letters": "none"})
    assert manifest(details={"note": "any"}).details == {"note": "any"}


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="latentloom import"):
        Manifest.read(tmp_path / "m.json")


def test_a_newer_manifest_is_refused(tmp_path):
    text = json.loads(manifest().model_dump_json()) | {"schema_version": 2, "new": 1}
    (tmp_path / "m.json").write_text(json.dumps(text))
    with pytest.raises(ValueError, match="Upgrade latentloom"):
        Manifest.read(tmp_path / "m.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": "x"}'])
def test_a_broken_manifest_is_refused(tmp_path, text):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(ValueError, match="Write the data set again"):
        Manifest.read(tmp_path / "m.json")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"observation": "sound"}, "observation must be in"),
        ({"observation": "vector"}, r"image_shape must be \(features,\)"),
        ({"image_shape": (4, 4, 2)}, "image_shape must be .*1 or 3 channels"),
        ({"surprise": 1}, "surprise"),
        ({"name": "My pets"}, "lower-case"),
        ({"factors": {"size": ["s"], "label": ["cat", "dog"]}}, "first"),
        ({"factors": {"label": ["cat", "cat"]}}, "distinct"),
        ({"factors": {"label": ["cat", " dog"]}}, "spaces"),
        ({"factors": {"label": ["cat", "dog"], "seed": ["1"]}}, "Rename"),
        ({"splits": {"train": [entry(counts=(1,))]}}, "count 2 classes"),
        ({"totals": {"requested": 9, "written": 7, "rejected": 0, "dead": 1}}, "requested"),
        ({"totals": {"written": 7}}, "totals"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(changed, problem):
    with pytest.raises(ValidationError, match=problem):
        manifest(**changed)


@pytest.mark.parametrize("file", ["../a", "/etc/passwd", "x/y", ".."])
def test_a_shard_cannot_lie_outside_the_directory(file):
    with pytest.raises(ValidationError, match="plain file name"):
        entry(file)


def test_versions_name_python_and_the_packages():
    versions = library_versions(("numpy", "no-such-package"))
    assert set(versions) == {"python", "numpy", "no-such-package"}
    assert versions["no-such-package"] == "not installed"
