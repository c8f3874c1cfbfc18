"""_croissant.json beside Parquet files: what they hold and how it came to be, in Croissant 1.1.

After https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html, its vocabulary for
responsible AI (RAI 1.0), and PROV-O, https://www.w3.org/TR/prov-o/. Dates, licences and authors are
not known here, so they are left out.
"""

from __future__ import annotations

import json
from typing import Any

from latentloom.pipeline.dataset.details import GeneratedDetails
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.exporting.outputs import CROISSANT_FILE
from latentloom.pipeline.exporting.rows import FLOAT, INTEGER, TEXT, TEXTS, TRUTH, column_types
from latentloom.pipeline.exporting.sinks import Files, sink

_VERSION = "http://mlcommons.org/croissant/1.1"
_FILES, _EXAMPLES = "parquet-files", "examples"
_TYPES = {
    TEXT: "sc:Text",
    TEXTS: "sc:Text",
    INTEGER: "sc:Integer",
    FLOAT: "sc:Float",
    TRUTH: "sc:Boolean",
}
_PARQUET = "application/x-parquet"
_FILE_SET = {
    "@type": "cr:FileSet",
    "@id": _FILES,
    "name": _FILES,
    "encodingFormat": _PARQUET,
    "includes": "*.parquet",
}
_JSON = {"@type": "@json"}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "description": {"@container": "@language"},
    "name": {"@container": "@language"},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", **_JSON},
    "examples": {"@id": "cr:examples", **_JSON},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    **{
        name: f"cr:{name}"
        for name in (
            *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract"),
            *("field", "fileObject", "fileProperty", "fileSet", "format", "includes", "isArray"),
            *("isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet"),
            *("references", "regex", "repeated", "replace", "samplingRate", "separator", "source"),
            *("subField", "transform"),
        )
    },
}


def write_croissant(dataset: DatasetDir, folder: str, files: Files) -> None:
    """Describes the Parquet files of a data set.

    Args:
        dataset: The data set.
        folder: Where to write.
        files: The Parquet files, to which this file is added.
    """
    manifest = dataset.manifest
    names = list(files)
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": manifest.name,
        "description": f"{sum(_counts(manifest).values()):,} labelled examples, {manifest.kind}.",
        "conformsTo": _VERSION,
        "version": manifest.version,
        "url": f"urn:sha256:{manifest.digest}",
        "distribution": [*(_file(name, files) for name in names), _FILE_SET],
        "recordSet": [*_enumerations(manifest), _records(dataset)],
        **_responsible_ai(manifest),
        **_provenance(manifest),
    }
    with sink(folder, CROISSANT_FILE, files) as file:
        file.write(json.dumps(described, indent=2, ensure_ascii=False).encode() + b"\n")


def _counts(manifest: Manifest) -> dict[str, int]:
    return {split: manifest.num_examples(split) for split in manifest.splits}


def _file(name: str, files: Files) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{files[name].num_bytes} B",
        "encodingFormat": _PARQUET,
        "sha256": files[name].sha256,
    }


def _enumerations(manifest: Manifest) -> list[dict[str, Any]]:
    """The splits, and the names of the values of label and factors by their codes."""
    splits = [{f"{_EXAMPLES}-splits/name": split} for split in manifest.splits]
    return [
        {
            "@type": "cr:RecordSet",
            "@id": f"{_EXAMPLES}-splits",
            "dataType": "cr:Split",
            "key": {"@id": f"{_EXAMPLES}-splits/name"},
            "field": [_field(f"{_EXAMPLES}-splits", "name", "sc:Text")],
            "data": splits,
        },
        *(_names_of(factor, values) for factor, values in manifest.factors.items()),
    ]


def _names_of(factor: str, values: list[str]) -> dict[str, Any]:
    own = f"names-of-{factor}"
    return {
        "@type": "cr:RecordSet",
        "@id": own,
        "dataType": "sc:Enumeration",
        "key": {"@id": f"{own}/code"},
        "field": [_field(own, "code", "sc:Integer"), _field(own, "name", "sc:Text")],
        "data": [{f"{own}/code": code, f"{own}/name": name} for code, name in enumerate(values)],
    }


