"""COCO run-length codes: lengths of runs of 0 and 1 in column-major order, beginning with 0.

The compressed form is that of pycocotools (common/maskApi.c, rleToString): from the fourth run on,
a run is written as its difference to the one two before it, five bits a character, lowest first;
the fifth bit of the last character is its sign, a sixth says that more follow, and 48 is added.
"""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from masks.kernel import kernel
from masks.runs import changes, column_major

Id = TypeVar("Id", np.uint8, np.int32)
_MAX_CHARACTERS = 7  # of one run: 35 bits hold any difference of two 32-bit runs
_TRUNCATED, _TOO_LONG, _NEGATIVE, _FOREIGN = -1, -2, -3, -4
_FAULTS = {
    _TRUNCATED: "it ends inside a run",
    _TOO_LONG: f"run {{}} takes more than {_MAX_CHARACTERS} characters",
    _NEGATIVE: "run {} is negative",
    _FOREIGN: "character {} is not one of '0' to 'o'",
}


def encode(mask_HW: NDArray[np.bool_]) -> bytes:
    """Return the compressed COCO counts of an (H, W) mask, byte for byte those of pycocotools."""
    return encode_window(mask_HW, 0, 0, (mask_HW.shape[0], mask_HW.shape[1]))


def encode_window(
    window_hw: NDArray[np.bool_], top: int, left: int, size_HW: tuple[int, int]
) -> bytes:
    """Return the counts of an (H, W) mask that is empty but for a window.

    The window's first pixel is at row `top`, column `left`. The large mask is never built.
    ValueError where the window does not lie inside.
    """
    height, width = window_hw.shape
    if not (0 <= top <= size_HW[0] - height and 0 <= left <= size_HW[1] - width):
        raise ValueError(
            f"a window of {window_hw.shape} at row {top}, column {left} is not inside {size_HW}"
        )
    if window_hw.size == 0:
        return compress(np.empty(0, np.int32), np.zeros(2, np.int64), size_HW[0] * size_HW[1])[0]
    pixels = column_major(np.asarray(window_hw, dtype=np.bool_).view(np.uint8))
    changed = changes(pixels)
    edges = np.empty(2 * (changed.size + width), dtype=np.int32)
    offset = left * size_HW[0] + top
    num_edges = _window_edges(changed, pixels[0], width, height, offset, size_HW[0], edges)
    if num_edges and edges[num_edges - 1] == size_HW[0] * size_HW[1]:
        num_edges -= 1  # the mask ends with its last run of 1
    firsts = np.array((0, num_edges), dtype=np.int64)
    return compress(edges, firsts, size_HW[0] * size_HW[1])[0]


