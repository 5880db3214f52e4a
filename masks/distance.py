"""How two masks lie to one another: distance, nearness, adjacency, shared edges."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from masks.kernel import kernel
from masks.runs import BEGIN, END, ROW, row_runs


def min_distance_m(
    a_HW: NDArray[np.bool_], b_HW: NDArray[np.bool_], pixel_size_m: tuple[float, float]
) -> float:
    """Return the smallest Euclidean distance of pixel centres between two (H, W) masks, in metres.

    `pixel_size_m` is (x, y). It is 0.0 where the masks overlap; ValueError where one is empty.
    """
    _check_same_size(a_HW, b_HW)
    size_HW = (a_HW.shape[0], a_HW.shape[1])
    return min_distance_of_runs_m(mask_runs(a_HW), mask_runs(b_HW), size_HW, pixel_size_m)


def min_distance_of_runs_m(
    runs_a: NDArray[np.int32],
    runs_b: NDArray[np.int32],
    size_HW: tuple[int, int],
    pixel_size_m: tuple[float, float],
) -> float:
    """Return the same for masks of `size_HW` given as `mask_runs`, which serve many distances."""
    if not (len(runs_a) and len(runs_b)):
        raise ValueError("there is no distance to an empty mask")
    x_m, y_m = pixel_size_m
    height, width = size_HW
    return math.sqrt(_min_squared_m2(runs_a, runs_b, height, width, float(x_m), float(y_m)))


def near(
    mask_HW: NDArray[np.bool_], distance_m: float, pixel_size_m: tuple[float, float]
) -> NDArray[np.bool_]:
    """Return the pixels whose centre lies at most `distance_m` from the centre of one of the mask.

    `pixel_size_m` is (x, y). Of an empty mask nothing is near.
    """
    height, width = mask_HW.shape
    near_HW = np.zeros((height, width), dtype=np.uint8)
    reach = _reach(distance_m, pixel_size_m, height, width)
    _spread(mask_runs(mask_HW), reach, near_HW)
    return near_HW.view(np.bool_)


@lru_cache(maxsize=64)
def _reach(
    distance_m: float, pixel_size_m: tuple[float, float], height: int, width: int
) -> NDArray[np.int32]:
    """Return for each number of columns apart how many rows apart is still near."""
    x_m, y_m = pixel_size_m
    across_m, down_m = np.arange(width) * x_m, np.arange(height) * y_m
    across_m2, down_m2 = across_m * across_m, down_m * down_m
    limit_m2 = distance_m * distance_m
    reach = []
    rows = height
    for square_m2 in across_m2[across_m2 <= limit_m2]:
        while square_m2 + down_m2[rows - 1] > limit_m2:
            rows -= 1
        reach.append(rows - 1)
    return np.array(reach, dtype=np.int32)


def mask_runs(mask_HW: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the runs of a mask's pixels within its rows, as `masks.runs.row_runs` has them."""
    return row_runs(np.ascontiguousarray(mask_HW, dtype=np.bool_).view(np.uint8), 1, 2)


def adjacent(a_HW: NDArray[np.bool_], b_HW: NDArray[np.bool_]) -> bool:
    """Return whether two (H, W) masks overlap or touch at an edge or a corner."""
    _check_same_size(a_HW, b_HW)
    a_HW, b_HW = np.ascontiguousarray(a_HW, np.bool_), np.ascontiguousarray(b_HW, np.bool_)
    return bool(_touch(a_HW.view(np.uint8), b_HW.view(np.uint8)))


