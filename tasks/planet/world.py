"""The world: one seed gives land, buildings, weather and disasters at any place and resolution.

A plane in metres, x east and y north, with no edge that any archive reaches. Nothing is stored:
every answer is computed from the seed where and when it is asked, so two windows that overlap
agree. Each archive lays its own georeference on its own part of the plane.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tasks.planet.buildings import Building, Town
from tasks.planet.classes import Cover, Land
from tasks.planet.cover import cover
from tasks.planet.events import Event, damage_levels, severity
from tasks.planet.land import land
from tasks.planet.light import optical, to_rgb
from tasks.planet.radar import backscatter
from tasks.planet.settlement import buildings_in, towns_in
from tasks.planet.weather import CLEAR, Sky, cloud_opacity
from tasks.planet.window import Window

__all__ = ["Building", "Cover", "Event", "Land", "Sky", "Town", "Window", "World"]

_SEED_STEP = 1_000_003  # parts of the world add small numbers to it: no two worlds share one
MIDSUMMER_2018 = 2018.5  # date of everything that is not asked at another date


class World:
    """One procedural world. Equal seeds give equal worlds; all methods are pure in their inputs.

    Dates are decimal years, such as 2018.5. They move town growth (a building stands from its
    `built_year` on; its plot is bare earth in the year before), water level (lakes and rivers
    swell and shrink), felling of forest stands, and crops on the fields.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed * _SEED_STEP

    def land_HW(self, window: Window, year: float = MIDSUMMER_2018) -> NDArray[np.uint8]:
        """Return the `Land` use of every pixel centre, (H, W) uint8."""
        return land(self.seed, window, year)

    def cover_HW(self, window: Window, year: float = MIDSUMMER_2018) -> NDArray[np.uint8]:
        """Return the physical `Cover` of every pixel, (H, W) uint8: roofs, roads, crops, trees."""
        return cover(self.seed, window, year)

    def towns(self, window: Window) -> tuple[Town, ...]:
        """Return the towns that may reach into the window."""
        return towns_in(self.seed, window.bounds_m)

    def buildings(self, window: Window, year: float = MIDSUMMER_2018) -> tuple[Building, ...]:
        """Return the buildings of that date whose box touches the window, in order of their id.

        Corners are world metres; `Window.pixels` turns them into columns and rows.
        """
        return buildings_in(self.seed, window.bounds_m, year)

    def severity_HW(self, window: Window, event: Event) -> NDArray[np.float32]:
        """Return how hard an event struck each pixel, (H, W) float32 in 0 (untouched) to 1.

        Flooding and tsunami: above 0.5 the pixel stands under water; fire and volcano: above 0.5
        it is burnt or under ash.
        """
        return severity(window, event)

    def damage(self, building: Building, event: Event) -> str:
        """Return the building's state after the event, on the joint damage scale.

        One of "no-damage", "minor-damage", "major-damage", "destroyed".
        """
        return self.damages((building,), event)[0]

    def damages(self, buildings: Sequence[Building], event: Event) -> tuple[str, ...]:
        """Return `damage` of many buildings at once, which is much faster."""
        ids_K = np.array([building.building_id for building in buildings], dtype=np.int64)
        at_K2 = np.array([building.centre_m for building in buildings]).reshape(-1, 2)
        return tuple(damage_levels(event, ids_K, at_K2))

    def optical_HWB(
        self,
        window: Window,
        bands: tuple[str, ...] = ("B04", "B03", "B02"),
        year: float = MIDSUMMER_2018,
        event: Event | None = None,
        sky: Sky = CLEAR,
    ) -> NDArray[np.float32]:
        """Return reflectance (0 to about 1) in Sentinel-2 bands "B01".."B12", "B8A".

        With an event, the ground as it is after it: flood water, ash, burnt land, rubble. A `sky`
        puts clouds with their shadows over it, or snow on it.
        """
        return optical(self.seed, window, bands, year, event, sky)

    def cloud_HW(self, window: Window, sky: Sky) -> NDArray[np.float32]:
        """Return how much of the ground the clouds of a sky hide, 0 to 1, (H, W) float32."""
        return cloud_opacity(window, sky)

    def rgb_HWC(
        self,
        window: Window,
        year: float = MIDSUMMER_2018,
        event: Event | None = None,
        sky: Sky = CLEAR,
    ) -> NDArray[np.uint8]:
        """Return a true-colour picture without noise, (H, W, 3) uint8, fit for 0.3 to 10 m pixels.

        Two pictures of the very same `Window` object at the same `year`, before and after an
        event, share their work.
        """
        light_HW3 = optical(
            self.seed, window, ("B04", "B03", "B02"), year, event, sky, np.float32(0)
        )
        return to_rgb(light_HW3)

    def radar_HW2(
        self, window: Window, year: float = MIDSUMMER_2018, pass_seed: int = 0
    ) -> NDArray[np.float32]:
        """Return Sentinel-1 backscatter in dB, channels VV and VH, with speckle of that pass."""
        return backscatter(self.seed, window, year, pass_seed)


@lru_cache(maxsize=4)
def world_of(seed: int) -> World:
    """Return the world of a seed, kept for worker processes that are handed only the seed."""
    return World(seed)
