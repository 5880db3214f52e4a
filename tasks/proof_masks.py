"""Whether the masks of a sample's steps are what their expressions give."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, TypeAdapter, ValidationError

from masks.reference_morphology import MaskHW, cells_HW, near
from masks.reference_regions import leaves
from masks.reference_scene import ReferenceScene, decode_rle
from schemas.mask import Origin
from schemas.program import And, MaskExpr, Minus, Near, Or, Part
from schemas.value import Undefined
from tasks.finding import Finding
from tasks.rows import Row, RowMask

IOU_TOLERANCE = 1e-6
_MASK_EXPR: TypeAdapter[MaskExpr] = TypeAdapter(MaskExpr)


def check_mask(
    row: Row,
    number: int,
    mask: RowMask,
    scene: ReferenceScene,
    marked: list[tuple[BaseModel, int]],
) -> Iterator[Finding]:
    """Compare mask `number` with its expression; add the expression and its pixels to `marked`."""
    try:
        expr = _MASK_EXPR.validate_json(mask.program)
        due_HW = mask_of(expr, scene)
        found_HW = decode_rle(mask.counts.encode(), mask.size)
    except ValidationError as error:
        yield Finding(rule="mask_program", expected="a mask expression", found=f"{error}")
        return
    except (ValueError, Undefined) as error:
        yield Finding(rule="mask_unreadable", expected=f"mask {number}", found=f"{error}")
        return
    marked.append((expr, int(np.count_nonzero(due_HW))))
    dates = {leaf.date for leaf in leaves(expr)}
    if 0 <= mask.image_index < len(row.image_info):
        shown = row.image_info[mask.image_index].date_index
        if len(dates) == 1 and shown not in dates:
            yield Finding(
                rule="mask_date",
                expected=f"mask {number} on an image of date {min(dates)}",
                found=f"image {mask.image_index} of date {shown}",
            )
    yield from _check_origin(row, number, mask, expr)
    yield from _check_pixels(number, mask, due_HW, found_HW)


def _check_origin(row: Row, number: int, mask: RowMask, expr: MaskExpr) -> Iterator[Finding]:
    """A mask is predicted if, and only if, a model marked a layer that it is of."""
    marked = row.evidence.marked_layers
    of_marked = any((leaf.layer, leaf.date) in marked for leaf in leaves(expr))
    if of_marked != (mask.origin is Origin.PREDICTED):
        due = Origin.PREDICTED if of_marked else "that of labels"
        yield Finding(
            rule="mask_origin",
            expected=f"{due} for mask {number} ({mask.label})",
            found=mask.origin,
        )


def _check_pixels(
    number: int, mask: RowMask, due_HW: MaskHW, found_HW: MaskHW
) -> Iterator[Finding]:
    """A mask is its expression, pixel by pixel, unless it is an intersection: inside of it.

    Any mask tells its true IoU.
    """
    differing_px = int(np.count_nonzero(due_HW != found_HW))
    if mask.origin is not Origin.INTERSECTION and differing_px:
        yield Finding(
            rule="mask_pixels",
            expected=f"mask {number} ({mask.label}) as its expression gives it",
            found=f"{differing_px} pixels differ",
        )
    outside_px = int(np.count_nonzero(found_HW & ~due_HW))
    if mask.origin is Origin.INTERSECTION and outside_px:
        yield Finding(
            rule="mask_outside",
            expected=f"mask {number} ({mask.label}) inside of its expression's",
            found=f"{outside_px} pixels outside",
        )
    union_px = int(np.count_nonzero(due_HW | found_HW)) if differing_px else 0
    iou = np.count_nonzero(due_HW & found_HW) / union_px if union_px else 1.0
    if abs(iou - mask.iou) > IOU_TOLERANCE:
        yield Finding(rule="mask_iou", expected=f"{iou:.6f} for mask {number}", found=f"{mask.iou}")


def mask_of(expr: MaskExpr, scene: ReferenceScene) -> MaskHW:
    """Return the (H, W) mask of an expression alone, without its inner and outer forms.

    Raises:
        Undefined: if it names a layer that the scene does not list at that date, or asks what is
            near where the pixel size is unknown.
    """
    match expr:
        case And():
            return mask_of(expr.a, scene) & mask_of(expr.b, scene)
        case Or():
            return mask_of(expr.a, scene) | mask_of(expr.b, scene)
        case Minus():
            return mask_of(expr.a, scene) & ~mask_of(expr.b, scene)
        case Part():
            cell_HW: MaskHW = cells_HW(scene.evidence.size_HW) == expr.cell
            return mask_of(expr.of, scene) & cell_HW
        case Near():
            to_HW = mask_of(expr.to, scene)
            return mask_of(expr.of, scene) & near(to_HW, expr.distance_m, scene.pixel_size_m)
        case _:
            scene.layer(expr)
            return scene.mask_HW(expr)
