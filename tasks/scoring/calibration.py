"""Whether a model is as often right as it says: reliability bins and their mean error."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NUM_BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """The answers with a confidence from `low` up to `high` (the last bin holds 1 as well)."""

    low: float
    high: float
    items: int
    confidence: float  # mean; 0 where there is no item
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The bins, and the expected calibration error: mean of |accuracy - confidence| by items."""

    items: int
    error: float
    bins: tuple[Bin, ...]


def calibration(
    confidences: Sequence[float], right: Sequence[bool], num_bins: int = NUM_BINS
) -> Calibration | None:
    """Return bins of equal width over 0 to 1; None where no confidence is given."""
    if not confidences:
        return None
    sure_N, right_N = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    edges = np.arange(num_bins + 1) / num_bins
    bin_N = np.clip(np.searchsorted(edges, sure_N, side="right") - 1, 0, num_bins - 1)
    bins = []
    for number in range(num_bins):
        inside_N = bin_N == number
        items = int(np.count_nonzero(inside_N))
        bins.append(
            Bin(
                low=float(edges[number]),
                high=float(edges[number + 1]),
                items=items,
                confidence=float(sure_N[inside_N].mean()) if items else 0.0,
                accuracy=float(right_N[inside_N].mean()) if items else 0.0,
            )
        )
    error = sum(one.items * abs(one.accuracy - one.confidence) for one in bins) / len(sure_N)
    return Calibration(items=len(sure_N), error=error, bins=tuple(bins))
