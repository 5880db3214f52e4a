"""Far north and far south of the plane: polar and tropical cover in place of the temperate one."""

import numpy as np
from numpy.typing import NDArray

from tasks.planet.classes import Cover, Land
from tasks.planet.noise import fbm
from tasks.planet.terrain import height
from tasks.planet.window import Window

POLAR_FROM_M = 40_000_000.0  # world metres north of which it is polar
TROPICAL_TO_M = -40_000_000.0  # and south of which it is tropical

_POLAR = {
    Cover.BROADLEAF_TREE: Cover.SHRUB, Cover.CONIFER_TREE: Cover.MOSS,
    Cover.CROP_GREEN: Cover.ALPINE_GRASS, Cover.CROP_DARK: Cover.MOSS,
    Cover.CROP_RIPE: Cover.STONES, Cover.RAPESEED: Cover.MOSS, Cover.STUBBLE: Cover.STONES,
    Cover.SOIL: Cover.MOSS, Cover.MEADOW: Cover.ALPINE_GRASS, Cover.DRY_GRASS: Cover.STONES,
    Cover.VINES: Cover.HEATHER, Cover.OLIVE_GROVE: Cover.HEATHER, Cover.GARDEN: Cover.STONES,
    Cover.BARE_ROCK: Cover.SNOW,
}  # fmt: skip
_POLAR_ID = np.array([_POLAR.get(cover, cover) for cover in Cover], dtype=np.uint8)
_SHORES = (Land.SALT_MARSH, Land.TIDAL_FLAT, Land.MARSH)


def settle_biome(
    cover_HW: NDArray[np.uint8], land_HW: NDArray[np.uint8], seed: int, window: Window
) -> None:
    """Change the cover of polar and tropical places; everywhere else it stays as it is."""
    if window.y_H[-1] > POLAR_FROM_M:
        cover_HW[:] = _POLAR_ID[cover_HW]
        cold_HW = height(seed, window) + 0.3 * fbm(seed + 531, window.x_W, window.y_H, 700.0, 4)
        cover_HW[(cold_HW > 1.05) & ~np.isin(land_HW, (Land.LAKE, Land.RIVER))] = Cover.SNOW
    elif window.y_H[0] < TROPICAL_TO_M:
        thick_HW = fbm(seed + 532, window.x_W, window.y_H, 400.0, 4)
        cover_HW[np.isin(land_HW, _SHORES) & (thick_HW > -0.4)] = Cover.MANGROVE
        cover_HW[cover_HW == Cover.CONIFER_TREE] = Cover.BROADLEAF_TREE
        cover_HW[cover_HW == Cover.PEAT] = Cover.REED
