"""Two-date scenes of TEOChatlas: damage after a disaster (xBD), new buildings (S2Looking)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from shapely import unary_union
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from tasks.planet.closeup import Light, paint
from tasks.planet.clouds import add_clouds
from tasks.planet.disasters import DISASTERS, Disaster, day_of, decimal_year
from tasks.planet.footprints import footprints_in
from tasks.planet.places import find_window
from tasks.planet.sites import FINISHED_AFTER
from tasks.planet.teochatlas_chapter import Chapter, json_name
from tasks.planet.teochatlas_scene import TeoScene, site_windows, window_pixel_m
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
    percent_boxes,
    record,
    wkt_256,
)
from tasks.planet.window import Window
from tasks.planet.world import Event, Town, World

SIZE_PX = 256
CROPS_WIDE = 4  # a picture of 1024 x 1024 pixels is cut in 4 x 4
DISASTER_TILES = 16  # pictures of one disaster, then follows the next
TILE_BUILDINGS = (40, 150)
FRAME = box(0, 0, SIZE_PX, SIZE_PX)
ASKED_BUILDINGS = 5  # of a scene are asked about one by one
LOCALIZATION_FILE = "xBD_Change_Detection_Localization.json"
CLASSIFICATION_FILE = "xBD_Change_Detection_Classification.json"
CHANGE_FILE = "S2Looking_Change_Detection.json"
NO_CHANGE_SHARE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A picture of xBD, of which the archive holds crops: what struck, and how both were taken.

    `crops` are (row, column) of its 4 x 4 crops, those that show buildings first.
    """

    disaster: Disaster
    number: int
    window: Window
    event: Event
    lights: tuple[Light, Light]
    crops: tuple[tuple[int, int], ...]

    def crop(self, row: int, column: int) -> Window:
        """Return the pixels of one crop."""
        rows, columns = (slice(k * SIZE_PX, (k + 1) * SIZE_PX) for k in (row, column))
        return Window(x_W=self.window.x_W[columns], y_H=self.window.y_H[rows])


def damage_scene(world: World, scene: TeoScene) -> Chapter:
    """Return a crop of an xBD pair: where the buildings are, and what became of some of them."""
    rng, folder = scene.rng(), scene.folder
    tile = _tile(world, scene.seed, scene.number, scene.towns(world))
    disaster, event = tile.disaster, tile.event
    row, column = tile.crops[scene.crop]
    window, year = tile.crop(row, column), decimal_year(disaster.before)
    footprints = footprints_in(world, window, year)
    levels = dict(
        zip(
            (f.building.building_id for f in footprints),
            world.damages([f.building for f in footprints], event),
            strict=True,
        )
    )
    stem = f"TEOChatlas_images/xBD/{disaster.name}_{tile.number:08}"
    pictures = {
        f"{stem}_{date}_disaster_{row}_{column}.png": paint(
            world, window, year, footprints, light, *after
        )
        for date, light, after in zip(
            ("pre", "post"), tile.lights, ((None, None), (event, levels)), strict=True
        )
    }
    dates = [disaster.before.isoformat(), disaster.after.isoformat()]
    common: dict[str, Any] = {
        "video": list(pictures), "opening": PAIR, "dataset": "xBD", "train": folder == "train",
        "timestamp": dates if rng.uniform() < 0.7 else [],
    }  # fmt: skip
    shapes = [f.polygon.intersection(FRAME) for f in footprints]
    boxes = percent_boxes(shapes, SIZE_PX)
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


