"""Local files are read whole, in pieces and by their hash."""

import hashlib
import subprocess
import sys

import pytest

from latentloom.pipeline.storage.files import file_size, is_remote, open_binary, sha256_file

DATA = bytes(range(256)) * 10_000


@pytest.fixture
def path(tmp_path) -> str:
    (tmp_path / "a").write_bytes(DATA)
    return f"{tmp_path}/a"


def test_a_file_is_read_whole_and_in_pieces(path):
    with open_binary(path) as file:
        assert file.read(300) == DATA[:300]
        assert file.read() == DATA[300:]
    assert sha256_file(path) == hashlib.sha256(DATA).hexdigest()


def test_a_size_is_that_of_a_file_and_none_of_what_is_none(path):
    assert file_size(path) == len(DATA)
    assert file_size(f"{path}b") is None


def test_a_scheme_is_remote():
    assert is_remote("gs://bucket/a")
    assert not is_remote("/tmp/a")


def test_data_sets_are_read_without_tensorflow_and_keras():
    module = "latentloom.pipeline.dataset.directory"
    program = f"import sys, {module}; print({{'tensorflow', 'keras'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
