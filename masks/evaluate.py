"""Evaluate programs on a measured scene with the production kernels; docs/program.md says how."""

from itertools import combinations, product
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masks.components import components
from masks.distance import adjacent, mask_runs, min_distance_of_runs_m, shared_edges
from masks.location import cell_of
from masks.measured import MaskHW, Measured
from masks.morphology import opening
from masks.regions import check_leaves, closed, layers_of, pixel_size_m, region, valid_of
from schemas.mask import Invalid
from schemas.program import (
    Add,
    All,
    Any_,
    Area,
    ArgMax,
    Border,
    BorderLength,
    CellOf,
    ClassMask,
    Compare,
    Count,
    Distance,
    Div,
    Exists,
    First,
    Instances,
    Majority,
    Mul,
    NamedNumber,
    Nearest,
    Not,
    Number,
    Rank,
    Share,
    Sub,
    Valid,
)
from schemas.value import Name, Quantity, Truth, Undefined, Value

Runs = NDArray[np.int32]
MIN_BORDER_EDGES = 8
MIN_DISTANCE_PX = 10


def evaluate(program: Any, measured: Measured) -> Value:
    """Return the program's value on the scene, or raise `Undefined` with the rule that it fails."""
    check_leaves(program, measured)
    return _value(program, measured)


def _value(node: Any, measured: Measured) -> Value:
    match node:
        case Exists() | Border() | Compare() | All() | Any_() | Not():
            return Truth(_truth(node, measured))
        case CellOf():
            return Name(f"cell {cell_of(node.of, measured)}")
        case ArgMax():
            return Name(_rank(node.of, 1, measured, only_first=True))
        case Rank():
            return Name(_rank(node.of, node.place, measured, only_first=False))
        case First():
            return Name(_first(node, measured))
        case Nearest():
            return Name(_nearest(node, measured))
        case Majority():
            return Name(_majority(node, measured))
    return _number(node, measured)


def _number(node: Any, measured: Measured) -> Quantity:
    match node:
        case Number():
            return Quantity(node.value, node.unit, node.value, node.value)
        case Area():
            px = _counts_px(node.of, measured)
            x_m, y_m = pixel_size_m(measured)
            value, low, high = (n * x_m * y_m for n in px)
            return Quantity(value, "m2", low, high)
        case Share():
            return _share(node, measured)
        case Count():
            return _count(node, measured)
        case BorderLength():
            return _border_length(node, measured)
        case Distance():
            return _distance(node, measured)
    result = _arithmetic(node, _number(node.a, measured), _number(node.b, measured))
    if not all(map(isfinite, (result.value, result.low, result.high))):
        raise Undefined("overflow")
    return result


def _arithmetic(node: Any, a: Quantity, b: Quantity) -> Quantity:
    match node:
        case Add():
            _same_unit(a, b)
            return Quantity(a.value + b.value, a.unit, a.low + b.low, a.high + b.high)
        case Sub():
            _same_unit(a, b)
            return Quantity(a.value - b.value, a.unit, a.low - b.high, a.high - b.low)
        case Mul():
            unit = _product_unit(a.unit, b.unit)
            corners = [x * y for x, y in product((a.low, a.high), (b.low, b.high))]
            return Quantity(a.value * b.value, unit, min(corners), max(corners))
        case Div():
            unit = _quotient_unit(a.unit, b.unit)
            if b.low <= 0 <= b.high:
                raise Undefined("division_by_zero")
            corners = [x / y for x, y in product((a.low, a.high), (b.low, b.high))]
            return Quantity(a.value / b.value, unit, min(corners), max(corners))
    raise AssertionError(f"not a number: {node!r}")


def _product_unit(a: str, b: str) -> str:
    plain = ("", "share")
    if a in plain and b in plain:
        return "share" if "share" in (a, b) else ""
    if a in plain or b in plain:
        return b if a in plain else a
    raise Undefined("units", f"{a} times {b}")


def _quotient_unit(a: str, b: str) -> str:
    if a == b:
        return "share" if a else ""
    if b == "":
        return a
    raise Undefined("units", f"{a} by {b}")


def _same_unit(a: Quantity, b: Quantity) -> None:
    if a.unit != b.unit:
        raise Undefined("units", f"{a.unit} and {b.unit}")


def _counts_px(expr: Any, measured: Measured) -> tuple[int, int, int]:
    """Return pixels of the mask, its inner and its outer form; from the statistics for a class."""
    if isinstance(expr, ClassMask):
        layer = measured.layer(expr.layer, expr.date)
        if (margins := layer.margins_px) is not None:
            class_id = layer.class_id(expr.label)
            inner_px, outer_px = margins
            return layer.class_px(expr.label), int(inner_px[class_id]), int(outer_px[class_id])
    of = region(expr, measured)
    return _px(of.mask_HW), _px(of.inner_HW), _px(of.outer_HW)


def _any(expr: Any, measured: Measured) -> bool:
    """Return whether a mask holds a pixel."""
    if isinstance(expr, ClassMask):
        return measured.layer(expr.layer, expr.date).class_px(expr.label) > 0
    return bool(region(expr, measured).mask_HW.any())


