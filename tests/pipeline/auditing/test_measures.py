"""Classes, cells, copies, doubtful labels and properties of small data."""

import io

import numpy as np
import pytest
from inked import SHAPES, inked_arrays, shapes
from PIL import Image

from latentloom.pipeline.auditing.measures.cells import audit_cells
from latentloom.pipeline.auditing.measures.classes import audit_classes, effective_number, imbalance
from latentloom.pipeline.auditing.measures.duplicates import describe_copies, find_copies
from latentloom.pipeline.auditing.measures.label_suspects import find_suspects
from latentloom.pipeline.auditing.survey import survey
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.importing.import_dataset import import_dataset


def ignore(*done):
    """Shows no progress."""


def imported(folder, **arrays) -> DatasetDir:
    np.savez(folder / "data.npz", **arrays)
    return import_dataset(f"npz:{folder / 'data.npz'}", folder / "data", shards=2)


def photographs(count, seed=0):
    """Images like photographs: smooth noise of three channels."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 6, 6, 3)).astype(np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize((96, 96), 3)) for one in coarse])


def compressed(image):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=80)
    return np.asarray(Image.open(stream))


def test_the_survey_does_not_depend_on_the_batches(tmp_path, monkeypatch):
    data = imported(tmp_path, **inked_arrays())
    whole = survey(data, 0, ignore)
    monkeypatch.setattr("latentloom.pipeline.observations.kind.BATCH_BYTES", 12 * 12 * 3 * 7)
    parts = survey(data, 0, ignore)
    np.testing.assert_array_equal(whole.digests, parts.digests)
    np.testing.assert_array_equal(whole.hashes, parts.hashes)
    for name, numbers in whole.properties.items():
        np.testing.assert_allclose(parts.properties[name], numbers, rtol=1e-5)
    assert whole.splits == {"train": slice(0, 192), "test": slice(192, 240)}


def test_classes_have_counts_and_what_they_lack(tmp_path):
    arrays = inked_arrays(200)
    rows = np.ones(200, bool)
    rows[(arrays["label"] == "rod") & (np.cumsum(arrays["label"] == "rod") > 1)] = False
    data = imported(tmp_path, **{name: column[rows] for name, column in arrays.items()})
    rod = next(each for each in audit_classes(data.manifest) if each.name == "rod")
    assert sum(rod.counts.values()) == 1
    assert rod.lacks
    assert "training needs 2" in rod.lacks[0] or rod.counts["train"] == 1
    assert imbalance(data.manifest)["train"] == pytest.approx(40)
    assert effective_number(1) == pytest.approx(1)
    assert effective_number(100_000) == pytest.approx(1000)


def test_cells_are_empty_or_rare_where_expected(tmp_path):
    data = imported(tmp_path, **inked_arrays(400, tie=0.98, seed=1))
    (grid,) = audit_cells(survey(data, 0, ignore), data.manifest.factors)
    assert grid.factors == ("label", "ink")
    assert grid.cells == 16
    assert grid.num_empty + grid.num_rare == 12
    assert all(cell.count == 0 and cell.expected > 10 for cell in grid.empty)


def test_exact_and_near_copies_are_found_inside_and_between_splits(tmp_path):
    images = photographs(60)
    images[50], images[51] = images[3], compressed(images[4])
    images[7] = (images[8] * 0.9).astype(np.uint8)
    label = np.array(["a", "b"])[np.arange(60) % 2]
    split = np.where(np.arange(60) < 45, "train", "test")
    data = imported(tmp_path, images=images, label=label, split=split)
    seen = survey(data, 0, ignore)
    groups, totals = describe_copies(seen, find_copies(seen, ignore), data.manifest.class_names)
    assert totals["exact"].model_dump() == {
        "groups": 1,
        "surplus": 1,
        "leaked": {"test": 1},
        "conflicting": 1,
    }
    assert [group.kind for group in groups] == ["exact", "near", "near"]
    assert [len(group.examples) for group in groups] == [2, 2, 2]
    assert totals["near"].groups == 2
    assert totals["near"].leaked == {"test": 1}
    assert groups[0].conflicting


def test_images_that_only_resemble_each_other_are_no_copies(tmp_path):
    data = import_dataset("builtin:digits", tmp_path / "data")
    copies = find_copies(survey(data, 0, ignore), ignore)
    assert len(copies.exact) == 0
    assert sum(map(len, copies.near)) < 0.02 * 1797


@pytest.mark.slow
def test_wrong_labels_are_doubted(tmp_path):
    rng = np.random.default_rng(0)
    truth = np.arange(400) % 4
    wrong = rng.choice(400, 20, replace=False)
    given = truth.copy()
    given[wrong] = (given[wrong] + rng.integers(1, 4, 20)) % 4
    images = np.rint(shapes(truth, rng)[..., None]).astype(np.uint8)
    data = imported(tmp_path, images=images, label=SHAPES[given])
    seen = survey(data, 0, ignore)
    suspects = find_suspects(seen, "image", [], ignore)
    places = {int(seen.examples.ids[row].split("/")[-1]) for row in suspects.rows}
    assert len(places & set(wrong.tolist())) >= 18
    assert len(places - set(wrong.tolist())) <= 2


def test_a_letter_in_another_ink_is_no_copy(tmp_path):
    data = import_dataset("builtin:letters", tmp_path / "data", max_examples=2000)
    seen = survey(data, 0, ignore)
    for rows in find_copies(seen, ignore).near:
        for name in ("ink", "background"):
            assert len(np.unique(seen.examples.factors[name][rows])) == 1
