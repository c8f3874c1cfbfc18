from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow_datasets as tfds
from tfds_directories import write_directory

from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.writing import shard_file
from latentloom.pipeline.importing.builtin.sprites import GRID, render_sprites
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.importing.open_source import open_source
from latentloom.pipeline.storage.tf_example import serialize
from latentloom.pipeline.storage.tfrecords import ShardWriter
from latentloom.pipeline.training.train import train_bundle

COUNT = 40
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (COUNT, 5, 6, 3), dtype=np.uint8)


def write(folder: Path, extra: dict, values: dict, shape=(5, 6, 3), images=IMAGES) -> str:
    """Writes a TFDS directory with these images."""
    features = {"image": tfds.features.Image(shape=shape), **extra}
    return write_directory(folder, features, {"image": images, **values})


LABEL = {"label": tfds.features.ClassLabel(names=["cat", "dog"])}
LABELS = {"label": np.arange(COUNT) % 2}


def test_reading_gives_back_the_data_set(tmp_path):
    extra = LABEL | {
        "size": tfds.features.Scalar(np.int32),
        "note": tfds.features.Text(),
        "weight": tfds.features.Scalar(np.float32),
    }
    values = LABELS | {
        "size": RNG.choice([7, 3, 12], COUNT),
        "note": ["x"] * COUNT,
        "weight": np.zeros(COUNT, np.float32),
    }
    dataset = import_dataset(write(tmp_path / "in", extra, values), tmp_path / "out")
    assert dataset.manifest.factors == {"label": ["cat", "dog"], "size": ["3", "7", "12"]}
    examples = dataset.read("train")
    np.testing.assert_array_equal(examples.observations, IMAGES)
    np.testing.assert_array_equal(examples.labels, LABELS["label"])
    np.testing.assert_array_equal(np.array([3, 7, 12])[examples.factors["size"]], values["size"])


def test_our_own_directory_is_read_back(tmp_path, dataset):
    again = import_dataset(f"tfds:{dataset.path}", tmp_path / "again")
    assert again.manifest.factors == dataset.manifest.factors
    for split in ("train", "test"):
        np.testing.assert_array_equal(
            again.read(split).observations, dataset.read(split).observations
        )
        np.testing.assert_array_equal(again.read(split).labels, dataset.read(split).labels)


def test_provenance_is_no_factor(tmp_path):
    extra = LABEL | {"seed": tfds.features.Scalar(np.int64)}
    spec = write(tmp_path / "in", extra, LABELS | {"seed": np.arange(COUNT)})
    assert list(open_source(spec).factors) == ["label"]


def test_another_label_may_be_named(tmp_path):
    extra = {"shape": tfds.features.ClassLabel(num_classes=3)}
    spec = write(tmp_path / "in", extra, {"shape": np.arange(COUNT) % 3})
    with pytest.raises(ValueError, match=r"\['shape'\].*Pass --label"):
        open_source(spec)
    source = open_source(spec, label="shape")
    assert source.factors == {"label": ["0", "1", "2"]}


def faces(folder: Path) -> str:
    """A data set with the features of TFDS' `celeb_a`, some of its attributes and few images."""
    extra = {
        "attributes": {name: np.bool_ for name in ATTRIBUTES},
        "landmarks": {"nose_x": np.int64},
        "identity": {"Identity_No": np.int64},
    }
    values = {
        "attributes": ATTRIBUTES,
        "landmarks": {"nose_x": NOSES},
        "identity": {"Identity_No": 5 * (np.arange(COUNT) % 4)},
    }
    return write(folder, extra, values)


ATTRIBUTES = {
    name: RNG.integers(0, 2, COUNT).astype(bool)
    for name in ("5_o_Clock_Shadow", "Eyeglasses", "Male", "Smiling")
}
NOSES = RNG.choice([90, 71, 110], COUNT)


