"""A scene as a caption's proof sees it: the plain reference, and never the production kernels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from masks.reference_morphology import cells_HW
from masks.reference_numbers import shared_edges
from tasks.proof_masks import mask_of
from tasks.proof_words import ReferenceTold
from templates.ground import Metadata
from templates.view import View


@dataclass(frozen=True)
class ReferenceGround(ReferenceTold):
    """A scene as told by the plain reference; a `templates.ground.Ground`."""

    view: View
    metadata: Metadata

    def cells_px(self, expr: Any) -> tuple[int, ...]:
        """Return the pixels of a mask expression in each of the 9 cells, row by row."""
        held = cells_HW(self.size_HW)[mask_of(expr, self.scene)]
        return tuple(np.bincount(held, minlength=9).tolist())

    def edges_px(self, a: Any, b: Any) -> int:
        """Return the number of 4-neighbour pixel edges that two mask expressions share."""
        return sum(shared_edges(mask_of(a, self.scene), mask_of(b, self.scene)))

    def areas_px(self, expr: Any) -> tuple[int, ...]:
        """Return the pixels of each 8-connected area of a mask expression, in any order."""
        numbers_HW, _ = ndimage.label(mask_of(expr, self.scene), structure=np.ones((3, 3)))
        return tuple(np.bincount(numbers_HW.ravel())[1:].tolist())
