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
    parts_HW = decode(mask.counts.encode(), mask.size).astype(np.int32)
    for number, found in enumerate(objects_of(row, mask), start=2):
        object_HW = np.zeros(mask.size, dtype=np.uint8, order="F")
        paint(object_HW, found.counts, 1)
        parts_HW[(object_HW == 1) & (parts_HW > 0)] = number
    return parts_HW


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