def shared_edges(a_HW: NDArray[np.bool_], b_HW: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the edges between left and right neighbours, and between upper and lower ones.

    An edge is shared if the pixel on one side is in one mask and that on the other side in the
    other; masks may overlap, and every edge counts once. The first kind of edge is as long as a
    pixel's y size, the second as its x size.
    """
    _check_same_size(a_HW, b_HW)
    # bit 0 is set in the first mask, bit 1 in the second
    bits_HW = np.asarray(a_HW, dtype=np.uint8) + 2 * np.asarray(b_HW, dtype=np.uint8)
    return _count_edges(np.ascontiguousarray(bits_HW))


def _check_same_size(a_HW: NDArray[np.bool_], b_HW: NDArray[np.bool_]) -> None:
    if a_HW.shape != b_HW.shape:
        raise ValueError(f"masks of {a_HW.shape} and {b_HW.shape} are not on one grid")


@kernel
def _min_squared_m2(
    runs_a: NDArray[np.int32],
    runs_b: NDArray[np.int32],
    height: int,
    width: int,
    x_m: float,
    y_m: float,
) -> float:
    """Compare rows of one mask with rows of the other, the nearest pairs of rows first.

    Ends as soon as no rows that far apart can hold a smaller distance than the one found.
    """
    firsts_a, firsts_b = _row_firsts(runs_a, height), _row_firsts(runs_b, height)
    left_a, right_a = _span(runs_a, width)
    left_b, right_b = _span(runs_b, width)
    sideways = (max(left_a - right_b, left_b - right_a, 0) * x_m) ** 2  # at least
    smallest = np.inf
    for apart in range(height):
        across = (apart * y_m) ** 2
        if across + sideways >= smallest:
            break
        for row in range(height - apart):
            for up in range(2 if apart else 1):
                row_a, row_b = (row, row + apart) if up else (row + apart, row)
                first_a, last_a = firsts_a[row_a], firsts_a[row_a + 1] - 1
                first_b, last_b = firsts_b[row_b], firsts_b[row_b + 1] - 1
                if first_a > last_a or first_b > last_b:
                    continue
                shift = (row_b - row_a) * width
                # no gap within the rows is smaller than that of all they span
                gap = max(
                    runs_a[first_a, BEGIN] + shift - runs_b[last_b, END] + 1,
                    runs_b[first_b, BEGIN] - runs_a[last_a, END] - shift + 1,
                    0,
                )
                if across + (gap * x_m) ** 2 < smallest:
                    gap = _smallest_gap(runs_a, first_a, last_a, runs_b, first_b, last_b, shift)
                    smallest = min(smallest, across + (gap * x_m) ** 2)
    return smallest


@kernel
def _row_firsts(runs: NDArray[np.int32], height: int) -> NDArray[np.int64]:
    """Return the index of each row's first run; one more for the end of the last row."""
    firsts = np.zeros(height + 1, dtype=np.int64)
    for i in range(runs.shape[0]):
        firsts[runs[i, ROW] + 1] += 1
    for row in range(height):
        firsts[row + 1] += firsts[row]
    return firsts


@kernel
def _span(runs: NDArray[np.int32], width: int) -> tuple[int, int]:
    """Return the first and the last column of a mask."""
    left, right = int(width), 0
    for i in range(runs.shape[0]):
        left = min(left, runs[i, BEGIN] - runs[i, ROW] * width)
        right = max(right, runs[i, END] - 1 - runs[i, ROW] * width)
    return left, right


@kernel
def _smallest_gap(
    runs_a: NDArray[np.int32],
    first_a: int,
    last_a: int,
    runs_b: NDArray[np.int32],
    first_b: int,
    last_b: int,
    shift: int,
) -> int:
    """Return how many columns lie between two rows of runs; the runs of `a` are shifted."""
    smallest = 1 << 40
    i, j = first_a, first_b
    while i <= last_a and j <= last_b:
        begin_a, end_a = runs_a[i, BEGIN] + shift, runs_a[i, END] + shift
        gap = max(begin_a - runs_b[j, END] + 1, runs_b[j, BEGIN] - end_a + 1, 0)
        smallest = min(smallest, gap)
        if smallest == 0:
            break
        if end_a < runs_b[j, END]:
            i += 1
        else:
            j += 1
    return smallest


@kernel
def _spread(runs: NDArray[np.int32], reach: NDArray[np.int32], near_HW: NDArray[np.uint8]) -> None:
    """Mark the pixels near a mask: first how far each row reaches up and down, then that far."""
    height, width = near_HW.shape
    firsts = _row_firsts(runs, height)
    reach_HW = np.empty((height, width), dtype=np.int32)
    for row in range(height):
        _reach_of_row(runs[firsts[row] : firsts[row + 1]], reach, reach_HW[row], row * width)
    for upward in range(2):
        left = np.full(width, -1, dtype=np.int32)  # rows that a column still reaches on
        for step in range(height):
            row = height - 1 - step if upward else step
            for i in range(width):
                left[i] = max(left[i] - 1, reach_HW[row, i])
                near_HW[row, i] |= left[i] >= 0


@kernel
def _reach_of_row(
    runs: NDArray[np.int32], reach: NDArray[np.int32], reach_W: NDArray[np.int32], shift: int
) -> None:
    """Write how many rows away each column of one row of a mask still reaches; -1 for none."""
    width, num_runs = reach_W.size, runs.shape[0]
    reach_W[:] = -1
    for i in range(num_runs):
        begin, end = runs[i, BEGIN] - shift, runs[i, END] - shift
        reach_W[begin:end] = reach[0]
        before = begin - (runs[i - 1, END] - shift if i else -width)  # free columns, or enough
        after = (runs[i + 1, BEGIN] - shift if i + 1 < num_runs else 2 * width) - end
        for k in range(1, min(reach.size - 1, begin, before // 2) + 1):
            reach_W[begin - k] = reach[k]
        for k in range(1, min(reach.size - 1, width - end, (after + 1) // 2) + 1):
            reach_W[end - 1 + k] = reach[k]


@kernel
def _touch(a_HW: NDArray[np.uint8], b_HW: NDArray[np.uint8]) -> bool:
    """Return whether a pixel of `b` is in `a` or has one of its 8 neighbours there."""
    height, width = a_HW.shape
    columns = np.zeros(width + 2, dtype=np.uint8)  # of three rows at once, ringed by no mask
    met = np.zeros(width // 8 * 8 + 8, dtype=np.uint8)  # of one row, looked at as words
    words = met.view(np.uint64)
    for row in range(height):
        above, below = max(row - 1, 0), min(row + 1, height - 1)
        for i in range(width):
            columns[i + 1] = a_HW[above, i] | a_HW[row, i] | a_HW[below, i]
        for i in range(width):
            met[i] = (columns[i] | columns[i + 1] | columns[i + 2]) & b_HW[row, i]
        any_met = np.uint64(0)
        for i in range(words.size):
            any_met |= words[i]
        if any_met:
            return True
    return False


@kernel
def _count_edges(bits_HW: NDArray[np.uint8]) -> tuple[int, int]:
    height, width = bits_HW.shape
    sideways = upright = 0
    for row in range(height):
        for i in range(width - 1):
            sideways += _meet(bits_HW[row, i], bits_HW[row, i + 1])
        if row + 1 < height:
            for i in range(width):
                upright += _meet(bits_HW[row, i], bits_HW[row + 1, i])
    return sideways, upright


@kernel
def _meet(one: int, other: int) -> int:
    """Return 1 if one pixel is in the first mask and the other in the second, or the reverse."""
    return (one & (other >> 1) | (one >> 1) & other) & 1
