"""Mask expressions of a program: their leaves, their checks, the regions they stand for."""

from typing import Any

import numpy as np
from pydantic import BaseModel

from masks.distance import near
from masks.measured import Compound, MaskHW, Measured, MeasuredLayer, Region
from schemas.mask import Origin
from schemas.program import (
    And,
    CellOf,
    ClassMask,
    Count,
    Exists,
    Instances,
    Minus,
    Near,
    Or,
    Part,
    Valid,
)
from schemas.value import Undefined

Leaf = ClassMask | Instances | Valid
UNCLASSIFIED = "un-classified"
_LEAVES = (ClassMask, Instances, Valid)
_SETS = (And, Or, Minus, Part)  # not `Near`: no box proves what lies within metres of it
_CONSTANTS = (str, int, float, type(None))
_BOX_MEASURES = (Exists, Count, CellOf)  # what a mask made from a box may answer


def leaves(node: BaseModel | tuple[Any, ...]) -> list[Leaf]:
    """Return the leaves of any expression, left to right."""
    return [leaf for leaf, _ in _leaves_with_measure(node, None)]


def check_leaves(program: BaseModel, measured: Measured) -> None:
    """Raise `Undefined` if the program names what is not there or may not be used so."""
    pairs = _leaves_with_measure(program, None)
    layers = []
    for leaf, _ in pairs:
        layer = measured.layer(leaf.layer, leaf.date)
        if not isinstance(leaf, Valid) and leaf.label not in layer.info.classes:
            raise Undefined("unknown_class", f"{leaf.label} in layer {leaf.layer}")
        layers.append(layer)
    products = {layer.info.product for layer in layers}
    if len(products) > 1:
        raise Undefined("two_products", ", ".join(sorted(products)))
    for (leaf, measure), layer in zip(pairs, layers, strict=True):
        if layer.has_boxes and type(measure) not in _BOX_MEASURES and is_box(leaf, measured):
            raise Undefined("box_mask", str(leaf))
    for leaf, _ in pairs:
        if type(leaf) is Instances and leaf.attribute is not None:
            _check_classified(leaf, measured)


def region(expr: Any, measured: Measured) -> Region:
    """Return the region of a mask expression; Undefined if a `near` in it has none."""
    match expr:
        case ClassMask():
            return measured.layer(expr.layer, expr.date).class_region(expr.label)
        case Instances():
            layer = measured.layer(expr.layer, expr.date)
            return layer.instance_region(expr.label, expr.attribute)
        case Valid():
            return measured.layer(expr.layer, expr.date).valid_region
        case Part():
            return _part(region(expr.of, measured), expr.cell)
        case Near():
            of, around = region(expr.of, measured), _around(expr, measured)
            return Compound(
                lambda: of.mask_HW & around.mask_HW,
                lambda: of.inner_HW & around.inner_HW,
                lambda: of.outer_HW & around.outer_HW,
            )
    a, b = region(expr.a, measured), region(expr.b, measured)
    match expr:
        case And():
            return Compound(
                lambda: a.mask_HW & b.mask_HW,
                lambda: a.inner_HW & b.inner_HW,
                lambda: a.outer_HW & b.outer_HW,
            )
        case Or():
            return Compound(
                lambda: a.mask_HW | b.mask_HW,
                lambda: a.inner_HW | b.inner_HW,
                lambda: a.outer_HW | b.outer_HW,
            )
        case Minus():
            return Compound(
                lambda: a.mask_HW & ~b.mask_HW,
                lambda: a.inner_HW & ~b.outer_HW,
                lambda: a.outer_HW & ~b.inner_HW,
            )
    raise AssertionError(f"not a mask expression: {expr!r}")


def pixel_size_m(measured: Measured) -> tuple[float, float]:
    """Return metres per pixel along x and y; Undefined("no_pixel_size") where unknown."""
    if measured.evidence.pixel_size_m is None:
        raise Undefined("no_pixel_size")
    return measured.evidence.pixel_size_m


def layers_of(expr: Any, measured: Measured) -> list[MeasuredLayer]:
    """Return the layers of an expression's leaves."""
    return [measured.layer(leaf.layer, leaf.date) for leaf in leaves(expr)]


def closed(expr: Any, measured: Measured) -> bool:
    """Return whether what the expression does not show is known not to be there."""
    return all(layer.closed for layer in layers_of(expr, measured))


def valid_of(expr: Any, measured: Measured) -> MaskHW:
    """Return the (H, W) pixels that are valid in the layers of all leaves."""
    valid_HW, *others = [layer.valid_HW for layer in layers_of(expr, measured)]
    for other_HW in others:
        valid_HW = valid_HW & other_HW
    return valid_HW


def cell_slices(cell: int, size_HW: tuple[int, int]) -> tuple[slice, slice]:
    """Return the rows and columns of a cell of the 3 x 3 grid: pixel r lies in row 3r // H."""
    height, width = size_HW
    row, col = divmod(cell, 3)
    rows = slice(-(-row * height // 3), -(-(row + 1) * height // 3))
    return rows, slice(-(-col * width // 3), -(-(col + 1) * width // 3))


def _part(of: Region, cell: int) -> Region:
    def cut(mask_HW: MaskHW) -> MaskHW:
        rows, cols = cell_slices(cell, (mask_HW.shape[0], mask_HW.shape[1]))
        part_HW = np.zeros_like(mask_HW)
        part_HW[rows, cols] = mask_HW[rows, cols]
        return part_HW

    return Compound(lambda: cut(of.mask_HW), lambda: cut(of.inner_HW), lambda: cut(of.outer_HW))


def _around(expr: Near, measured: Measured) -> Region:
    """Return what lies within a `near`'s distance of its `to`; made once a scene."""
    distance_m = expr.distance_m
    if (found := measured.near_regions.get((expr.to, distance_m))) is not None:
        return found
    to, size_m = region(expr.to, measured), pixel_size_m(measured)
    if not closed(expr.to, measured):
        raise Undefined("open_layer")
    around = Compound(
        lambda: near(to.mask_HW, distance_m, size_m),
        lambda: near(to.inner_HW, distance_m, size_m),
        lambda: near(to.outer_HW, distance_m, size_m),
    )
    measured.near_regions[expr.to, distance_m] = around
    return around


def _leaves_with_measure(node: Any, measure: Any) -> list[tuple[Leaf, Any]]:
    """Return each leaf with the innermost measure that uses it."""
    kind = type(node)  # of the closed language; isinstance of a pydantic class is slow
    if kind in _LEAVES:
        return [(node, measure)]
    if kind is tuple:
        return [pair for child in node for pair in _leaves_with_measure(child, measure)]
    inner = measure if kind in _SETS else node
    children = [child for child in vars(node).values() if not isinstance(child, _CONSTANTS)]
    return [pair for child in children for pair in _leaves_with_measure(child, inner)]


def is_box(leaf: Leaf, measured: Measured) -> bool:
    """Return whether a leaf's mask was made from boxes."""
    layer = measured.layer(leaf.layer, leaf.date)
    match leaf:
        case ClassMask():
            mask = layer.class_masks.get(leaf.label)
            return mask is not None and mask.origin is Origin.BOX
        case Instances():
            return any(m.origin is Origin.BOX for m in layer.selected(leaf.label, leaf.attribute))
        case Valid():
            return False


def _check_classified(leaf: Instances, measured: Measured) -> None:
    objects = measured.layer(leaf.layer, leaf.date).selected(leaf.label, None)
    if any(m.attribute in ("", UNCLASSIFIED) for m in objects):
        raise Undefined("unclassified_objects", f"{leaf.label} at date {leaf.date}")
