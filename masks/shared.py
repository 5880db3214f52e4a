"""What an annotated mask and a predicted one share in whole regions of the annotation."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

LEAST_SHARE = 0.1  # of an annotated region, that is predicted, for the region to be kept
_EIGHT = np.ones((3, 3))  # neighbours


def shared_regions(
    annotated_HW: NDArray[np.bool_], predicted_HW: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the annotated 8-connected regions of which a tenth or more is predicted.

    Edges stay as annotated: what a coarse prediction says of them is worse than an annotation that
    is off by some pixels (`benchmarks/refinement.py`).
    """
    regions_HW, number = ndimage.label(annotated_HW, _EIGHT)
    size_px = np.bincount(regions_HW.ravel(), minlength=number + 1)
    found_px = np.bincount(regions_HW[predicted_HW], minlength=number + 1)
    kept = found_px >= LEAST_SHARE * size_px
    kept[0] = False  # outside of all regions
    kept_HW: NDArray[np.bool_] = kept[regions_HW]
    return kept_HW
