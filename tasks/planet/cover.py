"""Physical cover: crops on plots, trees, streets and roofs, drawn over land use."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tasks.planet.biomes import settle_biome
from tasks.planet.classes import Cover, Land
from tasks.planet.events import Event, strike
from tasks.planet.land import block_index, land, street_coordinates
from tasks.planet.noise import Floats, fbm, unit
from tasks.planet.parcels import parcels
from tasks.planet.plots import NOT_DRY
from tasks.planet.settlement import roads_in, stock_in, towns_in
from tasks.planet.strokes import paint_polygons, stroke
from tasks.planet.town_plan import NO_BLOCK, town_plan
from tasks.planet.window import Window

_FINEST_GROUND_M = 2.2  # open country is not computed finer than this, only repeated,
_FINEST_SATELLITE_M = 8.0  # nor finer than this where pixels are larger than _AERIAL_M
_AERIAL_M = 3.0
_STREET_HALF_M = 4.0
_ROAD_M = 9.0
_HEDGE_HALF_M = 5.0
_TRACK_HALF_M = 2.2
_TONE_RANGE = np.float32(0.34)  # how much plots of one crop differ in brightness

# what is sown on the plots of a land use, each as likely as it is listed
_SOWN = {
    Land.ARABLE: (
        Cover.CROP_GREEN, Cover.CROP_GREEN, Cover.CROP_DARK, Cover.CROP_DARK, Cover.CROP_RIPE,
        Cover.CROP_RIPE, Cover.STUBBLE, Cover.SOIL, Cover.SOIL, Cover.RAPESEED, Cover.MEADOW,
    ),
    Land.COMPLEX: (
        Cover.CROP_GREEN, Cover.CROP_RIPE, Cover.MEADOW, Cover.GARDEN, Cover.SOIL, Cover.VINES,
        Cover.BROADLEAF_TREE,
    ),
    Land.AGRO_NATURAL: (
        Cover.CROP_GREEN, Cover.CROP_RIPE, Cover.MEADOW, Cover.MEADOW, Cover.SHRUB,
        Cover.BROADLEAF_TREE, Cover.DRY_GRASS,
    ),
}  # fmt: skip
_PLOT_SIZES = {
    Land.ARABLE: 1.0, Land.COMPLEX: 0.42, Land.AGRO_NATURAL: 0.6, Land.PASTURE: 0.85,
    Land.VINEYARD: 0.7, Land.ORCHARD: 0.8, Land.OLIVES: 0.9,
}  # fmt: skip
_PLOT_SIZE = np.array([_PLOT_SIZES.get(use, 0.0) for use in Land], dtype=np.float32)

# what a land use looks like where nothing finer is drawn
_PLAIN = {
    Land.SEA: Cover.SEA_WATER, Land.ESTUARY: Cover.TURBID_WATER, Land.RIVER: Cover.FRESH_WATER,
    Land.LAKE: Cover.FRESH_WATER, Land.BEACH: Cover.SAND, Land.SALT_MARSH: Cover.REED,
    Land.TIDAL_FLAT: Cover.MUD, Land.MARSH: Cover.REED, Land.PEATBOG: Cover.PEAT,
    Land.ARABLE: Cover.SOIL, Land.VINEYARD: Cover.VINES, Land.ORCHARD: Cover.OLIVE_GROVE,
    Land.OLIVES: Cover.OLIVE_GROVE, Land.PASTURE: Cover.MEADOW, Land.COMPLEX: Cover.GARDEN,
    Land.AGRO_NATURAL: Cover.MEADOW, Land.AGROFORESTRY: Cover.DRY_GRASS,
    Land.BROADLEAF: Cover.BROADLEAF_TREE, Land.CONIFER: Cover.CONIFER_TREE,
    Land.MIXED_FOREST: Cover.CONIFER_TREE, Land.GRASSLAND: Cover.ALPINE_GRASS,
    Land.HEATH: Cover.HEATHER, Land.SCRUB: Cover.SHRUB, Land.SPARSE: Cover.STONES,
    Land.ROCK: Cover.BARE_ROCK, Land.TOWN_DENSE: Cover.PAVING, Land.TOWN: Cover.GARDEN,
    Land.INDUSTRY: Cover.PAVING, Land.MOTORWAY: Cover.LAWN, Land.QUARRY: Cover.BARE_EARTH,
    Land.CONSTRUCTION: Cover.BARE_EARTH, Land.PARK: Cover.LAWN, Land.SPORT: Cover.LAWN,
}  # fmt: skip
_PLAIN_ID = np.array([_PLAIN[land_id] for land_id in Land], dtype=np.uint8)
_IS_WATER = np.isin(np.arange(256), (Land.SEA, Land.ESTUARY, Land.LAKE, Land.RIVER))
_IS_WET = np.isin(np.arange(256), NOT_DRY)
# a second cover that grows in patches: (land, cover, patch size in metres, noise above)
_PATCHES = (
    (Land.MIXED_FOREST, Cover.BROADLEAF_TREE, 70.0, 0.0),
    (Land.SCRUB, Cover.MEADOW, 60.0, 0.55),
    (Land.SCRUB, Cover.BROADLEAF_TREE, 45.0, 0.9),
    (Land.HEATH, Cover.SHRUB, 120.0, 0.7),
    (Land.SPARSE, Cover.ALPINE_GRASS, 150.0, 0.3),
    (Land.ROCK, Cover.STONES, 150.0, 0.3),
    (Land.MARSH, Cover.FRESH_WATER, 90.0, 1.5),
    (Land.SALT_MARSH, Cover.MUD, 60.0, 0.8),
    (Land.PEATBOG, Cover.HEATHER, 130.0, 0.4),
    (Land.PEATBOG, Cover.FRESH_WATER, 60.0, 1.7),
    (Land.AGROFORESTRY, Cover.BROADLEAF_TREE, 22.0, 0.75),
    (Land.PASTURE, Cover.DRY_GRASS, 300.0, 1.0),
    (Land.TOWN, Cover.BROADLEAF_TREE, 14.0, 0.9),
    (Land.PARK, Cover.BROADLEAF_TREE, 40.0, 0.35),
    (Land.INDUSTRY, Cover.LAWN, 60.0, 0.9),
    (Land.QUARRY, Cover.BARE_ROCK, 90.0, 0.4),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """Cover of every pixel, and how much brighter its plot is than the cover's mean."""

    cover_HW: NDArray[np.uint8]
    tone_HW: Floats


