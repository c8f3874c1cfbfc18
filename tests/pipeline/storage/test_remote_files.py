"""What runs on local paths runs on those of any scheme that Beam knows, with the same bytes."""

import hashlib
import threading
import time
from pathlib import Path

import elsewhere
import numpy as np
import pytest
from bundles import digits_bundle, digits_config, digits_data, hashes, make

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.own_files import DATA_SET
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.reader import read
from latentloom.pipeline.storage import files, locks
from latentloom.pipeline.storage.output_directories import held_directory
from latentloom.pipeline.verification.verify import verify


@pytest.fixture
def place(request) -> str:
    """A folder elsewhere that no other test has."""
    return f"{elsewhere.SCHEME}://{request.node.name}"


def put(folder: Path, there: str) -> str:
    """Copies a local folder elsewhere."""
    for path in folder.rglob("*"):
        if path.is_file():
            with files.create_binary(f"{there}/{path.relative_to(folder)}") as target:
                target.write(path.read_bytes())
    return there


def remote_hashes(there: str) -> dict[str, str]:
    names = [name for name in files.list_names(there) if ".tfrecord-" in name]
    return {name: files.sha256_file(f"{there}/{name}") for name in names}


def test_variants_are_made_elsewhere_with_the_bytes_of_local_ones(place, tmp_path):
    data, model = put(digits_data(), f"{place}/data"), put(digits_bundle(), f"{place}/model")
    config, out = digits_config(), f"{place}/out"
    generate(config, data, model, out)
    make(tmp_path / "local")
    assert remote_hashes(out) == hashes(tmp_path / "local")
    assert verify(out).ok
    report_on(config, data, model, out)
    local = {path.name for path in (tmp_path / "local").iterdir()}
    assert set(files.list_names(out)) == local | {"report.html", "report.json"}


def test_a_run_elsewhere_goes_on_where_it_stopped(place):
    data, out = put(digits_data(), f"{place}/data"), f"{place}/out"
    generate(digits_config(), data, digits_bundle(), out)
    before = remote_hashes(out)
    first, *others = sorted(before)
    files.remove(f"{out}/{first}")
    written = [elsewhere.Elsewhere(None).last_updated(f"{out}/{name}") for name in others]
    generate(digits_config(), data, digits_bundle(), out)
    assert remote_hashes(out) == before
    assert written == [elsewhere.Elsewhere(None).last_updated(f"{out}/{name}") for name in others]


def test_a_recipe_with_donors_runs_elsewhere(place, tmp_path):
    settings = ("generate.recipe=swap_zu", "generate.variants_per_example=1")
    generate(digits_config(*settings), digits_data(), digits_bundle(), f"{place}/out")
    make(tmp_path / "local", *settings)
    assert remote_hashes(f"{place}/out") == hashes(tmp_path / "local")


def test_data_are_imported_and_read_elsewhere(place, npz, dataset):
    import_dataset(npz, f"{place}/pets", shards=2)
    there = DatasetDir.open(f"{place}/pets")
    assert there.manifest.splits == dataset.manifest.splits
    records = list(read(f"{place}/pets"))
    for record, local in zip(records, read(dataset.path), strict=True):
        np.testing.assert_array_equal(record["image"], local["image"])
    with pytest.raises(FileExistsError, match="pass --overwrite"):
        import_dataset(npz, f"{place}/pets")
    import_dataset(npz, f"{place}/pets", shards=1, overwrite=True)
    assert len(DatasetDir.open(f"{place}/pets").shards("train")) == 1
    assert files.list_names(place) == ["pets"]


def test_a_folder_elsewhere_that_is_not_ours_is_not_emptied(place):
    with files.create_binary(f"{place}/out/thesis.tex") as file:
        file.write(b"years of work")
    for overwrite in (False, True):
        with (
            pytest.raises(FileExistsError),
            held_directory(f"{place}/out", DATA_SET, overwrite=overwrite),
        ):
            pass
    assert files.read_text(f"{place}/out/thesis.tex") == "years of work"


def test_a_scheme_that_beam_does_not_know_is_an_error_that_names_the_extra():
    with pytest.raises(OSError, match=r"install apache-beam\[gcp\]"):
        files.exists("nowhere://bucket/a")


def test_a_lease_that_is_renewed_is_respected_and_one_that_is_not_is_taken_over(place, monkeypatch):
    monkeypatch.setattr(locks, "LEASE_SECONDS", 0.05)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with locks.locked(place, "data set"):
            held.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(30)
    with (
        pytest.raises(FileExistsError, match="Another run is writing"),
        locks.locked(place, "data set"),
    ):
        pass
    done.set()
    holder.join()
    assert not files.exists(f"{place}/{locks.LOCK_FILE}")
    with files.create_binary(f"{place}/{locks.LOCK_FILE}") as file:
        file.write(b'{"latentloom writes": "data set", "count": 3}')
    begun = time.monotonic()
    with locks.locked(place, "data set") as left_by:
        assert left_by == "data set"
        assert time.monotonic() - begun >= 3 * 0.05


def test_the_file_system_elsewhere_has_what_is_put_there(place):
    data = bytes(range(256)) * 10_000
    with files.create_binary(f"{place}/a/b") as file:
        file.write(data)
    assert files.exists(f"{place}/a")
    assert files.is_folder(f"{place}/a")
    assert not files.is_folder(f"{place}/a/b")
    assert files.file_size(f"{place}/a/b") == len(data)
    assert files.file_size(f"{place}/a") is None
    assert files.find(f"{place}/a/*") == [f"{place}/a/b"]
    assert files.sha256_file(f"{place}/a/b") == hashlib.sha256(data).hexdigest()
    with files.open_binary(f"{place}/a/b") as file:
        assert file.read(300) == data[:300]
        assert file.read() == data[300:]
    with files.local_folder(place) as copy:
        assert (copy / "a/b").read_bytes() == data
    with pytest.raises(FileNotFoundError):
        files.open_binary(f"{place}/a/c")
    files.remove(f"{place}/a")
    assert not files.exists(place)
