"""QFabric scenes of TEOChatlas: building sites at the rim of a town, on three to five dates."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely import get_coordinates
from shapely.geometry import Polygon, box

from tasks.planet.closeup import Light, paint
from tasks.planet.clouds import add_clouds
from tasks.planet.disasters import day_of
from tasks.planet.footprints import Footprint, footprints_in
from tasks.planet.sites import (
    FINISHED_AFTER,
    Site,
    buildings_on,
    paint_site,
    roofed,
    sites_of,
    visible,
)
from tasks.planet.stories import best_dates, story
from tasks.planet.teochatlas_chapter import Chapter, json_name
from tasks.planet.teochatlas_scene import (
    END_YEAR,
    MIN_BUILDINGS,
    TeoScene,
    site_windows,
    window_pixel_m,
)
from tasks.planet.teochatlas_text import (
    POLYGON_PX,
    SEQUENCES,
    percent_box,
    record,
    status_question,
    type_question,
    wkt_256,
)
from tasks.planet.tone import Image
from tasks.planet.window import Window
from tasks.planet.world import World

SIZE_PX = 320
FRAME = box(0, 0, SIZE_PX, SIZE_PX)
PIXEL_M = (0.6, 0.9)
PLACE_DATES = 5  # of a place in the archive; a scene shows three or more of them
PLACE_COLUMNS = 8  # of crops side by side in a place
CLOUDED_SHARE = 0.15  # of the images
MOST_SITES = 6  # that are asked about in a scene
_WINDOWS = 4  # looked at; the one whose sites tell most is taken
BUILT = ("Construction Done", "Operational")
EVAL_FILE = "QFabric_RQA5_RTQA5.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """The dates of a scene, by their places in `PLACE_DATES`, its window and its sites."""

    years: dict[int, float]
    window: Window
    sites: tuple[Site, ...]
    shapes: tuple[Polygon, ...]


def site_scene(world: World, scene: TeoScene) -> Chapter:
    """Return one sequence with the records of all its sites: kind, and stage in every image."""
    rng = scene.rng()
    sequence = _sequence(rng, world, scene)
    pictures, clouded = _pictures(rng, world, sequence, scene)
    years = list(sequence.years.values())
    paths, dates = list(pictures), [day_of(year).isoformat() for year in years]
    file = json_name(scene.folder, EVAL_FILE)
    records: list[tuple[str, dict[str, Any]]] = []
    regions = []
    for site, shape in zip(sequence.sites, sequence.shapes, strict=True):
        where = percent_box(get_coordinates(shape), SIZE_PX)
        statuses = [site.status(year) for year in years]
        asked = [(type_question(where), site.kind, "region_based_question_answering")]
        for image, status in enumerate(statuses, start=1):
            question = status_question(where, image)
            asked.append((question, status, "region_based_temporal_question_answering"))
        for question, answer, task in asked:
            entry = record(
                rng, video=paths, opening=SEQUENCES[int(rng.integers(2))], question=question,
                answer=answer, timestamp=dates, task=task, dataset="QFabric",
                polygon=wkt_256(shape, SIZE_PX), train=scene.folder == "train",
            )  # fmt: skip
            records.append((file, entry))
        regions.append(_region(site, shape, where, statuses))
    truth = {
        "dates": dates,
        "clouded": clouded,
        "size": [SIZE_PX, SIZE_PX],
        "pixel_size_m": list(window_pixel_m(sequence.window)),
        "regions": regions,
        "area_px256_by_status": _areas(regions, len(years)),
        "built_px256": [
            sum(r["area_px256"] for r in regions if r["status"][k] in BUILT)
            for k in range(len(years))
        ],
    }
    return Chapter(folder=scene.folder, pictures=pictures, records=records, truth=truth)


def _sequence(rng: np.random.Generator, world: World, scene: TeoScene) -> Sequence:
    """Return the sequence of a crop: of a few windows and the place's dates those that tell most.

    Raises:
        ValueError: if none of the towns grows between 2013 and 2022.
    """
    place = scene.place_rng()
    steps = place.uniform(1.1, 1.9, PLACE_DATES - 1)
    years = [round(float(y), 4) for y in place.uniform(2014.3, 2016.3) + np.cumsum([0, *steps])]
    pixel_m = round(float(place.uniform(*PIXEL_M)), 3)
    num_dates = int(rng.integers(3, PLACE_DATES + 1))
    best: tuple[int, Sequence | None] = (-1, None)
    towns = scene.towns(world)
    all_sites = tuple(s for town in towns for s in sites_of(world, town))
    for anchor, window in islice(site_windows(rng, world, towns, SIZE_PX, pixel_m), _WINDOWS):
        sites = _asked_sites(rng, world, anchor, window, all_sites)
        shapes = tuple(Polygon(site.ring_px(window)).intersection(FRAME) for site in sites)
        stages_ST = [[site.status(year) for year in years] for site in sites]
        areas_S = [shape.area for shape in shapes]
        dates = best_dates(stages_ST, areas_S, num_dates)
        told = story(stages_ST, areas_S, dates)
        if told > best[0]:
            seen = {k: years[k] for k in dates}
            best = told, Sequence(years=seen, window=window, sites=sites, shapes=shapes)
    if best[1] is None:
        raise ValueError("none of the towns grows between 2013 and 2022")
    return best[1]


def _asked_sites(
    rng: np.random.Generator,
    world: World,
    anchor: Site,
    window: Window,
    all_sites: tuple[Site, ...],
) -> tuple[Site, ...]:
    """Return the one to six sites in a window that are asked about."""
    footprints = footprints_in(world, window, END_YEAR)
    others = [
        site
        for site in visible(all_sites, window)
        if not np.array_equal(site.ring_m, anchor.ring_m)
        and len(buildings_on(site, window, footprints)) >= MIN_BUILDINGS
    ]
    return (anchor, *(others[k] for k in rng.permutation(len(others))[: MOST_SITES - 1]))


def _pictures(
    rng: np.random.Generator, world: World, sequence: Sequence, scene: TeoScene
) -> tuple[dict[str, Image], list[int]]:
    """Return the pictures by their path, and the places in the sequence of the clouded ones."""
    x_px, y_px = scene.offsets_px(SIZE_PX, PLACE_COLUMNS)
    pictures: dict[str, Image] = {}
    clouded = []
    window, sites = sequence.window, sequence.sites
    finished = max(site.year for site in sites) + FINISHED_AFTER
    footprints = footprints_in(world, window, finished)
    plots = [buildings_on(site, window, footprints) for site in sites]
    for k, year in sequence.years.items():
        picture = _picture(world, window, year, sites, plots, Light.drawn(rng))
        if rng.uniform() < CLOUDED_SHARE:
            share = float(rng.uniform(0.1, 0.45))
            picture = add_clouds(picture, rng, share, _sites_HW(sequence))
            clouded.append(len(pictures))
        stem = f"{scene.number + 1}.d{k + 1}.{day_of(year):%m%d%Y}_{x_px}_{y_px}"
        pictures[f"TEOChatlas_images/QFabric/{stem}.tif"] = picture
    return pictures, clouded


def _sites_HW(sequence: Sequence) -> NDArray[np.uint8]:
    """Return where the sites lie: 1 inside, 0 elsewhere."""
    sites_HW = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    for shape in sequence.shapes:
        cv2.fillPoly(sites_HW, [np.rint(get_coordinates(shape)).astype(np.int32)], 1)
    return sites_HW


def _picture(
    world: World,
    window: Window,
    year: float,
    sites: tuple[Site, ...],
    plots: list[list[Footprint]],
    light: Light,
) -> Image:
    """Return the picture of one date: sites show their stage, all else is as the world has it."""
    on_sites = {f.building.building_id for plot in plots for f in plot}
    standing = [
        f for f in footprints_in(world, window, year) if f.building.building_id not in on_sites
    ]
    for site, plot in zip(sites, plots, strict=True):
        standing += roofed(site.status(year), plot)

    def draw_sites(image: Image) -> None:
        for site, plot in zip(sites, plots, strict=True):
            place_seed = abs(int(site.ring_m[0, 0] * 7 + site.ring_m[0, 1] * 13))
            paint_site(
                image, site.ring_px(window), site.status(year), plot, window.pixel_m, place_seed
            )

    return paint(world, window, year, standing, light, draw_ground=draw_sites)


def _region(
    site: Site, shape: Polygon, where: tuple[int, int, int, int], statuses: list[str]
) -> dict[str, Any]:
    scale = (POLYGON_PX / SIZE_PX) ** 2
    return {
        "box": list(where),
        "polygon_256": wkt_256(shape, SIZE_PX),
        "area_px256": round(shape.area * scale, 3),
        "kind": site.kind,
        "status": statuses,
    }


def _areas(regions: list[dict[str, Any]], num_dates: int) -> list[dict[str, float]]:
    areas = []
    for k in range(num_dates):
        total: dict[str, float] = defaultdict(float)
        for region in regions:
            total[region["status"][k]] += region["area_px256"]
        areas.append({status: round(area, 3) for status, area in sorted(total.items())})
    return areas
