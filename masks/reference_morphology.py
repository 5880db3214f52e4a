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


def near(mask_HW: MaskHW, distance_m: float, pixel_size_m: tuple[float, float]) -> MaskHW:
    """Return the pixels whose centre lies at most `distance_m` from the centre of one of the mask.

    `pixel_size_m` is (x, y). With whole numbers of pixels dx and dy between two centres they are
    near if (dx * x) * (dx * x) + (dy * y) * (dy * y) <= distance * distance, in floats.
    """
    x_m, y_m = pixel_size_m
    across_m = np.arange(mask_HW.shape[1]) * x_m
    limit_m2 = distance_m * distance_m
    columns_HW = columns_to_mask(mask_HW)
    near_HW = np.zeros_like(mask_HW)
    for down in range(len(mask_HW)):
        squares_m2 = across_m * across_m + (down * y_m) * (down * y_m)
        num_columns = np.count_nonzero(squares_m2 <= limit_m2)
        if num_columns == 0:
            break
        reached_HW = columns_HW < num_columns
        near_HW[down:] |= reached_HW[: len(mask_HW) - down]
        near_HW[: len(mask_HW) - down] |= reached_HW[down:]
    return near_HW


def columns_to_mask(mask_HW: MaskHW) -> NDArray[np.int32]:
    """Return how many columns away the mask is in a pixel's row; the width or more for none."""
    width = mask_HW.shape[1]
    columns = np.arange(width, dtype=np.int32)
    last_HW = np.maximum.accumulate(np.where(mask_HW, columns, -width), axis=1)
    following_HW = np.where(mask_HW, columns, 2 * width)[:, ::-1]
    next_HW = np.minimum.accumulate(following_HW, axis=1)[:, ::-1]
    return np.minimum(columns - last_HW, next_HW - columns)
