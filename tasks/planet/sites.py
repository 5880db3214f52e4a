"""Building sites: street blocks at the rim of towns, and the stages they go through."""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Point, Polygon, box

from tasks.planet.classes import Land
from tasks.planet.footprints import Footprint, Points
from tasks.planet.town_plan import town_plan
from tasks.planet.window import Window
from tasks.planet.world import Town, World

# first year of each stage, counted from the year in which the block's first building stands
STAGES = (
    ("Greenland", -math.inf),
    ("Land Cleared", -1.0),
    ("Excavation", -0.75),
    ("Materials Dumped", -0.5),
    ("Construction Started", -0.25),
    ("Construction Midway", 0.1),
    ("Construction Done", 0.7),
    ("Operational", 1.3),
)
STATUSES = tuple(name for name, _ in STAGES)
EARTH_STATUSES = STATUSES[1:-1]  # the ground of the site is bare earth
FIRST_ROOFS = STATUSES.index("Construction Midway")
TYPES = {Land.TOWN: "Residential", Land.TOWN_DENSE: "Commercial", Land.INDUSTRY: "Industrial"}
KERB_M = 4.0  # half a street: the site ends there
MIN_VISIBLE = 0.4  # share of a site that must lie in the picture
FINISHED_AFTER = 0.65  # years until the last building of a block stands

_EARTH = (168, 142, 112)
_PIT = (118, 96, 74)
_SLAB = (196, 192, 184)
_PILES = ((206, 190, 160), (146, 132, 116), (176, 110, 84))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A block under development: its corners in world metres, kind, and the year it is built."""

    ring_m: Points
    kind: str
    year: float

    def status(self, year: float) -> str:
        """Return the stage of the site at a date."""
        return [name for name, start in STAGES if year - self.year >= start][-1]

    def ring_px(self, window: Window) -> Points:
        """Return the corners in pixels from the top left corner of the picture."""
        return window.pixels(self.ring_m) + 0.5


@lru_cache(maxsize=64)
def sites_of(world: World, town: Town) -> tuple[Site, ...]:
    """Return the blocks of a town that are built up within the age of satellites, from 2012 on."""
    plan = town_plan(world.seed, town)
    reach = plan.use_NN.shape[0] // 2
    sites = []
    for row, column in zip(*np.nonzero(plan.year_NN >= 2012.0), strict=True):
        use = Land(int(plan.use_NN[row, column])) if plan.use_NN[row, column] < 255 else Land.SEA
        if use in TYPES:
            ring = _ring(town, int(column) - reach, int(row) - reach)
            year = float(plan.year_NN[row, column])
            sites.append(Site(ring_m=ring, kind=TYPES[use], year=year))
    return tuple(sites)


def visible(sites: tuple[Site, ...], window: Window) -> tuple[Site, ...]:
    """Return the sites of which enough lies in the picture."""
    height, width = window.shape_HW
    frame = box(0, 0, width, height)
    west, south, east, north = window.bounds_m
    return tuple(
        site
        for site in sites
        if west < site.ring_m[:, 0].mean() < east
        and south < site.ring_m[:, 1].mean() < north
        and _share(Polygon(site.ring_px(window)), frame) >= MIN_VISIBLE
    )


def buildings_on(site: Site, window: Window, footprints: tuple[Footprint, ...]) -> list[Footprint]:
    """Return the footprints that stand on a site."""
    ring = Polygon(site.ring_px(window))
    return [f for f in footprints if ring.contains(Point(f.polygon.centroid))]


def paint_site(
    image: NDArray[np.uint8],
    ring_px: Points,
    status: str,
    buildings: list[Footprint],
    pixel_m: float,
    seed: int,
) -> None:
    """Draw the ground of a site into (H, W, 3) RGB: earth, pit, heaps, foundation slabs."""
    if status not in EARTH_STATUSES:
        return
    rng = np.random.default_rng([seed, 7])
    _fill_earth(image, ring_px, _EARTH, rng)
    middle = ring_px.mean(axis=0)
    if status == "Excavation":
        _fill_earth(image, middle + (ring_px - middle) * 0.7, _PIT, rng)
    if status in ("Materials Dumped", "Construction Started"):
        for weights in rng.dirichlet(np.ones(4) * 1.5, 40):
            x, y = (round(float(weights @ ring_px[:, axis]) - 0.5) for axis in (0, 1))
            radius = max(round(rng.uniform(1.0, 2.6) / pixel_m), 1)
            cv2.circle(image, (x, y), radius, _PILES[int(rng.integers(3))], -1, cv2.LINE_AA)
    if status in ("Construction Started", "Construction Midway"):
        for footprint in buildings:
            ring = np.rint(footprint.outline_px - 0.5).astype(np.int32)
            cv2.fillPoly(image, [ring], _SLAB, cv2.LINE_AA)


def roofed(status: str, buildings: list[Footprint]) -> list[Footprint]:
    """Return which of a site's buildings have a roof: none, every second one, or all."""
    if STATUSES.index(status) < FIRST_ROOFS:
        return []
    return buildings[::2] if status == "Construction Midway" else buildings


def _ring(town: Town, i: int, j: int) -> Points:
    u = np.array([i * town.block_u_m + KERB_M, (i + 1) * town.block_u_m - KERB_M])[[0, 1, 1, 0]]
    v = np.array([j * town.block_v_m + KERB_M, (j + 1) * town.block_v_m - KERB_M])[[0, 0, 1, 1]]
    cos, sin = math.cos(town.heading_rad), math.sin(town.heading_rad)
    return np.stack([town.x_m + u * cos - v * sin, town.y_m + u * sin + v * cos], axis=1)


def _share(ring: Polygon, frame: Polygon) -> float:
    return float(ring.intersection(frame).area / ring.area)


def _fill_earth(
    image: NDArray[np.uint8],
    ring_px: Points,
    colour: tuple[int, int, int],
    rng: np.random.Generator,
) -> None:
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(ring_px - 0.5).astype(np.int32)], 255)
    rough = cv2.resize(rng.standard_normal((height // 5, width // 5), np.float32), (width, height))
    earth = np.clip((1 + 0.09 * rough)[:, :, None] * np.array(colour, np.float32), 0, 255)
    image[mask > 0] = earth[mask > 0]
