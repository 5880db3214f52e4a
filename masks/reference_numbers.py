"""Numbers of a program, as docs/program.md defines them, in plain NumPy and SciPy."""

import math
from collections.abc import Callable
from typing import assert_never

import numpy as np
from scipy import ndimage

from masks.reference_morphology import SQUARE, Forms, MaskHW, grow, opened
from masks.reference_regions import all_closed, all_valid_HW, forms_of, leaves
from masks.reference_scene import ReferenceScene
from schemas.mask import Invalid
from schemas.program import (
    Add,
    Area,
    BorderLength,
    Count,
    Distance,
    Div,
    Instances,
    Majority,
    MaskExpr,
    Mul,
    Number,
    NumberExpr,
    Share,
    Sub,
)
from schemas.value import Quantity, Undefined

NEAR_PX = 10  # at most this far apart, distance is not asked
UNITLESS = ("", "share")


def number_of(expr: NumberExpr, scene: ReferenceScene) -> Quantity:
    """Return a number with its interval and unit; Undefined if it breaks a rule."""
    match expr:
        case Number():
            return _exactly(expr.value, expr.unit)
        case Area():
            return _area(expr, scene)
        case Share():
            return _share(expr, scene)
        case Count():
            return _count(expr, scene)
        case BorderLength():
            return _border_length(expr, scene)
        case Distance():
            return _distance(expr, scene)
        case Add() | Sub() | Mul() | Div():
            return _arithmetic(expr, number_of(expr.a, scene), number_of(expr.b, scene))
        case _:
            assert_never(expr)


def are_adjacent(a_HW: MaskHW, b_HW: MaskHW) -> bool:
    """Return whether two masks overlap or touch, if only at a corner."""
    return bool(np.any(grow(a_HW) & b_HW))


def shared_edges(a_HW: MaskHW, b_HW: MaskHW) -> tuple[int, int]:
    """Return how many pixel edges have `a` on one side and `b` on the other.

    The first number counts edges between left and right neighbours, the second those between upper
    and lower ones. Where masks overlap, an edge that serves both ways counts once.
    """

    def count(one: tuple[slice, slice], other: tuple[slice, slice]) -> int:
        return int(np.count_nonzero((a_HW[one] & b_HW[other]) | (b_HW[one] & a_HW[other])))

    every = slice(None)
    beside = count((every, slice(None, -1)), (every, slice(1, None)))
    above = count((slice(None, -1), every), (slice(1, None), every))
    return beside, above


def _area(expr: Area, scene: ReferenceScene) -> Quantity:
    of = forms_of(expr.of, scene)
    x_m, y_m = scene.pixel_size_m
    value, low, high = (
        _count_px(mask_HW) * x_m * y_m for mask_HW in (of.mask_HW, of.inner_HW, of.outer_HW)
    )
    return Quantity(value, "m2", low, high)


def _share(expr: Share, scene: ReferenceScene) -> Quantity:
    of = forms_of(expr.of, scene)
    within_HW = forms_of(expr.within, scene).mask_HW
    check_shares(expr, scene)
    whole_px = _count_px(within_HW)
    if whole_px == 0:
        raise Undefined("empty_whole")
    value, low, high = (
        _count_px(mask_HW & within_HW) / whole_px
        for mask_HW in (of.mask_HW, of.inner_HW, of.outer_HW)
    )
    return Quantity(value, "share", low, high)


def check_shares(expr: Share | Majority, scene: ReferenceScene) -> None:
    """Refuse shares of and within layers whose unknown pixels may be of any class."""
    if any(scene.layer(leaf).invalid is Invalid.FORBIDS for leaf in leaves(expr)):
        raise Undefined("forbidden_share")


def _count(expr: Count, scene: ReferenceScene) -> Quantity:
    mask_HW = forms_of(expr.of, scene).mask_HW
    if not all_closed(expr.of, scene):
        raise Undefined("open_layer")
    if isinstance(expr.of, Instances):
        return _exactly(len(scene.stored(expr.of)), "count")
    labels_HW, _ = ndimage.label(mask_HW, structure=SQUARE)
    sizes_px = np.bincount(labels_HW.ravel())[1:]
    number = _count_px(sizes_px >= expr.min_component_px)
    doubled = _count_px(sizes_px >= 2 * expr.min_component_px)
    if number != doubled:
        raise Undefined("count_unsafe", f"{number}, or {doubled} at twice the smallest size")
    return _exactly(number, "count")


