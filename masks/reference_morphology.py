"""The masks of the reference evaluator and their margins, in plain NumPy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MaskHW = NDArray[np.bool_]

SQUARE = np.ones((3, 3), dtype=np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """A mask, what of it is sure (`inner`), and what it may be at most (`outer`); (H, W) each."""

    mask_HW: MaskHW
    inner_HW: MaskHW
    outer_HW: MaskHW


def opened(forms: Forms, valid_HW: MaskHW) -> Forms:
    """Return each of the three masks eroded, then dilated."""
    return Forms(
        mask_HW=dilate(erode(forms.mask_HW, valid_HW), valid_HW),
        inner_HW=dilate(erode(forms.inner_HW, valid_HW), valid_HW),
        outer_HW=dilate(erode(forms.outer_HW, valid_HW), valid_HW),
    )


def grow(mask_HW: MaskHW) -> MaskHW:
    """Return the mask with all 8 neighbours of its pixels."""
    tall_HW = mask_HW.copy()
    tall_HW[1:] |= mask_HW[:-1]
    tall_HW[:-1] |= mask_HW[1:]
    wide_HW = tall_HW.copy()
    wide_HW[:, 1:] |= tall_HW[:, :-1]
    wide_HW[:, :-1] |= tall_HW[:, 1:]
    return wide_HW


def dilate(mask_HW: MaskHW, valid_HW: MaskHW) -> MaskHW:
    """Return the mask with those of its 8 neighbours that are valid."""
    return mask_HW | (grow(mask_HW) & valid_HW)


def erode(mask_HW: MaskHW, valid_HW: MaskHW) -> MaskHW:
    """Return the mask without the pixels that have a valid pixel outside it as a neighbour."""
    return mask_HW & ~grow(valid_HW & ~mask_HW)


def cells_HW(size_HW: tuple[int, int]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return for every pixel its cell of the 3 x 3 grid, 0 to 8 row by row from the top left."""
    height, width = size_HW
    rows, cols = np.arange(height), np.arange(width)
    return 3 * (3 * rows[:, None] // height) + 3 * cols[None, :] // width
