"""Files that declare more than they hold, as the command meets them: told before memory is taken.

Each test would otherwise take gigabytes, or hours.
"""

import io
import json
import struct
import tracemalloc
import zipfile

import google_crc32c
import numpy as np
import pytest
from bundles import CONFIGS, digits_data
from PIL import Image

from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.storage.tf_example import serialize
from latentloom.pipeline.storage.tfrecords import frame


@pytest.fixture
def refused(latentloom, tmp_path):
    """Checks that a verb ends with one message, and leaves no output: `verify` with 1, as for all
    damage, and others with 2."""

    def check(*words, mentions):
        run = latentloom(*words)
        assert run.returncode == (1 if words[0] == "verify" else 2), run.stderr
        assert run.stderr.count("\n") == 1, run.stderr
        for mention in mentions:
            assert mention in run.stderr
        assert not (tmp_path / "out").exists()
        assert not list(tmp_path.glob(".*"))

    return check


def length(number: int) -> bytes:
    """The head of a record of so many bytes, with its checksum."""
    data = struct.pack("<Q", number)
    crc = google_crc32c.value(data)
    return data + struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def picture_record(label: int) -> bytes:
    """A record with an image of 8 x 8 pixels."""
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8), 7, np.uint8)).save(file, "PNG")
    return serialize({"image": file.getvalue(), "label": label})


