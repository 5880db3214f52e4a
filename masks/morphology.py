"""Masks one pixel larger or smaller: dilation, erosion, opening by a 3 x 3 square.

What lies outside the image is unknown, and so are invalid pixels: they neither erode a mask nor
receive dilation (docs/program.md). All masks are (H, W) bool and of one size.
"""

import numpy as np
from numpy.typing import NDArray

from masks.kernel import kernel


def dilate(mask_HW: NDArray[np.bool_], valid_HW: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask with those of its neighbours that are valid; it never loses a pixel."""
    mask_HW, valid_HW = _contiguous(mask_HW, valid_HW)
    dilated_HW = np.empty_like(mask_HW)
    _dilate(mask_HW.view(np.uint8), valid_HW.view(np.uint8), dilated_HW.view(np.uint8))
    return dilated_HW


def erode(mask_HW: NDArray[np.bool_], valid_HW: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask without its pixels that have a valid neighbour outside the mask."""
    mask_HW, valid_HW = _contiguous(mask_HW, valid_HW)
    eroded_HW = np.empty_like(mask_HW)
    _erode(mask_HW.view(np.uint8), valid_HW.view(np.uint8), eroded_HW.view(np.uint8))
    return eroded_HW


def opening(mask_HW: NDArray[np.bool_], valid_HW: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask eroded and then dilated: what is narrower than the square is gone."""
    return dilate(erode(mask_HW, valid_HW), valid_HW)


def _contiguous(
    a_HW: NDArray[np.bool_], b_HW: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return two masks as they must lie in memory; ValueError if they are not on one grid."""
    if a_HW.shape != b_HW.shape:
        raise ValueError(f"masks of {a_HW.shape} and {b_HW.shape} are not on one grid")
    return np.ascontiguousarray(a_HW, np.bool_), np.ascontiguousarray(b_HW, np.bool_)


@kernel
def _dilate(
    pixels_HW: NDArray[np.uint8], valid_HW: NDArray[np.uint8], dilated_HW: NDArray[np.uint8]
) -> None:
    height, width = pixels_HW.shape
    columns = np.zeros(width + 2, dtype=np.uint8)  # of three rows at once, ringed by no mask
    for row in range(height):
        above, below = max(row - 1, 0), min(row + 1, height - 1)
        for i in range(width):
            columns[i + 1] = pixels_HW[above, i] | pixels_HW[row, i] | pixels_HW[below, i]
        for i in range(width):
            near = columns[i] | columns[i + 1] | columns[i + 2]
            dilated_HW[row, i] = pixels_HW[row, i] | near & valid_HW[row, i]


@kernel
def _erode(
    pixels_HW: NDArray[np.uint8], valid_HW: NDArray[np.uint8], eroded_HW: NDArray[np.uint8]
) -> None:
    height, width = pixels_HW.shape
    columns = np.zeros(width + 2, dtype=np.uint8)  # here of the valid pixels outside the mask
    for row in range(height):
        above, below = max(row - 1, 0), min(row + 1, height - 1)
        for i in range(width):
            columns[i + 1] = (
                valid_HW[above, i] & ~pixels_HW[above, i]
                | valid_HW[row, i] & ~pixels_HW[row, i]
                | valid_HW[below, i] & ~pixels_HW[below, i]
            )
        for i in range(width):
            eroded_HW[row, i] = pixels_HW[row, i] & ~(columns[i] | columns[i + 1] | columns[i + 2])
