"""Details of bundles and data sets: typed on reading, plain data on disk."""

import json

import pytest

from latentloom.pipeline.dataset.details import (
    BundleDetails,
    DataIdentity,
    GeneratedDetails,
    ImportedDetails,
)


@pytest.mark.parametrize("kind", [BundleDetails, GeneratedDetails, ImportedDetails])
def test_details_from_before_a_key_was_written_can_be_read(kind):
    assert kind.read({}) == kind()


@pytest.mark.parametrize("kind", [BundleDetails, GeneratedDetails, ImportedDetails])
def test_details_come_through_json_unchanged_with_keys_that_only_others_know(kind):
    details = kind.read({"accuracy": 0.5, "hold_out": {}})
    assert kind.read(json.loads(json.dumps(details.model_dump()))) == details
    assert details.model_dump()["accuracy"] == 0.5


def test_the_keys_on_disk_are_these():
    keys = {kind: list(kind.model_fields) for kind in (BundleDetails, GeneratedDetails)}
    of_bundle = ["data", "backend", "config", "versions", "hold_out", "figures", "files"]
    assert keys[BundleDetails] == of_bundle
    assert keys[GeneratedDetails] == [
        *("job", "bundle_digest", "trained_on", "config", "candidates", "rejections"),
        *("unreadable_records", "hold_out"),
    ]


def test_a_bundle_names_the_data_that_it_was_trained_on():
    details = BundleDetails.read({"data": {"name": "digits", "digest": "12"}})
    assert details.data == DataIdentity(name="digits", digest="12")


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        (BundleDetails, "data", "digits"),
        (GeneratedDetails, "candidates", "many"),
        (ImportedDetails, "terciles", {"width": [1.0]}),
    ],
)
def test_details_of_another_type_are_refused(kind, key, value):
    with pytest.raises(ValueError, match=rf"(?s)details of the .* are invalid.*{key}") as refusal:
        kind.read({key: value})
    assert "Make the" in str(refusal.value)
