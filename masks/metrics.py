"""How well one mask agrees with another: intersection, IoU, boundary F."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masks.kernel import kernel


@dataclass(frozen=True, slots=True)
class Overlap:
    """The pixels that two masks share, and those of either."""

    shared_px: int
    either_px: int

    @property
    def iou(self) -> float:
        """What is shared of either, 0 to 1; 1.0 where both masks are empty."""
        return self.shared_px / self.either_px if self.either_px else 1.0


def overlap(a_HW: NDArray[np.bool_], b_HW: NDArray[np.bool_]) -> Overlap:
    """Count what two (H, W) masks share and cover; ValueError where their sizes differ."""
    _check_same_size(a_HW, b_HW)
    return Overlap(int(np.count_nonzero(a_HW & b_HW)), int(np.count_nonzero(a_HW | b_HW)))


def intersection(a_HW: NDArray[np.bool_], b_HW: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels that are in both (H, W) masks; ValueError where their sizes differ."""
    _check_same_size(a_HW, b_HW)
    return a_HW & b_HW


def iou(a_HW: NDArray[np.bool_], b_HW: NDArray[np.bool_]) -> float:
    """Return the pixels in both masks over the pixels in either, 0 to 1; 1.0 where both are empty.

    ValueError where the sizes differ.
    """
    return overlap(a_HW, b_HW).iou


def boundary_f(a_HW: NDArray[np.bool_], b_HW: NDArray[np.bool_], tolerance_px: int) -> float:
    """Return the boundary measure F of two (H, W) masks, 0 to 1 and symmetric.

    A share of each mask's boundary pixels lies within `tolerance_px` (pixel centres, 0 or more) of
    the other's boundary; F is the harmonic mean of the two shares. It is 1.0 where neither mask
    has a boundary and 0.0 where only one has. The boundary is that of Perazzi et al., "A Benchmark
    Dataset and Evaluation Methodology for Video Object Segmentation" (CVPR 2016), after Csurka et
    al., "What is a good evaluation measure for semantic segmentation?" (BMVC 2013): pixels that
    differ from their right, lower or lower right neighbour within the image. So a mask that fills
    the image has none. Their tolerance is 0.8 % of the image's diagonal, rounded up.
    """
    _check_same_size(a_HW, b_HW)
    if tolerance_px < 0:
        raise ValueError(f"a tolerance of {tolerance_px} pixels")
    edge_a_HW, edge_b_HW = _boundary(a_HW), _boundary(b_HW)
    if not edge_a_HW.any() or not edge_b_HW.any():
        return float(edge_a_HW.any() == edge_b_HW.any())
    precision = _share_near(edge_a_HW, edge_b_HW, tolerance_px)
    recall = _share_near(edge_b_HW, edge_a_HW, tolerance_px)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _boundary(mask_HW: NDArray[np.bool_]) -> NDArray[np.bool_]:
    edge_HW = np.zeros(mask_HW.shape, dtype=np.bool_)
    edge_HW[:, :-1] |= mask_HW[:, :-1] ^ mask_HW[:, 1:]
    edge_HW[:-1, :] |= mask_HW[:-1, :] ^ mask_HW[1:, :]
    edge_HW[:-1, :-1] |= mask_HW[:-1, :-1] ^ mask_HW[1:, 1:]
    return edge_HW


def _share_near(
    edge_HW: NDArray[np.bool_], other_HW: NDArray[np.bool_], tolerance_px: int
) -> float:
    """Return the share of an edge's pixels that lie within the tolerance of the other's."""
    return _num_near(edge_HW, other_HW, tolerance_px) / int(np.count_nonzero(edge_HW))


@kernel
def _num_near(edge_HW: NDArray[np.bool_], other_HW: NDArray[np.bool_], tolerance_px: int) -> int:
    """Count an edge's pixels within a Euclidean distance of the other edge, exactly.

    The distance along the column comes first, cut off above the tolerance; along the row it is
    looked up only for the pixels that count.
    """
    height, width = edge_HW.shape
    far = tolerance_px + 1
    along_HW = np.empty((height, width), dtype=np.int32)
    for column in range(width):
        along_HW[0, column] = 0 if other_HW[0, column] else far
    for row in range(1, height):
        for column in range(width):
            above = along_HW[row - 1, column]
            along_HW[row, column] = 0 if other_HW[row, column] else min(far, above + 1)
    for row in range(height - 2, -1, -1):
        for column in range(width):
            below = along_HW[row + 1, column]
            along_HW[row, column] = min(along_HW[row, column], below + 1)
    num_near = 0
    for row in range(height):
        for column in range(width):
            if edge_HW[row, column]:
                for away in range(far):
                    left = along_HW[row, column - away] if away <= column else far
                    right = along_HW[row, column + away] if column + away < width else far
                    along = min(left, right)
                    if along < far and along**2 + away**2 <= tolerance_px**2:
                        num_near += 1
                        break
    return num_near


def _check_same_size(a_HW: NDArray[np.bool_], b_HW: NDArray[np.bool_]) -> None:
    if a_HW.shape != b_HW.shape:
        raise ValueError(f"masks of {a_HW.shape} and {b_HW.shape} are not on one grid")
