"""QFabric scenes of TEOChatlas: building sites at the rim of a town, on three to eight dates."""

from collections import defaultdict
from typing import Any

import numpy as np
from shapely.geometry import Polygon, box

from tasks.planet.closeup import Light, paint
from tasks.planet.clouds import add_clouds
from tasks.planet.disasters import day_of
from tasks.planet.footprints import footprints_in
from tasks.planet.places import square_window
from tasks.planet.sites import (
    FINISHED_AFTER,
    Site,
    buildings_on,
    paint_site,
    roofed,
    sites_of,
    visible,
)
from tasks.planet.teochatlas_chapter import Chapter, json_name
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
from tasks.planet.world import Town, World

SIZE_PX = 320
PIXEL_M = (0.6, 0.9)
CLOUDED_SHARE = 0.15  # of the images
MIN_BUILDINGS = 3  # on a site in the end: blocks by the water stay empty
END_YEAR = 2030.0  # by which all blocks are built up
BUILT = ("Construction Done", "Operational")
EVAL_FILE = "QFabric_RQA5_RTQA5.json"


def site_scene(
    rng: np.random.Generator, world: World, towns: tuple[Town, ...], folder: str, number: int
) -> Chapter:
    """Return one sequence with the records of all its sites: kind, and stage in every image."""
    years, window, sites = _sequence(rng, world, towns)
    pictures, clouded = _pictures(rng, world, window, years, sites, number)
    paths, dates = list(pictures), [day_of(year).isoformat() for year in years]
    file, frame = json_name(folder, EVAL_FILE), box(0, 0, SIZE_PX, SIZE_PX)
    records: list[tuple[str, dict[str, Any]]] = []
    regions = []
    for site in sites:
        shape = Polygon(site.ring_px(window)).intersection(frame)
        where = percent_box(np.array(shape.exterior.coords), SIZE_PX)
        statuses = [site.status(year) for year in years]
        asked = [(type_question(where), site.kind, "region_based_question_answering")]
        for image, status in enumerate(statuses, start=1):
            question = status_question(where, image)
            asked.append((question, status, "region_based_temporal_question_answering"))
        for question, answer, task in asked:
            entry = record(
                rng, video=paths, opening=SEQUENCES[int(rng.integers(2))], question=question,
                answer=answer, timestamp=dates, task=task, dataset="QFabric",
                polygon=wkt_256(shape, SIZE_PX), train=folder == "train",
            )  # fmt: skip
            records.append((file, entry))
        regions.append(_region(site, shape, where, statuses))
    truth = {
        "dates": dates,
        "clouded": clouded,
        "size": [SIZE_PX, SIZE_PX],
        "pixel_size_m": list(window_pixel_m(window)),
        "regions": regions,
        "area_px256_by_status": _areas(regions, len(years)),
        "built_px256": [
            sum(r["area_px256"] for r in regions if r["status"][k] in BUILT)
            for k in range(len(years))
        ],
    }
    return Chapter(folder=folder, pictures=pictures, records=records, truth=truth)


def window_pixel_m(window: Window) -> tuple[float, float]:
    """Return width and height of a pixel in metres."""
    return (
        round(float(window.x_W[1] - window.x_W[0]), 6),
        round(float(window.y_H[0] - window.y_H[1]), 6),
    )


def site_windows(
    rng: np.random.Generator, world: World, towns: tuple[Town, ...], size_px: int, pixel_m: float
) -> tuple[Site, Window]:
    """Return a site that is built between 2013 and 2022, and a window around it.

    Raises:
        ValueError: if none of the towns grows in these years.
    """
    sites = [s for town in towns for s in sites_of(world, town) if 2013.0 < s.year < 2022.0]
    half_m = size_px * pixel_m / 2
    for k in rng.permutation(len(sites)):
        x_m, y_m = sites[k].ring_m.mean(axis=0) + rng.uniform(-0.3, 0.3, 2) * half_m
        left_m, top_m = round(float(x_m) - half_m, 1), round(float(y_m) + half_m, 1)
        window = square_window(left_m, top_m, size_px, (pixel_m, pixel_m))
        footprints = footprints_in(world, window, END_YEAR)
        if len(buildings_on(sites[k], window, footprints)) >= MIN_BUILDINGS:
            return sites[k], window
    raise ValueError("none of the towns grows between 2013 and 2022")


def _sequence(
    rng: np.random.Generator, world: World, towns: tuple[Town, ...]
) -> tuple[list[float], Window, tuple[Site, ...]]:
    """Return the dates, the window, and the one to four sites that are asked about."""
    pixel_m = round(float(rng.uniform(*PIXEL_M)), 3)
    anchor, window = site_windows(rng, world, towns, SIZE_PX, pixel_m)
    num_dates = int(rng.integers(3, 9))
    start = anchor.year - rng.uniform(0.6, 2.2)
    years = [round(float(y), 4) for y in start + np.cumsum(rng.uniform(0.25, 0.75, num_dates))]
    seen = visible(tuple(s for town in towns for s in sites_of(world, town)), window)
    footprints = footprints_in(world, window, END_YEAR)
    others = [
        site
        for site in seen
        if not np.array_equal(site.ring_m, anchor.ring_m)
        and len(buildings_on(site, window, footprints)) >= MIN_BUILDINGS
    ]
    chosen = [anchor, *(others[k] for k in rng.permutation(len(others))[:3])]
    return years, window, tuple(chosen)


def _pictures(
    rng: np.random.Generator,
    world: World,
    window: Window,
    years: list[float],
    sites: tuple[Site, ...],
    number: int,
) -> tuple[dict[str, Image], list[int]]:
    """Return the pictures by their path, and the places in the sequence of the clouded ones."""
    offsets = rng.integers(0, 20, 2) * SIZE_PX
    pictures, clouded = {}, []
    finished = max(site.year for site in sites) + FINISHED_AFTER
    plots = {
        id(site): buildings_on(site, window, footprints_in(world, window, finished))
        for site in sites
    }
    for k, year in enumerate(years):
        picture = _picture(world, window, year, sites, plots, Light.drawn(rng))
        if rng.uniform() < CLOUDED_SHARE:
            picture = add_clouds(picture, rng, float(rng.uniform(0.1, 0.45)))
            clouded.append(k)
        day = day_of(year)
        stem = f"{number}.d{k + 1}.{day:%m%d%Y}_{offsets[0]}_{offsets[1]}"
        pictures[f"TEOChatlas_images/QFabric/{stem}.tif"] = picture
    return pictures, clouded


def _picture(
    world: World,
    window: Window,
    year: float,
    sites: tuple[Site, ...],
    plots: dict[int, Any],
    light: Light,
) -> Image:
    """Return the picture of one date: sites show their stage, all else is as the world has it."""
    on_sites = {f.building.building_id for site in sites for f in plots[id(site)]}
    standing = [
        f for f in footprints_in(world, window, year) if f.building.building_id not in on_sites
    ]
    for site in sites:
        standing += roofed(site.status(year), plots[id(site)])

    def draw_sites(image: Image) -> None:
        for site in sites:
            place_seed = abs(int(site.ring_m[0, 0] * 7 + site.ring_m[0, 1] * 13))
            paint_site(
                image, site.ring_px(window), site.status(year), plots[id(site)], window.pixel_m,
                place_seed,
            )  # fmt: skip

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
