"""Tree crowns of woods, orchards and gardens, one by one, at fixed places of the world."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tasks.planet.classes import Cover
from tasks.planet.compiled import compiled
from tasks.planet.noise import unit
from tasks.planet.tone import dimmed
from tasks.planet.window import Window
from tasks.planet.world import Event, World

SPACING_M = 5.0
DENSITY = {
    Cover.BROADLEAF_TREE: 0.95,
    Cover.CONIFER_TREE: 0.95,
    Cover.OLIVE_GROVE: 0.6,
    Cover.SHRUB: 0.35,
    Cover.GARDEN: 0.22,
    Cover.LAWN: 0.1,
    Cover.MEADOW: 0.012,
}  # share of the lattice places that carry a crown
GREENS = ((52, 74, 44), (64, 88, 48), (44, 64, 46), (78, 96, 56))
STRIPPED = {"fire": (46, 38, 32), "volcano": (88, 84, 80), "wind": (96, 88, 70)}
IN_SHADE = (0.55, 0.58, 0.66)  # of the light: what is left is the blue of the sky
TOWARD_SUN = 0.4  # radii from the middle of a crown to its brightest point
SUNLIT, FALL_OFF = 1.28, 0.45  # light there, and what is lost a radius further away
_FALLEN = 0.5  # severity above which a crown is burnt, buried or stripped


@lru_cache(maxsize=4)
def halved(window: Window) -> Window:
    """Return the window with pixels of twice the size, or itself where its sides are odd.

    The same object for the same window, because the world keeps what it has seen by window.
    """
    even = all(side % 2 == 0 for side in window.shape_HW)
    return window.thinned(2) if even else window


def paint_crowns(
    image: NDArray[np.uint8],
    world: World,
    window: Window,
    year: float,
    sun: tuple[float, float],
    shadow: float,
    event: Event | None,
) -> None:
    """Draw the crowns of a window into (H, W, 3) RGB, each with its shadow, lit from `sun`."""
    at_K2, radius_K, key_K, cover_K, hit_K = _crowns(world, window, year, event)
    toward = np.array(sun)
    shade_HW = np.zeros(image.shape[:2], np.uint8)
    _mark_discs(shade_HW, at_K2 - toward * shadow * 1.3 * radius_K[:, None], radius_K)
    np.copyto(image, dimmed(image, IN_SHADE, shade_HW))
    green_K3 = np.array(GREENS)[(key_K * 97).astype(np.int64) % len(GREENS)]
    green_K3 = green_K3 * (0.8 + 0.45 * key_K[:, None])
    green_K3[cover_K == Cover.CONIFER_TREE] *= (0.72, 0.8, 0.86)
    if event is not None and event.kind in STRIPPED:
        green_K3[hit_K] = STRIPPED[event.kind]
        radius_K = np.where(hit_K, radius_K * 0.75, radius_K)
    _round_crowns(image, at_K2, radius_K, green_K3.astype(np.float32), toward * TOWARD_SUN)


def _crowns(
    world: World, window: Window, year: float, event: Event | None
) -> tuple[NDArray[np.float64], ...]:
    """Return the crowns' pixel places (K, 2), radii in pixels, keys in 0..1, covers, struck."""
    west, south, east, north = window.bounds_m
    columns = np.arange(int(west // SPACING_M) - 1, int(east // SPACING_M) + 2)
    rows = np.arange(int(south // SPACING_M) - 1, int(north // SPACING_M) + 2)
    i_K, j_K = (grid.ravel() for grid in np.meshgrid(columns, rows))
    x_K = (i_K + unit(world.seed + 61, i_K, j_K)) * SPACING_M
    y_K = (j_K + unit(world.seed + 62, i_K, j_K)) * SPACING_M
    at_K2 = window.pixels(np.stack([x_K, y_K], axis=1)) + 0.5
    height, width = window.shape_HW
    inside = np.all((at_K2 >= 0) & (at_K2 < (width, height)), axis=1)
    at_K2, i_K, j_K = at_K2[inside], i_K[inside], j_K[inside]
    coarse = halved(window)
    column_K, row_K = at_K2.astype(np.int64).T // (width // coarse.shape_HW[1])
    cover_K = world.cover_HW(coarse, year)[row_K, column_K]
    chance = np.zeros(256)
    for cover, share in DENSITY.items():
        chance[cover] = share
    grown = unit(world.seed + 63, i_K, j_K) < chance[cover_K]
    hit_K = np.zeros(len(at_K2), bool)
    if event is not None:
        hit_K = world.severity_HW(coarse, event)[row_K, column_K] > _FALLEN
    key_K = unit(world.seed + 64, i_K, j_K).astype(np.float64)
    radius_K = (1.2 + 2.6 * key_K) / window.pixel_m
    return at_K2[grown], radius_K[grown], key_K[grown], cover_K[grown], hit_K[grown]


@compiled
def _mark_discs(
    shade_HW: NDArray[np.uint8], at_K2: NDArray[np.float64], radius_K: NDArray[np.float64]
) -> None:
    """Set the pixels of K discs to 255."""
    height, width = shade_HW.shape
    for k in range(radius_K.size):
        x, y, radius = at_K2[k, 0], at_K2[k, 1], radius_K[k]
        for row in range(max(int(y - radius), 0), min(int(y + radius) + 1, height)):
            for column in range(max(int(x - radius), 0), min(int(x + radius) + 1, width)):
                if (column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2 < radius * radius:
                    shade_HW[row, column] = 255


@compiled
def _round_crowns(
    image: NDArray[np.uint8],
    at_K2: NDArray[np.float64],
    radius_K: NDArray[np.float64],
    green_K3: NDArray[np.float32],
    toward: NDArray[np.float64],
) -> None:
    """Draw K discs with smooth edges, brightest at `toward`, in radii from the middle."""
    height, width = image.shape[:2]
    for k in range(radius_K.size):
        x, y, radius = at_K2[k, 0], at_K2[k, 1], radius_K[k]
        reach = radius + 0.5
        for row in range(max(int(y - reach), 0), min(int(y + reach) + 1, height)):
            for column in range(max(int(x - reach), 0), min(int(x + reach) + 1, width)):
                right, down = column + 0.5 - x, row + 0.5 - y
                share = min(reach - np.sqrt(right * right + down * down), 1.0)
                if share <= 0.0:
                    continue
                right, down = right / radius - toward[0], down / radius - toward[1]
                lit = SUNLIT - FALL_OFF * np.sqrt(right * right + down * down)
                for channel in range(3):
                    under = float(image[row, column, channel])
                    seen = under + share * (lit * green_K3[k, channel] - under)
                    image[row, column, channel] = np.uint8(min(seen + 0.5, 255.0))
