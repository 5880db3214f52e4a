"""What a label map holds, for every class at once: codes, pixels, boxes, shared edges, margins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masks.kernel import kernel
from masks.rle import compress
from masks.runs import changes, column_major
from schemas.scene import BACKGROUND_ID, INVALID_ID

_CHUNK = 30  # classes whose margins are counted together, one bit each
_ELSEWHERE = np.uint32(1 << 30)  # the bit of background and of the classes of other chunks
_UNKNOWN = np.uint32(1 << 31)  # the bit of ids that are no class
_STRETCH_PX = 64  # of a row, counted at once: most stretches hold one class only


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassBorders:
    """How the N classes of a label map meet, indexed by class id; empty on the diagonals.

    `sideways_edges` and `upright_edges`, (N, N) and symmetric, are the edges that two classes share
    between left and right neighbours (as long as a pixel's y size) and between upper and lower
    neighbours (its x size). `adjacent`, (N, N), tells whether two classes touch at an edge or a
    corner.
    """

    sideways_edges: NDArray[np.int64]
    upright_edges: NDArray[np.int64]
    adjacent: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStats(ClassBorders):
    """Measures of an (H, W) label map with N classes, indexed by class id.

    `counts` are compressed COCO counts, of an empty mask where a class is absent; `bbox_px` is
    (N, 4): first row, first column, one past the last row, one past the last column, zeros where
    absent.
    """

    counts: tuple[bytes, ...]
    area_px: NDArray[np.int64]
    bbox_px: NDArray[np.int64]
    valid_counts: bytes
    valid_px: int


@dataclass(frozen=True, slots=True)
class _Pass:
    """A label map read once down its columns and once along its rows."""

    columns: NDArray[np.uint8]
    starts: NDArray[np.int32]  # of the runs in `columns`
    firsts: NDArray[np.int64]  # where each mask's changes begin, as for `compress`
    area_px: NDArray[np.int64]
    bbox_px: NDArray[np.int64]
    borders: ClassBorders


def label_stats(ids_HW: NDArray[np.uint8], num_classes: int) -> LabelStats:
    """Measure all classes of a label map: ids under `num_classes`, background or invalid.

    ValueError names an id that is none of these.
    """
    read = _read(ids_HW, num_classes)
    cuts = np.empty(read.firsts[-1], dtype=np.int32)
    _write_cuts(read.columns, read.starts, _slots(num_classes), read.firsts, cuts)
    codes = compress(cuts, read.firsts, read.columns.size)
    return LabelStats(
        counts=codes[:num_classes],
        area_px=read.area_px[:num_classes],
        bbox_px=read.bbox_px[:num_classes],
        sideways_edges=read.borders.sideways_edges,
        upright_edges=read.borders.upright_edges,
        adjacent=read.borders.adjacent,
        valid_counts=codes[num_classes],
        valid_px=read.columns.size - int(read.area_px[num_classes + 1]),
    )


def class_borders(ids_HW: NDArray[np.uint8], num_classes: int) -> ClassBorders:
    """Measure only how the classes of a label map meet; ValueError as in `label_stats`."""
    return _read(ids_HW, num_classes).borders


def _read(ids_HW: NDArray[np.uint8], num_classes: int) -> _Pass:
    ids_HW = _checked(ids_HW, num_classes)
    slots = _slots(num_classes)
    columns = column_major(ids_HW)
    starts = changes(columns)
    num_slots = num_classes + 2
    area_px = np.zeros(num_slots, dtype=np.int64)
    bbox_px = np.zeros((num_slots, 4), dtype=np.int64)
    edges = np.zeros((2, num_slots, num_slots), dtype=np.int64)
    touching = np.zeros((num_slots, num_slots), dtype=np.bool_)
    firsts = np.zeros(num_classes + 2, dtype=np.int64)
    strange = _measure_columns(
        columns, starts, ids_HW.shape[0], slots, area_px, bbox_px, edges[1], firsts
    )
    if strange >= 0:
        raise ValueError(f"id {strange} is none of {num_classes} classes, background or invalid")
    rows = ids_HW.reshape(-1)
    _measure_rows(rows, changes(rows), ids_HW.shape[1], slots, bbox_px, edges[0], touching)
    classes = slice(num_classes)
    edges = (edges + edges.transpose(0, 2, 1))[:, classes, classes]
    touching = (touching | touching.T)[classes, classes] | edges.any(axis=0)
    np.fill_diagonal(touching, val=False)
    borders = ClassBorders(sideways_edges=edges[0], upright_edges=edges[1], adjacent=touching)
    return _Pass(columns, starts, firsts, area_px, bbox_px, borders)


def margin_counts(
    ids_HW: NDArray[np.uint8], num_classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pixels of every class eroded and dilated by a 3 x 3 square, each (N,).

    Pixels outside the image and invalid ones neither erode nor receive dilation. ValueError where
    an id is neither a class nor background nor invalid.
    """
    ids_HW = _checked(ids_HW, num_classes)
    inner_px = np.zeros(num_classes, dtype=np.int64)
    outer_px = np.zeros(num_classes, dtype=np.int64)
    for first in range(0, num_classes, _CHUNK):
        chunk = slice(first, first + _CHUNK)
        if not _count_margins(ids_HW, first, num_classes, inner_px[chunk], outer_px[chunk]):
            raise ValueError(f"an id is none of {num_classes} classes, background or invalid")
    return inner_px, outer_px


def _checked(ids_HW: NDArray[np.uint8], num_classes: int) -> NDArray[np.uint8]:
    """Return the map as it must lie in memory."""
    if not ids_HW.size:
        raise ValueError(f"a label map of {ids_HW.shape} has no pixels")
    if not 0 <= num_classes <= BACKGROUND_ID:
        raise ValueError(f"{num_classes} classes; ids 0 to {BACKGROUND_ID - 1} are for classes")
    return np.ascontiguousarray(ids_HW, dtype=np.uint8)


def _slots(num_classes: int) -> NDArray[np.int16]:
    """Return the place of every id in a table: classes, background, invalid; -1 for no such id."""
    slots = np.full(256, -1, dtype=np.int16)
    slots[:num_classes] = np.arange(num_classes)
    slots[BACKGROUND_ID] = num_classes
    slots[INVALID_ID] = num_classes + 1
    return slots


@kernel
def _measure_columns(
    columns: NDArray[np.uint8],
    starts: NDArray[np.int32],
    height: int,
    slots: NDArray[np.int16],
    area_px: NDArray[np.int64],
    bbox_px: NDArray[np.int64],
    edges: NDArray[np.int64],
    firsts: NDArray[np.int64],
) -> int:
    """Measure the runs of one id in column-major order; return an id without a slot, else -1.

    Edges are those from upper to lower neighbours. `firsts` receives how often the mask of each
    class, and last that of the valid pixels, changes its value, summed up as for `compress`.
    """
    invalid = area_px.size - 1
    num_runs = np.zeros(area_px.size, dtype=np.int64)
    before = slot = invalid
    begin = column = valid_changes = 0
    column_end = height
    for i in range(starts.size + 1):
        end = int(starts[i]) if i < starts.size else columns.size
        slot = int(slots[columns[begin]])
        if slot < 0:
            return int(columns[begin])
        while begin >= column_end:
            column += 1
            column_end += height
        edges[before, slot] += begin + height > column_end
        if num_runs[slot] == 0:
            bbox_px[slot, 1] = column
        bbox_px[slot, 3] = column + 1 if end <= column_end else (end - 1) // height + 1
        area_px[slot] += end - begin
        num_runs[slot] += 1
        valid_changes += (slot == invalid) != (before == invalid)
        before, begin = slot, end
    for label in range(invalid - 1):
        firsts[label + 1] = firsts[label] + 2 * num_runs[label] - (label == slot)
    firsts[invalid] = firsts[invalid - 1] + valid_changes
    return -1


@kernel
def _write_cuts(
    columns: NDArray[np.uint8],
    starts: NDArray[np.int32],
    slots: NDArray[np.int16],
    firsts: NDArray[np.int64],
    cuts: NDArray[np.int32],
) -> None:
    """Write where the masks change their value, as for `compress`; the last is of valid pixels."""
    valid = firsts.size - 2
    invalid = valid + 1
    at = firsts.copy()
    before = invalid
    for i in range(-1, starts.size):
        begin = int(starts[i]) if i >= 0 else 0
        slot = int(slots[columns[begin]])
        if before < valid:
            cuts[at[before]] = begin
            at[before] += 1
        if slot < valid:
            cuts[at[slot]] = begin
            at[slot] += 1
        if (slot == invalid) != (before == invalid):
            cuts[at[valid]] = begin
            at[valid] += 1
        before = slot


@kernel
def _measure_rows(
    rows: NDArray[np.uint8],
    starts: NDArray[np.int32],
    width: int,
    slots: NDArray[np.int16],
    bbox_px: NDArray[np.int64],
    edges: NDArray[np.int64],
    touching: NDArray[np.bool_],
) -> None:
    """Measure the runs of one id in row-major order: rows, edges from left to right neighbours.

    Notes what touches at a corner, upper to lower. Corners are looked at only where the two upper
    of four pixels differ: where they are alike, whatever touches at the corner shares an edge.
    """
    row = begin = 0
    row_end = width
    for i in range(starts.size + 1):
        end = int(starts[i]) if i < starts.size else rows.size
        right = slots[rows[begin]]
        while begin >= row_end:
            row += 1
            row_end += width
        if bbox_px[right, 2] == 0:
            bbox_px[right, 0] = row
        bbox_px[right, 2] = row + 1 if end <= row_end else (end - 1) // width + 1
        if begin + width > row_end:
            left = slots[rows[begin - 1]]
            edges[left, right] += 1
            if row_end < rows.size:
                touching[left, slots[rows[begin + width]]] = True
                touching[right, slots[rows[begin + width - 1]]] = True
        begin = end


@kernel
def _count_margins(
    ids_HW: NDArray[np.uint8],
    first: int,
    num_classes: int,
    inner_px: NDArray[np.int64],
    outer_px: NDArray[np.int64],
) -> bool:
    """Count pixels by the classes in the square around them; false where an id is unknown.

    The classes counted are `first` and those that follow it, as many as `inner_px` is long.
    """
    height, width = ids_HW.shape
    rows = np.zeros((3, width + 2), dtype=np.uint32)  # bits of three rows, ringed by no class
    mixed = np.zeros((-(-width // _STRETCH_PX), _STRETCH_PX), dtype=np.uint32)
    flat = mixed.reshape(-1)[:width]
    _to_bits(ids_HW, 0, first, inner_px.size, num_classes, rows[1])
    for row in range(height):
        if row + 1 < height:
            _to_bits(ids_HW, row + 1, first, inner_px.size, num_classes, rows[(row + 2) % 3])
        else:
            rows[(row + 2) % 3] = 0
        _mix(rows, rows[(row + 1) % 3], flat)
        for stretch in range(mixed.shape[0]):
            present, everywhere = _sum_up(mixed, stretch)
            if present & _UNKNOWN:
                return False
            for label in range(inner_px.size):
                bit = np.uint32(1) << np.uint32(label)
                if present == everywhere == bit:
                    inner_px[label] += _STRETCH_PX
                    outer_px[label] += _STRETCH_PX
                elif present & bit:
                    inner, outer = _tally(mixed, stretch, bit)
                    inner_px[label] += inner
                    outer_px[label] += outer
    return True


@kernel
def _to_bits(
    ids_HW: NDArray[np.uint8],
    row: int,
    first: int,
    num_bits: int,
    num_classes: int,
    bits: NDArray[np.uint32],
) -> None:
    for column in range(ids_HW.shape[1]):
        label = np.uint32(ids_HW[row, column])
        place = np.uint32(label - np.uint32(first))
        bit = _UNKNOWN
        if label < np.uint32(num_classes) or label == np.uint32(BACKGROUND_ID):
            bit = _ELSEWHERE
        if label == np.uint32(INVALID_ID):
            bit = np.uint32(0)
        if place < np.uint32(num_bits):
            bit = np.uint32(1) << (place & np.uint32(31))
        bits[column + 1] = bit


@kernel
def _mix(rows: NDArray[np.uint32], here: NDArray[np.uint32], mixed: NDArray[np.uint32]) -> None:
    """Gather the bits of the square around every valid pixel of the middle row."""
    a, b, c = rows[0], rows[1], rows[2]
    for i in range(mixed.size):
        bits = a[i] | b[i] | c[i]
        bits |= a[i + 1] | b[i + 1] | c[i + 1]
        bits |= a[i + 2] | b[i + 2] | c[i + 2]
        mixed[i] = bits if here[i + 1] else np.uint32(0)


@kernel
def _sum_up(mixed: NDArray[np.uint32], stretch: int) -> tuple[np.uint32, np.uint32]:
    """Return the bits that any and that all pixels of a stretch have."""
    present = np.uint32(0)
    everywhere = ~np.uint32(0)
    for i in range(_STRETCH_PX):
        present |= mixed[stretch, i]
        everywhere &= mixed[stretch, i]
    return present, everywhere


@kernel
def _tally(mixed: NDArray[np.uint32], stretch: int, bit: np.uint32) -> tuple[int, int]:
    """Count the pixels with nothing but the class around them, and those with some of it."""
    inner = outer = np.uint8(0)  # a stretch is shorter than 256, and short counters are fast
    for i in range(_STRETCH_PX):
        inner = np.uint8(inner + np.uint8(mixed[stretch, i] == bit))
        outer = np.uint8(outer + np.uint8(mixed[stretch, i] & bit != 0))
    return int(inner), int(outer)
