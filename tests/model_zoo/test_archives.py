"""Arrays of archives, read whole or from their first entry on."""

import numpy as np
import pytest

from latentloom.model_zoo.archives import open_array, read_arrays, read_headers

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
def test_arrays_come_back_whole_and_as_streams(tmp_path, save):
    file = tmp_path / "a.npz"
    save(file, **ARRAYS)
    headers, read = read_headers(file, file), read_arrays(file, file)
    assert list(headers) == list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == headers[name].dtype == array.dtype
        with open_array(file, file, name) as stream:
            assert stream.read() == array.tobytes("F" if headers[name].in_columns else "C")
    assert [name for name in headers if headers[name].in_columns] == ["columns"]
    assert list(read_arrays(file, file, ["one"])) == ["one"]


def test_a_changed_byte_is_found(tmp_path):
    file = tmp_path / "a.npz"
    np.savez(file, images=ARRAYS["images"])
    data = bytearray(file.read_bytes())
    data[data.index(ARRAYS["images"].tobytes()) + 7] ^= 1
    file.write_bytes(data)
    with pytest.raises(ValueError, match="Array 'images'.*CRC"):
        read_arrays(file, file)
