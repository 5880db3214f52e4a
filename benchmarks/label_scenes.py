"""Scenes of the planet without their pictures: label maps and objects straight from its world.

Painting is what makes a planet slow; the leak measurement needs tens of thousands of questions and
looks at no picture. Label maps, buildings, damage and their distributions are those of the world.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from masks.rle import encode_window
from schemas.mask import Invalid
from schemas.scene import (
    BACKGROUND_ID,
    INVALID_ID,
    Grid,
    Instance,
    LabelLayer,
    Modality,
    Scene,
    SceneImage,
    SceneRef,
)
from schemas.taxonomy import (
    BIGEARTHNET_19,
    CHATEARTHNET_11,
    XBD_DAMAGE,
    XBD_FOOTPRINT,
    Common,
    LandClass,
    Taxonomy,
)
from tasks.planet.corine import codes_HW
from tasks.planet.events import Event
from tasks.planet.places import towns_together
from tasks.planet.window import Window
from tasks.planet.world import World
from tasks.planet.worldcover_map import cover_codes_HW
from tasks.sources.clc import clc_invalid, clc_to_19
from tasks.sources.worldcover import worldcover_to_11

REACH_M = 150_000.0  # of the part of the world that scenes are drawn from
SURVEY = Taxonomy(
    "survey",
    tuple(
        LandClass(name=common.value, phrase=common.value, common=common)
        for common in (Common.WATER, Common.TREE, Common.GRASS, Common.CROP, Common.BUILT)
    ),
)
TOWN_PX, TOWN_PIXEL_M = 512, 0.9  # as wide as an xBD tile, at half its resolution


@dataclass(frozen=True, slots=True)
class Drawn:
    """A label map with its taxonomy and what is known of its invalid pixels."""

    taxonomy: Taxonomy
    ids_HW: np.ndarray
    invalid: Invalid


def land_scenes(source: str, number: int, seed: int) -> Iterator[Scene]:
    """Yield scenes with one land-cover map, as of "bigearthnet" or "chatearthnet"."""
    world = World(seed)
    rng = np.random.default_rng([seed, 1])
    size = 120 if source == "bigearthnet" else 256
    for index in range(number):
        left_m, top_m = rng.uniform(-REACH_M, REACH_M, 2)
        window = Window.regular(left_m=left_m, top_m=top_m, pixel_m=10.0, height=size, width=size)
        drawn = _draw(source, world, window)
        if (drawn.ids_HW == INVALID_ID).mean() <= 0.5:
            layer = _layer("land_cover", 0, drawn.taxonomy, drawn.ids_HW, drawn.invalid)
            yield _scene(f"{source}{index}", source, [layer], (10.0, 10.0))


def town_scenes(number: int, seed: int) -> Iterator[Scene]:
    """Yield scenes of two dates with buildings and what an event left of them."""
    world = World(seed)
    rng = np.random.default_rng([seed, 2])
    for index in range(number):
        if index % 20 == 0:
            towns = towns_together(np.random.default_rng([seed, 3, index]), world)
        town = towns[int(rng.integers(len(towns)))]
        x_m, y_m = rng.normal((town.x_m, town.y_m), 300.0)
        side_m = TOWN_PX * TOWN_PIXEL_M
        window = Window.regular(
            left_m=x_m - side_m / 2,
            top_m=y_m + side_m / 2,
            pixel_m=TOWN_PIXEL_M,
            height=TOWN_PX,
            width=TOWN_PX,
        )
        yield _town(f"xbd{index}", world, window, rng)


def survey_scenes(number: int, seed: int) -> Iterator[Scene]:
    """Yield scenes of three to five dates: from each to the next, patches turn to other classes.

    The first map is the world's, in the classes of a plain survey. The archives' own sequences
    (building sites) ask too few of some kinds of questions for thousands of items.
    """
    world = World(seed)
    rng = np.random.default_rng([seed, 4])
    for index in range(number):
        if index % 4 == 0:
            left_m, top_m = rng.uniform(-REACH_M, REACH_M, 2)
            window = Window.regular(left_m=left_m, top_m=top_m, pixel_m=10.0, height=120, width=120)
            drawn_HW = SURVEY_IDS[_draw("bigearthnet", world, window).ids_HW]
        ids_HW = np.ascontiguousarray(np.rot90(drawn_HW, index))  # drawing the world is slow
        if (ids_HW == INVALID_ID).mean() > 0.5:
            continue
        layers = []
        for date_index in range(int(rng.integers(3, 6))):
            if date_index:
                ids_HW = _turned(ids_HW, rng)
            layers.append(_layer("survey", date_index, SURVEY, ids_HW, Invalid.OTHER))
        size_m = (10.0, 10.0) if rng.random() < 0.5 else None  # else change is asked as a share
        yield _scene(f"survey{index}", "own", layers, size_m)


def _survey_ids() -> np.ndarray:
    """Return the survey's id of every BigEarthNet id; mixed and rare classes carry no label."""
    ids = np.full(256, INVALID_ID, dtype=np.uint8)
    commons = [land.common for land in SURVEY.classes]
    for class_id, land in enumerate(BIGEARTHNET_19.classes):
        if land.common in commons:
            ids[class_id] = commons.index(land.common)
    return ids


