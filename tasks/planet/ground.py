"""Land use before people build towns: waters, shores, wetlands, forests, fields and heights."""

import numpy as np
from numpy.typing import NDArray

from tasks.planet.classes import Land
from tasks.planet.mosaic import Mosaic, mosaic
from tasks.planet.noise import Floats, fbm
from tasks.planet.terrain import (
    SEA_LEVEL,
    climate,
    coast_distance,
    height,
    lake_depth,
    moisture,
    river_distance,
    river_half_width,
)
from tasks.planet.window import Window

_PARISH_M = 1300.0
_QUARTER_M = 560.0
_FELLING_YEARS = 5.0  # a felled stand is scrub for this long

# farmland of a parish: cumulative shares in cool, temperate and warm climates
_FARMLAND = (
    Land.ARABLE,
    Land.PASTURE,
    Land.COMPLEX,
    Land.AGRO_NATURAL,
    Land.ORCHARD,
    Land.VINEYARD,
    Land.OLIVES,
    Land.AGROFORESTRY,
)
_SHARES = np.array(
    [
        [0.34, 0.38, 0.12, 0.16, 0.0, 0.0, 0.0, 0.0],
        [0.44, 0.20, 0.13, 0.13, 0.05, 0.05, 0.0, 0.0],
        [0.28, 0.08, 0.16, 0.14, 0.07, 0.08, 0.09, 0.10],
    ]
)


def ground(seed: int, window: Window, year: float) -> NDArray[np.uint8]:
    """Return the `Land` use of open country, (H, W) uint8: everything but settlements."""
    warmth_HW = climate(seed, window)
    wet_HW = moisture(seed, window)
    height_HW = height(seed, window)
    land_HW = _farmland(seed, window, warmth_HW)
    _plant_forest(land_HW, seed, window, year, height_HW, warmth_HW, wet_HW)
    _raise_uplands(land_HW, seed, window, height_HW)
    river_HW = river_distance(seed, window)
    _soak_wetlands(land_HW, seed, window, height_HW, warmth_HW, wet_HW, river_HW)
    _fill_waters(land_HW, seed, window, year, height_HW, river_HW)
    return land_HW


def _farmland(seed: int, window: Window, warmth_HW: Floats) -> NDArray[np.uint8]:
    """Return the use of fields: one for a parish, with quarters that differ."""
    parishes = mosaic(seed + 201, window, _PARISH_M, 90.0)
    quarters = mosaic(seed + 202, window, _QUARTER_M, 45.0)
    draw_HW = parishes.draw_N(seed + 203)[parishes.cell_HW]
    own_N = quarters.draw_N(seed + 204)
    differs_HW = (quarters.draw_N(seed + 205) < 0.26)[quarters.cell_HW]
    draw_HW = np.where(differs_HW, own_N[quarters.cell_HW], draw_HW)
    zone_HW = np.digitize(warmth_HW, [-0.35, 0.55])
    limits = np.cumsum(_SHARES, axis=1).astype(np.float32)
    land_HW = np.empty(window.shape_HW, dtype=np.uint8)
    uses = np.array(_FARMLAND, dtype=np.uint8)
    for zone in range(3):
        here_HW = zone_HW == zone
        rank_N = np.searchsorted(limits[zone], draw_HW[here_HW], side="right")
        land_HW[here_HW] = uses[np.minimum(rank_N, len(uses) - 1)]
    return land_HW


def _plant_forest(
    land_HW: NDArray[np.uint8],
    seed: int,
    window: Window,
    year: float,
    height_HW: Floats,
    warmth_HW: Floats,
    wet_HW: Floats,
) -> None:
    """Put woods of three kinds over the fields, with felled stands and shrubby margins."""
    dense_HW = fbm(seed + 211, window.x_W, window.y_H, 1700.0, 5, 0.45)
    dense_HW = dense_HW + 0.45 * height_HW + 0.15 * wet_HW
    stands = mosaic(seed + 212, window, 260.0, 25.0)
    kind_HW = fbm(seed + 213, window.x_W, window.y_H, 1900.0, 3) + 0.7 * warmth_HW
    land_HW[(dense_HW > 0.42) & (stands.draw_N(seed + 214) < 0.45)[stands.cell_HW]] = Land.SCRUB
    forest_HW = dense_HW > 0.58
    forest = np.array([Land.CONIFER, Land.MIXED_FOREST, Land.BROADLEAF], dtype=np.uint8)
    land_HW[forest_HW] = forest[np.digitize(kind_HW, [-0.3, 0.45])][forest_HW]
    land_HW[forest_HW & _felled_N(stands, seed, year)[stands.cell_HW]] = Land.SCRUB


