"""Programs evaluated by the letter of docs/program.md, in plain NumPy and SciPy.

`terrascope verify` proves answers with this evaluator. It shares the nouns of `schemas` with
`masks.evaluate`, and no code.
"""

from itertools import combinations
from typing import assert_never

import numpy as np
from scipy import ndimage

from masks.reference_checks import check_leaves
from masks.reference_morphology import SQUARE, MaskHW, cells_HW
from masks.reference_numbers import (
    are_adjacent,
    both_opened,
    check_shares,
    gap_m,
    number_of,
    shared_edges,
)
from masks.reference_regions import all_closed, forms_of, leaves
from masks.reference_scene import ReferenceScene
from schemas.program import (
    All,
    Any_,
    ArgMax,
    BoolExpr,
    Border,
    CellOf,
    Compare,
    Exists,
    First,
    Instances,
    Majority,
    NamedNumber,
    Nearest,
    Not,
    Program,
    Rank,
)
from schemas.value import Name, Quantity, Truth, Undefined, Value

MIN_BORDER_EDGES = 8
MAX_CELL_PERCENT = 40  # of the valid pixels; a larger mask lies nowhere in particular
MIN_LARGEST_PERCENT = 70  # of the mask's pixels, in its largest part
MIN_NEAR_PERCENT = 80  # of that part's pixels, in the named cell and its neighbours


def evaluate(program: Program, scene: ReferenceScene) -> Value:
    """Return a program's value on a scene.

    Raises:
        Undefined: if the program has no safe answer there; `rule` says why.
    """
    check_leaves(program, scene)
    match program:
        case Exists() | Border() | Compare() | All() | Any_() | Not():
            return Truth(_truth(program, scene))
        case CellOf():
            return Name(f"cell {_cell(program, scene)}")
        case ArgMax():
            return Name(_largest(program, scene))
        case Rank():
            return Name(_in_place(program, scene))
        case First():
            return Name(_first(program, scene))
        case Nearest():
            return Name(_nearest(program, scene))
        case Majority():
            return Name(_majority(program, scene))
        case _:
            return number_of(program, scene)


def _truth(expr: BoolExpr, scene: ReferenceScene) -> bool:
    match expr:
        case Exists():
            return _exists(expr, scene)
        case Border():
            return _border(expr, scene)
        case Compare():
            return _compare(expr, scene)
        case Not():
            return not _truth(expr.of, scene)
        case All():
            return _decide(expr, scene, deciding=False)
        case Any_():
            return _decide(expr, scene, deciding=True)
        case _:
            assert_never(expr)


def _exists(expr: Exists, scene: ReferenceScene) -> bool:
    if isinstance(expr.of, Instances):
        seen = sure = len(scene.stored(expr.of)) > 0
    else:
        of = forms_of(expr.of, scene)
        seen, sure = bool(of.mask_HW.any()), bool(of.inner_HW.any())
    if sure:
        return True
    if seen:
        raise Undefined("thin")
    if not all_closed(expr.of, scene):
        raise Undefined("open_layer")
    return False


def _border(expr: Border, scene: ReferenceScene) -> bool:
    a, b = forms_of(expr.a, scene), forms_of(expr.b, scene)
    if not (a.mask_HW.any() and b.mask_HW.any()):
        raise Undefined("empty_side")
    if (
        are_adjacent(a.mask_HW, b.mask_HW)
        and sum(shared_edges(a.mask_HW, b.mask_HW)) >= MIN_BORDER_EDGES
        and are_adjacent(a.inner_HW, b.outer_HW)
        and are_adjacent(a.outer_HW, b.inner_HW)
    ):
        return True
    if are_adjacent(a.outer_HW, b.outer_HW):
        raise Undefined("border_in_between")
    if not all_closed(expr, scene):
        raise Undefined("open_layer")
    return False


def _compare(expr: Compare, scene: ReferenceScene) -> bool:
    a, b = number_of(expr.a, scene), number_of(expr.b, scene)
    if a.unit != b.unit:
        raise Undefined("units", f"{a.unit!r} and {b.unit!r}")
    less, greater = (a, b) if expr.relation == "<" else (b, a)
    if less.high < greater.low:
        return True
    if less.low > greater.high:
        return False
    raise Undefined("compare_close")


def _decide(expr: All | Any_, scene: ReferenceScene, *, deciding: bool) -> bool:
    """Return `deciding` if a part has that value, else the other if every part is defined."""
    undefined: list[Undefined] = []
    for part in expr.of:
        try:
            if _truth(part, scene) is deciding:
                return deciding
        except Undefined as outcome:
            undefined.append(outcome)
    if undefined:
        raise undefined[0]
    return not deciding


