"""Open country at scattered points: looked up in square sectors that are kept once computed."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tasks.planet.ground import ground
from tasks.planet.window import Window

_SECTOR_PX = 128
_PIXEL_M = 20.0
_SECTOR_M = _SECTOR_PX * _PIXEL_M
_YEAR = 2018.5


def ground_at(seed: int, points_N2: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the `Land` use of open country at points (x, y), to the nearest 20 m, (N,)."""
    found_N = np.empty(len(points_N2), dtype=np.uint8)
    sector_N2 = np.floor(points_N2 / _SECTOR_M).astype(np.int64)
    for i, j in np.unique(sector_N2, axis=0).tolist():
        inside_N = (sector_N2 == (i, j)).all(axis=1)
        local_K2 = points_N2[inside_N] / _PIXEL_M - np.array([i, j]) * _SECTOR_PX
        columns_K, ups_K = np.clip(local_K2.astype(np.int64), 0, _SECTOR_PX - 1).T
        found_N[inside_N] = _sector(seed, i, j)[_SECTOR_PX - 1 - ups_K, columns_K]
    return found_N


@lru_cache(maxsize=1024)
def _sector(seed: int, i: int, j: int) -> NDArray[np.uint8]:
    """Return the open country of one sector, (128, 128)."""
    window = Window.regular(
        left_m=i * _SECTOR_M,
        top_m=(j + 1) * _SECTOR_M,
        pixel_m=_PIXEL_M,
        height=_SECTOR_PX,
        width=_SECTOR_PX,
    )
    return ground(seed, window, _YEAR)
