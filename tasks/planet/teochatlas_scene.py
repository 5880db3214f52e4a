"""What is settled about a TEOChatlas scene: a crop of a place, and where the place lies."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tasks.planet.footprints import footprints_in
from tasks.planet.places import square_window, towns_together
from tasks.planet.sites import Site, buildings_on, sites_of
from tasks.planet.window import Window
from tasks.planet.world import Town, World

MIN_BUILDINGS = 3  # on a site in the end: blocks by the water stay empty
END_YEAR = 2030.0  # by which all blocks are built up


@dataclass(frozen=True, slots=True, kw_only=True)
class TeoScene:
    """Crop number `crop` of the place `number`; all crops of a place are in the same folder."""

    index: int
    folder: str
    number: int
    crop: int
    seed: int

    def rng(self) -> np.random.Generator:
        """Return the generator of the scene's own draws."""
        return np.random.default_rng([self.seed, 41, self.index])

    def place_rng(self) -> np.random.Generator:
        """Return the generator of what all crops of the place share, such as the dates."""
        return np.random.default_rng([self.seed, 43, self.number])

    def towns(self, world: World) -> tuple[Town, ...]:
        """Return the towns of the place."""
        return _growing_towns(world, self.seed, self.number)

    def offsets_px(self, size_px: int, columns: int) -> tuple[int, int]:
        """Return x and y of the crop in the place's own picture, `columns` crops wide."""
        row, column = divmod(self.crop, columns)
        return column * size_px, row * size_px


@lru_cache(maxsize=16)
def _growing_towns(world: World, seed: int, number: int) -> tuple[Town, ...]:
    """Return towns near one another, some of which have blocks built from 2013 to 2022."""
    rng = np.random.default_rng([seed, 42, number])
    while True:
        towns = towns_together(rng, world)
        if any(2013.0 < s.year < 2022.0 for town in towns for s in sites_of(world, town)):
            return towns


def site_windows(
    rng: np.random.Generator, world: World, towns: tuple[Town, ...], size_px: int, pixel_m: float
) -> Iterator[tuple[Site, Window]]:
    """Yield the sites that are built between 2013 and 2022, each with a window around it."""
    sites = [s for town in towns for s in sites_of(world, town) if 2013.0 < s.year < 2022.0]
    half_m = size_px * pixel_m / 2
    for k in rng.permutation(len(sites)):
        x_m, y_m = sites[k].ring_m.mean(axis=0) + rng.uniform(-0.3, 0.3, 2) * half_m
        left_m, top_m = round(float(x_m) - half_m, 1), round(float(y_m) + half_m, 1)
        window = square_window(left_m, top_m, size_px, (pixel_m, pixel_m))
        footprints = footprints_in(world, window, END_YEAR)
        if len(buildings_on(sites[k], window, footprints)) >= MIN_BUILDINGS:
            yield sites[k], window


def window_pixel_m(window: Window) -> tuple[float, float]:
    """Return width and height of a pixel in metres."""
    return (
        round(float(window.x_W[1] - window.x_W[0]), 6),
        round(float(window.y_H[0] - window.y_H[1]), 6),
    )
