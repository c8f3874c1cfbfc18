from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentloom.pipeline.importing.formats import image_opening as opening
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.importing.open_source import open_source

RNG = np.random.default_rng(0)


def save(path: Path, shape: tuple[int, ...] = (6, 8, 3), mode: str | None = None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path, **options)
    return pixels


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(3):
        save(tmp_path / "pets" / "cat" / f"{number}.png")
        save(tmp_path / "pets" / "dog" / f"{number}.png")
    return tmp_path / "pets"


def read(source) -> tuple[np.ndarray, list[int], list]:
    (examples, dead), *_ = source.batches("train")
    return examples.observations, examples.labels.tolist(), dead


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp"])
def test_reading_gives_back_the_files(tmp_path, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    pixels = [
        save(tmp_path / "in" / name / f"{number}.{suffix}", **options)
        for name in ("cat", "dog")
        for number in range(3)
    ]
    dataset = import_dataset(f"folder:{tmp_path / 'in'}", tmp_path / "out")
    examples = dataset.read("train")
    np.testing.assert_array_equal(examples.observations, pixels)
    assert examples.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert dataset.manifest.class_names == ["cat", "dog"]


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "gif", "PNG"])
def test_other_formats_are_read(tmp_path, suffix):
    save(tmp_path / "cat" / f"a.{suffix}")
    assert read(open_source(f"folder:{tmp_path}"))[0].shape == (1, 6, 8, 3)


def test_folders_above_the_classes_are_splits(tmp_path):
    for split, count in (("train", 3), ("test", 2)):
        for name in ("cat", "dog"):
            for number in range(count):
                save(tmp_path / split / name / f"{number}.png")
    source = open_source(f"folder:{tmp_path}")
    assert source.splits == {"test": 4, "train": 6}
    assert source.factors == {"label": ["cat", "dog"]}


def test_only_grey_files_give_one_channel(tmp_path):
    pixels = save(tmp_path / "a" / "0.png", (5, 5))
    save(tmp_path / "a" / "1.png", (5, 5, 3), "LA")
    images, _, _ = read(open_source(f"folder:{tmp_path}"))
    assert images.shape == (2, 5, 5, 1)
    np.testing.assert_array_equal(images[0, ..., 0], pixels)


def test_one_coloured_file_gives_three_channels(tmp_path):
    pixels = save(tmp_path / "a" / "0.png", (5, 5))
    save(tmp_path / "b" / "1.png", (5, 5, 3))
    images, _, _ = read(open_source(f"folder:{tmp_path}"))
    np.testing.assert_array_equal(images[0], np.repeat(pixels[..., None], 3, -1))


def test_transparency_is_laid_on_white(tmp_path):
    (tmp_path / "a").mkdir()
    Image.new("RGBA", (4, 4), (10, 20, 30, 0)).save(tmp_path / "a" / "0.png")
    images, _, _ = read(open_source(f"folder:{tmp_path}"))
    assert (images == 255).all()


def test_exif_orientation_is_applied(tmp_path):
    image = Image.new("RGB", (16, 8), "white")
    image.paste("black", (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise
    (tmp_path / "a").mkdir()
    image.save(tmp_path / "a" / "0.jpg", exif=exif)
    images, _, _ = read(open_source(f"folder:{tmp_path}"))
    assert images.shape == (1, 16, 8, 3)
    assert images[0, :6].mean() < 30
    assert images[0, 10:].mean() > 225


def test_images_of_different_size_need_an_image_size(root):
    save(root / "dog" / "3.png", (9, 9, 3))
    with pytest.raises(ValueError, match="9x9 in 'dog/3.png'.*Pass --image-size 64"):
        open_source(f"folder:{root}")
    images, _, dead = read(open_source(f"folder:{root}", image_size=7))
    assert images.shape == (7, 7, 7, 3)
    assert dead == []


def test_an_image_that_changes_its_size_after_its_header_was_read_is_named(root):
    save(root / "dog" / "3.png")
    source = open_source(f"folder:{root}")
    save(root / "dog" / "3.png", (9, 9, 3))
    with pytest.raises(ValueError, match="9x9 in 'dog/3.png'.*Pass --image-size 64"):
        read(source)


@pytest.mark.parametrize("damage", ["text", "truncated", "16 bits", "too many"])
def test_an_unfit_image_is_a_dead_letter(root, damage, monkeypatch):
    path = root / "cat" / "1.png"
    if damage == "text":
        path.write_text("no image")
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:80])
    elif damage == "16 bits":
        Image.fromarray(np.zeros((6, 8), np.uint16)).save(path)
    else:
        monkeypatch.setattr(opening, "MOST_PIXELS", 1000)
        Image.new("RGB", (40, 30)).save(path)
    images, labels, (letter,) = read(open_source(f"folder:{root}"))
    assert labels == [0, 0, 1, 1, 1]
    assert (letter.shard, letter.record) == ("cat/1.png", 1)
    words = {"16 bits": "more than 8 bits", "too many": "pixels"}
    assert words.get(damage, "cannot be read") in letter.reason


def test_a_decompression_bomb_is_not_decoded(root):
    Image.new("1", (14_000, 14_000)).save(root / "cat" / "1.png")
    _, _, (letter,) = read(open_source(f"folder:{root}"))
    assert "too many" in letter.reason


def test_a_few_dead_letters_are_recorded_with_their_reason(tmp_path):
    for number in range(200):
        save(tmp_path / "in" / "cat" / f"{number:03d}.png", (2, 2))
    (tmp_path / "in" / "cat" / "100.png").write_text("no image")
    dataset = import_dataset(f"folder:{tmp_path / 'in'}", tmp_path / "out")
    assert dataset.manifest.totals == {"requested": 200, "written": 199, "rejected": 0, "dead": 1}
    (letter,) = dataset.manifest.details["dead_letters"]
    assert (letter["shard"], letter["record"]) == ("cat/100.png", 100)
    ids = dataset.read("train").ids
    assert "in/train/00000100" not in ids
    assert "in/train/00000101" in ids


def test_too_many_dead_letters_fail_the_import(root, tmp_path):
    (root / "cat" / "1.png").write_text("no image")
    with pytest.raises(ValueError, match="'cat/1.png'.*at most 1% of 6.*Repair or remove"):
        import_dataset(f"folder:{root}", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pets"]


def test_an_empty_class_is_named(root):
    (root / "eel").mkdir()
    (root / "eel" / "notes.txt").touch()
    with pytest.raises(ValueError, match="Class 'eel' is empty.*Add some or remove"):
        open_source(f"folder:{root}")


def test_hidden_and_other_files_are_left_alone(root):
    (root / ".cache").mkdir()
    (root / "cat" / ".hidden.png").touch()
    (root / "cat" / "notes.txt").touch()
    assert open_source(f"folder:{root}").splits == {"train": 6}


def test_images_outside_a_class_are_refused(root):
    save(root / "loose.png")
    with pytest.raises(ValueError, match="1 loose images. Move each image"):
        open_source(f"folder:{root}")


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ValueError, match="class/image.png"):
        open_source(f"folder:{tmp_path}")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="Check the path"):
        open_source(f"folder:{tmp_path / 'none'}")


def test_splits_without_train_are_refused(tmp_path):
    save(tmp_path / "in" / "animals" / "cat" / "a.png")
    with pytest.raises(ValueError, match="no training examples"):
        import_dataset(f"folder:{tmp_path / 'in'}", tmp_path / "out")