def _px(mask_HW: MaskHW) -> int:
    return int(np.count_nonzero(mask_HW))


def _share(node: Share, measured: Measured) -> Quantity:
    of, within = node.of, node.within
    if (
        isinstance(of, ClassMask)
        and isinstance(within, Valid)
        and (of.layer, of.date) == (within.layer, within.date)
    ):
        _check_shares(node, measured)
        whole_px = measured.layer(of.layer, of.date).valid_px
        counts_px = _counts_px(of, measured)
    else:
        part, whole = region(of, measured), region(within, measured)
        _check_shares(node, measured)
        whole_HW = whole.mask_HW
        whole_px = _px(whole_HW)
        counts_px = (
            _px(part.mask_HW & whole_HW),
            _px(part.inner_HW & whole_HW),
            _px(part.outer_HW & whole_HW),
        )
    if whole_px == 0:
        raise Undefined("empty_whole")
    value, low, high = (px / whole_px for px in counts_px)
    return Quantity(value, "share", low, high)


def _check_shares(node: Share | Majority, measured: Measured) -> None:
    """Raise `Undefined` if a layer has too little or too much that is unknown for shares."""
    for layer in layers_of(node, measured):
        if layer.info.invalid is Invalid.FORBIDS:
            raise Undefined("forbidden_share", layer.info.layer)


def _count(node: Count, measured: Measured) -> Quantity:
    if not isinstance(node.of, ClassMask | Instances):
        region(node.of, measured)  # a `near` in it has its say first
    if not closed(node.of, measured):
        raise Undefined("open_layer")
    if isinstance(node.of, Instances):
        layer = measured.layer(node.of.layer, node.of.date)
        number = float(len(layer.selected(node.of.label, node.of.attribute)))
        return Quantity(number, "count", number, number)
    sizes_px = component_sizes_px(node.of, measured)
    number = float(np.count_nonzero(sizes_px >= node.min_component_px))
    if number != np.count_nonzero(sizes_px >= 2 * node.min_component_px):
        raise Undefined("count_unsafe", f"{node.min_component_px} px and twice that")
    return Quantity(number, "count", number, number)


def component_sizes_px(expr: Any, measured: Measured) -> NDArray[np.int64]:
    """Return the pixels of each 8-connected area of a mask; from the statistics for a class."""
    if isinstance(expr, ClassMask):
        layer = measured.layer(expr.layer, expr.date)
        if layer.components is not None:
            return layer.components.sizes_px(layer.class_id(expr.label))
    return components(region(expr, measured).mask_HW).size_px


def _border_length(node: BorderLength, measured: Measured) -> Quantity:
    x_m, y_m = pixel_size_m(measured)
    sideways, upright = _shared_edges(node, measured)
    length_m = sideways * y_m + upright * x_m
    if length_m == 0:
        raise Undefined("no_border")
    return Quantity(length_m, "m", length_m, length_m)


def _shared_edges(node: BorderLength | Border, measured: Measured) -> tuple[int, int]:
    """Return shared edges between left and right, and between upper and lower neighbours."""
    a, b = node.a, node.b
    if (
        isinstance(a, ClassMask)
        and isinstance(b, ClassMask)
        and (a.layer, a.date) == (b.layer, b.date)
        and a.label != b.label
    ):
        layer = measured.layer(a.layer, a.date)
        if layer.borders is not None:
            i, j = layer.class_id(a.label), layer.class_id(b.label)
            return int(layer.borders.sideways_edges[i, j]), int(layer.borders.upright_edges[i, j])
    return shared_edges(region(a, measured).mask_HW, region(b, measured).mask_HW)


def _distance(node: Distance, measured: Measured) -> Quantity:
    opened = _both_opened(node.a, node.b, measured)
    a_HW, b_HW = region(node.a, measured).mask_HW, region(node.b, measured).mask_HW
    near_px = min_distance_of_runs_m(*opened[0], measured.evidence.size_HW, (1, 1))
    if near_px <= MIN_DISTANCE_PX or adjacent(a_HW, b_HW):
        raise Undefined("too_near")
    value, low, high = _gaps_m(opened, measured)
    return Quantity(value, "m", low, high)


def _both_opened(a: Any, b: Any, measured: Measured) -> list[tuple[Runs, Runs]]:
    """Return the opened forms of two masks side by side: the masks, then outer, then inner."""
    pixel_size_m(measured)  # without one they have no distance
    if not (closed(a, measured) and closed(b, measured)):
        raise Undefined("open_layer")
    opened = list(zip(_opened(a, measured), _opened(b, measured), strict=True))
    if not all(len(runs_a) and len(runs_b) for runs_a, runs_b in opened):
        raise Undefined("erased")
    return opened


def _gaps_m(opened: list[tuple[Runs, Runs]], measured: Measured) -> list[float]:
    size_HW, size_m = measured.evidence.size_HW, pixel_size_m(measured)
    return [min_distance_of_runs_m(a, b, size_HW, size_m) for a, b in opened]


