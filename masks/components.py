"""8-connected parts of masks and of label maps, built from runs of pixels, not pixel by pixel.

Chosen over cc3d, whose statistics need every pixel a second time: `benchmarks/mask_codec.py` has
both side by side, and the tests hold this against it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masks.kernel import kernel
from masks.runs import BEGIN, END, ID, ROW, row_runs
from schemas.scene import BACKGROUND_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """The 8-connected parts of one mask, in row-major order of their first pixels.

    `size_px` is (N,), `centroid_rc` (N, 2) the mean row and column of a part's pixels,
    `first_index` (N,) the row-major index of its first pixel. `runs` holds the runs of pixels
    that all parts of the label map are made of, `part_of_run` the number of each run's part there,
    and `number` (N,) the numbers of the parts of this mask.
    """

    size_HW: tuple[int, int]
    size_px: NDArray[np.int64]
    centroid_rc: NDArray[np.float64]
    first_index: NDArray[np.int64]
    runs: NDArray[np.int32]
    part_of_run: NDArray[np.int32]
    number: NDArray[np.int64]

    def largest(self) -> int:
        """Return the index of the largest part, the first of several; ValueError if none."""
        if not self.size_px.size:
            raise ValueError("an empty mask has no largest part")
        return int(self.size_px.argmax())

    def part_HW(self, index: int) -> NDArray[np.bool_]:
        """Return the (H, W) mask of one part."""
        part_HW = np.zeros(self.size_HW, dtype=np.bool_)
        _paint_part(self.runs, self.part_of_run, int(self.number[index]), part_HW.reshape(-1))
        return part_HW


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassComponents:
    """The 8-connected parts of every class of a label map; `class_id[i]` is the class of part i."""

    parts: Components
    class_id: NDArray[np.uint8]

    def of(self, class_id: int) -> Components:
        """Return the parts of one class."""
        chosen = np.flatnonzero(self.class_id == class_id)
        return Components(
            size_HW=self.parts.size_HW,
            size_px=self.parts.size_px[chosen],
            centroid_rc=self.parts.centroid_rc[chosen],
            first_index=self.parts.first_index[chosen],
            runs=self.parts.runs,
            part_of_run=self.parts.part_of_run,
            number=chosen,
        )

    def sizes_px(self, class_id: int) -> NDArray[np.int64]:
        """Return the sizes of one class's parts, in row-major order of their first pixels."""
        sizes_px: NDArray[np.int64] = self.parts.size_px[self.class_id == class_id]
        return sizes_px


def components(mask_HW: NDArray[np.bool_]) -> Components:
    """Return the 8-connected parts of an (H, W) mask."""
    # a mask is a label map whose only class is 1
    pixels_HW = np.ascontiguousarray(mask_HW, dtype=np.bool_).view(np.uint8)
    return _components(pixels_HW, 1, 2).parts


def label_components(ids_HW: NDArray[np.uint8], num_classes: int) -> ClassComponents:
    """Return the 8-connected parts of every class of an (H, W) label map, ids under `num_classes`.

    Background and invalid pixels belong to no part.
    """
    if not 0 <= num_classes <= BACKGROUND_ID:
        raise ValueError(f"{num_classes} classes; ids 0 to {BACKGROUND_ID - 1} are for classes")
    return _components(np.ascontiguousarray(ids_HW, dtype=np.uint8), 0, num_classes)


def _components(ids_HW: NDArray[np.uint8], lowest: int, stop: int) -> ClassComponents:
    """Return the parts of the ids from `lowest` to under `stop`."""
    height, width = ids_HW.shape
    runs = row_runs(ids_HW, lowest, stop)
    part_of_run = np.empty(len(runs), dtype=np.int32)
    _join_runs(runs, width, part_of_run)
    sums = np.zeros((len(runs), 3), dtype=np.int64)
    first_index = np.empty(len(runs), dtype=np.int64)
    num_parts = _sum_runs(runs, width, part_of_run, sums, first_index)
    first_index = first_index[:num_parts]
    parts = Components(
        size_HW=(height, width),
        size_px=sums[:num_parts, 0],
        centroid_rc=sums[:num_parts, 1:] / (2 * sums[:num_parts, :1]),
        first_index=first_index,
        runs=runs,
        part_of_run=part_of_run,
        number=np.arange(num_parts),
    )
    return ClassComponents(parts=parts, class_id=ids_HW.reshape(-1)[first_index])


@kernel
def _join_runs(runs: NDArray[np.int32], width: int, parents: NDArray[np.int32]) -> None:
    """Link each run to an earlier one of the same part, or to itself.

    `above` walks over the runs of the row before. A run of it touches, also at a corner, if it
    ends no earlier than this one begins, and begins no later than this one ends.
    """
    above = 0
    for i in range(runs.shape[0]):
        parents[i] = i
        begin, end, row = runs[i, BEGIN] - width, runs[i, END] - width, runs[i, ROW] - 1
        while runs[above, ROW] < row or (runs[above, ROW] == row and runs[above, END] < begin):
            above += 1
        other = above
        while runs[other, ROW] == row and runs[other, BEGIN] <= end:
            if runs[other, ID] == runs[i, ID]:
                _link(parents, other, i)
            other += 1


@kernel
def _link(parents: NDArray[np.int32], a: int, b: int) -> None:
    """Join the parts of two runs; the earlier root stays one."""
    while parents[a] != a:
        parents[a] = parents[parents[a]]
        a = parents[a]
    while parents[b] != b:
        parents[b] = parents[parents[b]]
        b = parents[b]
    parents[max(a, b)] = min(a, b)


@kernel
def _sum_runs(
    runs: NDArray[np.int32],
    width: int,
    parents: NDArray[np.int32],
    sums: NDArray[np.int64],
    first_index: NDArray[np.int64],
) -> int:
    """Number the parts and sum up their pixels and twice their rows and columns.

    A root comes before the runs that lead to it, so each run's parent can turn into the number of
    its part as we go.
    """
    num_parts = 0
    for i in range(runs.shape[0]):
        begin, end, row = int(runs[i, BEGIN]), int(runs[i, END]), runs[i, ROW]
        if parents[i] == i:
            first_index[num_parts] = begin
            parents[i] = num_parts
            num_parts += 1
        else:
            parents[i] = parents[parents[i]]
        part = parents[i]
        sums[part, 0] += end - begin
        sums[part, 1] += 2 * row * (end - begin)
        sums[part, 2] += (end - begin) * (begin + end - 1 - 2 * row * width)
    return num_parts


@kernel
def _paint_part(
    runs: NDArray[np.int32], part_of_run: NDArray[np.int32], number: int, pixels: NDArray[np.bool_]
) -> None:
    for i in range(runs.shape[0]):
        if part_of_run[i] == number:
            pixels[runs[i, BEGIN] : runs[i, END]] = True
