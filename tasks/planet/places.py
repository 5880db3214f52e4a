"""Where on the world the high-resolution pictures are taken: in and around its towns."""

import math

import numpy as np

from tasks.planet.settlement import stock_in
from tasks.planet.window import Window
from tasks.planet.world import Town, World

REACH_M = 150_000.0  # of the part of the plane that is used, from its middle to its border
TOWNS = 5
_TRIES = 30
_FEW, _RIM, _INSIDE = 6, (0.7, 1.7), (0.0, 1.1)  # buildings; shares of a town's radius
_EMPTY = 10_000  # how far an empty window is from any number
_LIST_KM = 14  # side of the square that is searched for towns at once


def towns_together(rng: np.random.Generator, world: World) -> tuple[Town, ...]:
    """Return up to `TOWNS` towns that lie near one another, somewhere in the world.

    Few and near, because the plans of a town and of its neighbours are laid out when first asked.
    """
    towns: tuple[Town, ...] = ()
    while not towns:
        left_m, top_m = rng.uniform(-REACH_M, REACH_M, 2)
        towns = world.towns(
            Window.regular(
                left_m=left_m, top_m=top_m, pixel_m=1000.0, height=_LIST_KM, width=_LIST_KM
            )
        )
    first = towns[int(rng.integers(len(towns)))]
    return tuple(
        sorted(towns, key=lambda town: math.hypot(town.x_m - first.x_m, town.y_m - first.y_m))
    )[:TOWNS]


def find_window(
    rng: np.random.Generator,
    world: World,
    towns: tuple[Town, ...],
    *,
    size_px: int,
    pixel_m: tuple[float, float],
    year: float,
    wanted: tuple[int, int],
) -> Window:
    """Return a window that holds a number of buildings within `wanted`, both ends included.

    Where all draws fail, the one whose number comes nearest is taken, an empty one last of all.
    Buildings count whose middle lies in the window. Few are found at the rim of a town.
    """
    away = _RIM if wanted[1] <= _FEW else _INSIDE
    best, nearest = None, math.inf
    for _ in range(_TRIES):
        window = _near(rng, towns[int(rng.integers(len(towns)))], size_px, pixel_m, away)
        count = _count(world, window, year)
        gap = max(wanted[0] - count, count - wanted[1], 0) if count else _EMPTY
        if gap < nearest:
            best, nearest = window, gap
        if not gap:
            break
    assert best is not None
    return best


def square_window(
    left_m: float, top_m: float, size_px: int, pixel_m: tuple[float, float]
) -> Window:
    """Return a square window whose pixels may differ a little in width and height."""
    steps = np.arange(size_px) + 0.5
    x_W, y_H = left_m + steps * pixel_m[0], top_m - steps * pixel_m[1]
    return Window(x_W=x_W.astype(np.float64), y_H=y_H.astype(np.float64))


def _near(
    rng: np.random.Generator,
    town: Town,
    size_px: int,
    pixel_m: tuple[float, float],
    away: tuple[float, float],
) -> Window:
    away_m = town.radius_m * rng.uniform(*away)
    angle = rng.uniform(0, 2 * math.pi)
    x_m, y_m = town.x_m + away_m * math.cos(angle), town.y_m + away_m * math.sin(angle)
    half_x, half_y = size_px * pixel_m[0] / 2, size_px * pixel_m[1] / 2
    # whole decimetres keep the numbers of two runs on two machines the same
    return square_window(round(x_m - half_x, 1), round(y_m + half_y, 1), size_px, pixel_m)


def _count(world: World, window: Window, year: float) -> int:
    middles = stock_in(world.seed, window.bounds_m, year).corners_K42.mean(axis=1)
    columns, rows = window.pixels(middles).T
    height, width = window.shape_HW
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return int(inside.sum())
