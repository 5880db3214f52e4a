"""Two-date scenes of TEOChatlas: damage after a disaster (xBD), new buildings (S2Looking)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from shapely import unary_union
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from tasks.planet.closeup import Light, paint
from tasks.planet.clouds import add_clouds
from tasks.planet.disasters import DISASTERS, day_of, decimal_year
from tasks.planet.footprints import footprints_in
from tasks.planet.places import find_window
from tasks.planet.teochatlas_chapter import Chapter, json_name
from tasks.planet.teochatlas_sequences import site_windows, window_pixel_m
from tasks.planet.teochatlas_text import (
    ASK_BUILDINGS,
    ASK_BUILT,
    ASK_CHANGED,
    ASK_DAMAGE,
    DAMAGE,
    NO_BUILDINGS,
    NO_CHANGES,
    PAIR,
    POLYGON_PX,
    Box,
    box_text,
    boxes_answer,
    percent_box,
    record,
    wkt_256,
)
from tasks.planet.window import Window
from tasks.planet.world import Event, Town, World

SIZE_PX = 256
FRAME = box(0, 0, SIZE_PX, SIZE_PX)
ASKED_BUILDINGS = 5  # of a scene are asked about one by one
LOCALIZATION_FILE = "xBD_Change_Detection_Localization.json"
CLASSIFICATION_FILE = "xBD_Change_Detection_Classification.json"
CHANGE_FILE = "S2Looking_Change_Detection.json"
NO_CHANGE_SHARE = 0.2


def damage_scene(
    rng: np.random.Generator, world: World, towns: tuple[Town, ...], folder: str, number: int
) -> Chapter:
    """Return a crop of an xBD pair: where the buildings are, and what became of some of them."""
    disaster = DISASTERS[int(rng.integers(len(DISASTERS)))]
    year, side = decimal_year(disaster.before), round(float(rng.uniform(0.4, 0.6)), 4)
    window = find_window(
        rng, world, towns, size_px=SIZE_PX, pixel_m=(side, side), year=year, wanted=(2, 18)
    )
    footprints = footprints_in(world, window, year)
    event = _near_event(rng, disaster.kind, window)
    levels = dict(
        zip(
            (f.building.building_id for f in footprints),
            world.damages([f.building for f in footprints], event),
            strict=True,
        )
    )
    cell = "_".join(str(int(k)) for k in rng.integers(0, 4, 2))
    stem = f"TEOChatlas_images/xBD/{disaster.name}_{number:08}"
    pictures = {
        f"{stem}_pre_disaster_{cell}.png": paint(world, window, year, footprints, Light.drawn(rng)),
        f"{stem}_post_disaster_{cell}.png": paint(
            world, window, year, footprints, Light.drawn(rng), event, levels
        ),
    }
    dates = [disaster.before.isoformat(), disaster.after.isoformat()]
    common: dict[str, Any] = {
        "video": list(pictures), "opening": PAIR, "dataset": "xBD", "train": folder == "train",
        "timestamp": dates if rng.uniform() < 0.7 else [],
    }  # fmt: skip
    shapes = [f.polygon.intersection(FRAME) for f in footprints]
    boxes = _boxes(shapes)
    states = [levels[f.building.building_id] for f in footprints]
    records = _damage_records(rng, folder, shapes, boxes, states, common)
    truth = {
        "dates": dates,
        "clouded": [],
        "size": [SIZE_PX, SIZE_PX],
        "pixel_size_m": list(window_pixel_m(window)),
        "disaster": disaster.name,
        "boxes": [list(b) for b in boxes],
        "levels": states,
        "by_level": dict(sorted(Counter(states).items())),
        "area_px256": _area_px256(shapes),
    }
    return Chapter(folder=folder, pictures=pictures, records=records, truth=truth)


def growth_scene(
    rng: np.random.Generator, world: World, towns: tuple[Town, ...], folder: str, number: int
) -> Chapter:
    """Return an S2Looking pair at the rim of a town: the buildings that came between the dates."""
    pixel_m = round(float(rng.uniform(0.5, 0.8)), 3)
    site, window = site_windows(rng, world, towns, SIZE_PX, pixel_m)
    first = site.year - float(rng.uniform(1.2, 2.5))
    second = site.year + float(rng.uniform(0.7, 2.5))
    if rng.uniform() < NO_CHANGE_SHARE:
        second = first + 0.12
    years = (round(first, 4), round(second, 4))
    before, after = (footprints_in(world, window, year) for year in years)
    known = {f.building.building_id for f in before}
    new = [f for f in after if f.building.building_id not in known]
    pictures, clouded = {}, []
    for k, (year, standing) in enumerate(zip(years, (before, after), strict=True)):
        picture = paint(world, window, year, standing, Light.drawn(rng))
        if rng.uniform() < 0.08:
            picture = add_clouds(picture, rng, float(rng.uniform(0.08, 0.25)))
            clouded.append(k)
        pictures[f"TEOChatlas_images/S2Looking/{number}_{'AB'[k]}.png"] = picture
    dates = [day_of(year).isoformat() for year in years]
    shapes = [f.polygon.intersection(FRAME) for f in new]
    boxes = _boxes(shapes)
    common: dict[str, Any] = {
        "video": list(pictures), "opening": PAIR, "dataset": "S2Looking", "timestamp": dates,
        "train": folder == "train",
    }  # fmt: skip
    asked = [(ASK_CHANGED, boxes_answer(boxes, NO_CHANGES), "change_detection_detection")]
    if folder == "train":
        asked.append((ASK_BUILT, "Yes" if new else "No", "question_answering"))
    records = [
        (
            json_name(folder, CHANGE_FILE),
            record(
                rng, question=question, answer=answer, task=task,
                polygon=wkt_256(_several(shapes), SIZE_PX), **common,
            ),
        )
        for question, answer, task in asked
    ]  # fmt: skip
    truth = {
        "dates": dates,
        "clouded": clouded,
        "size": [SIZE_PX, SIZE_PX],
        "pixel_size_m": list(window_pixel_m(window)),
        "buildings": [len(before), len(after)],
        "boxes": [list(b) for b in boxes],
        "changed": len(new),
        "area_px256": _area_px256(shapes),
    }
    return Chapter(folder=folder, pictures=pictures, records=records, truth=truth)


def _damage_records(
    rng: np.random.Generator,
    folder: str,
    shapes: list[BaseGeometry],
    boxes: list[Box],
    states: list[str],
    common: dict[str, Any],
) -> list[tuple[str, dict[str, Any]]]:
    """Return the question for all buildings, then those for the level of a few."""
    where = record(
        rng, question=ASK_BUILDINGS, answer=boxes_answer(boxes, NO_BUILDINGS),
        task="change_detection_localization", polygon=wkt_256(_several(shapes), SIZE_PX), **common,
    )  # fmt: skip
    records = [(json_name(folder, LOCALIZATION_FILE), where)]
    for k in rng.permutation(len(shapes))[:ASKED_BUILDINGS]:
        entry = record(
            rng, question=ASK_DAMAGE.format(box=box_text(boxes[k])), answer=DAMAGE[states[k]],
            task="change_detection_classification", polygon=wkt_256(shapes[k], SIZE_PX), **common,
        )  # fmt: skip
        records.append((json_name(folder, CLASSIFICATION_FILE), entry))
    return records


def _near_event(rng: np.random.Generator, kind: str, window: Window) -> Event:
    reach_m = float(window.x_W[-1] - window.x_W[0])
    middle = (float(window.x_W.mean()), float(window.y_H.mean()))
    x_m, y_m = np.array(middle) + rng.normal(0, 0.5 * reach_m, 2)
    return Event(
        kind=kind,
        x_m=round(float(x_m), 1),
        y_m=round(float(y_m), 1),
        radius_m=round(float(rng.uniform(35, 110)), 1),
        strength=round(float(rng.uniform(0.7, 1.1)), 3),
        heading_rad=round(float(rng.uniform(0, np.pi)), 3),
        seed=int(rng.integers(2**31)),
    )


def _several(shapes: Sequence[BaseGeometry]) -> BaseGeometry:
    """Return all polygons as one geometry; those that overlap stay apart, as in the archive."""
    return shapes[0] if len(shapes) == 1 else unary_union(list(shapes))


def _boxes(shapes: Sequence[BaseGeometry]) -> list[Box]:
    return [percent_box(np.array(shape.exterior.coords), SIZE_PX) for shape in shapes]


def _area_px256(shapes: Sequence[BaseGeometry]) -> float:
    return round(float(unary_union(list(shapes)).area) * (POLYGON_PX / SIZE_PX) ** 2, 3)