def growth_scene(world: World, scene: TeoScene) -> Chapter:
    """Return an S2Looking pair at the rim of a town: the buildings that came between the dates."""
    rng, folder = scene.rng(), scene.folder
    place = scene.place_rng()
    first = float(place.uniform(2013.5, 2016.5))
    years = (round(first, 4), round(first + float(place.uniform(2.0, 4.5)), 4))
    pixel_m = round(float(place.uniform(0.5, 0.8)), 3)
    window = _rim_window(rng, world, scene.towns(world), pixel_m, years)
    before, after = (footprints_in(world, window, year) for year in years)
    known = {f.building.building_id for f in before}
    new = [f for f in after if f.building.building_id not in known]
    x_px, y_px = scene.offsets_px(SIZE_PX, CROPS_WIDE)
    pictures, clouded = {}, []
    for k, (year, standing) in enumerate(zip(years, (before, after), strict=True)):
        picture = paint(world, window, year, standing, Light.drawn(rng))
        if rng.uniform() < 0.08:
            picture = add_clouds(picture, rng, float(rng.uniform(0.08, 0.25)))
            clouded.append(k)
        stem = f"{scene.number + 1}_{'AB'[k]}_{x_px}_{y_px}"
        pictures[f"TEOChatlas_images/S2Looking/{stem}.png"] = picture
    dates = [day_of(year).isoformat() for year in years]
    shapes = [f.polygon.intersection(FRAME) for f in new]
    boxes = percent_boxes(shapes, SIZE_PX)
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


@lru_cache(maxsize=4)
def _tile(world: World, seed: int, number: int, towns: tuple[Town, ...]) -> Tile:
    """Return a numbered picture of xBD; kept, as its crops follow one another."""
    rng = np.random.default_rng([seed, 44, number])
    turn, place = divmod(number, DISASTER_TILES)
    order = np.random.default_rng([seed, 45]).permutation(len(DISASTERS))
    lap, struck = divmod(turn, len(DISASTERS))
    disaster = DISASTERS[order[struck]]
    year, side = decimal_year(disaster.before), round(float(rng.uniform(0.4, 0.6)), 4)
    window = find_window(
        rng, world, towns, size_px=CROPS_WIDE * SIZE_PX, pixel_m=(side, side), year=year,
        wanted=TILE_BUILDINGS,
    )  # fmt: skip
    event = _event(rng, disaster.kind, window)
    lights = Light.drawn(rng), Light.drawn(rng)
    middles = [f.polygon.centroid for f in footprints_in(world, window, year)]
    held = Counter((int(at.y // SIZE_PX), int(at.x // SIZE_PX)) for at in middles)
    cells = [divmod(int(k), CROPS_WIDE) for k in rng.permutation(CROPS_WIDE**2)]
    return Tile(
        disaster=disaster, number=lap * DISASTER_TILES + place, window=window, event=event,
        lights=lights, crops=tuple(sorted(cells, key=lambda cell: not held[cell])),
    )  # fmt: skip


def _event(rng: np.random.Generator, kind: str, window: Window) -> Event:
    """Return a disaster that strikes a part of a tile."""
    reach_m = float(window.x_W[-1] - window.x_W[0])
    middle = (float(window.x_W.mean()), float(window.y_H.mean()))
    x_m, y_m = np.array(middle) + rng.normal(0, 0.12 * reach_m, 2)
    return Event(
        kind=kind,
        x_m=round(float(x_m), 1),
        y_m=round(float(y_m), 1),
        radius_m=round(float(rng.uniform(90, 220)), 1),
        strength=round(float(rng.uniform(0.7, 1.1)), 3),
        heading_rad=round(float(rng.uniform(0, np.pi)), 3),
        seed=int(rng.integers(2**31)),
    )


def _rim_window(
    rng: np.random.Generator,
    world: World,
    towns: tuple[Town, ...],
    pixel_m: float,
    years: tuple[float, float],
) -> Window:
    """Return a window around a site that is built between two dates, now and then one that is not.

    Raises:
        ValueError: if none of the towns grows between 2013 and 2022.
    """
    wanted = bool(rng.uniform() >= NO_CHANGE_SHARE)
    found = None
    for site, window in site_windows(rng, world, towns, SIZE_PX, pixel_m):
        found = window
        if (years[0] < site.year < years[1] - FINISHED_AFTER) == wanted:
            break
    if found is None:
        raise ValueError("none of the towns grows between 2013 and 2022")
    return found


def _several(shapes: Sequence[BaseGeometry]) -> BaseGeometry:
    """Return all polygons as one geometry; those that touch are one, as in the archive."""
    return shapes[0] if len(shapes) == 1 else unary_union(list(shapes))


def _area_px256(shapes: Sequence[BaseGeometry]) -> float:
    return round(float(unary_union(list(shapes)).area) * (POLYGON_PX / SIZE_PX) ** 2, 3)