def cover(seed: int, window: Window, year: float) -> NDArray[np.uint8]:
    """Return the `Cover` of every pixel at a date, (H, W) uint8."""
    return surface(seed, window, year, None).cover_HW


def surface(seed: int, window: Window, year: float, event: Event | None) -> Surface:
    """Return the ground at a date, after the event if there is one."""
    before = _undisturbed(seed, window, year)
    cover_HW = before.cover_HW.copy()
    if event is not None:
        strike(cover_HW, window, event, stock_in(seed, window.bounds_m, year))
    return Surface(cover_HW=cover_HW, tone_HW=before.tone_HW)


@lru_cache(maxsize=2)
def _undisturbed(seed: int, window: Window, year: float) -> Surface:
    """Return the ground at a date; kept, as a pair of pictures shows one window twice."""
    step = _thinning(window)
    coarse = window.thinned(step) if step > 1 else window
    land_HW = land(seed, coarse, year)
    cover_HW = _countryside(seed, coarse, land_HW)
    tone_HW = _sow(cover_HW, land_HW, seed, coarse, year)
    settle_biome(cover_HW, land_HW, seed, coarse)
    if step > 1:
        cover_HW = cover_HW.repeat(step, axis=0).repeat(step, axis=1)
        land_HW = land_HW.repeat(step, axis=0).repeat(step, axis=1)
        tone_HW = tone_HW.repeat(step, axis=0).repeat(step, axis=1)
    _draw_roads(cover_HW, land_HW, seed, window, year)
    stock = stock_in(seed, window.bounds_m, year)
    paint_polygons(cover_HW, window, stock.corners_K42, stock.roof_K)
    return Surface(cover_HW=cover_HW, tone_HW=tone_HW)


