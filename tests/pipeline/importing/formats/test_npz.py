import numpy as np
import pytest

from latentloom.pipeline.importing.open_source import open_source

IMAGES = np.zeros((6, 4, 4), np.uint8)
LABEL = np.arange(6) % 2
VECTORS = np.arange(12.0).reshape(6, 2)


def save(folder, **arrays) -> str:
    np.savez(folder / "a.npz", **arrays)
    return f"npz:{folder / 'a.npz'}"


def test_labels_and_factors_may_be_integers_texts_bytes_or_booleans(tmp_path):
    spec = save(
        tmp_path,
        images=IMAGES,
        label=np.array([30, 4] * 3),
        text=np.array(["é", "b"] * 3),
        code=np.array([b"x", b"y"] * 3),
        flag=np.array([True, False] * 3),
        names=np.array(["not", "a factor"]),
    )
    source = open_source(spec)
    assert source.factors == {
        "label": ["4", "30"],
        "text": ["b", "é"],
        "code": ["x", "y"],
        "flag": ["False", "True"],
    }
    examples, _ = next(source.batches("train"))
    assert examples.labels.tolist() == [1, 0] * 3
    assert examples.factors["code"].tolist() == [0, 1] * 3
    assert examples.observations.shape == (6, 4, 4, 1)


def test_labels_with_gaps_become_classes_without(tmp_path):
    source = open_source(save(tmp_path, images=IMAGES, label=np.array([5, 0, 2, 5, 0, -1])))
    assert source.factors == {"label": ["-1", "0", "2", "5"]}
    ((examples, _),) = source.batches("train")
    assert examples.labels.tolist() == [3, 1, 2, 3, 1, 0]


def test_observations_are_vectors_of_float32(tmp_path):
    source = open_source(save(tmp_path, observations=VECTORS, label=LABEL, size=LABEL))
    assert (source.observation, source.observation_shape) == ("vector", (2,))
    assert list(source.factors) == ["label", "size"]
    examples, _ = next(source.batches("train"))
    assert examples.observations.dtype == np.float32
    np.testing.assert_array_equal(examples.observations, VECTORS)


def test_an_image_size_is_refused_for_vectors(tmp_path):
    spec = save(tmp_path, observations=VECTORS, label=LABEL)
    with pytest.raises(ValueError, match="image_size=8 for vectors .*Drop --image-size"):
        open_source(spec, image_size=8)


def test_without_a_split_everything_is_for_training(tmp_path):
    assert open_source(save(tmp_path, images=IMAGES, label=LABEL)).splits == {"train": 6}


@pytest.mark.parametrize(
    ("arrays", "kind", "fix"),
    [
        ({"images": IMAGES}, ValueError, "has no labels.*Add it"),
        ({"label": LABEL}, ValueError, "has no images.*Add it"),
        ({"images": IMAGES, "observations": VECTORS, "label": LABEL}, ValueError, "leave one out"),
        ({"observations": VECTORS.astype(int), "label": LABEL}, TypeError, "Cast them to float32"),
        ({"observations": VECTORS[..., None], "label": LABEL}, ValueError, "Reshape them"),
        ({"observations": VECTORS[:, :0], "label": LABEL}, ValueError, "Reshape them"),
        ({"observations": VECTORS + np.nan, "label": LABEL}, ValueError, "6 such rows"),
        ({"observations": VECTORS * 1e38, "label": LABEL}, ValueError, "4 such rows. Remove or"),
        (
            {"images": IMAGES, "label": LABEL[:5]},
            ValueError,
            r"has no labels that fit.*shape \(5,\).*Save one",
        ),
        ({"images": IMAGES / 255, "label": LABEL}, TypeError, "float64.*Scale, round"),
        (
            {"images": np.where(np.arange(6).reshape(6, 1, 1, 1) == 4, np.nan, 0), "label": LABEL},
            TypeError,
            r"float64 with NaN or infinity, first in images\[4\]. Repair",
        ),
        (
            {"images": np.full(IMAGES.shape, np.inf, np.float32), "label": LABEL},
            TypeError,
            r"first in images\[0\]. Repair",
        ),
        ({"images": IMAGES.astype(np.uint16), "label": LABEL}, TypeError, "uint16"),
        ({"images": IMAGES[:, 0], "label": LABEL}, ValueError, "Reshape them"),
        ({"images": IMAGES[:0], "label": LABEL[:0]}, ValueError, "Reshape them"),
        ({"images": IMAGES, "label": LABEL + 0.5}, TypeError, "integers or texts.*leave it out"),
        ({"images": IMAGES, "label": LABEL, "f": LABEL / 2}, TypeError, "Field 'f'"),
        ({"images": IMAGES, "label": LABEL, "split": LABEL}, ValueError, "'train' or 'test'"),
        (
            {"images": IMAGES, "label": LABEL.astype(object)},
            ValueError,
            "Array 'label' .*plain dtype",
        ),
        (
            {"images": IMAGES, "label": LABEL, "x": np.array([{}] * 6)},
            ValueError,
            "Array 'x' .*plain dtype",
        ),
    ],
)
def test_an_unfit_array_is_named_with_its_fix(tmp_path, arrays, kind, fix):
    with pytest.raises(kind, match=fix):
        open_source(save(tmp_path, **arrays))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="Check the path"):
        open_source(f"npz:{tmp_path / 'none.npz'}")


@pytest.mark.parametrize("data", [b"", b"no archive", b"\x80\x04K\x01."])
def test_what_is_no_archive_is_refused(tmp_path, data):
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(ValueError, match="Save it again"):
        open_source(f"npz:{tmp_path / 'a.npz'}")


def test_a_damaged_archive_is_refused(tmp_path):
    spec = save(tmp_path, images=IMAGES, label=LABEL)
    path = tmp_path / "a.npz"
    data = bytearray(path.read_bytes())
    data[200] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ValueError, match="Array 'images'"):
        open_source(spec)
