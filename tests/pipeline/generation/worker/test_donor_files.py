"""The donor bank of a job is a file: read as it was written, and not that of another job."""

import numpy as np
from bundles import hashes, make

from latentloom.augment import DonorBank
from latentloom.pipeline.generation.worker.donor_files import read_donors, write_donors


def bank(seed: int) -> DonorBank:
    rng = np.random.default_rng(seed)
    return DonorBank.build(
        [f"digits/train/{row}" for row in range(40)],
        {"label": rng.integers(0, 3, 40), "ink": rng.integers(0, 2, 40)},
        {"zs": rng.normal(size=(40, 4)).astype(np.float32), "zu": rng.normal(size=(40, 2))},
        seed=seed,
        capacity=5,
    )


def test_a_bank_is_read_as_it_was_written(tmp_path):
    written, path = bank(0), str(tmp_path / "donors.npz")
    assert write_donors(written, path) == path
    found = read_donors(path, "a job")
    assert found.capacity == written.capacity
    for ours, theirs in (
        ({"keys": found.keys, "ids": found.ids}, {"keys": written.keys, "ids": written.ids}),
        (found.factors, written.factors),
        (found.latents, written.latents),
    ):
        assert ours.keys() == theirs.keys()
        for name, values in ours.items():
            np.testing.assert_array_equal(values, theirs[name])
            assert values.dtype == theirs[name].dtype


def test_another_job_in_the_same_place_has_its_own_bank(tmp_path):
    settings = ("generate.recipe=swap_zu", "generate.variants_per_example=1")
    make(tmp_path / "one", *settings, "generate.seed=1")
    make(tmp_path / "same", *settings)
    make(tmp_path / "same", *settings, "generate.seed=1", overwrite=True)
    assert hashes(tmp_path / "same") == hashes(tmp_path / "one")


def test_a_rerun_takes_the_bank_that_is_there(tmp_path):
    settings = ("generate.recipe=swap_zu", "generate.variants_per_example=1")
    make(tmp_path / "o", *settings)
    before, kept = hashes(tmp_path / "o"), tmp_path / "o/.job/donors.npz"
    written_at = kept.stat().st_mtime_ns
    sorted((tmp_path / "o").glob("*.tfrecord-*"))[0].unlink()
    make(tmp_path / "o", *settings)
    assert hashes(tmp_path / "o") == before
    assert kept.stat().st_mtime_ns == written_at