def test_nested_booleans_and_integers_are_label_and_factors_by_their_paths(tmp_path):
    chosen = ["attributes/Male", "landmarks/nose_x"]
    dataset = import_dataset(
        faces(tmp_path / "in"), tmp_path / "out", label="attributes/Smiling", factors=chosen
    )
    assert dataset.manifest.factors == {
        "label": ["false", "true"],
        "attributes_Male": ["false", "true"],
        "landmarks_nose_x": ["71", "90", "110"],
    }
    examples = dataset.read("train")
    np.testing.assert_array_equal(examples.observations, IMAGES)
    np.testing.assert_array_equal(examples.labels, ATTRIBUTES["Smiling"])
    np.testing.assert_array_equal(examples.factors["attributes_Male"], ATTRIBUTES["Male"])
    np.testing.assert_array_equal(
        np.array([71, 90, 110])[examples.factors["landmarks_nose_x"]], NOSES
    )


def test_without_factors_every_nested_scalar_is_one_in_order_of_its_path(tmp_path):
    source = open_source(faces(tmp_path / "in"), label="attributes/Smiling")
    others = [f"attributes_{name}" for name in ATTRIBUTES if name != "Smiling"]
    assert list(source.factors) == ["label", *others, "identity_Identity_No", "landmarks_nose_x"]
    assert source.factors["identity_Identity_No"] == ["0", "5", "10", "15"]


def test_a_nested_data_set_without_a_named_label_lists_the_choices(tmp_path):
    with pytest.raises(ValueError, match="'attributes/Smiling'.*label=None.*Pass --label"):
        open_source(faces(tmp_path / "in"))


@pytest.mark.parametrize("option", [{"label": "attributes/Smilin"}, {"factors": ["Smiling"]}])
def test_an_unknown_path_names_the_nearest(tmp_path, option):
    spec = faces(tmp_path / "in")
    with pytest.raises(ValueError, match="Did you mean 'attributes/Smiling'"):
        open_source(spec, **{"label": "attributes/Male"} | option)


def test_only_the_wanted_features_are_read(tmp_path, monkeypatch):
    wanted = []

    class Recorded(tfds.decode.PartialDecoding):
        def __init__(self, features):
            wanted.append(features)
            super().__init__(features)

    monkeypatch.setattr(tfds.decode, "PartialDecoding", Recorded)
    source = open_source(
        faces(tmp_path / "in"), label="attributes/Smiling", factors=["attributes/Male"]
    )
    assert sum(len(examples) for examples, _ in source.batches("train")) == COUNT
    assert wanted == [
        {"image": True},  # the first images tell which value is white
        {"image": True, "attributes": {"Smiling": True, "Male": True}},
    ]


def test_another_label_leaves_the_first_as_a_factor(tmp_path):
    extra = LABEL | {"size": np.int64}
    spec = write(tmp_path / "in", extra, LABELS | {"size": np.arange(COUNT) % 3})
    source = open_source(spec, label="size")
    assert source.factors == {"label": ["0", "1", "2"], "original_label": ["cat", "dog"]}
    assert list(open_source(spec, label="size", factors=["label"]).factors) == list(source.factors)


def test_a_factor_of_too_many_values_is_left_out_unless_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("latentloom.pipeline.importing.formats.tfds_fields._MOST_VALUES", 30)
    spec = write(tmp_path / "in", LABEL | {"n": np.int64}, LABELS | {"n": np.arange(COUNT)})
    assert list(open_source(spec).factors) == ["label"]
    with pytest.raises(ValueError, match="at most 30 values. Received: 40"):
        open_source(spec, factors=["n"])
    assert len(open_source(spec, label="n").factors["label"]) == COUNT


def test_two_features_of_one_name_are_refused(tmp_path):
    extra = LABEL | {"a": {"b": np.int64}, "a_b": np.int64}
    column = np.arange(COUNT) % 2
    spec = write(tmp_path / "in", extra, LABELS | {"a": {"b": column}, "a_b": column})
    with pytest.raises(ValueError, match="would be the factor 'a_b'.*'a/b' and 'a_b'"):
        open_source(spec)


@pytest.mark.parametrize(
    "feature", [np.int64, tfds.features.ClassLabel(num_classes=9)], ids=["integer", "ClassLabel"]
)
def test_labels_with_gaps_become_classes_without(tmp_path, feature):
    numbers = np.array([5, 0, 2, 8])[np.arange(COUNT) % 4]
    dataset = import_dataset(
        write(tmp_path / "in", {"label": feature}, {"label": numbers}), tmp_path / "out"
    )
    assert dataset.manifest.class_names == ["0", "2", "5", "8"]
    read = np.array([0, 2, 5, 8])[dataset.read("train").labels]
    np.testing.assert_array_equal(read, numbers)


