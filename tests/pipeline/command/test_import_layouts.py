"""What `import` reads, what it leaves out and says so, and how it explains what it refuses.

The shards are read without our reader; see `stored_records`.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image
from stored_records import manifest_of, means, stored
from tfds_directories import write_directory

from latentloom.pipeline.importing.formats.folder_tree import suffixes


def save(path: Path, level: int = 7, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (6, 6), level).save(path, **options)


def refused(run, out: Path, *words: str, unsaid: tuple[str, ...] = ()) -> None:
    assert run.returncode == 2, run.stderr
    told = [line for line in run.stderr.splitlines() if not line.startswith("import: ")]
    assert len(told) == 1
    for word in words:
        assert word in run.stderr
    for word in unsaid:
        assert word.lower() not in run.stderr.lower()
    assert not out.exists()


def build(root: Path, files: dict[str, int]) -> str:
    """Writes so many images into each folder, or a file of text if the path has a suffix."""
    for name, count in files.items():
        if Path(name).suffix:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("x")
        for number in range(0 if Path(name).suffix else count):
            save(root / name / f"{number}.png", number)
    return f"folder:{root}"


WRITTEN = {
    **{".tif": "TIFF", ".tiff": "TIFF", ".TIF": "TIFF", ".pgm": "PPM", ".jp2": "JPEG2000"},
    **{".tga": "TGA", ".pcx": "PCX", ".ico": "ICO", ".sgi": "SGI", ".dib": "DIB", ".png": "PNG"},
}


@pytest.mark.parametrize(("suffix", "kind"), WRITTEN.items())
def test_every_format_of_pillow_is_read(latentloom, tmp_path, suffix, kind):
    rng, pixels = np.random.default_rng(0), []
    for label in "ab":
        (tmp_path / "in" / label).mkdir(parents=True)
        pixels.append(rng.integers(0, 256, (16, 16), dtype=np.uint8))
        lossless = {"irreversible": False} if kind == "JPEG2000" else {}
        Image.fromarray(pixels[-1]).save(tmp_path / "in" / label / f"x{suffix}", kind, **lossless)
    run = latentloom("import", f"folder:{tmp_path / 'in'}", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    for (_, found), expected in zip(stored(tmp_path / "out"), pixels, strict=True):
        np.testing.assert_array_equal(found.reshape(16, 16, -1)[..., 0], expected)


def test_formats_that_need_programs_are_not_read():
    assert not suffixes() & {".eps", ".ps", ".wmf", ".pdf", ".mpg", ".h5"}


def test_the_orientation_of_a_tiff_is_applied_once(latentloom, tmp_path):
    image = Image.new("L", (16, 8), 255)
    image.paste(0, (0, 0, 8, 8))
    for label in "ab":
        (tmp_path / "in" / label).mkdir(parents=True)
        image.save(tmp_path / "in" / label / "0.tif", tiffinfo={0x0112: 6})
    run = latentloom("import", f"folder:{tmp_path / 'in'}", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    (_, pixels), _ = stored(tmp_path / "out")
    np.testing.assert_array_equal(pixels, np.repeat([[0] * 8, [255] * 8], 8, axis=0))


def test_pages_after_the_first_are_told(latentloom, tmp_path):
    pages = [Image.new("L", (6, 6), level) for level in (10, 20, 30)]
    for label in "ab":
        (tmp_path / "in" / label).mkdir(parents=True)
        path = tmp_path / "in" / label / "0.tif"
        pages[0].save(path, save_all=True, append_images=pages[1:] if label == "b" else [])
    run = latentloom("import", f"folder:{tmp_path / 'in'}", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    assert "Left out 2: the pages or frames after the first, of images with several." in run.stdout
    assert "First: 'b/0.tif'" in run.stdout
    assert means(tmp_path / "out") == [("a", 10), ("b", 10)]


def test_subfolders_of_classes_are_told_and_read_by_an_option(latentloom, tmp_path):
    files = {"cat": 3, "cat/p1": 2, "cat/p1/q": 1, "dog": 3}
    spec, out = build(tmp_path / "in", files), tmp_path / "out"
    run = latentloom("import", spec, out)
    assert "Left out 3: their folder is not 'cat' itself but below it. First: 'cat/p1/0.png'." in (
        run.stdout
    )
    assert len(stored(out)) == 6
    (reason,) = manifest_of(out)["details"]["ignored"]
    assert manifest_of(out)["details"]["first_ignored"][reason] == "cat/p1/0.png"
    run = latentloom("import", spec, out, "--subfolders", "--overwrite")
    assert "Left out" not in run.stdout
    assert [label for label, _ in means(out)] == ["cat"] * 6 + ["dog"] * 3


def test_patients_below_classes_are_of_the_class(latentloom, tmp_path):
    files = {f"{split}/{c}/p{n}": 2 for split in ("train", "val") for c in "ab" for n in (1, 2)}
    spec, out = build(tmp_path / "in", files), tmp_path / "out"
    words = ("Class 'a'", "'train/a'", "4 deeper", "'train/a/p1/0.png'", "Pass --subfolders")
    refused(latentloom("import", spec, out), out, *words)
    assert latentloom("import", spec, out, "--subfolders").returncode == 0
    for split in ("train", "validation"):
        assert [label for label, _ in means(out, split)] == ["a"] * 4 + ["b"] * 4


def test_files_that_are_no_images_are_told_by_class_with_the_first(latentloom, tmp_path):
    files = {"cat": 2, "dog": 2, "cat/x.dcm": 1, "cat/y.dcm": 1, "dog/x.txt": 1, "labels.csv": 1}
    run = latentloom("import", build(tmp_path / "in", files), tmp_path / "out")
    assert run.returncode == 0, run.stderr
    assert "Left out 2: the suffix '.dcm' in 'cat' is not of an image. First: 'cat/x.dcm'." in (
        run.stdout
    )
    assert "'.txt' in 'dog'" in run.stdout
    assert "'.csv' in 'in'" in run.stdout
    assert sum(manifest_of(tmp_path / "out")["details"]["ignored"].values()) == 4


def test_folders_of_operating_systems_are_no_classes(latentloom, tmp_path):
    spec = build(tmp_path / "in", {"cat": 2, "dog": 2, "__MACOSX/cat": 2, "cat/@eaDir": 1})
    run = latentloom("import", spec, tmp_path / "out")
    assert run.returncode == 0, run.stderr
    assert "Left out 2: the name of their folder '__MACOSX' is that of a system's files." in (
        run.stdout
    )
    assert "'@eaDir'" in run.stdout
    assert manifest_of(tmp_path / "out")["factors"]["label"] == ["cat", "dog"]


@pytest.mark.parametrize(("bad", "of_crack"), [(3, 3), (2, 100), (1, 20)])
def test_the_failure_budget_holds_for_each_class(latentloom, tmp_path, bad, of_crack):
    spec, out = build(tmp_path / "in", {"good": 300, "crack": of_crack}), tmp_path / "out"
    for number in range(bad):
        (tmp_path / "in" / "crack" / f"{number}.png").write_text("no image")
    words = ("class 'crack'", f"Received: {bad} of {of_crack}", "'crack/0.png'", "Repair them")
    refused(latentloom("import", spec, out), out, *words)


def test_dead_letters_within_the_budget_are_told_by_class(latentloom, tmp_path):
    spec = build(tmp_path / "in", {"good": 100, "crack": 100})
    (tmp_path / "in" / "crack" / "50.png").write_text("no image")
    run = latentloom("import", spec, tmp_path / "out")
    assert run.returncode == 0, run.stderr
    assert "Left out 1 of class 'crack': unusable. First: 'crack/50.png'" in run.stdout
    assert manifest_of(tmp_path / "out")["details"]["dead_by_class"]["crack"]["count"] == 1


def test_a_class_that_loses_a_whole_split_is_refused(latentloom, tmp_path):
    spec = build(tmp_path / "in", {"train/a": 1, "train/b": 200, "test/a": 300, "test/b": 1})
    (tmp_path / "in" / "train" / "a" / "0.png").write_text("no image")
    run = latentloom("import", spec, tmp_path / "out")
    refused(run, tmp_path / "out", "class 'a'", "all of split 'train'")


REFUSED = {
    "unlabelled test": (
        {"train/cat": 2, "train/dog": 2, "test": 3},
        ["Split 'test'", "3 images directly in 'test'", "classes in 'train'", "--split test=none"],
        ["remove"],
    ),
    "unlabelled splits": (
        {"train": 2, "test": 3},
        ["without a class", "directly in 'test'", "other names if they are classes"],
        ["remove", "--split"],
    ),
    "class, then patient": (
        {"benign/p1": 2, "benign/p2": 2, "malign/p3": 2},
        ["no images in the folders of the first level", "'benign', 'malign'", "2 folders deep"],
        ["move", "remove"],
    ),
    "a folder around": (
        {"data/cat": 2, "data/dog": 2},
        ["2 folders deep, 'data/cat/0.png'", "--subfolders", "pass data itself"],
        ["move", "remove"],
    ),
    "classes and splits": (
        {"train/cat": 2, "test/cat": 2, "docs": 1},
        ["folders of two kinds", "directly in 'docs'", "'test', 'train'", "--split docs=none"],
        ["remove"],
    ),
    "other files alone": (
        {"cat/a.dcm": 1, "dog/b.dcm": 1},
        ["has no images", "2 of .dcm", "'cat/a.dcm'", ".tif", "convert"],
        ["remove", "move"],
    ),
    "loose images": (
        {".": 2},
        ["outside the folders of classes", "2 loose images", "into the folder of its class"],
        ["remove"],
    ),
    "a class of other files": (
        {"cat": 2, "dog/b.dcm": 1},
        ["Class 'dog' is empty", "1 of .dcm", "'b.dcm'", "Convert them"],
        [],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_says_what_lies_at_which_depth(latentloom, tmp_path, case):
    files, words, unsaid = REFUSED[case]
    spec = build(tmp_path / "in", files)
    run = latentloom("import", spec, tmp_path / "out")
    refused(run, tmp_path / "out", *words, unsaid=tuple(unsaid))


def test_an_unlabelled_split_is_left_out_by_an_option(latentloom, tmp_path):
    spec = build(tmp_path / "in", {"train/cat": 2, "train/dog": 2, "test": 3})
    run = latentloom("import", spec, tmp_path / "out", "--split", "test=none")
    assert run.returncode == 0, run.stderr
    assert "Left out 3: their folder 'test' is left out by --split. First: 'test/0.png'." in (
        run.stdout
    )
    assert [label for label, _ in means(tmp_path / "out")] == ["cat", "cat", "dog", "dog"]


def test_a_class_may_be_called_train(latentloom, tmp_path):
    spec = build(tmp_path / "in", {"bus": 2, "train": 2})
    assert latentloom("import", spec, tmp_path / "out").returncode == 0
    assert manifest_of(tmp_path / "out")["factors"]["label"] == ["bus", "train"]


def test_links_that_lead_back_are_not_followed(latentloom, tmp_path):
    spec = build(tmp_path / "in", {"cat": 2, "dog": 2})
    (tmp_path / "in" / "cat" / "again").symlink_to(tmp_path / "in")
    run = latentloom("import", spec, tmp_path / "out", "--subfolders")
    assert run.returncode == 0, run.stderr
    assert len(stored(tmp_path / "out")) == 4


NUMBERS = ["0", "1", "2", "10", "11"]


def numbered_folders(where: Path) -> str:
    for number in NUMBERS:
        save(where / number / "0.png", int(number))
    return f"folder:{where}"


def numbered_texts(where: Path) -> str:
    where.mkdir()
    images = np.array([np.full((6, 6), int(number)) for number in NUMBERS], np.uint8)
    np.savez(where / "a.npz", images=images, label=np.array(NUMBERS))
    return f"npz:{where / 'a.npz'}"


def numbered_names_of_tfds(where: Path) -> str:
    features = {
        "image": tfds.features.Image(shape=(6, 6, 1)),
        "label": tfds.features.ClassLabel(names=sorted(NUMBERS)),
    }
    images = [np.full((6, 6, 1), int(number), np.uint8) for number in NUMBERS]
    labels = [sorted(NUMBERS).index(number) for number in NUMBERS]
    return write_directory(where, features, {"image": images, "label": labels})


@pytest.mark.parametrize(
    "write", [numbered_folders, numbered_texts, numbered_names_of_tfds], ids=lambda w: w.__name__
)
def test_numbers_as_names_are_in_numeric_order(latentloom, tmp_path, write):
    run = latentloom("import", write(tmp_path / "in"), tmp_path / "out")
    assert run.returncode == 0, run.stderr
    assert manifest_of(tmp_path / "out")["factors"]["label"] == NUMBERS
    assert sorted(means(tmp_path / "out")) == sorted((n, int(n)) for n in NUMBERS)


def test_mixed_names_are_in_the_order_of_texts(latentloom, tmp_path):
    spec = build(tmp_path / "in", {"10": 1, "9": 1, "a": 1})
    assert latentloom("import", spec, tmp_path / "out").returncode == 0
    assert manifest_of(tmp_path / "out")["factors"]["label"] == ["10", "9", "a"]


IMAGES, LABEL = np.zeros((6, 4, 4), np.uint8), np.arange(6) % 2


def test_every_unused_array_is_named(latentloom, tmp_path):
    others = {"names": np.array(["a", "b"]), "boxes": np.zeros((6, 4)), "size": LABEL}
    np.savez(tmp_path / "a.npz", images=IMAGES, label=LABEL, **others)
    run = latentloom("import", f"npz:{tmp_path / 'a.npz'}", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    for name, shape in (("names", "(2,)"), ("boxes", "(6, 4)")):
        assert f"Left out 1: the array '{name}' of shape {shape} is neither" in run.stdout
    assert "'size'" not in run.stdout
    assert len(manifest_of(tmp_path / "out")["details"]["ignored"]) == 2


def test_labels_of_another_name_are_named_by_an_option(latentloom, tmp_path):
    np.savez(tmp_path / "a.npz", images=IMAGES, labels=np.array(["x", "y"] * 3))
    spec, out = f"npz:{tmp_path / 'a.npz'}", tmp_path / "out"
    refused(latentloom("import", spec, out), out, "If one of labels holds", unsaid=("Add it",))
    assert latentloom("import", spec, out, "--label", "labels").returncode == 0
    assert manifest_of(out)["factors"] == {"label": ["x", "y"]}


def test_labels_of_another_shape_are_not_called_missing(latentloom, tmp_path):
    np.savez(tmp_path / "a.npz", images=IMAGES, label=np.zeros((6, 3), int))
    run = latentloom("import", f"npz:{tmp_path / 'a.npz'}", tmp_path / "out")
    refused(run, tmp_path / "out", "`label` has the shape (6, 3)", unsaid=("Add it",))


def test_two_imports_give_one_manifest_without_addresses(latentloom, tmp_path):
    spec = build(tmp_path / "in", {"cat": 200, "dog": 2})
    (tmp_path / "in" / "cat" / "100.png").write_text("no image")
    texts = []
    for out in ("one", "two"):
        assert latentloom("import", spec, tmp_path / out).returncode == 0
        texts.append((tmp_path / out / "manifest.json").read_text())
    assert texts[0] == texts[1]
    (letter,) = json.loads(texts[0])["details"]["dead_letters"]
    assert "0x" not in letter["reason"]
    assert str(tmp_path) not in letter["reason"]
