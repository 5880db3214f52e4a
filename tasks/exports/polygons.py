"""The outline of a mask as polygons along pixel edges."""

import numpy as np
from numpy.typing import NDArray
from rasterio import Affine
from rasterio.features import shapes

Ring = list[float]  # x0, y0, x1, y1, … in pixels from the upper left corner of the image


def outline(mask_HW: NDArray[np.bool_]) -> tuple[list[Ring], list[Ring]]:
    """Return the outer rings of a mask's 4-connected parts, and the rings of all their holes.

    A pixel is in the mask if it lies in an odd number of all these rings; an island in a hole is an
    outer ring of its own.
    """
    outer: list[Ring] = []
    holes: list[Ring] = []
    left, top, width, height = bounding_box(mask_HW)
    if not width:
        return outer, holes
    window_hw = np.ascontiguousarray(mask_HW[top : top + height, left : left + width])
    place = Affine.translation(left, top)
    for polygon, _ in shapes(window_hw.view(np.uint8), mask=window_hw, transform=place):
        first, *inner = (_flat(ring) for ring in polygon["coordinates"])
        outer.append(first)
        holes += inner
    return outer, holes


def bounding_box(mask_HW: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return (left, top, width, height) of a mask in pixels; all 0 of one without a pixel."""
    rows, columns = (np.flatnonzero(mask_HW.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return 0, 0, 0, 0
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def _flat(ring: list[tuple[float, float]]) -> Ring:
    """Return a closed ring as flat coordinates, its first point not repeated at the end."""
    return [float(value) for point in ring[:-1] for value in point]