SURVEY_IDS = _survey_ids()


def _turned(ids_HW: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a map in which a few smooth patches are of other classes than before."""
    turned_HW = ids_HW.copy()
    for _ in range(int(rng.integers(1, 4))):
        noise_HW = gaussian_filter(rng.normal(size=ids_HW.shape), sigma=18.0)
        patch_HW = noise_HW > np.quantile(noise_HW, rng.uniform(0.7, 0.97))
        turned_HW[patch_HW & (ids_HW != INVALID_ID)] = rng.integers(len(SURVEY.classes))
    return turned_HW


def _draw(source: str, world: World, window: Window) -> Drawn:
    if source == "bigearthnet":
        codes = codes_HW(world.land_HW(window, 2018.0), False)
        return Drawn(BIGEARTHNET_19, clc_to_19(codes), clc_invalid(codes))
    return Drawn(CHATEARTHNET_11, worldcover_to_11(cover_codes_HW(world, window)), Invalid.UNKNOWN)


def _town(name: str, world: World, window: Window, rng: np.random.Generator) -> Scene:
    buildings = world.buildings(window, 2018.0)
    event = Event(
        kind="wind",
        x_m=float(rng.uniform(window.x_W[0], window.x_W[-1])),
        y_m=float(rng.uniform(window.y_H[-1], window.y_H[0])),
        radius_m=float(rng.uniform(50, 200)),
        strength=float(rng.uniform(0.75, 1.15)),
        heading_rad=float(rng.uniform(0, np.pi)),
        seed=int(rng.integers(2**31)),
    )
    levels = world.damages(buildings, event) if buildings else ()
    footprint_HW = np.full((TOWN_PX, TOWN_PX), BACKGROUND_ID, dtype=np.uint8)
    damage_HW = footprint_HW.copy()
    instances: list[Instance] = []
    for building, level in zip(buildings, levels, strict=True):
        corners = np.array(building.corners_m)
        columns = (corners[:, 0] - window.x_W[0]) / TOWN_PIXEL_M
        rows = (window.y_H[0] - corners[:, 1]) / TOWN_PIXEL_M
        ring = np.stack([columns, rows], axis=1).round().astype(np.int32)
        left, top = np.clip(ring.min(axis=0), 0, TOWN_PX)
        right, bottom = np.clip(ring.max(axis=0) + 1, 0, TOWN_PX)
        if left == right or top == bottom:
            continue
        window_hw = np.zeros((bottom - top, right - left), dtype=np.uint8)
        cv2.fillPoly(window_hw, [ring - (left, top)], 1)
        inside_hw = window_hw.view(np.bool_)
        footprint_HW[top:bottom, left:right][inside_hw] = 0
        damage_HW[top:bottom, left:right][inside_hw] = XBD_DAMAGE.names.index(level)
        counts = encode_window(inside_hw, int(top), int(left), (TOWN_PX, TOWN_PX))
        for date_index, attribute in ((0, ""), (1, level)):
            instances.append(
                Instance(
                    instance_id=str(building.building_id),
                    layer="footprint",
                    label="building",
                    date_index=date_index,
                    attribute=attribute,
                    counts=counts,
                )
            )
    layers = [
        _layer("footprint", 0, XBD_FOOTPRINT, footprint_HW, Invalid.OTHER),
        _layer("footprint", 1, XBD_FOOTPRINT, footprint_HW, Invalid.OTHER),
        _layer("damage", 1, XBD_DAMAGE, damage_HW, Invalid.OTHER),
    ]
    size_m = (TOWN_PIXEL_M, TOWN_PIXEL_M)
    return _scene(name, "xbd", layers, size_m, tuple(instances))


def _layer(
    name: str, date_index: int, taxonomy: Taxonomy, ids_HW: np.ndarray, invalid: Invalid
) -> LabelLayer:
    return LabelLayer(
        layer=name,
        date_index=date_index,
        product="planet",
        taxonomy=taxonomy,
        ids_HW=ids_HW,
        invalid=invalid,
    )


def _scene(
    name: str,
    source: str,
    layers: list[LabelLayer],
    pixel_size_m: tuple[float, float] | None,
    instances: tuple[Instance, ...] = (),
) -> Scene:
    height, width = layers[0].ids_HW.shape
    dates = sorted({layer.date_index for layer in layers})
    return Scene(
        ref=SceneRef(
            source=source,
            scene_id=name,
            split="train",
            place="world",
            bucket="b",
            locality="world",
            files=(),
        ),
        licence="",
        grid=Grid(
            height=height,
            width=width,
            pixel_size_m=pixel_size_m,
            bounds_lonlat=None,
            north_up=True,
        ),
        images=tuple(
            SceneImage(
                role="single",
                modality=Modality.OPTICAL,
                rendering="none",
                date="",
                date_index=date,
                encoded=b"",
                path="",
            )
            for date in dates
        ),
        layers=tuple(layers),
        instances=instances,
    )
