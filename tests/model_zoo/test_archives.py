"""Mapped arrays are those that are read, without their memory."""

import tracemalloc

import numpy as np
import pytest

from latentloom.model_zoo.archives import map_arrays, read_arrays

RNG = np.random.default_rng(0)
ARRAYS = {
    "images": RNG.integers(0, 256, (9, 4, 5, 3), dtype=np.uint8),
    "columns": np.asfortranarray(RNG.normal(size=(6, 7))),
    "big": np.arange(5, dtype=">i4"),
    "texts": np.array(["a", "bé"]),
    "one": np.array(3),
    "none": np.zeros((0, 4), np.float32),
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_mapped_arrays_are_those_that_are_read(tmp_path, save):
    file = tmp_path / "a.npz"
    save(file, **ARRAYS)
    mapped, read = map_arrays(file, file), read_arrays(file, file)
    assert list(mapped) == list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(mapped[name], array)
        assert mapped[name].dtype == read[name].dtype
    assert list(map_arrays(file, file, ["one"])) == ["one"]


def test_a_mapped_array_takes_no_memory_and_is_not_changed(tmp_path):
    file = tmp_path / "a.npz"
    np.savez(file, images=np.zeros((4000, 50, 50, 1), np.uint8))
    tracemalloc.start()
    try:
        images = map_arrays(file, file)["images"]
        assert tracemalloc.get_traced_memory()[1] < images.nbytes / 2
    finally:
        tracemalloc.stop()
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 1


@pytest.mark.parametrize("read", [map_arrays, read_arrays])
def test_a_changed_byte_is_found(tmp_path, read):
    file = tmp_path / "a.npz"
    np.savez(file, images=ARRAYS["images"])
    data = bytearray(file.read_bytes())
    data[data.index(ARRAYS["images"].tobytes()) + 7] ^= 1
    file.write_bytes(data)
    with pytest.raises(ValueError, match="Array 'images'.*CRC"):
        read(file, file)