def _cell(expr: CellOf, scene: ReferenceScene) -> int:
    mask_HW = forms_of(expr.of, scene).mask_HW
    valid_HW = scene.valid_HW(next(leaves(expr.of)))
    mask_px = int(np.count_nonzero(mask_HW))
    if mask_px == 0:
        raise Undefined("empty_side")
    if 100 * mask_px > MAX_CELL_PERCENT * np.count_nonzero(valid_HW):
        raise Undefined("cell_too_large")
    part_HW = _largest_part(mask_HW)
    part_px = int(np.count_nonzero(part_HW))
    if 100 * part_px < MIN_LARGEST_PERCENT * mask_px:
        raise Undefined("cell_scattered")
    row, col = _centroid_cell(part_HW)
    px_33 = np.bincount(cells_HW(scene.evidence.size_HW)[part_HW], minlength=9).reshape(3, 3)
    near_px = px_33[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2].sum()
    others_px = np.delete(px_33.ravel(), 3 * row + col)
    if 100 * near_px < MIN_NEAR_PERCENT * part_px or 2 * px_33[row, col] < 3 * others_px.max():
        raise Undefined("cell_unclear")
    return 3 * row + col


def _largest_part(mask_HW: MaskHW) -> MaskHW:
    """Return the 8-connected part with the most pixels; of equal ones any, no answer needs them."""
    labels_HW, _ = ndimage.label(mask_HW, structure=SQUARE)
    sizes_px = np.bincount(labels_HW.ravel())
    sizes_px[0] = 0
    return np.asarray(labels_HW == sizes_px.argmax())


def _centroid_cell(part_HW: MaskHW) -> tuple[int, int]:
    """Return row and column of the cell that holds the mean of a mask's pixel centres."""

    def third(indices: np.ndarray[tuple[int], np.dtype[np.int64]], length: int) -> int:
        # floor(3 (mean + 1/2) / length) in whole numbers, so that no rounding moves a centroid
        return 3 * (2 * int(indices.sum()) + indices.size) // (2 * indices.size * length)

    rows, cols = np.nonzero(part_HW)
    height, width = part_HW.shape
    return third(rows, height), third(cols, width)


def _numbers(of: tuple[NamedNumber, ...], scene: ReferenceScene) -> list[Quantity]:
    """Return named numbers, which must be of one unit."""
    numbers = [number_of(named.value, scene) for named in of]
    if len({number.unit for number in numbers}) > 1:
        raise Undefined("units")
    return numbers


def _check_all_seen(of: tuple[NamedNumber, ...], scene: ReferenceScene) -> None:
    """Refuse a ranking of masks of which unknown pixels may hold more than is seen."""
    if not all(all_closed(number, scene) for number in of):
        raise Undefined("open_layer")


def _largest(expr: ArgMax, scene: ReferenceScene) -> str:
    numbers = _numbers(expr.of, scene)
    best = max(range(len(numbers)), key=lambda k: numbers[k].low)
    if any(other.high >= numbers[best].low for k, other in enumerate(numbers) if k != best):
        raise Undefined("rank_close")
    _check_all_seen(expr.of, scene)
    return expr.of[best].name


def _in_place(expr: Rank, scene: ReferenceScene) -> str:
    numbers = _numbers(expr.of, scene)
    if any(a.low <= b.high and b.low <= a.high for a, b in combinations(numbers, 2)):
        raise Undefined("rank_close")
    _check_all_seen(expr.of, scene)
    if expr.place > len(numbers):
        raise Undefined("no_such_place", f"{expr.place} of {len(numbers)}")
    order = sorted(range(len(numbers)), key=lambda k: -numbers[k].low)
    return expr.of[order[expr.place - 1]].name


def _first(expr: First, scene: ReferenceScene) -> str:
    for named in expr.of:
        if _truth(named.test, scene):
            return named.name
    raise Undefined("none_holds")


def _nearest(expr: Nearest, scene: ReferenceScene) -> str:
    gaps = [gap_m(*both_opened(named.mask, expr.to, scene), scene) for named in expr.of]
    best = min(range(len(gaps)), key=lambda k: gaps[k].high)
    if any(other.low <= gaps[best].high for k, other in enumerate(gaps) if k != best):
        raise Undefined("rank_close")
    return expr.of[best].name


def _majority(expr: Majority, scene: ReferenceScene) -> str:
    sure = [forms_of(named.mask, scene).inner_HW for named in expr.of]
    within_HW = forms_of(expr.within, scene).mask_HW
    check_shares(expr, scene)
    whole_px = int(np.count_nonzero(within_HW))
    if whole_px == 0:
        raise Undefined("empty_whole")
    covers = [2 * int(np.count_nonzero(inner_HW & within_HW)) > whole_px for inner_HW in sure]
    if sum(covers) != 1:
        raise Undefined("no_majority")
    return expr.of[covers.index(True)].name
