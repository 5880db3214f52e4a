"""Hand-made scenes whose answers fit in the head."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from pycocotools import mask as coco

from schemas.mask import Invalid
from schemas.scene import (
    BACKGROUND_ID,
    Grid,
    Instance,
    LabelLayer,
    Modality,
    Scene,
    SceneImage,
    SceneRef,
)
from schemas.taxonomy import CHATEARTHNET_11, XBD_DAMAGE, XBD_FOOTPRINT, Taxonomy
from tasks.scene_table import asked_scenes, scenes_to_table
from templates.asked import AskedScene

WATER, DEVELOPED, TREE, SHRUB, GRASS, CROP = range(6)


def image(role: str, date_index: int, modality: Modality = Modality.OPTICAL, cloudy: bool = False):
    return SceneImage(
        role=role,
        modality=modality,
        rendering="vv_vh_test" if modality is Modality.SAR else "rgb_test",
        date=f"2020-0{date_index + 1}-01",
        date_index=date_index,
        encoded=b"",
        path=f"{role}{date_index}.png",
        cloudy=cloudy,
    )


def land(
    ids_HW,
    date_index: int = 0,
    invalid: Invalid = Invalid.OTHER,
    taxonomy: Taxonomy = CHATEARTHNET_11,
) -> LabelLayer:
    return LabelLayer(
        layer="land_cover",
        date_index=date_index,
        product="test",
        taxonomy=taxonomy,
        ids_HW=np.asarray(ids_HW, dtype=np.uint8),
        invalid=invalid,
    )


def scene(
    name: str,
    layers: Sequence[LabelLayer],
    images: Sequence[SceneImage] = (image("single", 0),),
    instances: Sequence[Instance] = (),
    pixel_size_m: tuple[float, float] | None = (10.0, 10.0),
    north_up: bool = True,
) -> Scene:
    height, width = layers[0].ids_HW.shape
    return Scene(
        ref=SceneRef(
            source="test",
            scene_id=name,
            split="train",
            place="here",
            bucket="b",
            locality="here",
            files=(),
        ),
        licence="CC0",
        grid=Grid(
            height=height,
            width=width,
            pixel_size_m=pixel_size_m,
            bounds_lonlat=None,
            north_up=north_up,
        ),
        images=tuple(images),
        layers=tuple(layers),
        instances=tuple(instances),
    )


def stripes(water: int, tree: int, size: int = 60):
    """Return a map of upright stripes: `water` columns of water, `tree` of trees, then crop."""
    ids_HW = np.full((size, size), CROP)
    ids_HW[:, :water] = WATER
    ids_HW[:, water : water + tree] = TREE
    return ids_HW


def fields(text: str, taxonomy: Taxonomy = CHATEARTHNET_11, rows: int = 60):
    """Return a map of upright stripes by name: "water 12, tree 20, crop 28" are 60 columns.

    What stands after a "/" splits the rest of 60 columns into level stripes instead: "water 10 /
    tree 40, crop 20" has 10 columns of water and beside them 40 rows of trees over 20 of crop.
    """
    upright, _, level = text.partition("/")
    columns, bands = (
        [_counted(part) for part in side.split(",") if part.strip()] for side in (upright, level)
    )
    names = [name for name, number in columns for _ in range(number)]
    width = 60 if bands else len(names)
    ids_HW = np.zeros((rows, width), dtype=np.uint8)
    ids_HW[:, : len(names)] = [taxonomy.names.index(name) for name in names]
    top = 0
    for name, number in bands:
        ids_HW[top : top + number, len(names) :] = taxonomy.names.index(name)
        top += number
    return ids_HW


def _counted(part: str) -> tuple[str, int]:
    name, _, number = part.strip().rpartition(" ")
    return name, int(number)


def block(top: int, left: int, size: int = 60):
    """Return a map of crop with 12 x 12 pixels of water at a place."""
    ids_HW = np.full((size, size), CROP)
    ids_HW[top : top + 12, left : left + 12] = WATER
    return ids_HW


def building(
    uid: str, top: int, left: int, date_index: int, attribute: str, side: int = 6
) -> Instance:
    mask_HW = np.zeros((60, 60), dtype=np.uint8, order="F")
    mask_HW[top : top + side, left : left + side] = 1
    return Instance(
        instance_id=uid,
        layer="footprint",
        label="building",
        date_index=date_index,
        attribute=attribute,
        counts=coco.encode(mask_HW)["counts"],
    )


def town(
    name: str,
    levels: Sequence[str],
    places: Sequence[tuple[int, int]] = (),
    side: int = 6,
    north_up: bool = True,
) -> Scene:
    """Return a scene of two dates with one building a level, 6 x 6 pixels and five in a row."""
    places = places or [(4 + 10 * (i // 5), 4 + 10 * (i % 5)) for i in range(len(levels))]
    footprint_HW = np.full((60, 60), BACKGROUND_ID)
    damage_HW = footprint_HW.copy()
    instances = []
    for number, ((top, left), level) in enumerate(zip(places, levels, strict=True)):
        footprint_HW[top : top + side, left : left + side] = 0
        value = XBD_DAMAGE.names.index(level) if level in XBD_DAMAGE.names else 255
        damage_HW[top : top + side, left : left + side] = value
        instances.append(building(f"b{number}", top, left, 0, "", side))
        instances.append(building(f"b{number}", top, left, 1, level, side))
    whole = Invalid.FORBIDS if "un-classified" in levels else Invalid.OTHER
    layers = [
        LabelLayer(
            layer=layer,
            date_index=date,
            product="xbd",
            taxonomy=taxonomy,
            ids_HW=ids_HW.astype(np.uint8),
            invalid=invalid,
        )
        for layer, date, taxonomy, ids_HW, invalid in (
            ("footprint", 0, XBD_FOOTPRINT, footprint_HW, Invalid.OTHER),
            ("footprint", 1, XBD_FOOTPRINT, footprint_HW, Invalid.OTHER),
            ("damage", 1, XBD_DAMAGE, damage_HW, whole),
        )
    ]
    images = [image("pre", 0), image("post", 1)]
    return scene(name, layers, images, instances, north_up=north_up)


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """Return the builders of this file."""
    return SimpleNamespace(
        scene=scene, land=land, stripes=stripes, fields=fields, town=town, image=image
    )


@pytest.fixture(scope="session")
def asked() -> Callable[..., list[AskedScene]]:
    """Turn scenes into what the templates see of them."""

    def of(*scenes: Scene) -> list[AskedScene]:
        return list(asked_scenes(scenes_to_table(scenes), "vv_vh"))

    return of


@pytest.fixture(scope="session")
def granule() -> list[Scene]:
    """Return scenes of every kind, enough of each that options can be picked."""
    both = [image("single", 0), image("single", 0, Modality.SAR)]
    scenes = [
        scene(f"stripes{i}", [land(stripes(4 + 3 * i, 30 - 2 * i))], both if i % 2 else both[:1])
        for i in range(9)
    ]
    scenes += [
        scene(f"block{i}", [land(block(4 + 20 * (i % 3), 4 + 20 * (i // 3)))]) for i in range(9)
    ]
    levels = XBD_DAMAGE.names
    scenes += [
        town(f"town{i}", [levels[(i * j) % 4] for j in range(2 + 2 * i)]) for i in range(1, 8)
    ]
    for i in range(1, 6):
        dates = [land(stripes(0 if d == 0 else 3 * (d + i), 10), d) for d in range(3 + i % 2)]
        frames = [image("sequence", d) for d in range(len(dates))]
        scenes.append(scene(f"years{i}", dates, frames, pixel_size_m=None))
    return scenes
