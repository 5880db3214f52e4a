"""Masks one pixel larger or smaller: growth, dilation, erosion, opening by a 3 x 3 square.

What lies outside the image is unknown, and so are invalid pixels: they neither erode a mask nor
receive dilation (docs/program.md). All masks are (H, W) bool and of one size.
"""

import numpy as np
from numpy.typing import NDArray

from masks.kernel import kernel


def grow(mask_HW: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels that are in the mask or have one of their 8 neighbours in it."""
    mask_HW = np.ascontiguousarray(mask_HW, dtype=np.bool_)
    grown_HW = np.empty_like(mask_HW)
    _grow(mask_HW.view(np.uint8), grown_HW.view(np.uint8))
    return grown_HW


def dilate(mask_HW: NDArray[np.bool_], valid_HW: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask with those of its neighbours that are valid; it never loses a pixel."""
    return mask_HW | (grow(mask_HW) & valid_HW)


def erode(mask_HW: NDArray[np.bool_], valid_HW: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask without its pixels that have a valid neighbour outside the mask."""
    return mask_HW & ~grow(valid_HW & ~mask_HW)


def opening(mask_HW: NDArray[np.bool_], valid_HW: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask eroded and then dilated: what is narrower than the square is gone."""
    return dilate(erode(mask_HW, valid_HW), valid_HW)


@kernel
def _grow(pixels_HW: NDArray[np.uint8], grown_HW: NDArray[np.uint8]) -> None:
    height, width = pixels_HW.shape
    columns = np.zeros(width + 2, dtype=np.uint8)  # of three rows at once, ringed by no mask
    for row in range(height):
        above, below = max(row - 1, 0), min(row + 1, height - 1)
        for i in range(width):
            columns[i + 1] = pixels_HW[above, i] | pixels_HW[row, i] | pixels_HW[below, i]
        for i in range(width):
            grown_HW[row, i] = columns[i] | columns[i + 1] | columns[i + 2]
