"""Single images of TEOChatlas: scene classes (AID, eval), all buildings in boxes (train)."""

import numpy as np
from shapely.geometry import box

from tasks.planet.classes import Land
from tasks.planet.closeup import Light, paint
from tasks.planet.clouds import add_clouds
from tasks.planet.footprints import footprints_in
from tasks.planet.places import find_window
from tasks.planet.teochatlas_chapter import Chapter
from tasks.planet.teochatlas_scene import TeoScene, window_pixel_m
from tasks.planet.teochatlas_text import (
    ASK_ALL,
    ASK_SCENE,
    NO_BUILDINGS,
    SINGLE,
    boxes_answer,
    percent_boxes,
    record,
)
from tasks.planet.window import Window
from tasks.planet.world import Town, World

AID_PX, GEOCHAT_PX = 600, 504  # of the archives
YEAR = 2018.5
SCENE_CLASSES = (
    "Beach", "Dense Residential", "Farmland", "Forest", "Industrial", "Meadow",
    "Medium Residential", "River", "Sparse Residential",
)  # fmt: skip
_OPEN_LAND = {
    "Beach": (Land.BEACH, Land.SEA),
    "River": (Land.RIVER, Land.LAKE, Land.ESTUARY),
    "Forest": (Land.BROADLEAF, Land.CONIFER, Land.MIXED_FOREST, Land.SCRUB),
    "Meadow": (Land.PASTURE, Land.GRASSLAND, Land.HEATH, Land.SPARSE),
}


def class_scene(world: World, scene: TeoScene) -> Chapter:
    """Return an AID image with the question for its class; it has no boxes and no polygon."""
    rng, folder = scene.rng(), scene.folder
    wanted = ((0, 2), (3, 15), (16, 45), (46, 400))[int(rng.integers(4))]
    window, picture, count = _picture(rng, world, scene.towns(world), AID_PX, wanted)
    answer = _scene_class(world, window, count)
    name = f"External_images/AID/{answer.replace(' ', '')}_{scene.index + 1}.jpg"
    question = ASK_SCENE.format(classes=", ".join(SCENE_CLASSES))
    entry = record(
        rng, video=[name], opening=SINGLE, question=question, answer=answer, timestamp=[],
        task="scene_classification", dataset="AID", polygon="", train=folder == "train",
    )  # fmt: skip
    truth = {
        "dates": [], "clouded": [], "size": [AID_PX, AID_PX], "scene_class": answer,
        "pixel_size_m": list(window_pixel_m(window)), "buildings": count,
    }  # fmt: skip
    records = [("AID.json", entry)]
    return Chapter(folder=folder, pictures={name: picture}, records=records, truth=truth)


def boxes_scene(world: World, scene: TeoScene) -> Chapter:
    """Return a single image of train, asking for every building by its box."""
    rng, folder = scene.rng(), scene.folder
    window, picture, _ = _picture(rng, world, scene.towns(world), GEOCHAT_PX, (1, 14))
    frame = box(0, 0, GEOCHAT_PX, GEOCHAT_PX)
    shapes = [f.polygon.intersection(frame) for f in footprints_in(world, window, YEAR)]
    boxes = percent_boxes(shapes, GEOCHAT_PX)
    name = f"GeoChat_Instruct_images1/P{scene.number:04}_{scene.crop + 1:04}.jpg"
    entry = record(
        rng, video=[name], opening=SINGLE, question=ASK_ALL,
        answer=boxes_answer(boxes, NO_BUILDINGS), timestamp=[],
        task="spatial_referring_expression", dataset="GeoChat", polygon="",
        train=folder == "train",
    )  # fmt: skip
    truth = {
        "dates": [], "clouded": [], "size": [GEOCHAT_PX, GEOCHAT_PX],
        "boxes": [list(b) for b in boxes],
        "pixel_size_m": list(window_pixel_m(window)), "buildings": len(boxes),
    }  # fmt: skip
    records = [("instruct.json", entry)]
    return Chapter(folder=folder, pictures={name: picture}, records=records, truth=truth)


def _picture(
    rng: np.random.Generator,
    world: World,
    towns: tuple[Town, ...],
    size_px: int,
    wanted: tuple[int, int],
) -> tuple[Window, np.ndarray, int]:
    side = round(float(rng.uniform(0.5, 0.9)), 4)
    window = find_window(
        rng, world, towns, size_px=size_px, pixel_m=(side, side), year=YEAR, wanted=wanted
    )
    footprints = footprints_in(world, window, YEAR)
    picture = paint(world, window, YEAR, footprints, Light.drawn(rng))
    if rng.uniform() < 0.06:
        picture = add_clouds(picture, rng, float(rng.uniform(0.05, 0.2)))
    return window, picture, len(footprints)


def _scene_class(world: World, window: Window, buildings: int) -> str:
    """Return the class by what covers most of the land, or by how many buildings there are."""
    land_HW = world.land_HW(window.thinned(6), YEAR)
    if np.isin(land_HW, (Land.INDUSTRY,)).mean() > 0.3:
        return "Industrial"
    for least, name in (
        (46, "Dense Residential"), (16, "Medium Residential"), (3, "Sparse Residential")
    ):  # fmt: skip
        if buildings >= least:
            return name
    shares = {name: float(np.isin(land_HW, lands).mean()) for name, lands in _OPEN_LAND.items()}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] > 0.35 else "Farmland"