def _border_length(expr: BorderLength, scene: ReferenceScene) -> Quantity:
    x_m, y_m = scene.pixel_size_m
    beside, above = shared_edges(forms_of(expr.a, scene).mask_HW, forms_of(expr.b, scene).mask_HW)
    if beside + above == 0:
        raise Undefined("no_border")
    return _exactly(beside * y_m + above * x_m, "m")


def _distance(expr: Distance, scene: ReferenceScene) -> Quantity:
    a, b = both_opened(expr.a, expr.b, scene)
    a_HW, b_HW = forms_of(expr.a, scene).mask_HW, forms_of(expr.b, scene).mask_HW
    if are_adjacent(a_HW, b_HW) or _gap(a, b, (1.0, 1.0)).value <= NEAR_PX:
        raise Undefined("too_near")
    return gap_m(a, b, scene)


def both_opened(a: MaskExpr, b: MaskExpr, scene: ReferenceScene) -> tuple[Forms, Forms]:
    """Return two masks opened; Undefined if there can be no distance between them."""
    whole_a, whole_b = forms_of(a, scene), forms_of(b, scene)
    if scene.evidence.pixel_size_m is None:
        raise Undefined("no_pixel_size")
    if not (all_closed(a, scene) and all_closed(b, scene)):
        raise Undefined("open_layer")
    both = opened(whole_a, all_valid_HW(a, scene)), opened(whole_b, all_valid_HW(b, scene))
    if not all(
        mask_HW.any() for side in both for mask_HW in (side.mask_HW, side.inner_HW, side.outer_HW)
    ):
        raise Undefined("erased")
    return both


def gap_m(a: Forms, b: Forms, scene: ReferenceScene) -> Quantity:
    """Return the distance of two opened masks in metres."""
    x_m, y_m = scene.pixel_size_m
    return _gap(a, b, (y_m, x_m))


def _gap(a: Forms, b: Forms, sampling_yx: tuple[float, float]) -> Quantity:
    """Return the distance of two opened masks, from their outer forms' to their inner forms'."""

    def nearest(a_HW: MaskHW, b_HW: MaskHW) -> float:
        to_b_HW = ndimage.distance_transform_edt(~b_HW, sampling=sampling_yx)
        return float(np.min(to_b_HW[a_HW]))

    value = nearest(a.mask_HW, b.mask_HW)
    return Quantity(value, "m", nearest(a.outer_HW, b.outer_HW), nearest(a.inner_HW, b.inner_HW))


def _arithmetic(expr: Add | Sub | Mul | Div, a: Quantity, b: Quantity) -> Quantity:
    match expr:
        case Add():
            _check_same_unit(a, b)
            result = Quantity(a.value + b.value, a.unit, a.low + b.low, a.high + b.high)
        case Sub():
            _check_same_unit(a, b)
            result = Quantity(a.value - b.value, a.unit, a.low - b.high, a.high - b.low)
        case Mul():
            unit = _product_unit(a.unit, b.unit)
            result = _over_corners(a, b, unit, lambda x, y: x * y)
        case Div():
            unit = _quotient_unit(a.unit, b.unit)
            if b.low <= 0 <= b.high:
                raise Undefined("division_by_zero")
            result = _over_corners(a, b, unit, lambda x, y: x / y)
        case _:
            assert_never(expr)
    if not all(map(math.isfinite, (result.value, result.low, result.high))):
        raise Undefined("overflow")
    return result


def _over_corners(
    a: Quantity, b: Quantity, unit: str, operation: Callable[[float, float], float]
) -> Quantity:
    corners = [operation(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return Quantity(operation(a.value, b.value), unit, min(corners), max(corners))


def _check_same_unit(a: Quantity, b: Quantity) -> None:
    if a.unit != b.unit:
        raise Undefined("units", f"{a.unit!r} and {b.unit!r}")


def _product_unit(a: str, b: str) -> str:
    if a in UNITLESS and b in UNITLESS:
        return "share" if "share" in (a, b) else ""
    if a in UNITLESS:
        return b
    if b in UNITLESS:
        return a
    raise Undefined("units", f"{a!r} times {b!r}")


def _quotient_unit(a: str, b: str) -> str:
    if b == "":
        return a
    if a == b:
        return "share"
    raise Undefined("units", f"{a!r} by {b!r}")


def _exactly(value: float, unit: str) -> Quantity:
    return Quantity(float(value), unit, float(value), float(value))


def _count_px(mask: MaskHW) -> int:
    return int(np.count_nonzero(mask))
