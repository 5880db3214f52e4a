"""Where a row of pixels changes its value: the raw material of codes, parts and edges."""

import cv2
import numpy as np
from numpy.typing import NDArray

from masks.kernel import kernel

# eight pixels are compared at once, as the bytes of a little-endian word
_BYTE = np.uint64(8)
_TOP_BYTE = np.uint64(56)
_LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
_HIGH_BITS = np.uint64(0x8080808080808080)
_TO_LOWEST_BIT = np.uint64(7)
_PLACES = np.uint64(0x0001020304050607)  # (1 << 8k) times this has k in its top byte
_ONE = np.uint64(1)

# columns of a table of runs: row-major index of the first pixel, one past the last, row, id
BEGIN, END, ROW, ID = range(4)


def changes(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return every index i >= 1 at which `pixels[i] != pixels[i - 1]`, ascending.

    `pixels` is one-dimensional and contiguous: an array read row by row or column by column.
    """
    found = np.empty(pixels.size, dtype=np.int32)
    return found[: _changes(pixels, found)]


def column_major(pixels_HW: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the pixels of an (H, W) array, which must hold some, column by column."""
    return np.asarray(cv2.transpose(pixels_HW), dtype=np.uint8).reshape(-1)


def row_runs(ids_HW: NDArray[np.uint8], lowest: int, stop: int) -> NDArray[np.int32]:
    """Return the runs of one id within a row, in row-major order, as a table (R, 4).

    Only ids from `lowest` to under `stop` count. `ids_HW` is contiguous, row by row.
    """
    height, width = ids_HW.shape
    pixels = ids_HW.reshape(-1)
    starts = changes(pixels)
    runs = np.empty((starts.size + height + 1, 4), dtype=np.int32)
    return runs[: _row_runs(pixels, starts, width, lowest, stop, runs)]


@kernel
def _changes(pixels: NDArray[np.uint8], found: NDArray[np.int32]) -> int:
    if pixels.size == 0:
        return 0
    words = pixels[: pixels.size // 8 * 8].view(np.uint64)
    num_found = 0
    before = np.uint64(pixels[0])
    for i in range(words.size):
        word = words[i]
        differing = word ^ ((word << _BYTE) | before)
        before = word >> _TOP_BYTE
        marks = (((differing & _LOW_BITS) + _LOW_BITS) | differing) & _HIGH_BITS
        while marks:  # the high bit of every byte that differs, lowest first
            mark = marks & (~marks + _ONE)
            found[num_found] = 8 * i + int(((mark >> _TO_LOWEST_BIT) * _PLACES) >> _TOP_BYTE)
            num_found += 1
            marks ^= mark
    for i in range(max(1, 8 * words.size), pixels.size):
        if pixels[i] != pixels[i - 1]:
            found[num_found] = i
            num_found += 1
    return num_found


@kernel
def _row_runs(
    pixels: NDArray[np.uint8],
    starts: NDArray[np.int32],
    width: int,
    lowest: int,
    stop: int,
    runs: NDArray[np.int32],
) -> int:
    """Write the runs of one wanted id within a row; return how many there are."""
    num_runs = 0
    begin = row = 0
    row_end = int(width)
    for i in range(starts.size + 1):
        end = int(starts[i]) if i < starts.size else int(pixels.size)
        while begin < end:
            run_end = min(end, row_end)
            if lowest <= pixels[begin] < stop:
                runs[num_runs, BEGIN], runs[num_runs, END] = begin, run_end
                runs[num_runs, ROW], runs[num_runs, ID] = row, pixels[begin]
                num_runs += 1
            begin = run_end
            if begin == row_end:
                row_end += width
                row += 1
    return num_runs