def _felled_N(stands: Mosaic, seed: int, year: float) -> NDArray[np.bool_]:
    """Return which stands were felled in the last few years; each falls once in 60 years."""
    age_N = np.mod(year - 60.0 * stands.draw_N(seed + 215), 60.0)
    return np.asarray(age_N < _FELLING_YEARS)


def _raise_uplands(
    land_HW: NDArray[np.uint8], seed: int, window: Window, height_HW: Floats
) -> None:
    """Above the tree line: heath, then grass, stones and rock, in bands that wander."""
    band_HW = height_HW + 0.3 * fbm(seed + 221, window.x_W, window.y_H, 900.0, 4)
    heath_HW = fbm(seed + 222, window.x_W, window.y_H, 1100.0, 3)
    land_HW[(band_HW > 1.15) & (heath_HW > 0.1)] = Land.HEATH
    land_HW[(band_HW > 1.2) & (heath_HW < -0.5)] = Land.GRASSLAND
    land_HW[band_HW > 1.8] = Land.GRASSLAND
    land_HW[(band_HW > 1.75) & (heath_HW > 0.4)] = Land.SPARSE
    land_HW[band_HW > 2.15] = Land.SPARSE
    land_HW[band_HW > 2.4] = Land.ROCK


def _soak_wetlands(
    land_HW: NDArray[np.uint8],
    seed: int,
    window: Window,
    height_HW: Floats,
    warmth_HW: Floats,
    wet_HW: Floats,
    river_HW: Floats,
) -> None:
    """Marsh in wet lowland and beside rivers, bog where it is cool and wet."""
    patch_HW = fbm(seed + 231, window.x_W, window.y_H, 800.0, 4)
    low_HW = (height_HW < 0.1) & (wet_HW + 0.5 * patch_HW > 1.55)
    beside_HW = (river_HW < 150) & (patch_HW + 0.5 * wet_HW > 1.0)
    land_HW[(low_HW | beside_HW) & (height_HW < 1.0)] = Land.MARSH
    bog_HW = (wet_HW + 0.6 * patch_HW > 1.3) & (warmth_HW < 0.1) & (height_HW > -0.3)
    land_HW[bog_HW & (height_HW < 1.7)] = Land.PEATBOG


def _fill_waters(
    land_HW: NDArray[np.uint8],
    seed: int,
    window: Window,
    year: float,
    height_HW: Floats,
    river_HW: Floats,
) -> None:
    """Lakes with reedy shores, rivers, the sea with beaches, salt marshes and flats."""
    coast_HW = coast_distance(window, height_HW)
    shore_HW = fbm(seed + 241, window.x_W, window.y_H, 1300.0, 4)
    lake_HW = lake_depth(seed, window, year)
    inland_HW = (height_HW < 1.3) & (coast_HW > 60)
    land_HW[(lake_HW > -0.12) & inland_HW & (shore_HW > 0.5)] = Land.MARSH
    land_HW[(lake_HW > 0) & inland_HW] = Land.LAKE
    runs_HW = (river_HW < river_half_width(seed, window, year)) & (height_HW < 1.5)
    land_HW[(coast_HW < 330) & (shore_HW > 0.55)] = Land.SALT_MARSH
    land_HW[(coast_HW < 60 + 70 * shore_HW) & (shore_HW <= 0.55)] = Land.BEACH
    land_HW[runs_HW] = Land.RIVER
    sea_HW = height_HW < SEA_LEVEL
    land_HW[sea_HW] = Land.SEA
    land_HW[sea_HW & (coast_HW > -160) & (shore_HW > 0.8)] = Land.TIDAL_FLAT
    land_HW[sea_HW & (river_HW < 420) & (coast_HW > -1500)] = Land.ESTUARY
