"""Scenes as Arrow rows and back: what the ingest stage writes and the question stage reads."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import pyarrow as pa

from masks.label_stats import label_stats
from masks.measured import Measured
from schemas.mask import Evidence, Invalid, LayerInfo, MaskKind, Origin, SceneMask
from schemas.parquet import SCENE_SCHEMA
from schemas.scene import LabelLayer, Modality, Scene
from schemas.taxonomy import Common, LandClass
from templates.asked import AskedScene
from templates.view import ImageInfo

MEASURED_COLUMNS = ["scene_id", "image_info", "grid", "scene_masks", "layers", "words"]
Words = dict[str, dict[str, LandClass]]


def scene_masks(scene: Scene) -> tuple[SceneMask, ...]:
    """Return every mask of a scene: classes and valid pixels of its layers, and its objects."""
    masks: list[SceneMask] = []
    for layer in scene.layers:
        masks.extend(_layer_masks(layer))
    for instance in scene.instances:
        masks.append(
            SceneMask(
                kind=MaskKind.INSTANCE,
                layer=instance.layer,
                label=instance.label,
                date_index=instance.date_index,
                counts=instance.counts,
                origin=instance.origin,
                instance_id=instance.instance_id,
                attribute=instance.attribute,
            )
        )
    return tuple(masks)


def scenes_to_table(scenes: Sequence[Scene]) -> pa.Table:
    """Return scenes as a table of `SCENE_SCHEMA`, one row a scene."""
    return pa.Table.from_pylist([scene_row(scene) for scene in scenes], schema=SCENE_SCHEMA)


def asked_scenes(table: pa.Table, sar_rendering: str) -> Iterator[AskedScene]:
    """Yield each row of a scene table as the templates see it; pictures are not touched."""
    for row in table.select(MEASURED_COLUMNS).to_pylist():
        yield asked_scene(row, sar_rendering)


def asked_scene(row: Mapping[str, Any], sar_rendering: str) -> AskedScene:
    """Return a row of a scene table, as `to_pylist` gives it, as the templates see it."""
    return AskedScene(
        scene_id=row["scene_id"],
        measured=Measured(evidence_of(row)),
        words=read_words(row["words"]),
        images=tuple(_image_info(i, info) for i, info in enumerate(row["image_info"])),
        sar_rendering=sar_rendering,
    )


def evidence_of(row: Mapping[str, Any]) -> Evidence:
    """Return the evidence of a scene row as `to_pylist` gives it."""
    grid = row["grid"]
    x_m, y_m = grid["pixel_size_x_m"], grid["pixel_size_y_m"]
    return Evidence(
        size_HW=(grid["height"], grid["width"]),
        pixel_size_m=None if x_m is None else (x_m, y_m),
        north_up=grid["north_up"],
        layers=tuple(
            LayerInfo(
                layer=layer["layer"],
                date_index=layer["date_index"],
                product=layer["product"],
                invalid=Invalid(layer["invalid"]),
                classes=tuple(layer["classes"]),
            )
            for layer in row["layers"]
        ),
        masks=tuple(
            SceneMask(
                kind=MaskKind(mask["kind"]),
                layer=mask["layer"],
                label=mask["label"],
                date_index=mask["date_index"],
                counts=mask["counts"].encode(),
                origin=Origin(mask["origin"]),
                instance_id=mask["instance_id"],
                attribute=mask["attribute"],
            )
            for mask in row["scene_masks"]
        ),
    )


def _layer_masks(layer: LabelLayer) -> Iterator[SceneMask]:
    """Yield the masks of the classes that a label map holds, then that of its valid pixels."""
    stats = label_stats(layer.ids_HW, len(layer.taxonomy.classes))
    for class_id, name in enumerate(layer.taxonomy.names):
        if stats.area_px[class_id]:
            yield SceneMask(
                kind=MaskKind.CLASS,
                layer=layer.layer,
                label=name,
                date_index=layer.date_index,
                counts=stats.counts[class_id],
                origin=layer.origin,
            )
    yield SceneMask(
        kind=MaskKind.VALID,
        layer=layer.layer,
        label=layer.layer,
        date_index=layer.date_index,
        counts=stats.valid_counts,
    )


def scene_row(scene: Scene) -> dict[str, Any]:
    """Return a scene as a row of `SCENE_SCHEMA`."""
    grid = scene.grid
    x_m, y_m = grid.pixel_size_m or (None, None)
    west, south, east, north = grid.bounds_lonlat or (None, None, None, None)
    return {
        "scene_id": scene.ref.scene_id,
        "source": scene.ref.source,
        "split": scene.ref.split,
        "place": scene.ref.place,
        "licence": scene.licence,
        "images": [{"bytes": image.encoded, "path": image.path} for image in scene.images],
        "image_info": [
            {
                "role": image.role,
                "modality": image.modality.value,
                "rendering": image.rendering,
                "date": image.date,
                "date_index": image.date_index,
                "cloudy": image.cloudy,
            }
            for image in scene.images
        ],
        "grid": {
            "height": grid.height,
            "width": grid.width,
            "pixel_size_x_m": x_m,
            "pixel_size_y_m": y_m,
            "west": west,
            "south": south,
            "east": east,
            "north": north,
            "north_up": grid.north_up,
        },
        "scene_masks": [mask_row(mask) for mask in scene_masks(scene)],
        "layers": [_layer_row(layer) for layer in scene.layers],
        "archive_captions": [asdict(caption) for caption in scene.captions],
        "files": [asdict(file) for file in scene.files],
        "words": _words_json(scene.layers),
    }


def mask_row(mask: SceneMask) -> dict[str, Any]:
    """Return a mask as a scene's row holds it."""
    return {
        "kind": mask.kind.value,
        "layer": mask.layer,
        "label": mask.label,
        "date_index": mask.date_index,
        "counts": mask.counts.decode("ascii"),
        "origin": mask.origin.value,
        "instance_id": mask.instance_id,
        "attribute": mask.attribute,
    }


def _layer_row(layer: LabelLayer) -> dict[str, Any]:
    return {
        "layer": layer.layer,
        "date_index": layer.date_index,
        "product": layer.product,
        "invalid": layer.invalid.value,
        "classes": list(layer.taxonomy.names),
    }


def _words_json(layers: Sequence[LabelLayer]) -> str:
    words = {
        layer.layer: {land.name: asdict(land) for land in layer.taxonomy.classes}
        for layer in layers
    }
    return json.dumps(words, sort_keys=True)


@lru_cache(maxsize=64)
def read_words(text: str) -> Words:
    """Parse the words of a row; the same text comes with almost every scene of a source.

    Raises:
        ValueError: it is not JSON of that shape.
    """
    return {
        layer: {
            name: LandClass(**{**land, "common": Common(land["common"])})
            for name, land in classes.items()
        }
        for layer, classes in json.loads(text).items()
    }


def _image_info(index: int, info: dict[str, Any]) -> ImageInfo:
    return ImageInfo(
        index=index,
        role=info["role"],
        modality=Modality(info["modality"]),
        rendering=info["rendering"],
        date_index=info["date_index"],
        cloudy=info["cloudy"],
    )
