"""Lines and polygons of the world drawn on a window."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.planet.window import Window

_SHIFT = 4  # fractional bits of a vertex, so that thin things do not jump by a pixel


def stroke(
    window: Window, lines: Iterable[NDArray[np.float64]], width_m: float
) -> NDArray[np.bool_]:
    """Return where lines (P, 2) of that width run, (H, W); at least one pixel wide."""
    mask_HW = np.zeros(window.shape_HW, dtype=np.uint8)
    thickness = max(round(width_m / window.pixel_m), 1)
    for line_P2 in lines:
        cv2.polylines(
            mask_HW, [_fixed(window.pixels(line_P2))], False, 1, thickness, cv2.LINE_8, _SHIFT
        )
    return np.asarray(mask_HW.view(np.bool_))


def paint_polygons(
    picture_HW: NDArray[np.uint8],
    window: Window,
    corners_KP2: NDArray[np.float64],
    values_K: NDArray[np.uint8],
) -> None:
    """Fill K convex polygons, given in world metres, with their values; later ones on top."""
    if len(corners_KP2) == 0:
        return
    points = window.pixels(corners_KP2.reshape(-1, 2)).reshape(corners_KP2.shape)
    for corners_P2, value in zip(_fixed(points), values_K.tolist(), strict=True):
        cv2.fillConvexPoly(picture_HW, corners_P2, value, cv2.LINE_8, _SHIFT)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return points in OpenCV's fixed-point coordinates."""
    return np.rint(np.clip(points, -30000, 30000) * (1 << _SHIFT)).astype(np.int32)