def test_a_class_that_is_named_but_has_no_example_is_refused_in_training(tmp_path):
    feature = tfds.features.ClassLabel(names=["cat", "dog", "eel"])
    data = tmp_path / "data"
    import_dataset(write(tmp_path / "in", {"label": feature}, LABELS), data)
    with pytest.raises(ValueError, match="Class 'eel'.*too few examples.*Received: 0 of 'eel'"):
        train_bundle(Config(), data, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    "feature", [LABEL["label"], tfds.features.ClassLabel(num_classes=2)], ids=["named", "numbers"]
)
def test_an_example_without_a_class_is_a_dead_letter(tmp_path, feature):
    labels = LABELS["label"].copy()
    labels[7] = -1
    source = open_source(write(tmp_path / "in", {"label": feature}, {"label": labels}))
    ((examples, (letter,)),) = source.batches("train")
    assert len(examples) == COUNT - 1
    assert letter.record == 7


@pytest.fixture
def bits() -> np.ndarray:
    """Images of 0 and 1, the first one black."""
    bits = RNG.integers(0, 2, (COUNT, 8, 8, 1), dtype=np.uint8)
    bits[0] = 0
    return bits


def test_images_of_0_and_1_become_black_and_white(tmp_path, bits):
    spec = write(tmp_path / "in", LABEL, LABELS, (8, 8, 1), bits)
    dataset = import_dataset(spec, tmp_path / "out")
    np.testing.assert_array_equal(dataset.read("train").observations, 255 * bits)
    assert "0 and 255" in dataset.manifest.source["description"]
    smaller = (
        import_dataset(spec, tmp_path / "smaller", image_size=4).read("train").loaded().observations
    )
    assert smaller.mean() == pytest.approx(255 * bits.mean(), abs=5)


def test_masks_are_refused_and_black_images_are_left_as_they_are(tmp_path, bits):
    dark = bits.copy()
    dark[-1, 0, 0] = 2
    spec = write(tmp_path / "dark", LABEL, LABELS, (8, 8, 1), dark)
    with pytest.raises(ValueError, match="Received: 2 as the largest.*Pass --range 0,2"):
        open_source(spec)
    black = write(tmp_path / "black", LABEL, LABELS, (8, 8, 1), np.zeros_like(bits))
    kept = open_source(spec, value_range=(0, 255)), dark
    for source, images in (kept, (open_source(black), np.zeros_like(bits))):
        ((examples, _),) = source.batches("train")
        np.testing.assert_array_equal(examples.observations, images)
        assert "255" not in source.description


def test_a_brighter_image_counts_wherever_it_stands(tmp_path, bits):
    images = np.zeros((1500, 8, 8, 1), np.uint8)
    images[-len(bits) :] = bits
    labels = {"label": np.arange(1500) % 2}
    spec = write(tmp_path / "late", LABEL, labels, (8, 8, 1), images)
    found = np.concatenate([batch.observations for batch, _ in open_source(spec).batches("train")])
    np.testing.assert_array_equal(found, 255 * images)
    images[-1, 0, 0] = 2
    spec = write(tmp_path / "dark", LABEL, labels, (8, 8, 1), images)
    source = open_source(spec, value_range=(0, 255))
    found = np.concatenate([batch.observations for batch, _ in source.batches("train")])
    np.testing.assert_array_equal(found, images)


def prepare_dsprites(data_dir: Path, codes: tuple[np.ndarray, ...]) -> np.ndarray:
    """Prepares a few renderings, laid out as the published file is, with TFDS' own definition.

    Returns:
        The renderings, uint8 of shape `(n, 64, 64, 1)`.
    """
    images = render_sprites(codes, 64)
    latents = np.stack([np.zeros(len(images), np.int64), *codes], axis=1)  # the first is the colour
    data_dir.mkdir()
    with h5py.File(data_dir / "published.hdf5", "w") as published:
        published["imgs"] = images[..., 0] // 255
        published["latents/classes"] = latents
        published["latents/values"] = latents.astype(float)
    builder = tfds.builder("dsprites", data_dir=data_dir)
    rows = [row for _, row in builder._generate_examples(data_dir / "published.hdf5")]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    write_directory(Path(builder.data_dir), builder.info.features, columns, name="dsprites")
    return images


