"""Whether right answers come with better masks than wrong ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import pearsonr


@dataclass(frozen=True, slots=True, kw_only=True)
class RightAndWrong:
    """Mean IoU of items answered right and wrong, and Pearson's r of the two; None where unknown.

    `p` is two-sided, as if items were independent.
    """

    right: int
    wrong: int
    iou_right: float | None
    iou_wrong: float | None
    r: float | None
    p: float | None


def right_and_wrong(right: Sequence[bool], ious: Sequence[float]) -> RightAndWrong:
    """Compare items by whether they were answered right; r needs both kinds and unequal IoUs."""
    right_N, iou_N = np.asarray(right, np.bool_), np.asarray(ious, np.float64)
    num_right = int(np.count_nonzero(right_N))
    r = p = None
    if 0 < num_right < len(right_N) and len(right_N) > 2 and np.ptp(iou_N) > 0:
        found = pearsonr(right_N.astype(np.float64), iou_N)
        r, p = float(found.statistic), float(found.pvalue)
    return RightAndWrong(
        right=num_right,
        wrong=len(right_N) - num_right,
        iou_right=float(iou_N[right_N].mean()) if num_right else None,
        iou_wrong=float(iou_N[~right_N].mean()) if num_right < len(right_N) else None,
        r=r,
        p=p,
    )
