"""Where in the 3 x 3 grid a mask lies, if that can be said at all (docs/program.md, `cell`)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from masks.components import Components, components
from masks.measured import Measured
from masks.regions import cell_slices, layers_of, region
from schemas.program import ClassMask
from schemas.value import Undefined

MAX_SHARE = 0.4  # a class over more of the scene has no one place
MIN_LARGEST = 0.7  # its largest part must hold this much of it
MIN_NEAR = 0.8  # of that part must lie in the named cell and its neighbours
CLEAR_FACTOR = 1.5  # the named cell holds this many times any other cell's pixels


def cell_of(expr: Any, measured: Measured) -> int:
    """Return the cell (0 to 8) of a mask's largest part, or raise `Undefined`."""
    mask_HW = region(expr, measured).mask_HW
    mask_px = int(np.count_nonzero(mask_HW))
    if mask_px == 0:
        raise Undefined("empty_side")
    if mask_px > MAX_SHARE * layers_of(expr, measured)[0].valid_px:
        raise Undefined("cell_too_large")
    parts = _parts(expr, mask_HW, measured)
    largest = parts.largest()
    part_px = int(parts.size_px[largest])
    if part_px < MIN_LARGEST * mask_px:
        raise Undefined("cell_scattered")
    part_HW, centroid_rc = parts.part_HW(largest), parts.centroid_rc[largest]
    height, width = part_HW.shape
    row = int(3 * (centroid_rc[0] + 0.5) / height)
    col = int(3 * (centroid_rc[1] + 0.5) / width)
    held_px = _cell_counts_px(part_HW)
    near_px = held_px[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2].sum()
    named_px = held_px[row, col]
    held_px[row, col] = 0
    if near_px < MIN_NEAR * part_px or named_px < CLEAR_FACTOR * held_px.max():
        raise Undefined("cell_unclear")
    return 3 * row + col


def _parts(expr: Any, mask_HW: NDArray[np.bool_], measured: Measured) -> Components:
    if isinstance(expr, ClassMask):
        layer = measured.layer(expr.layer, expr.date)
        if layer.components is not None:
            return layer.components.of(layer.class_id(expr.label))
    return components(mask_HW)


def _cell_counts_px(mask_HW: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return a mask's pixels in each cell of the 3 x 3 grid, (3, 3)."""
    size_HW = (mask_HW.shape[0], mask_HW.shape[1])
    held_px = [np.count_nonzero(mask_HW[cell_slices(cell, size_HW)]) for cell in range(9)]
    return np.array(held_px, dtype=np.int64).reshape(3, 3)
