"""Compile every kernel once, before many processes would each compile them on their own."""

import numpy as np

from masks.components import components, label_components
from masks.distance import adjacent, min_distance_m, near, shared_edges
from masks.label_stats import label_stats, margin_counts
from masks.morphology import opening
from masks.rle import decode, encode, encode_window, paint

_CORNER_PX = 3  # side of the first class's square; the second class has the opposite corner


def compile_kernels() -> None:
    """Run each kernel on a map of 8 x 8 pixels; its code is then on disk for other processes."""
    ids_HW = np.zeros((8, 8), dtype=np.uint8)
    ids_HW[-_CORNER_PX:, -_CORNER_PX:] = 1
    label_stats(ids_HW, 2)
    margin_counts(ids_HW, 2)
    label_components(ids_HW, 2)
    mask_HW = ids_HW == 1
    components(mask_HW).part_HW(0)
    opening(mask_HW, np.ones_like(mask_HW))
    adjacent(mask_HW, ~mask_HW)
    min_distance_m(mask_HW, mask_HW[::-1, ::-1], (1.0, 1.0))
    near(mask_HW, 2.0, (1.0, 1.0))
    shared_edges(mask_HW, ~mask_HW)
    code = encode(decode(encode(mask_HW), (8, 8)))
    paint(ids_HW, code, 1)
    paint(np.zeros((8, 8), dtype=np.int32, order="F"), code, 1)  # parts of a mask, for a page
    encode_window(mask_HW[-_CORNER_PX:, -_CORNER_PX:], 5, 5, (8, 8))
