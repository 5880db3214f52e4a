"""Footprints as an annotator draws them on a picture, from the world's buildings."""

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
    height, width = window.shape_HW
    frame = box(0, 0, width, height)
    found = []
    for building in world.buildings(window, year):
        footprint = _footprint(building, window, frame)
        if footprint.polygon.intersection(frame).area >= MIN_INSIDE_PX:
            found.append(footprint)
    return tuple(found)


def _footprint(building: Building, window: Window, frame: Polygon) -> Footprint:
    corners_m = np.array(building.corners_m)
    outlines_m = [corners_m, corners_m]
    if building.use == "house" and unit(41, building.building_id) < WING_SHARE:
        outlines_m = _with_wing(corners_m, building.building_id)
    # the window counts from pixel centres, the archives from the corner of the first pixel
    outline, *wings = [window.pixels(ring) + 0.5 for ring in outlines_m]
    return Footprint(
        building=building,
        outline_px=outline,
        wings_px=tuple(wings),
        cut=not frame.contains(Polygon(outline)),
    )


def _with_wing(corners_m: Points, building_id: int) -> list[Points]:
    """Return the L-shaped outline, then the main rectangle and the wing on its second side."""
    first, second, third, fourth = corners_m
    out = (second - first) / np.linalg.norm(second - first)
    low, high = WING_REACH_M
    reach = out * (low + (high - low) * float(unit(42, building_id)))
    split = second + (third - second) * (0.4 + 0.25 * float(unit(43, building_id)))
    outline = np.array([first, second, second + reach, split + reach, split, third, fourth])
    # the wing's roof runs into the main one up to its ridge
    inner = (first - second) / 2
    wing = np.array([second + inner, second + reach, split + reach, split + inner])
    return [outline, corners_m, wing]