def test_dsprites_is_read_as_tfds_prepares_it(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    codes = tuple(rng.permutation(np.arange(80) % count) for count in GRID)
    images = prepare_dsprites(tmp_path / "tfds", codes)
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "tfds"))
    names = [f"label_{name}" for name in ("scale", "orientation", "x_position", "y_position")]
    source = open_source("tfds:dsprites", label="label_shape", factors=names)
    assert list(source.factors) == ["label", *sorted(names)]
    assert [len(source.factors[name]) for name in ("label", *names)] == list(GRID)
    ((examples, dead),) = source.batches("train")
    assert not dead
    np.testing.assert_array_equal(examples.observations, images)
    for name, expected in zip(("label", *names), codes, strict=True):
        np.testing.assert_array_equal(examples.factors[name], expected)


def test_dsprites_has_a_label_only_if_one_is_named(tmp_path):
    prepare_dsprites(tmp_path / "tfds", tuple(np.arange(40) % count for count in GRID))
    spec = f"tfds:{tmp_path / 'tfds' / 'dsprites' / '2.0.0'}"
    with pytest.raises(ValueError, match="'label_shape'.*Pass --label"):
        open_source(spec)
    source = open_source(spec, label="label_shape")
    assert not [name for name in source.factors if name.startswith("value")]


def test_images_of_any_size_need_an_image_size(tmp_path):
    images = [RNG.integers(0, 256, (4 + row % 3, 5, 3), dtype=np.uint8) for row in range(COUNT)]
    spec = write(tmp_path / "in", LABEL, LABELS, (None, None, 3), images)
    with pytest.raises(ValueError, match="Pass --image-size 64"):
        open_source(spec)
    dataset = import_dataset(spec, tmp_path / "out", image_size=8)
    assert dataset.read("train").observations.shape == (COUNT, 8, 8, 3)


def test_a_data_set_that_is_not_prepared_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="tfds build mnist"):
        open_source("tfds:mnist")


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="Did you mean 'mnist'"):
        open_source("tfds:mnistt")


def test_a_folder_that_is_no_data_set_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="features.json"):
        open_source(f"tfds:{tmp_path}")


def test_a_data_set_without_image_is_refused(tmp_path):
    features = tfds.features.FeaturesDict(LABEL)
    with ShardWriter(tmp_path / shard_file("other", "train", 0, 1)) as writer:
        writer.write(serialize({"label": 0}))
    split = tfds.core.SplitInfo(name="train", shard_lengths=[1], num_bytes=writer.num_bytes)
    tfds.folder_dataset.write_metadata(
        data_dir=tmp_path, features=features, split_infos=[split], check_data=False
    )
    with pytest.raises(ValueError, match="has no image"):
        open_source(f"tfds:{tmp_path}")


def test_images_of_a_data_set_are_padded_by_default_and_say_so(tmp_path):
    images = np.full((COUNT, 4, 8, 3), 90, np.uint8)
    images[:, 1:3, 3:5] = RNG.integers(180, 250, (COUNT, 2, 2, 3))
    spec = write(tmp_path / "in", LABEL, LABELS, (4, 8, 3), images)
    dataset = import_dataset(spec, tmp_path / "out", image_size=8)
    found = dataset.read("train").loaded().observations
    np.testing.assert_array_equal(found[:, 2:6], images)
    assert (found[:, :2] == 90).all()
    change = dataset.manifest.details["changes"]["padded"]
    assert (change["count"], change["most"]) == (COUNT, 0.5)


def test_16_bits_of_a_data_set_need_a_range(tmp_path):
    images = RNG.integers(0, 4096, (COUNT, 6, 5, 1)).astype(np.uint16)
    features = {"image": tfds.features.Image(shape=(6, 5, 1), dtype=np.uint16), **LABEL}
    spec = write_directory(tmp_path / "in", features, {"image": images, **LABELS})
    with pytest.raises(ValueError, match="uint16.*pass --range LOW,HIGH"):
        open_source(spec)
    dataset = import_dataset(spec, tmp_path / "out", value_range=(0, 4095))
    found = dataset.read("train").loaded().observations
    np.testing.assert_array_equal(found, np.rint(images * (255 / 4095)))
