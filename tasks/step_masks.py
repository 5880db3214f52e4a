"""The masks of a question's steps, cut once a scene however many questions use them."""

from typing import Any

from masks.measured import Measured
from masks.regions import is_box, leaves, region
from masks.rle import encode
from schemas.mask import Origin
from schemas.program import ClassMask, dump_program


class StepMasks:
    """COCO RLE, origin and program JSON of mask expressions on one scene."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._cut: dict[Any, tuple[str, str, str]] = {}

    def get(self, expr: Any) -> tuple[str, str, str]:
        """Return (counts, origin, program JSON) of a mask expression."""
        if expr not in self._cut:
            self._cut[expr] = (self._counts(expr), self._origin(expr), dump_program(expr))
        return self._cut[expr]

    def _counts(self, expr: Any) -> str:
        if isinstance(expr, ClassMask):
            stored = self._measured.layer(expr.layer, expr.date).class_masks.get(expr.label)
            if stored is not None:
                return stored.counts.decode("ascii")
        return encode(region(expr, self._measured).mask_HW).decode("ascii")

    def _origin(self, expr: Any) -> str:
        """Return "box" or "predicted" if any leaf is such a mask, else "annotated"."""
        used = leaves(expr)
        if any(is_box(leaf, self._measured) for leaf in used):
            return Origin.BOX.value
        if any(self._measured.layer(leaf.layer, leaf.date).is_predicted for leaf in used):
            return Origin.PREDICTED.value
        return Origin.ANNOTATED.value
