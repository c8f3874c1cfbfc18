import json

import pytest

from latentloom.pipeline.verification.describe import describe


def test_a_data_set_is_described_from_its_manifest(dataset):
    found = describe(dataset.path)
    assert found["kind"] == "imported"
    assert found["factors"]["size"] == ["2", "10"]
    assert found["splits"]["test"]["examples"] == 12
    assert found["splits"]["test"]["shards"] == 2
    assert sum(found["splits"]["train"]["labels"].values()) == 48
    json.dumps(found)


def test_a_bundle_is_described_from_its_json(tmp_path):
    (tmp_path / "bundle.json").write_text(json.dumps({"model": "zszu_vae", "digest": "abc"}))
    assert describe(tmp_path) == {"kind": "bundle", "model": "zszu_vae", "digest": "abc"}


def test_anything_else_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="Check the path"):
        describe(tmp_path)
