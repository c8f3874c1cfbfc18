"""The metadata files are those that TFDS writes, byte by byte."""

import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st

from latentloom.pipeline.dataset.manifest import Manifest, ShardEntry
from latentloom.pipeline.dataset.provenance import confidence_names, provenance_features
from latentloom.pipeline.dataset.tfds_metadata import metadata_files
from latentloom.pipeline.dataset.writing import shard_file

OBSERVATIONS = {
    "image": ("image", (6, 5, 3)),
    "vector": ("observation", (7,)),
    "counts": ("words", (2,)),
}
SPLITS = {"train": [3, 0, 2], "test": [1]}


def manifest_of(observation="image", splits=SPLITS, description="Pets.", version="1.0.0", **named):
    def entry(split, index, records):
        file = shard_file(named.get("name", "pets"), split, index, len(splits[split]))
        counts = [records, 0]
        size = 100 * records
        return ShardEntry(
            file=file, records=records, num_bytes=size, sha256="0" * 64, label_counts=counts
        )

    shards = {s: [entry(s, i, n) for i, n in enumerate(sizes)] for s, sizes in splits.items()}
    total = sum(map(sum, splits.values()))
    values = {
        "kind": "imported",
        "name": "pets",
        "observation": observation,
        "observation_shape": OBSERVATIONS[observation][1],
        "factors": {"label": ["a cat", "Zwölf"], "size": ["1", "2", "3"]},
        "vocabulary": ["x", "y"] if observation == "counts" else [],
        "splits": shards,
        "version": version,
        "totals": {"requested": total, "written": total, "rejected": 0, "dead": 0},
        "source": {"description": description},
    }
    return Manifest(**(values | named))


def written_by_tfds(manifest, judged, folder):
    """Returns the files that TFDS writes for a manifest, by name."""
    feature = OBSERVATIONS[manifest.observation][0]
    kinds = {
        "image": lambda shape: tfds.features.Image(shape=shape, encoding_format="png"),
        "observation": lambda shape: tfds.features.Tensor(shape=shape, dtype=np.float32),
        "words": lambda shape: tfds.features.Tensor(shape=(None, 2), dtype=np.int64),
    }
    features = {feature: kinds[feature](manifest.observation_shape)}
    features |= {n: tfds.features.ClassLabel(names=v) for n, v in manifest.factors.items()}
    features |= {"example_id": tfds.features.Text()}
    if judged is not None:
        features |= {name: tfds.features.Text() for name in ("anchor_id", "recipe")}
        features |= {"donor_ids": tfds.features.Sequence(tfds.features.Text())}
        features |= {name: tfds.features.Scalar(np.float32) for name in confidence_names(judged)}
        features |= {"seen_combination": tfds.features.Scalar(np.bool_)}
        features |= {"seed": tfds.features.Scalar(np.int64)}
    infos = [
        tfds.core.SplitInfo(
            name=split,
            shard_lengths=[shard.records for shard in shards],
            num_bytes=sum(shard.num_bytes for shard in shards),
        )
        for split, shards in manifest.splits.items()
    ]
    shards = {shard.file for shard in manifest.shards}
    for shard in shards:
        Path(folder, shard).touch()
    tfds.folder_dataset.write_metadata(
        data_dir=folder,
        features=features,
        split_infos=infos,
        version=manifest.version,
        check_data=False,
        description=str(manifest.source.get("description", manifest.name)),
        supervised_keys=(feature, "label"),
    )
    names = sorted(set(os.listdir(folder)) - shards)
    return {name: Path(folder, name).read_bytes() for name in names}


@pytest.mark.parametrize("observation", OBSERVATIONS)
@pytest.mark.parametrize("judged", [None, [], ["label", "size"]], ids=["real", "label", "all"])
def test_every_kind_of_data_set_is_described_as_by_tfds(tmp_path, observation, judged):
    manifest = manifest_of(observation)
    extra = None if judged is None else provenance_features(judged)
    found = metadata_files(manifest, extra)
    assert found == written_by_tfds(manifest, judged, tmp_path)
    assert list(found) == sorted(found)


@settings(deadline=None, max_examples=40)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.dictionaries(
        st.from_regex("[a-z][a-z0-9_-]{0,6}", fullmatch=True).filter(lambda name: name != "all"),
        st.lists(st.integers(0, 2**40), min_size=1, max_size=3),
        min_size=1,
        max_size=3,
    ),
    st.from_regex("[a-z][a-z0-9_]{0,8}", fullmatch=True),
)
def test_names_texts_and_sizes_are_written_as_by_tfds(tmp_path_factory, text, splits, name):
    manifest = manifest_of(description=text, splits=splits, name=name)
    folder = tmp_path_factory.mktemp("tfds")
    assert metadata_files(manifest) == written_by_tfds(manifest, None, folder)


@pytest.mark.parametrize("version", ["1.0", "1.0.0.0", "01.0.0", "1.0.x", ""])
def test_a_version_that_tfds_refuses_is_refused(tmp_path, version):
    with pytest.raises(ValueError, match="Invalid version"):
        written_by_tfds(manifest_of(version=version), None, tmp_path)
    with pytest.raises(ValueError, match="three numbers such as 1.0.0.*Correct it"):
        metadata_files(manifest_of(version=version))


def test_a_shard_of_another_name_is_refused():
    manifest = manifest_of()
    moved = manifest.splits["test"][0].model_copy(update={"file": "pets.tfrecord"})
    manifest.splits["test"][0] = moved
    with pytest.raises(ValueError, match="00000-of-00001. Received: pets.tfrecord. Write"):
        metadata_files(manifest)


def test_a_data_set_without_shards_is_refused():
    with pytest.raises(ValueError, match="at least one shard. Received: none"):
        metadata_files(manifest_of(splits={"train": []}))
