"""Batches are bounded by their bytes, and their size decides nothing about what is written."""

import numpy as np
import pytest
from bundles import hashes, make
from PIL import Image

from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.importing.open_source import open_source
from latentloom.pipeline.observations import BATCH_BYTES, KINDS
from latentloom.pipeline.storage.tf_example import serialize
from latentloom.pipeline.storage.tfrecords import frame

LIMIT = "latentloom.pipeline.observations.kind.BATCH_BYTES"


@pytest.fixture
def photos(tmp_path):
    """Twenty images of 12 x 10 pixels, 120 bytes each."""
    rng = np.random.default_rng(0)
    for number in range(20):
        folder = tmp_path / "photos" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (12, 10), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def sources(tmp_path, photos, npz):
    """Specs of sources, with options of their import."""
    records = [
        serialize({"image": file.read_bytes(), "label": file.parent.name})
        for file in sorted(photos.rglob("*.png"))
    ]
    (tmp_path / "a.tfrecord").write_bytes(b"".join(map(frame, records)))
    return [
        (f"folder:{photos}", {}),
        (f"folder:{photos}", {"image_size": 30}),
        (f"tfrecord:{tmp_path / 'a.tfrecord'}", {}),
        (npz, {"image_size": 16}),
        ("builtin:digits", {"max_examples": 100, "inks": 3}),
        ("builtin:moons", {"max_examples": 50}),
    ]


@pytest.mark.parametrize(
    ("kind", "shape", "size"),
    [
        ("image", (4000, 4000, 1), 4),
        ("image", (8192, 8192, 3), 1),
        ("image", (28, 28, 1), 1024),
        ("image", (256, 256, 3), 341),
        ("vector", (2,), 1024),
        ("vector", (2**20,), 16),
        ("counts", (50_000,), 335),
    ],
)
def test_a_batch_has_at_most_64_mib_and_at_most_1024_observations(kind, shape, size):
    assert KINDS[kind].batch_size(shape) == size
    one = np.prod(shape) * np.dtype(KINDS[kind].scaling.dtype).itemsize
    assert size == 1 or size * one <= BATCH_BYTES


def test_sources_keep_to_the_bytes_of_a_batch_even_where_images_are_enlarged(sources, monkeypatch):
    monkeypatch.setattr(LIMIT, 7 * 120)
    for spec, options in sources:
        source = open_source(spec, **options)
        for split in source.splits:
            for examples, dead in source.batches(split):
                assert len(examples) <= 1 or examples.observations.nbytes <= 7 * 120, spec
                assert not dead


def test_the_size_of_batches_does_not_change_the_bytes_of_an_import(sources, tmp_path, monkeypatch):
    def imported(folder):
        for number, (spec, options) in enumerate(sources):
            import_dataset(spec, folder / str(number), name="one", shards=2, **options)
        return [hashes(folder / str(number)) for number in range(len(sources))]

    usual = imported(tmp_path / "usual")
    monkeypatch.setattr(LIMIT, 7 * 120)
    assert imported(tmp_path / "small") == usual


def test_the_size_of_batches_does_not_change_the_bytes_of_variants(tmp_path, monkeypatch):
    make(tmp_path / "usual")
    monkeypatch.setattr(LIMIT, 100 * 64)
    make(tmp_path / "small")
    assert hashes(tmp_path / "small") == hashes(tmp_path / "usual")
