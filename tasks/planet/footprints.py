"""Footprints as an annotator draws them on a picture, from the world's buildings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Polygon, box

from tasks.planet.noise import unit
from tasks.planet.window import Window
from tasks.planet.world import Building, World

Points = NDArray[np.float64]  # (N, 2): x right, y down, in pixels from the top left corner

WING_SHARE = 0.4  # of the houses have a wing and are L-shaped
WING_REACH_M = (2.0, 4.5)
MIN_INSIDE_PX = 30.0  # an annotator does not see less of a roof than that


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """One building on a picture: `outline_px` open ring, `wings_px` its rectangles (4, 2).

    `cut` is true where the outline leaves the picture.
    """

    building: Building
    outline_px: Points
    wings_px: tuple[Points, ...]
    cut: bool

    @property
    def polygon(self) -> Polygon:
        """The outline, in pixels."""
        return Polygon(self.outline_px)


def footprints_in(world: World, window: Window, year: float) -> tuple[Footprint, ...]:
    """Return the footprints of that date that show in the window, in order of building id."""
    buildings = world.buildings(window, year)
    outlines_m = _outlines(buildings)
    rings_m = [ring for outlines in outlines_m for ring in outlines]
    if not rings_m:
        return ()
    # the window counts from pixel centres, the archives from the corner of the first pixel
    points_px = window.pixels(np.concatenate(rings_m)) + 0.5
    rings_px = iter(np.split(points_px, np.cumsum([len(ring) for ring in rings_m])[:-1]))
    height, width = window.shape_HW
    frame = box(0, 0, width, height)
    found = []
    for building, outlines in zip(buildings, outlines_m, strict=True):
        outline, *wings = (next(rings_px) for _ in outlines)
        polygon = Polygon(outline)
        cut = bool((outline < 0).any() or (outline > (width, height)).any())
        if (polygon.intersection(frame) if cut else polygon).area >= MIN_INSIDE_PX:
            footprint = Footprint(
                building=building, outline_px=outline, wings_px=tuple(wings), cut=cut
            )
            found.append(footprint)
    return tuple(found)


def _outlines(buildings: Sequence[Building]) -> list[list[Points]]:
    """Return for each building its outline, then its rectangles, in metres."""
    ids_K = np.array([building.building_id for building in buildings], dtype=np.int64)
    winged_K, reach_K, split_K = (unit(salt, ids_K).tolist() for salt in (41, 42, 43))
    outlines = []
    for k, building in enumerate(buildings):
        corners_m = np.array(building.corners_m)
        if building.use == "house" and winged_K[k] < WING_SHARE:
            outlines.append(_with_wing(corners_m, reach_K[k], split_K[k]))
        else:
            outlines.append([corners_m, corners_m])
    return outlines


def _with_wing(corners_m: Points, reach: float, split_at: float) -> list[Points]:
    """Return the L-shaped outline, then the main rectangle and the wing on its second side.

    `reach` and `split_at`, 0 to 1, say how far out and how far along the side the wing goes.
    """
    first, second, third, fourth = corners_m
    out = (second - first) / math.dist(second, first)
    low, high = WING_REACH_M
    reach_m = out * (low + (high - low) * reach)
    split = second + (third - second) * (0.4 + 0.25 * split_at)
    outline = np.array([first, second, second + reach_m, split + reach_m, split, third, fourth])
    # the wing's roof runs into the main one up to its ridge
    inner = (first - second) / 2
    wing = np.array([second + inner, second + reach_m, split + reach_m, split + inner])
    return [outline, corners_m, wing]