def _records(dataset: DatasetDir) -> dict[str, Any]:
    manifest, kind = dataset.manifest, dataset.observation_kind.feature
    split = _field(_EXAMPLES, "in-split", "sc:Text", references=f"{_EXAMPLES}-splits/name")
    of_file = {"extract": {"fileProperty": "filename"}, "transform": {"regex": "^(.+?)-\\d{5}-of"}}
    split["source"] = {"fileSet": {"@id": _FILES}, **of_file}
    fields = [split, _observation(manifest, kind)]
    for factor in manifest.factors:
        fields.append(_column(factor, "sc:Integer", references=f"names-of-{factor}/code"))
    for name, type_ in column_types(dataset).items():
        fields.append(_column(name, _TYPES[type_], **(_array("-1") if type_ == TEXTS else {})))
    key = {"@id": f"{_EXAMPLES}/example_id"}
    return {"@type": "cr:RecordSet", "@id": _EXAMPLES, "key": key, "field": fields}


def _observation(manifest: Manifest, kind: str) -> dict[str, Any]:
    if kind == "observation":
        return _column(kind, "sc:Float", **_array(str(manifest.observation_shape[0])))
    if kind == "words":
        return _column(kind, "sc:Integer", **_array("-1,2"))
    found = _column(kind, "sc:ImageObject")
    return found | {"source": {**found["source"], "transform": {"jsonPath": "bytes"}}}


def _array(shape: str) -> dict[str, Any]:
    return {"isArray": True, "arrayShape": shape}


def _column(name: str, data_type: str, **more: Any) -> dict[str, Any]:
    source = {"fileSet": {"@id": _FILES}, "extract": {"column": name}}
    return _field(_EXAMPLES, name, data_type, **more) | {"source": source}


def _field(
    record_set: str, name: str, data_type: str, references: str = "", **more: Any
) -> dict[str, Any]:
    told = {"references": {"field": {"@id": references}}} if references else {}
    place = {"@type": "cr:Field", "@id": f"{record_set}/{name}", "dataType": data_type}
    return {**place, **told, **more}


def _responsible_ai(manifest: Manifest) -> dict[str, Any]:
    """What was collected or made, and what is missing, in the words of RAI 1.0."""
    totals = ", ".join(f"{count:,} {what}" for what, count in manifest.totals.items())
    told = {
        "rai:dataCollection": str(manifest.source.get("description", manifest.name)),
        "rai:dataCollectionMissingData": f"Examples: {totals}.",
    }
    if manifest.kind == "imported":
        return told
    details = GeneratedDetails.read(manifest.details)
    rejected = {label: dict(reasons) for label, reasons in details.rejections.items() if reasons}
    return told | {
        "rai:dataCollectionType": ["Others"],
        "rai:dataLimitations": "Made by a generative model: variants can be no more varied than "
        "what it learnt. Do not test classifiers on them.",
        "rai:machineAnnotationTools": ["A classifier of the bundle accepted each variant."],
        "rai:dataPreprocessingProtocol": [
            f"Candidates rejected, by class and reason: {json.dumps(rejected, sort_keys=True)}"
        ],
    }


def _provenance(manifest: Manifest) -> dict[str, Any]:
    """Where the data come from, in PROV-O."""
    if manifest.kind == "imported":
        values = {name: value for name, value in manifest.source.items() if name != "description"}
        return {"prov:wasGeneratedBy": _activity("import", values)}
    details = GeneratedDetails.read(manifest.details)
    generate = details.config.get("generate", {})
    data, bundle = details.trained_on, f"urn:sha256:{details.bundle_digest}"
    used = [{"@id": bundle, "@type": "prov:Entity", "name": "bundle"}]
    if data:
        used.append({"@id": f"urn:sha256:{data.digest}", "@type": "prov:Entity", "name": data.name})
    settings = {name: generate[name] for name in ("recipe", "options", "seed") if name in generate}
    activity = _activity("generate", settings) | {"@id": f"urn:sha256:{details.job}"}
    return {
        "prov:wasDerivedFrom": {"@type": "prov:Entity", "name": str(manifest.source.get("data"))},
        "prov:wasGeneratedBy": activity | {"prov:used": used},
    }


def _activity(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    values = [
        {"@type": "sc:PropertyValue", "name": key, "value": json.dumps(value, sort_keys=True)}
        for key, value in settings.items()
    ]
    return {"@type": "prov:Activity", "name": f"latentloom {name}", "additionalProperty": values}
