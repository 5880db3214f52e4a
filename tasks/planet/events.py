"""Disasters: where they strike, how hard, and what they do to buildings and to the ground."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tasks.planet.buildings import Stock
from tasks.planet.classes import ROOFS, Cover
from tasks.planet.noise import Floats, fbm, fbm_at, unit
from tasks.planet.strokes import paint_polygons
from tasks.planet.window import Window

KINDS = ("wind", "fire", "flooding", "volcano", "earthquake", "tsunami")
LEVELS = ("no-damage", "minor-damage", "major-damage", "destroyed")
WET = ("flooding", "tsunami")
SCORCHED = ("fire", "volcano")
_PATCH_M = 180.0
_LIMITS = (0.34, 0.5, 0.68)  # severity from which a building's damage is minor, major, total
_LUCK = 0.36  # width of a building's own share in its fate
_PAVED = (*ROOFS, Cover.ASPHALT, Cover.PAVING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One disaster: `kind` is one of `KINDS`; its force at (x_m, y_m) is `strength` (0 to 1.2).

    `radius_m` is where the force has fallen to a half. Wind strikes along a path through the
    point in the direction `heading_rad` from east; the others strike around it.
    """

    kind: str
    x_m: float
    y_m: float
    radius_m: float
    strength: float
    heading_rad: float
    seed: int


@lru_cache(maxsize=2)
def severity(window: Window, event: Event) -> Floats:
    """Return how hard the event struck each pixel, 0 to 1, (H, W).

    It is kept, as the ground and the trees of one picture both ask for it.
    """
    patches_HW = fbm(event.seed, window.x_W, window.y_H, _PATCH_M, 3)
    return _force(event, window.x_W[None, :], window.y_H[:, None], patches_HW)


def damage_levels(event: Event, ids_K: NDArray[np.int64], at_K2: NDArray[np.float64]) -> list[str]:
    """Return what became of K buildings with these ids and middles: one of `LEVELS` each."""
    x_K, y_K = at_K2[:, 0], at_K2[:, 1]
    patches_K = fbm_at(event.seed, x_K, y_K, _PATCH_M, 3)
    force_K = _force(event, x_K, y_K, patches_K)
    fate_K = force_K + np.where(force_K > 0.1, _LUCK, 0.0) * (unit(event.seed + 1, ids_K) - 0.5)
    return [LEVELS[k] for k in np.digitize(fate_K, _LIMITS)]


def strike(cover_HW: NDArray[np.uint8], window: Window, event: Event, stock: Stock) -> None:
    """Change the cover to what the event leaves: flood water, burnt land, rubble of houses."""
    if event.kind in (*WET, *SCORCHED):
        left = Cover.TURBID_WATER if event.kind in WET else Cover.BURNT
        spared = ROOFS if event.kind in WET else (*_PAVED, Cover.FRESH_WATER, Cover.SEA_WATER)
        struck_HW = (severity(window, event) > 0.5) & ~np.isin(cover_HW, spared)
        cover_HW[struck_HW] = left
    if stock.id_K.size == 0:
        return
    levels = damage_levels(event, stock.id_K, stock.corners_K42.mean(axis=1))
    for level, share in (("minor-damage", 0.25), ("major-damage", 0.6), ("destroyed", 1.06)):
        hit_K = np.array([other == level for other in levels])
        corners_K42 = stock.corners_K42[hit_K]
        first_K12 = corners_K42[:, :1]
        ruined_K42 = first_K12 + (corners_K42 - first_K12) * share
        rubble_K = np.full(len(ruined_K42), Cover.RUBBLE, dtype=np.uint8)
        paint_polygons(cover_HW, window, ruined_K42, rubble_K)


def _force(
    event: Event,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    patches: Floats,
) -> Floats:
    """Return the severity at points, given the patchy noise there."""
    east, north = x - event.x_m, y - event.y_m
    if event.kind == "wind":
        away = north * np.cos(event.heading_rad) - east * np.sin(event.heading_rad)
    else:
        away = np.hypot(east, north)
    reach = np.exp2(-((away / event.radius_m) ** 2)).astype(np.float32)
    force = np.clip(reach * (event.strength + 0.22 * patches), 0, 1)
    return np.asarray(force, dtype=np.float32)
