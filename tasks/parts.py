"""What a step's mask is drawn as: one area, or each object by itself where it marks objects."""

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from masks.rle import decode, paint
from schemas.mask import MaskKind, SceneMask
from schemas.program import Instances, MaskExpr
from tasks.rows import Row, RowMask

_MASK_EXPR: TypeAdapter[MaskExpr] = TypeAdapter(MaskExpr)


def parts_of(row: Row, mask: RowMask) -> NDArray[np.int32]:
    """Return an (H, W) map of a mask's parts: 1, 2, ... on each of them, 0 outside.

    ValueError for a code that is not one of the mask's size.
    """
    mask_HW = decode(mask.counts.encode(), mask.size)
    parts_HW = np.ones(mask.size, dtype=np.int32, order="F")
    for number, found in enumerate(objects_of(row, mask), start=2):
        paint(parts_HW, found.counts, number)
    return np.where(mask_HW, parts_HW, 0)


def objects_of(row: Row, mask: RowMask) -> list[SceneMask]:
    """Return the objects that a mask's expression names, none if it names no objects."""
    try:
        expr = _MASK_EXPR.validate_json(mask.program)
    except ValidationError:
        return []
    if not isinstance(expr, Instances):
        return []
    return [
        found
        for found in row.evidence.masks
        if found.kind is MaskKind.INSTANCE
        and (found.layer, found.label, found.date_index) == (expr.layer, expr.label, expr.date)
        and expr.attribute in (None, found.attribute)
    ]
