"""The Arrow schema of a dataset shard: one row is one question or caption on one scene."""

import json
from typing import Any

import pyarrow as pa

SCHEMA_VERSION = 4
ROW_GROUP_ROWS = 64  # at most; random access against scan speed, measured: 32 to 64 image rows

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])  # the layout of HF `Image`
_FILES = pa.list_(pa.struct([("path", pa.string()), ("sha256", pa.string())]))

SAMPLE_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("scene_id", pa.string()),
        ("source", pa.string()),
        ("split", pa.string()),
        ("place", pa.string()),
        ("licence", pa.string()),
        ("tier", pa.string()),
        ("task", pa.string()),
        ("form", pa.string()),  # "open" or "choice"
        ("classes", pa.list_(pa.string())),
        ("images", pa.list_(IMAGE)),
        (
            "image_info",
            pa.list_(
                pa.struct(
                    [
                        ("role", pa.string()),
                        ("modality", pa.string()),
                        ("rendering", pa.string()),
                        ("date", pa.string()),
                        ("date_index", pa.int32()),
                        ("cloudy", pa.bool_()),
                    ]
                )
            ),
        ),
        (
            "grid",
            pa.struct(
                [
                    ("height", pa.int32()),
                    ("width", pa.int32()),
                    ("pixel_size_x_m", pa.float64()),  # null where unknown
                    ("pixel_size_y_m", pa.float64()),
                    ("west", pa.float64()),  # WGS84 degrees, null where unknown
                    ("south", pa.float64()),
                    ("east", pa.float64()),
                    ("north", pa.float64()),
                    ("north_up", pa.bool_()),
                ]
            ),
        ),
        ("question", pa.string()),
        ("title", pa.string()),  # of a caption; "" elsewhere
        ("options", pa.list_(pa.string())),
        (
            "answer",
            pa.struct(
                [
                    ("text", pa.string()),
                    ("letter", pa.string()),  # "" for an open question
                    ("value", pa.float64()),  # null where the answer is not a number
                    ("unit", pa.string()),
                    ("low", pa.float64()),
                    ("high", pa.float64()),
                ]
            ),
        ),
        (
            "steps",
            pa.list_(
                pa.struct(
                    [
                        ("text", pa.string()),
                        ("mask_index", pa.int32()),  # -1 for a step without a mask
                        ("image_index", pa.int32()),
                        ("verdict", pa.string()),  # schemas.verdict.Verdict of its sentence
                    ]
                )
            ),
        ),
        ("trace", pa.string()),
        ("fact_spans", pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32())]))),
        (
            "claims",  # what a writer's sentences claim, by place in the trace; [] of templates
            pa.list_(
                pa.struct(
                    [
                        ("start", pa.int32()),
                        ("end", pa.int32()),
                        ("kind", pa.string()),
                        ("verdict", pa.string()),
                        ("detail", pa.string()),
                    ]
                )
            ),
        ),
        (
            "masks",
            pa.list_(
                pa.struct(
                    [
                        ("label", pa.string()),
                        ("image_index", pa.int32()),
                        ("size", pa.list_(pa.int32())),
                        ("counts", pa.string()),
                        ("origin", pa.string()),
                        ("iou", pa.float64()),
                        ("program", pa.string()),  # the mask expression that this mask is
                    ]
                )
            ),
        ),
        (
            "scene_masks",
            pa.list_(
                pa.struct(
                    [
                        ("kind", pa.string()),
                        ("layer", pa.string()),
                        ("label", pa.string()),
                        ("date_index", pa.int32()),
                        ("counts", pa.string()),
                        ("origin", pa.string()),
                        ("instance_id", pa.string()),
                        ("attribute", pa.string()),
                    ]
                )
            ),
        ),
        (
            "layers",
            pa.list_(
                pa.struct(
                    [
                        ("layer", pa.string()),
                        ("date_index", pa.int32()),
                        ("product", pa.string()),
                        ("invalid", pa.string()),
                        ("classes", pa.list_(pa.string())),
                    ]
                )
            ),
        ),
        # JSON, layer -> class -> schemas.taxonomy.LandClass: how the classes are called
        ("words", pa.string()),
        ("program", pa.string()),
        ("rule", pa.string()),  # of the rule book, from which a verdict follows; "" elsewhere
        (
            "premises",  # what a verdict rests on: a number each, its program and its wording
            pa.list_(
                pa.struct([("name", pa.string()), ("program", pa.string()), ("value", pa.string())])
            ),
        ),
        (
            "judged",  # what a second model thinks of the question; null where none was asked
            pa.struct(
                [
                    ("naturalness", pa.int32()),  # 1 to 5
                    ("difficulty", pa.int32()),  # 1 to 5
                    ("needs_image", pa.bool_()),
                ]
            ),
        ),
        (
            "archive_captions",
            pa.list_(pa.struct([("writer", pa.string()), ("text", pa.string())])),
        ),
        (
            "provenance",
            pa.struct(
                [
                    ("files", _FILES),
                    ("template", pa.string()),
                    ("template_version", pa.int32()),
                    ("seed", pa.int64()),
                    ("writer", pa.string()),  # JSON: who wrote the words; "" of templates
                    ("config_digest", pa.string()),
                    ("stages", pa.string()),  # JSON: stage name -> version
                ]
            ),
        ),
    ]
)

_SCENE_COLUMNS = (
    "scene_id",
    "source",
    "split",
    "place",
    "licence",
    "images",
    "image_info",
    "grid",
    "scene_masks",
    "layers",
    "words",
    "archive_captions",
)

# between stages: what a granule's scenes are, stored once a scene
SCENE_SCHEMA = pa.schema(
    [*(SAMPLE_SCHEMA.field(name) for name in _SCENE_COLUMNS), ("files", _FILES)]
)

# between stages: what was asked of a granule's scenes. `image_indices` says which of the scene's
# images a sample carries; its steps and masks count images in that order. `group` and
# `answer_key` are what selection balances, answers within a group; `num_answers` is how many there
# can be, 0 for a large set. `guessed` says whether a model guessed the answer without the images,
# null where none was asked.
CANDIDATE_SCHEMA = pa.schema(
    [
        *(
            field
            for field in SAMPLE_SCHEMA
            if field.name == "scene_id" or field.name not in (*_SCENE_COLUMNS, "provenance")
        ),
        ("image_indices", pa.list_(pa.int32())),
        ("template", pa.string()),
        ("template_version", pa.int32()),
        ("seed", pa.int64()),
        ("writer", pa.string()),
        ("group", pa.string()),
        ("answer_key", pa.string()),
        ("num_answers", pa.int32()),
        ("guessed", pa.bool_()),
    ]
)

REJECT_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("source", pa.string()),
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)


def with_hugging_face_features(schema: pa.Schema) -> pa.Schema:
    """Return the schema with the metadata by which `datasets` shows `images` as images."""
    features = {field.name: _feature(field.type) for field in schema}
    info = json.dumps({"info": {"features": features}})
    return schema.with_metadata({"huggingface": info})


def _feature(kind: pa.DataType) -> Any:
    if kind == IMAGE:
        return {"_type": "Image"}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    names = {pa.float64(): "float64", pa.bool_(): "bool", pa.binary(): "binary"}
    return {"dtype": names.get(kind, str(kind)), "_type": "Value"}
