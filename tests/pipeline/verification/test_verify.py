import json
from pathlib import Path

import pytest

from latentloom.pipeline.verification.verify import verify

SHARD = "pets-train.tfrecord-00001-of-00002"


@pytest.fixture
def shard(dataset) -> Path:
    return Path(dataset.path) / SHARD


def reasons(path: str | Path) -> dict[str, str]:
    """What is wrong with each file."""
    found: dict[str, str] = {}
    for problem in verify(path).problems:
        found[problem.file] = f"{found.get(problem.file, '')}{problem.reason}; "
    return found


def test_an_intact_data_set_has_no_problems(dataset):
    verification = verify(dataset.path)
    assert verification.ok
    assert (verification.shards, verification.records) == (4, 60)


@pytest.mark.parametrize("place", [0.01, 0.3, 0.6, 0.99])
def test_a_flipped_bit_is_found_in_its_shard_only(dataset, shard, place):
    data = bytearray(shard.read_bytes())
    data[int(place * len(data))] ^= 16
    shard.write_bytes(data)
    found = reasons(dataset.path)
    assert list(found) == [SHARD]
    assert "SHA-256" in found[SHARD]
    assert "checksum" in found[SHARD]


def test_a_truncated_shard_is_named(dataset, shard):
    shard.write_bytes(shard.read_bytes()[:-100])
    found = reasons(dataset.path)
    assert list(found) == [SHARD]
    assert "bytes instead of" in found[SHARD]
    assert "truncated" in found[SHARD]


def test_a_missing_shard_is_named(dataset, shard):
    shard.unlink()
    assert reasons(dataset.path) == {SHARD: "is missing; "}
    assert verify(dataset.path).shards == 3


def test_an_unlisted_shard_is_named(dataset, shard):
    stranger = shard.with_name("pets-train.tfrecord-00002-of-00003")
    stranger.write_bytes(shard.read_bytes())
    assert reasons(dataset.path) == {stranger.name: "is not in the manifest; "}


def test_other_tfds_shard_lengths_are_found(dataset):
    path = Path(dataset.path) / "dataset_info.json"
    info = json.loads(path.read_text())
    info["splits"][0]["shardLengths"][0] = "1"
    path.write_text(json.dumps(info))
    assert "shard lengths" in reasons(dataset.path)["dataset_info.json"]


def edit_manifest(path: str, change) -> None:
    file = Path(path) / "manifest.json"
    manifest = json.loads(file.read_text())
    change(manifest)
    file.write_text(json.dumps(manifest))


def test_other_label_counts_are_found(dataset):
    def change(manifest):
        counts = manifest["splits"]["train"][1]["label_counts"]
        counts[0], counts[1] = counts[0] + 1, counts[1] - 1

    edit_manifest(dataset.path, change)
    assert reasons(dataset.path) == {SHARD: "has other label counts than recorded; "}


def test_other_totals_are_found(dataset):
    edit_manifest(dataset.path, lambda m: m["totals"].update(written=59, requested=59))
    assert "59 written" in reasons(dataset.path)["manifest.json"]


def test_a_folder_without_manifest_cannot_be_verified(tmp_path):
    with pytest.raises(FileNotFoundError, match="latentloom import"):
        verify(tmp_path)