def _opened(expr: Any, measured: Measured) -> tuple[Runs, ...]:
    """Return the runs of a mask, its outer and its inner form, each opened; made once a scene."""
    kept = measured.opened_runs
    if expr not in kept:
        kept[expr] = _opened_anew(expr, measured)
    return kept[expr]


def _opened_anew(expr: Any, measured: Measured) -> tuple[Runs, ...]:
    of, valid_HW = region(expr, measured), valid_of(expr, measured)
    forms = (of.mask_HW, of.outer_HW, of.inner_HW)
    return tuple(mask_runs(opening(form_HW, valid_HW)) for form_HW in forms)


def _truth(node: Any, measured: Measured) -> bool:
    match node:
        case Exists():
            return _exists(node, measured)
        case Border():
            return _border(node, measured)
        case Compare():
            return _compare(node, measured)
        case Not():
            return not _truth(node.of, measured)
        case All():
            return _all(node.of, measured)
        case Any_():
            return not _all(tuple(Not(of=part) for part in node.of), measured)
    raise AssertionError(f"not a yes or no: {node!r}")


def _all(parts: tuple[Any, ...], measured: Measured) -> bool:
    """Return whether all parts hold; a part that fails decides even beside undefined ones."""
    undefined: Undefined | None = None
    for part in parts:
        try:
            if not _truth(part, measured):
                return False
        except Undefined as outcome:
            undefined = undefined or outcome
    if undefined is not None:
        raise undefined
    return True


def _exists(node: Exists, measured: Measured) -> bool:
    if isinstance(node.of, Instances):
        layer = measured.layer(node.of.layer, node.of.date)
        present = safe = bool(layer.selected(node.of.label, node.of.attribute))
    else:
        px, inner_px, _ = _counts_px(node.of, measured)
        present, safe = px > 0, inner_px > 0
    if safe:
        return True
    if present:
        raise Undefined("thin")
    if not closed(node.of, measured):
        raise Undefined("open_layer")
    return False


def _border(node: Border, measured: Measured) -> bool:
    a, b = region(node.a, measured), region(node.b, measured)
    if not (_any(node.a, measured) and _any(node.b, measured)):
        raise Undefined("empty_side")
    if (
        sum(_shared_edges(node, measured)) >= MIN_BORDER_EDGES  # so they are adjacent
        and adjacent(a.inner_HW, b.outer_HW)
        and adjacent(a.outer_HW, b.inner_HW)
    ):
        return True
    if adjacent(a.outer_HW, b.outer_HW):
        raise Undefined("border_in_between")
    if not (closed(node.a, measured) and closed(node.b, measured)):
        raise Undefined("open_layer")
    return False


def _compare(node: Compare, measured: Measured) -> bool:
    a, b = _number(node.a, measured), _number(node.b, measured)
    _same_unit(a, b)
    less, more = (a, b) if node.relation == "<" else (b, a)
    if less.high < more.low:
        return True
    if less.low > more.high:
        return False
    raise Undefined("compare_close")


def _rank(
    parts: tuple[NamedNumber, ...], place: int, measured: Measured, *, only_first: bool
) -> str:
    """Return the name in a place (1 = largest); the intervals that decide it must be disjoint."""
    numbers = [(part.name, _number(part.value, measured)) for part in parts]
    for _, number in numbers:
        _same_unit(numbers[0][1], number)
    numbers.sort(key=lambda named: -named[1].value)
    deciding = [(numbers[0][1], n) for _, n in numbers[1:]] if only_first else _pairs(numbers)
    if any(larger.low <= smaller.high for larger, smaller in deciding):
        raise Undefined("rank_close")
    if not all(closed(part.value, measured) for part in parts):
        raise Undefined("open_layer")
    if place > len(numbers):
        raise Undefined("no_such_place", f"{place} of {len(numbers)}")
    return numbers[place - 1][0]


def _pairs(numbers: list[tuple[str, Quantity]]) -> list[tuple[Quantity, Quantity]]:
    return [(a, b) for (_, a), (_, b) in combinations(numbers, 2)]


def _first(node: First, measured: Measured) -> str:
    for part in node.of:
        if _truth(part.test, measured):
            return part.name
    raise Undefined("none_holds")


def _nearest(node: Nearest, measured: Measured) -> str:
    """Return the name of the mask that is nearest even if it is as far off as it may be."""
    gaps_m = []
    for part in node.of:
        _, low, high = _gaps_m(_both_opened(part.mask, node.to, measured), measured)
        gaps_m.append((high, low, part.name))
    (nearest, _, name), *others = sorted(gaps_m)
    if any(low <= nearest for _, low, _ in others):
        raise Undefined("rank_close")
    return name


def _majority(node: Majority, measured: Measured) -> str:
    """Return the name of the one mask that holds more than half with what of it is sure."""
    parts = [(part.name, region(part.mask, measured)) for part in node.of]
    whole = region(node.within, measured)
    _check_shares(node, measured)
    whole_px = _px(whole.mask_HW)
    if whole_px == 0:
        raise Undefined("empty_whole")
    names = [name for name, part in parts if 2 * _px(part.inner_HW & whole.mask_HW) > whole_px]
    if len(names) != 1:
        raise Undefined("no_majority")
    return names[0]
