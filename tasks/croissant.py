"""croissant.json: the dataset's files and columns as Croissant 1.0 metadata (JSON-LD).

Format: https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pydantic import JsonValue

from schemas.parquet import IMAGE, SAMPLE_SCHEMA
from tasks.atomic import place_text
from tasks.inspect_dataset import Survey
from tasks.manifest import CROISSANT_NAME, DataFile, Manifest

PARQUET_TYPE = "application/x-parquet"
Json = dict[str, JsonValue]

_CONTEXT: Json = {  # the context that the specification prescribes
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def write_croissant(dataset: Path, manifest: Manifest, found: Survey) -> Path:
    """Write the Croissant metadata of a dataset; OSError if it cannot be written."""
    licences = sorted(set().union(*found.licences.values()))
    path = dataset / CROISSANT_NAME
    tree = croissant(manifest, licences)
    place_text(path, json.dumps(tree, indent=2, ensure_ascii=False) + "\n")
    return path


def croissant(manifest: Manifest, licences: list[str]) -> Json:
    """Return the metadata as a JSON tree; one record set a tier, one field a column."""
    tiers = sorted({file.tier for file in manifest.files})
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": manifest.dataset,
        "description": (
            "Questions on Earth-observation scenes with pixel-grounded reasoning: every answer is "
            "the value of a program on the stored masks of its scene, and can be proved again."
        ),
        "license": [*licences],
        "url": "README.md",  # the dataset card beside it; a published copy has a real address
        "citeAs": "Method: Shu et al., TerraScope, CVPR 2026. Archives: see the dataset card.",
        "version": f"{manifest.schema_version}.0.0",
        "datePublished": manifest.created.date().isoformat(),
        "distribution": [
            *(_file_object(file) for file in manifest.files),
            *(_file_set(tier) for tier in tiers),
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": tier,
                "name": tier,
                "description": f"One record a question or caption of tier {tier}.",
                "key": {"@id": f"{tier}/sample_id"},
                "field": [*fields(tier)],
            }
            for tier in tiers
        ],
    }


def _file_object(file: DataFile) -> Json:
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "contentUrl": file.path,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": PARQUET_TYPE,
        "sha256": file.sha256,
    }


def _file_set(tier: str) -> Json:
    return {
        "@type": "cr:FileSet",
        "@id": f"{tier}-shards",
        "name": f"{tier}-shards",
        "description": f"All shards of tier {tier}.",
        "encodingFormat": PARQUET_TYPE,
        "includes": f"data/{tier}/*.parquet",
    }


def fields(tier: str) -> Iterator[Json]:
    """Yield one field for every column; nested columns have one sub-field a leaf.

    A list inside a list (`masks.size`, `layers.classes`) is left out: Croissant 1.0 has no word
    for it.
    """
    for column in SAMPLE_SCHEMA:
        name = f"{tier}/{column.name}"
        field: Json = {"@type": "cr:Field", "@id": name, "name": name}
        listed = pa.types.is_list(column.type)
        if listed:
            field["repeated"] = True
        leaves = list(_leaves(column.type, "$"))
        if listed and column.type.value_type == IMAGE:
            field["dataType"] = "sc:ImageObject"
            field["source"] = _source(tier, column.name, "$[*].bytes")
        elif len(leaves) == 1:
            field["dataType"] = leaves[0][2]
            field["source"] = _source(tier, column.name)
        else:
            field["subField"] = [
                _sub_field(tier, column.name, leaf, repeated=not listed and "[*]" in leaf[1])
                for leaf in leaves
                if leaf[1].count("[*]") <= 1
            ]
        yield field


def _sub_field(tier: str, column: str, leaf: tuple[str, str, str], *, repeated: bool) -> Json:
    inner, path, data_type = leaf
    name = f"{tier}/{column}/{inner}"
    field: Json = {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "dataType": data_type,
        "source": _source(tier, column, path),
    }
    return {**field, "repeated": True} if repeated else field


def _source(tier: str, column: str, path: str = "") -> Json:
    source: Json = {"fileSet": {"@id": f"{tier}-shards"}, "extract": {"column": column}}
    if path:
        source["transform"] = {"jsonPath": path}
    return source


def _leaves(kind: pa.DataType, path: str, name: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (name, JSON path, data type) of the leaves of a column's type."""
    if pa.types.is_list(kind):
        yield from _leaves(kind.value_type, f"{path}[*]", name)
    elif pa.types.is_struct(kind):
        for field in kind:
            inner = f"{name}/{field.name}" if name else field.name
            yield from _leaves(field.type, f"{path}.{field.name}", inner)
    else:
        yield name, path, _data_type(kind)


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