def _thinning(window: Window) -> int:
    """Return by how much the open country may be thinned in both directions."""
    height, width = window.shape_HW
    aerial = window.pixel_m < _AERIAL_M
    step = int((_FINEST_GROUND_M if aerial else _FINEST_SATELLITE_M) / window.pixel_m)
    while step > 1 and (height % step or width % step):
        step -= 1
    return max(step, 1)


def _countryside(seed: int, window: Window, land_HW: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return cover without roads and buildings."""
    cover_HW = _PLAIN_ID[land_HW]
    for number, (land_id, grown, size_m, above) in enumerate(_PATCHES):
        here_HW = land_HW == land_id
        if here_HW.any():
            patch_HW = fbm(seed + 501 + number, window.x_W, window.y_H, size_m, 3)
            cover_HW[here_HW & (patch_HW > above)] = grown
    return cover_HW


def _sow(
    cover_HW: NDArray[np.uint8],
    land_HW: NDArray[np.uint8],
    seed: int,
    window: Window,
    year: float,
) -> Floats:
    """Put crops on plots, by plot and half-year, hedges or tracks between; return their tone."""
    tone_HW = np.zeros(window.shape_HW, dtype=np.float32)
    size_HW = _PLOT_SIZE[land_HW]
    farmed_HW = size_HW > 0
    if not farmed_HW.any():
        return tone_HW
    season = int(np.floor(year * 2))
    plots = parcels(seed + 520, window, np.maximum(size_HW, np.float32(0.1)))
    draw_HW = unit(season, plots.key_HW)
    for use, choice in _SOWN.items():
        here_HW = land_HW == use
        crops = np.array(choice, dtype=np.uint8)
        cover_HW[here_HW] = crops[(draw_HW[here_HW] * len(choice)).astype(np.int64)]
    tones_HW = unit(season + 1, plots.key_HW)[farmed_HW] - np.float32(0.5)
    tone_HW[farmed_HW] = _TONE_RANGE * tones_HW
    bushes_HW = fbm(seed + 521, window.x_W, window.y_H, 35.0, 2) > -0.3
    half_pixel_m = 0.55 * window.pixel_m
    near_HW = farmed_HW & (plots.edge_m_HW < max(_HEDGE_HALF_M, half_pixel_m))
    cover_HW[near_HW & plots.hedged_HW & bushes_HW] = Cover.BROADLEAF_TREE
    near_HW = farmed_HW & (plots.edge_m_HW < max(_TRACK_HALF_M, half_pixel_m))
    cover_HW[near_HW & ~plots.hedged_HW] = Cover.TRACK
    return tone_HW


def _draw_roads(
    cover_HW: NDArray[np.uint8],
    land_HW: NDArray[np.uint8],
    seed: int,
    window: Window,
    year: float,
) -> None:
    """Draw roads between towns, then every town's streets."""
    afloat_HW, wet_HW = _IS_WATER[land_HW], _IS_WET[land_HW]
    roads = roads_in(seed, window.bounds_m)
    country = stroke(window, [line for line, motorway in roads if not motorway], _ROAD_M)
    motorway = stroke(window, [line for line, motorway in roads if motorway], 3 * _ROAD_M)
    cover_HW[(country | motorway) & ~afloat_HW] = Cover.ASPHALT
    for town in towns_in(seed, window.bounds_m):
        at = street_coordinates(town, window)
        if at is None:
            continue
        u_HW, v_HW, part = at
        plan = town_plan(seed, town)
        built_N = ((plan.use_NN != NO_BLOCK) & (plan.year_NN <= year)).ravel()
        off_u_HW = np.abs(u_HW - np.rint(u_HW / town.block_u_m) * town.block_u_m)
        off_v_HW = np.abs(v_HW - np.rint(v_HW / town.block_v_m) * town.block_v_m)
        street_HW = np.minimum(off_u_HW, off_v_HW) < _STREET_HALF_M
        street_HW &= built_N[block_index(plan, u_HW, v_HW)] & ~wet_HW[part]
        cover_HW[part][street_HW] = Cover.ASPHALT
