"""`export --to parquet` describes its files in Croissant."""

import hashlib
import json

import numpy as np
import pytest
from bags import save
from bundles import make
from pyarrow import parquet

import latentloom
from latentloom.pipeline.importing.import_dataset import import_dataset

MAKE = {"images": lambda folder: "builtin:digits", "vectors": lambda folder: "builtin:moons"}
MAKE["words"] = save


def exported(path, out):
    latentloom.export(path, out, to="parquet")
    return json.loads((out / "_croissant.json").read_text())


@pytest.fixture(scope="module")
def variants(tmp_path_factory):
    return make(tmp_path_factory.mktemp("made") / "variants", "generate.gate.min_confidence=0.5")


def record_set(described, name):
    return next(each for each in described["recordSet"] if each["@id"] == name)


def ids_in(described):
    """The ids that a document gives, and those that it refers to."""
    given, meant, waiting = [], [], [described["recordSet"], described["distribution"]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            if "@id" in node:
                (given if "@type" in node else meant).append(node["@id"])
            waiting += node.values()
    return given, meant


@pytest.mark.parametrize("kind", MAKE)
def test_every_column_and_file_is_described(tmp_path, kind):
    data = import_dataset(MAKE[kind](tmp_path), tmp_path / "data", shards=2)
    described = exported(data.path, tmp_path / "out")
    files = [each for each in described["distribution"] if each["@type"] == "cr:FileObject"]
    on_disk = sorted((tmp_path / "out").glob("*.parquet"))
    assert sorted(each["contentUrl"] for each in files) == [path.name for path in on_disk]
    for each in files:
        content = (tmp_path / "out" / each["contentUrl"]).read_bytes()
        assert each["sha256"] == hashlib.sha256(content).hexdigest()
        assert each["contentSize"] == f"{len(content)} B"
    fields = record_set(described, "examples")["field"]
    columns = [field["source"]["extract"].get("column") for field in fields]
    assert columns == [None, *parquet.read_schema(on_disk[0]).names]
    given, meant = ids_in(described)
    assert len(set(given)) == len(given)
    assert set(meant) <= set(given)


def test_names_of_values_have_their_codes(dataset, tmp_path):
    described = exported(dataset.path, tmp_path / "out")
    for factor, values in dataset.manifest.factors.items():
        data = record_set(described, f"names-of-{factor}")["data"]
        assert [tuple(row.values()) for row in data] == list(enumerate(values))


def test_variants_tell_what_they_come_from(variants, tmp_path):
    described = exported(variants.path, tmp_path / "out")
    details, made = variants.manifest.details, described["prov:wasGeneratedBy"]
    assert made["@id"] == f"urn:sha256:{details['job']}"
    assert {each["@id"].removeprefix("urn:sha256:") for each in made["prov:used"]} == {
        details["bundle_digest"],
        details["trained_on"]["digest"],
    }
    settings = {each["name"]: json.loads(each["value"]) for each in made["additionalProperty"]}
    assert settings == {"recipe": "class_preserving", "options": {}, "seed": 0}
    assert described["prov:wasDerivedFrom"]["name"] == variants.manifest.source["data"]
    protocol = described["rai:dataPreprocessingProtocol"][0]
    told = json.loads(protocol[protocol.index("{") :])
    assert told == {label: r for label, r in details["rejections"].items() if r}
    assert sum(sum(reasons.values()) for reasons in told.values()) > 0


def test_equal_data_give_equal_bytes(variants, tmp_path):
    for name in ("one", "two"):
        exported(variants.path, tmp_path / name)
    first, second = ((tmp_path / n / "_croissant.json").read_bytes() for n in ("one", "two"))
    assert first == second


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of rdflib, which it uses
@pytest.mark.parametrize("kind", MAKE)
def test_mlcroissant_reads_the_records(tmp_path, kind):
    mlcroissant = pytest.importorskip("mlcroissant")
    data = import_dataset(MAKE[kind](tmp_path), tmp_path / "data", shards=2)
    exported(data.path, tmp_path / "out")
    found = mlcroissant.Dataset(jsonld=tmp_path / "out" / "_croissant.json")
    assert not found.metadata.ctx.issues.errors
    rows = {row["examples/example_id"].decode(): row for row in found.records("examples")}
    records = latentloom.open_dataset(data.path)
    feature = data.observation_kind.feature
    for record in records[:3]:
        row = rows[record["example_id"]]
        assert row["examples/label"] == record["label"]
        assert row["examples/in-split"] == b"train"
        if kind == "words":
            continue
        np.testing.assert_allclose(
            np.asarray(row[f"examples/{feature}"]).reshape(record[feature].shape), record[feature]
        )