def compress(
    edges: NDArray[np.int32], firsts: NDArray[np.int64], num_pixels: int
) -> tuple[bytes, ...]:
    """Return the counts of several masks of `num_pixels`, each given by where its value changes.

    Mask k begins with 0 and changes at `edges[firsts[k]:firsts[k + 1]]`, positions in column-major
    order, ascending, all under `num_pixels`.
    """
    num_runs = int(firsts[-1]) + firsts.size
    # a difference of two runs needs as many bits as there are pixels, and a sign
    code = np.empty(num_runs * (num_pixels.bit_length() // 5 + 1), dtype=np.uint8)
    ends = np.empty(firsts.size - 1, dtype=np.int64)
    _compress(edges, firsts, num_pixels, code, ends)
    begin, codes = 0, []
    for end in ends.tolist():
        codes.append(code[begin:end].tobytes())
        begin = end
    return tuple(codes)


def decode(counts: bytes, size_HW: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the (H, W) mask of compressed counts.

    Raises ValueError for counts that are malformed or whose runs do not add up to H x W.
    """
    runs, _ = _runs_of(counts, size_HW)
    pixels_WH = np.zeros((size_HW[1], size_HW[0]), dtype=np.uint8)
    _fill(runs, pixels_WH.reshape(-1), 1)
    if pixels_WH.size == 0:
        return np.zeros(size_HW, dtype=np.bool_)
    return cv2.transpose(pixels_WH).view(np.bool_)


def area_px(counts: bytes) -> int:
    """Return the number of pixels in a mask, without decoding it; ValueError if malformed."""
    return _runs(counts)[2]


def paint(ids_HW: NDArray[Id], counts: bytes, value: int) -> int:
    """Set the mask's pixels in `ids_HW` to `value`, in place, and return how many they are.

    ValueError as for `decode`. Several times as fast where `ids_HW` lies column by column, as codes
    do.
    """
    runs, area = _runs_of(counts, (ids_HW.shape[0], ids_HW.shape[1]))
    if ids_HW.flags.f_contiguous:
        _fill(runs, ids_HW.T.reshape(-1), value)
    else:
        _paint(runs, ids_HW, value)
    return area


def _runs_of(counts: bytes, size_HW: tuple[int, int]) -> tuple[NDArray[np.int64], int]:
    """Return the lengths of runs, which add up to the size, and the sum of the runs of 1."""
    runs, num_pixels, area = _runs(counts)
    if num_pixels != size_HW[0] * size_HW[1]:
        raise ValueError(
            f"runs of {num_pixels} pixels in all do not fit a mask of {size_HW[0]} x {size_HW[1]}"
        )
    return runs, area


def _runs(counts: bytes) -> tuple[NDArray[np.int64], int, int]:
    """Return the lengths of runs, checked one by one, their sum, and that of the runs of 1."""
    runs = np.empty(len(counts), dtype=np.int64)
    num_runs, num_pixels, area = _decompress(np.frombuffer(counts, dtype=np.uint8), runs)
    if num_runs < 0:
        raise ValueError(f"malformed run-length code: {_FAULTS[num_runs].format(num_pixels)}")
    return runs[:num_runs], num_pixels, area


@kernel
def _compress(
    edges: NDArray[np.int32],
    firsts: NDArray[np.int64],
    num_pixels: int,
    code: NDArray[np.uint8],
    ends: NDArray[np.int64],
) -> None:
    at = 0  # five bits a character, and a sixth, 32, where more follow
    for mask in range(ends.size):
        first, last = firsts[mask], firsts[mask + 1]
        begin = before = two_before = 0
        for i in range(first, last + 1):
            end = int(edges[i]) if i < last else int(num_pixels)
            run = end - begin
            rest = run - two_before if i > first + 2 else run
            begin, two_before, before = end, before, run
            while rest < -16 or rest > 15:
                code[at] = (rest & 31) + 80
                rest >>= 5
                at += 1
            code[at] = (rest & 31) + 48
            at += 1
        ends[mask] = at


@kernel
def _decompress(code: NDArray[np.uint8], runs: NDArray[np.int64]) -> tuple[int, int, int]:
    """Return the number of runs, their sum and that of the runs of 1; or a fault and its place."""
    at = num_runs = num_pixels = area = 0
    while at < code.size:
        run = shift = 0
        more = True
        while more:
            if at == code.size:
                return _TRUNCATED, at, 0
            if shift == 5 * _MAX_CHARACTERS:
                return _TOO_LONG, num_runs, 0
            bits = int(code[at]) - 48
            if bits < 0 or bits > 63:
                return _FOREIGN, at, 0
            run |= (bits & 31) << shift
            shift += 5
            at += 1
            more = bits & 32 != 0
            if not more and bits & 16:
                run -= 1 << shift
        if num_runs > 2:
            run += int(runs[num_runs - 2])
        if run < 0:
            return _NEGATIVE, num_runs, 0
        runs[num_runs] = run
        num_pixels += run
        area += run if num_runs & 1 else 0
        num_runs += 1
    return num_runs, num_pixels, area


@kernel
def _window_edges(
    changed: NDArray[np.int32],
    first_value: int,
    window_width: int,
    window_height: int,
    offset: int,
    height: int,
    edges: NDArray[np.int32],
) -> int:
    """Write where the large mask changes its value; return how often it does.

    `changed` are the window's changes in column-major order, `offset` the position of its first
    pixel in the large mask. A run that goes on in the window's next column is cut there, unless
    the columns follow one another in the large mask as well.
    """
    num_edges = 0
    begin = 0
    value = first_value
    for i in range(changed.size + 1):
        end = int(changed[i]) if i < changed.size else int(window_width * window_height)
        while value and begin < end:
            column = begin // window_height
            stop = min(end, (column + 1) * window_height)
            shift = offset + column * (height - window_height)
            if num_edges and edges[num_edges - 1] == begin + shift:
                num_edges -= 1
            else:
                edges[num_edges] = begin + shift
                num_edges += 1
            edges[num_edges] = stop + shift
            num_edges += 1
            begin = stop
        begin = end
        value = not value
    return num_edges


@kernel
def _fill(runs: NDArray[np.int64], pixels: NDArray[Id], value: int) -> None:
    at = 0
    for i in range(runs.size):
        if i & 1:
            pixels[at : at + runs[i]] = value
        at += runs[i]


@kernel
def _paint(runs: NDArray[np.int64], ids_HW: NDArray[Id], value: int) -> None:
    height = ids_HW.shape[0]
    row = column = 0
    for i in range(runs.size):
        left = runs[i]
        while left > 0:
            length = min(left, height - row)
            if i & 1:
                for r in range(row, row + length):
                    ids_HW[r, column] = value
            row += length
            left -= length
            if row == height:
                row = 0
                column += 1
