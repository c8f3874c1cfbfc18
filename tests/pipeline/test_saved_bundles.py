"""Bundles that an earlier version saved: they load, and generate what they generated then.

`fixtures/saved/README.md` says how they were made.
"""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from latentloom.model_zoo.bundle import load_bundle, read_description
from latentloom.model_zoo.registry import MODELS
from latentloom.pipeline.config import load_config
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.verification.verify import verify
from latentloom.pipeline.verification.verify_bundle import verify_bundle

SAVED = Path(__file__).parent / "fixtures" / "saved"


@pytest.fixture(scope="module", params=sorted(MODELS))
def saved(request, tmp_path_factory):
    """A folder with `data`, `bundle` and `expected.npz` of one model."""
    folder = tmp_path_factory.mktemp(request.param)
    with zipfile.ZipFile(SAVED / f"{request.param}.zip") as pack:
        pack.extractall(folder)
    return folder


def test_a_saved_data_set_matches_its_manifest(saved):
    found = verify(saved / "data")
    assert found.ok, found.problems
    assert found.records > 20


def test_a_saved_bundle_matches_its_digest_and_loads(saved):
    description, bundle = read_description(saved / "bundle"), load_bundle(saved / "bundle")
    assert bundle.digest == description["digest"]
    assert bundle.model.latent_spec == description["latent_spec"]
    assert list(bundle.model.value_range) == description["value_range"]
    assert verify_bundle(saved / "bundle").problems == ()


def test_a_saved_bundle_generates_what_it_generated(saved):
    config = load_config(saved / "bundle" / "config.yaml")
    made = generate(config, saved / "data", saved / "bundle", saved / "made").read("train").loaded()
    assert verify(saved / "made", saved / "data").ok
    with np.load(saved / "expected.npz", allow_pickle=False) as expected:
        assert list(made.ids) == expected["ids"].tolist()
        for name, codes in made.factors.items():
            np.testing.assert_array_equal(codes, expected[name], err_msg=name)
        # Other processors may round another way.
        difference = made.observations.astype(int) - expected["images"].astype(int)
        assert np.abs(difference).max() <= 1