@pytest.mark.parametrize("declared", [100, 2**28, 2**40, 2**62, 2**64 - 1])
def test_a_record_that_is_longer_than_its_file_is_a_dead_letter(latentloom, tmp_path, declared):
    path = tmp_path / "a.tfrecord"
    records = b"".join(frame(picture_record(number % 2)) for number in range(200))
    path.write_bytes(records + length(declared) + b"short")
    run = latentloom("import", f"tfrecord:{path}", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    (dead,) = manifest["details"]["dead_letters"]
    assert "truncated inside a record" in dead["reason"]
    assert manifest["totals"]["written"] == 200


def test_a_record_of_a_sparse_file_is_passed_over_unread(latentloom, tmp_path):
    path = tmp_path / "a.tfrecord"
    records = b"".join(frame(picture_record(number % 2)) for number in range(200))
    with path.open("wb") as file:
        file.write(records[: len(records) // 2] + length(2**34))
        file.seek(2**34 + 4, 1)
        file.write(records[len(records) // 2 :])
    run = latentloom("import", f"tfrecord:{path}", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    (dead,) = manifest["details"]["dead_letters"]
    assert f"{2**34} bytes" in dead["reason"]
    assert manifest["totals"]["written"] == 200


IDX = [
    ("images", (2**32 - 1, 2**32 - 1, 2**32 - 1)),
    ("images", (30, 2**31, 2**31)),
    ("images", (2**31, 5, 4)),
    ("images", (30, 0, 0)),
    ("labels", (2**32 - 1,)),
]


@pytest.mark.parametrize(("kind", "sizes"), IDX)
def test_sizes_of_idx_files_are_compared_with_the_files(refused, tmp_path, kind, sizes):
    folder = tmp_path / "idx"
    folder.mkdir()
    contents = {"images": (2051, (30, 5, 4)), "labels": (2049, (30,))}
    for name, (magic, shape) in contents.items():
        declared = sizes if name == kind else shape
        data = struct.pack(f">I{len(shape)}I", magic, *declared) + bytes(600)
        (folder / f"train-{name}-idx{len(shape)}-ubyte").write_bytes(data)
    words = ("import", f"idx:{folder}", tmp_path / "out")
    refused(*words, mentions=[f"train-{kind}", "Expected: "])


def npy(shape: str, data: bytes, dtype: str = "|u1") -> bytes:
    """A stored array whose header may lie."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header.ljust(117) + b"\n" + data


NPZ = {
    "more than the member": npy(f"({10**15},)", bytes(60)),
    "a huge product": npy(f"({2**40}, {2**40}, {2**40})", bytes(60)),
    "less than the member": npy("(3, 2, 2)", bytes(10**6)),
    "a negative axis": npy("(-3, 2, 2)", bytes(12)),
    "texts of no length": npy(f"({10**15},)", b"", "<U0"),
    "long texts": npy("(60,)", bytes(60), f"<U{10**9}"),
    "objects": npy("(60,)", bytes(60), "|O"),
    "no header": b"no header",
    "a header of another version": b"\x93NUMPY\x09\x00" + bytes(100),
}


@pytest.mark.parametrize("member", NPZ.values(), ids=NPZ)
@pytest.mark.parametrize("name", ["images", "other"])
def test_headers_of_npz_files_are_compared_with_their_members(refused, tmp_path, name, member):
    path = tmp_path / "a.npz"
    arrays = {"images": np.zeros((60, 2, 2), np.uint8), "label": np.arange(60) % 2}
    arrays.pop(name, None)
    np.savez(path, **arrays)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.npy", member)
    words = ("import", f"npz:{path}", tmp_path / "out")
    refused(*words, mentions=[f"Array '{name}'", str(path), "Save it with a plain dtype."])


def zeros(path, name: str, shape: tuple[int, ...], dtype: str = "|u1", packed: int = 2**20) -> None:
    """Adds an honest array of zeros to an archive, packed in little space and memory."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
            member.write(npy(str(shape), b"", dtype))
            for start in range(0, size, packed):
                member.write(bytes(min(packed, size - start)))


SIDE = 8200  # more pixels than an image may have
MANY = 5000


@pytest.mark.parametrize(
    ("arrays", "mention"),
    [
        ({"images": (1, SIDE, SIDE), "label": (1,)}, "have an unsupported shape"),
        ({"images": (MANY, MANY), "label": (MANY,)}, "have the wrong shape"),
        ({"images": (MANY, 50, 100), "label": (5,)}, "has no labels"),
        ({"observations": (MANY, MANY), "label": (MANY,)}, "have the wrong type"),
        ({"data": (MANY, MANY), "indices": (MANY, MANY), "indptr": (3,)}, "are not sparse rows"),
        ({"vocab": (MANY, MANY), "data": (3,), "indices": (3,), "indptr": (3,)}, "no vocabulary"),
    ],
)
def test_an_honest_npz_is_refused_by_its_headers(tmp_path, arrays, mention):
    path = tmp_path / "a.npz"
    for name, shape in arrays.items():
        zeros(path, name, shape)
    tracemalloc.start()
    with pytest.raises((ValueError, TypeError), match=mention):
        import_dataset(f"npz:{path}", tmp_path / "out")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * 2**20
    assert not (tmp_path / "out").exists()


def test_texts_of_an_npz_are_bounded(refused, tmp_path):
    path = tmp_path / "a.npz"
    zeros(path, "images", (60, 2, 2))
    zeros(path, "label", (60,), "<U100000")
    words = ("import", f"npz:{path}", tmp_path / "out")
    refused(*words, mentions=["Array 'label'", "too long", "Shorten them."])


def test_a_member_that_no_import_uses_is_not_read(latentloom, tmp_path):
    path = tmp_path / "a.npz"
    arrays = {"images": np.zeros((60, 2, 2), np.uint8), "label": np.arange(60) % 2}
    np.savez(path, **arrays)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes.txt", "not an array")
        member = bytearray(npy("(1000000,)", bytes(10**6)))
        archive.writestr("unused.npy", bytes(member))
    data = path.read_bytes()
    run = latentloom("import", f"npz:{path}", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    assert path.read_bytes() == data


@pytest.fixture
def data(tmp_path, npz):
    """A data set directory to edit."""
    return import_dataset(npz, tmp_path / "pets", shards=1)


def change(data, **changes) -> None:
    """Edits the first shard in the manifest of a data set."""
    path = f"{data.path}/manifest.json"
    with open(path) as file:
        manifest = json.load(file)
    manifest["splits"]["train"][0] |= changes
    with open(path, "w") as file:
        json.dump(manifest, file)


@pytest.mark.parametrize(
    ("changes", "mention"),
    [
        ({"records": 10**15}, f"cannot hold {10**15} records"),
        ({"records": 2**63}, "cannot hold"),
        ({"records": -1}, "records"),
        ({"label_counts": [10**15, 0, 0]}, "labels of"),
        ({"label_counts": [-1, 1, 0]}, "label_counts"),
        ({"num_bytes": "many"}, "num_bytes"),
    ],
)
def test_counts_that_the_bytes_cannot_hold_are_refused(refused, data, changes, mention):
    change(data, **changes)
    refused("verify", data.path, mentions=["manifest.json", mention, "Write the data set again."])
    refused("inspect", data.path, mentions=["manifest.json", mention])


def test_verify_does_not_look_for_records_without_end(latentloom, data):
    change(data, records=10**15, num_bytes=10**18)
    run = latentloom("verify", data.path)
    assert run.returncode == 1
    assert f"instead of {10**18}" in run.stderr
    assert len(run.stderr) < 5 * 10**6


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "7", '{"schema_version": "1"}', "[" * 10_000, '{"a":' * 10_000],
    ids=lambda text: repr(text[:12]),
)
def test_a_damaged_manifest_is_one_message(refused, data, text):
    with open(f"{data.path}/manifest.json", "w") as file:
        file.write(text)
    refused("verify", data.path, mentions=["manifest.json", "Write the data set again."])
    refused("inspect", data.path, mentions=["manifest.json"])


def test_a_manifest_that_is_no_text_is_one_message(refused, data):
    with open(f"{data.path}/manifest.json", "wb") as file:
        file.write(b"\xff\xfe{}")
    refused("inspect", data.path, mentions=["manifest.json", "UTF-8"])


def test_a_manifest_without_end_is_one_message(refused, data):
    with open(f"{data.path}/manifest.json", "wb") as file:
        file.truncate(2**36)
    refused("inspect", data.path, mentions=["manifest.json", f"{2**36:,} bytes"])


@pytest.mark.parametrize(
    "setting",
    [
        *("hidden_dim=1000000000", "hidden_dim=[4096, 100000]", "zs_dim=1000000000", "zu_dim=5000"),
        *("width=0", "base_side=0", "kernel_size=-1", "hidden_dim=2.5", "zs_dim=true"),
    ],
)
def test_a_model_that_is_too_large_is_refused_before_it_is_built(refused, tmp_path, setting):
    words = ("train", CONFIGS / "zszu_digits.yaml", "--data", digits_data())
    words += ("--out", tmp_path / "out", "--set", f"model.args.{setting}")
    refused(*words, mentions=["model.args.", "Expected: ", setting.partition("=")[0]])
