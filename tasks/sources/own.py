"""Your own rasters: any folder with a `dataset.yaml` that says what lies in it.

| what | value |
| --- | --- |
| images | GeoTIFF, 8-bit RGB PNG or JPEG, .npy of (H, W), (H, W, bands), (dates, H, W, bands) |
| labels | GeoTIFF, 8-bit grey PNG or .npy with a class table; or GeoPackage, FlatGeobuf, GeoJSON |
|        | (ending .geojson) or Shapefile polygons in any CRS, drawn on the image's grid |
| pixel size | from the image's transform and CRS, or the `grid` of the description; else unknown |
| licence | as the description says |

`dataset.yaml`::

    name: joplin
    licence: ODbL-1.0
    images:
      - {pattern: "pre/{scene}.tif", modality: optical, date: 2010-06-01}
    layers:
      - name: buildings
        product: microsoft-footprints-2020
        kind: vector
        objects: true
        files: [{pattern: "footprints.gpkg"}]
        classes:
          - {code: 1, name: building, phrase: buildings, singular: building, plural: true,
             countable: true, common: building}
    split: {train: "tile_[0-7]*", test: "tile_[89]*"}

Every key stands in `own_config`. Traps, and what is done:

* All images and label rasters of a scene must lie on one grid; nothing is resampled in silence.
* A scene of several dates needs a date on every image and label: a map without one could pass for
  "nothing changed".
* Several dates of a layer are one product: change between two products is never asked, so give
  two algorithms' maps two layers.
* Polygons carry a label, pixels under none are background: set `uncovered: unknown` where the
  polygons do not claim to be all there is.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import get_args

from schemas.rejection import Reason, Refusal, Rejected
from schemas.scene import (
    INVALID_ID,
    Instance,
    LabelLayer,
    Scene,
    SceneImage,
    SceneRef,
    Unlabelled,
    unknown_layer,
)
from tasks.sources.grids import grid_of, refuse_other_grid
from tasks.sources.json_fields import as_list, as_object, due
from tasks.sources.own_config import (
    CONFIG_FILE,
    CRS_NAME,
    SAFE_NAME,
    OwnDataset,
    SplitName,
    crs_by_name,
    is_box,
    load_config,
    parse_config,
)
from tasks.sources.own_files import FoundFile, FoundScene, find_scenes
from tasks.sources.own_images import Placing, read_image
from tasks.sources.own_labels import invalid_of, read_raster_ids
from tasks.sources.own_vectors import draw_layer, draw_objects, read_features
from tasks.sources.rasters import Raster
from tasks.sources.safe_files import Archive

NAME = "own"
LICENCE = "as dataset.yaml says"
VERSION = 2
SHAPEFILE_PARTS = (".shx", ".dbf", ".prj", ".cpg")  # on which a .shp depends, too

SPLITS = get_args(SplitName)


def index(root: Path) -> Iterator[SceneRef | Rejected]:
    """List the scenes whose images or labels fit the patterns of the description, by name.

    Raises:
        ValueError: without a `dataset.yaml`, with a wrong one, or where no image fits.
    """
    config = load_config(root)
    scenes = find_scenes(root, config)
    if not any(scene.images for scene in scenes.values()):
        patterns = ", ".join(entry.pattern for entry in config.images)
        raise ValueError(f"{root}: no file fits the image patterns {patterns} of {CONFIG_FILE}")
    for name in sorted(scenes):
        try:
            yield _scene_ref(name, scenes[name], config)
        except Refusal as refusal:
            yield Rejected(
                sample_id=f"{config.name}-{name}",
                source=NAME,
                stage="index",
                reason=refusal.reason,
                detail=refusal.detail,
            )


def read(root: Path, ref: SceneRef) -> Scene:
    """Read one scene: its images rendered, its label layers, and its objects if it has any.

    Raises:
        Unlabelled: no label file has a labelled pixel here, or there is none.
        Refusal: CRS_MISMATCH and SIZE_MISMATCH between images and labels, BAD_DATE or
            MISSING_METADATA for a scene of several dates with a file that has none, MISSING_PAIR
            for a label of a date without image, DUPLICATE_ID for two labels of one layer and date,
            WRONG_TYPE, EXTERNAL_REFERENCE or POLYGON_EMPTY for an outline that places nothing, and
            the reasons of `read_image`, `read_raster_ids` and `read_features`.
    """
    archive = Archive(root)
    config = parse_config(archive.read_bytes(CONFIG_FILE), CONFIG_FILE)
    placing = _placing(archive, config, ref.facts["outline"])
    found = _found_files(ref.facts["images"])
    dates = sorted({file.date for file in found})
    if "" in dates and len(dates) > 1:
        raise Refusal(
            Reason.BAD_DATE, f"{ref.scene_id}: dates {dates}; expected one on every image or none"
        )
    images, grid = _images(archive, config, found, dates, placing)
    layers: list[LabelLayer] = []
    instances: list[Instance] = []
    for file in _found_files(ref.facts["labels"]):
        layer, objects = _label(archive, config, file, _date_index(file, dates), grid, placing)
        layers.append(layer)
        instances.extend(objects)
    _refuse_twice(ref.scene_id, layers)
    scene = Scene(
        ref=ref,
        licence=config.licence,
        grid=grid_of(grid.height, grid.width, grid.crs, grid.transform),
        images=images,
        layers=tuple(layers),
        instances=tuple(instances),
        files=archive.files,
    )
    if not any((layer.ids_HW != INVALID_ID).any() for layer in layers):
        unknown = tuple(
            unknown_layer(layer.name, date_index, layer.taxonomy, scene.grid)
            for layer in config.layers
            for date_index in range(len(dates))
        )
        raise Unlabelled(
            f"{ref.scene_id}: no label file has a labelled pixel here",
            replace(scene, layers=unknown, instances=()),
        )
    return scene


def _scene_ref(name: str, scene: FoundScene, config: OwnDataset) -> SceneRef:
    if scene.fault is not None:
        raise scene.fault
    if not SAFE_NAME.fullmatch(name):
        raise Refusal(
            Reason.MISSING_METADATA, f"{name!r}: a scene's name may hold A-Z a-z 0-9 . _ - only"
        )
    if not scene.images:
        raise Refusal(
            Reason.MISSING_FILE, f"{scene.labels[0].path}: a label, and no image of {name}"
        )
    facts = {
        "images": json.dumps([[file.path, file.entry, file.date] for file in scene.images]),
        "labels": json.dumps([[file.path, file.entry, file.date] for file in scene.labels]),
        "outline": scene.outline,
    }
    paths = [file.path for file in (*scene.images, *scene.labels)]
    paths += [
        path.removesuffix(".shp") + part
        for path in paths
        if path.endswith(".shp")
        for part in SHAPEFILE_PARTS
    ]
    digest = hashlib.sha256(name.encode()).digest()
    return SceneRef(
        source=NAME,
        scene_id=f"{config.name}-{name}",
        split=_split(name, config),
        place=name,
        locality=f"own-{config.name}-{name}",  # what lies beside what is not known
        bucket=f"{config.name}-{int.from_bytes(digest[:8]) % config.buckets:05d}",
        files=(CONFIG_FILE, *dict.fromkeys(filter(None, (*paths, scene.outline)))),
        facts=facts,
    )


def _split(name: str, config: OwnDataset) -> str:
    if isinstance(config.split, str):
        return config.split
    for split in SPLITS:
        if split in config.split and fnmatchcase(name, config.split[split]):
            return str(split)
    raise Refusal(Reason.MISSING_METADATA, f"{name}: fits no split pattern of {CONFIG_FILE}")


def _found_files(fact: str) -> list[FoundFile]:
    return [FoundFile(path=path, entry=entry, date=date) for path, entry, date in json.loads(fact)]


def _images(
    archive: Archive,
    config: OwnDataset,
    found: list[FoundFile],
    dates: list[str],
    placing: Placing | None,
) -> tuple[tuple[SceneImage, ...], Raster]:
    """Return all renderings in the order of dates, and the grid that they share."""
    images: list[SceneImage] = []
    grid: Raster | None = None
    for file in sorted(found, key=lambda file: (file.date, file.entry, file.path)):
        entry = config.images[file.entry]
        rendered = read_image(archive, file.path, entry, placing)
        if grid is None:
            grid = rendered.grid
        refuse_other_grid(rendered.grid, file.path, grid, images[0].path if images else file.path)
        images += [
            SceneImage(
                role=_role(dates.index(file.date), len(dates)),
                modality=entry.modality,
                rendering=rendering,
                date=file.date,
                date_index=dates.index(file.date),
                encoded=encoded,
                path=file.path,
            )
            for encoded, rendering in rendered.pictures
        ]
    assert grid is not None, "the index lists no scene without images"
    return tuple(images), grid


def _role(date_index: int, num_dates: int) -> str:
    if num_dates == 2:
        return ("pre", "post")[date_index]
    return "single" if num_dates == 1 else "sequence"


def _date_index(label: FoundFile, dates: list[str]) -> int:
    """Return the date that a label belongs to; the one date of a scene takes any label."""
    if len(dates) == 1:
        return 0
    if not label.date:
        raise Refusal(
            Reason.MISSING_METADATA, f"{label.path}: no date, in a scene of {', '.join(dates)}"
        )
    if label.date not in dates:
        raise Refusal(
            Reason.MISSING_PAIR, f"{label.path}: no image of {label.date}; {', '.join(dates)} are"
        )
    return dates.index(label.date)


def _label(
    archive: Archive,
    config: OwnDataset,
    file: FoundFile,
    date_index: int,
    grid: Raster,
    placing: Placing | None,
) -> tuple[LabelLayer, tuple[Instance, ...]]:
    layer = config.layers[file.entry]
    instances: tuple[Instance, ...] = ()
    if layer.kind == "raster":
        ids_HW = read_raster_ids(archive, file.path, layer, grid, placing)
    else:
        size_HW = (grid.height, grid.width)
        features = read_features(archive, file.path, layer, grid)
        ids_HW = draw_layer(features, layer, size_HW)
        if layer.objects:
            instances = draw_objects(features, layer, size_HW, date_index)
    label = LabelLayer(
        layer=layer.name,
        date_index=date_index,
        product=layer.product,
        taxonomy=layer.taxonomy,
        ids_HW=ids_HW,
        invalid=invalid_of(layer, ids_HW),
    )
    return label, instances


def _refuse_twice(scene_id: str, layers: list[LabelLayer]) -> None:
    keys = [(layer.layer, layer.date_index) for layer in layers]
    if len(set(keys)) < len(keys):
        raise Refusal(
            Reason.DUPLICATE_ID,
            f"{scene_id}: two label files of one layer and date; {keys} are there",
        )


def _placing(archive: Archive, config: OwnDataset, outline: str) -> Placing | None:
    if config.grid is None:
        return None
    if config.grid.bounds is not None:
        return Placing(crs=crs_by_name(config.grid.crs), bounds=config.grid.bounds)
    if not outline:
        raise Refusal(
            Reason.MISSING_METADATA, f"{config.grid.geojson}: no outline file of this scene"
        )
    return _outline_placing(as_object(archive.read_json(outline), outline), outline)


def _outline_placing(outline: dict[str, object], name: str) -> Placing:
    """Return CRS and bounds of a GeoJSON polygon; without a named CRS it is in degrees."""
    rings = as_list(due(outline, "coordinates", name), name)
    points = [as_list(point, name) for point in as_list(rings[0] if rings else [], name)]
    crs_name = _outline_crs(outline, name)
    try:
        xs, ys = zip(*((float(str(x)), float(str(y))) for x, y in points), strict=True)
        placing = Placing(crs=crs_by_name(crs_name), bounds=(min(xs), min(ys), max(xs), max(ys)))
    except ValueError as error:
        raise Refusal(
            Reason.WRONG_TYPE, f"{name}: {error}; expected a polygon of x, y and a known CRS"
        ) from error
    if not is_box(placing.bounds):
        raise Refusal(
            Reason.POLYGON_EMPTY,
            f"{name}: bounds {placing.bounds}; expected an outline with a width and a height",
        )
    return placing


def _outline_crs(outline: dict[str, object], name: str) -> str:
    crs = outline.get("crs")
    if crs is None:
        return "OGC:CRS84"
    properties = as_object(due(as_object(crs, name), "properties", name), name)
    crs_name = str(due(properties, "name", name))
    if not CRS_NAME.fullmatch(crs_name):
        raise Refusal(
            Reason.EXTERNAL_REFERENCE,
            f"{name}: CRS {crs_name[:60]!r}; expected a name such as EPSG:32633 or OGC:CRS84",
        )
    return crs_name
