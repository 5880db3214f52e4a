"""Where towns and farms lie, the roads between towns, and the buildings near a place."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tasks.planet.buildings import NONE, Building, Stock, Town, joined
from tasks.planet.classes import Land
from tasks.planet.noise import mix, unit
from tasks.planet.plots import farm_buildings
from tasks.planet.sectors import ground_at
from tasks.planet.terrain import SEA_LEVEL, height
from tasks.planet.town_plan import town_stock
from tasks.planet.window import Window

_TOWN_CELL_M = 2600.0
_TOWN_REACH_M = 2000.0
_FARM_CELL_M = 640.0
_FARMED = (
    Land.ARABLE, Land.PASTURE, Land.COMPLEX, Land.AGRO_NATURAL, Land.ORCHARD, Land.VINEYARD,
    Land.OLIVES, Land.AGROFORESTRY,
)  # fmt: skip
_MOTORWAY_TOWN_M = 520.0  # two towns larger than this are joined by a motorway

Bounds = tuple[float, float, float, float]


def towns_in(seed: int, bounds_m: Bounds) -> tuple[Town, ...]:
    """Return the towns whose built-up area may reach into (west, south, east, north)."""
    return tuple(
        town
        for i, j in _cells(bounds_m, _TOWN_CELL_M, _TOWN_REACH_M)
        if (town := _town(seed, i, j)) is not None
    )


def buildings_in(seed: int, bounds_m: Bounds, year: float) -> tuple[Building, ...]:
    """Return the buildings that stand at that date and whose box touches the bounds."""
    return stock_in(seed, bounds_m, year).objects()


def stock_in(seed: int, bounds_m: Bounds, year: float) -> Stock:
    """Return the same as `buildings_in`, as arrays."""
    stocks = [town_stock(seed, town).touching(bounds_m) for town in towns_in(seed, bounds_m)]
    stocks += [
        _farm(seed, i, j).touching(bounds_m) for i, j in _cells(bounds_m, _FARM_CELL_M, 60.0)
    ]
    stock = joined(stocks)
    return stock.where(stock.year_K <= year)


def roads_in(seed: int, bounds_m: Bounds) -> tuple[tuple[NDArray[np.float64], bool], ...]:
    """Return the roads between towns as (points (P, 2) in world metres, is it a motorway)."""
    roads = []
    for i, j in _cells(bounds_m, _TOWN_CELL_M, 1.5 * _TOWN_CELL_M):
        for di, dj in ((1, 0), (0, 1), (1, 1), (1, -1)):
            road = _road(seed, i, j, i + di, j + dj)
            if road is not None and _meets(road[0], bounds_m):
                roads.append(road)
    return tuple(roads)


def _meets(points_P2: NDArray[np.float64], bounds_m: Bounds) -> bool:
    """Return whether the box of a line touches the bounds."""
    (west, south), (east, north) = points_P2.min(axis=0), points_P2.max(axis=0)
    across = west <= bounds_m[2] and east >= bounds_m[0]
    return bool(across and south <= bounds_m[3] and north >= bounds_m[1])


def _cells(bounds_m: Bounds, cell_m: float, reach_m: float) -> list[tuple[int, int]]:
    """Return the lattice cells whose settlement may lie within reach of the bounds."""
    west, south, east, north = bounds_m
    columns = range(int((west - reach_m) // cell_m), int((east + reach_m) // cell_m) + 1)
    rows = range(int((south - reach_m) // cell_m), int((north + reach_m) // cell_m) + 1)
    return [(i, j) for i in columns for j in rows]


@lru_cache(maxsize=8192)
def _town(seed: int, i: int, j: int) -> Town | None:
    """Return the town of a lattice cell, or None where it has none or that place is sea."""
    draws = unit(seed + 330, i, 8 * j + np.arange(7)).tolist()
    x_m, y_m = (i + draws[0]) * _TOWN_CELL_M, (j + draws[1]) * _TOWN_CELL_M
    at = Window(x_W=np.array([x_m]), y_H=np.array([y_m]))
    if draws[2] > 0.72 or float(height(seed, at)[0, 0]) < SEA_LEVEL + 0.06:
        return None
    return Town(
        town_id=int(mix(seed + 329, i, j) >> np.uint64(1)),
        x_m=x_m,
        y_m=y_m,
        radius_m=170.0 + 950.0 * draws[3] ** 2.2,
        heading_rad=np.pi / 2 * draws[4],
        block_u_m=95.0 + 60.0 * draws[5],
        block_v_m=58.0 + 22.0 * draws[6],
    )


@lru_cache(maxsize=32768)
def _farm(seed: int, i: int, j: int) -> Stock:
    """Return the farm of a lattice cell; no buildings where it has none."""
    if float(unit(seed + 340, i, j)) > 0.5:
        return NONE
    x_m = (i + float(unit(seed + 341, i, j))) * _FARM_CELL_M
    y_m = (j + float(unit(seed + 342, i, j))) * _FARM_CELL_M
    around = np.array([(x_m + dx, y_m + dy) for dx in (-40, 0, 40) for dy in (-40, 0, 40)])
    if not np.isin(ground_at(seed, around), _FARMED).all():
        return NONE
    if any(
        np.hypot(town.x_m - x_m, town.y_m - y_m) < 1.25 * town.radius_m + 60
        for town in towns_in(seed, (x_m, y_m, x_m, y_m))
    ):
        return NONE
    return farm_buildings(seed, int(mix(seed + 343, i, j) >> np.uint64(1)), x_m, y_m)


@lru_cache(maxsize=32768)
def _road(
    seed: int, i: int, j: int, i_to: int, j_to: int
) -> tuple[NDArray[np.float64], bool] | None:
    """Return a gently bent road between the towns of two lattice cells, if there is one."""
    start, end = _town(seed, i, j), _town(seed, i_to, j_to)
    wanted = 0.9 if i == i_to or j == j_to else 0.3
    if start is None or end is None or float(unit(seed + 350, i + 3 * i_to, j + 5 * j_to)) > wanted:
        return None
    first, last = np.array([start.x_m, start.y_m]), np.array([end.x_m, end.y_m])
    aside = np.array([first[1] - last[1], last[0] - first[0]])
    bends = 0.5 * (unit(seed + 351, np.arange(2) + 7 * i, j + 11 * j_to) - 0.5)
    t_P = np.linspace(0.0, 1.0, 25)[:, None]
    third, two_thirds = (first + (last - first) * k / 3 + aside * bends[k - 1] for k in (1, 2))
    points_P2 = (
        (1 - t_P) ** 3 * first
        + 3 * t_P * (1 - t_P) ** 2 * third
        + 3 * t_P**2 * (1 - t_P) * two_thirds
        + t_P**3 * last
    )
    motorway = min(start.radius_m, end.radius_m) > _MOTORWAY_TOWN_M
    return points_P2, motorway
