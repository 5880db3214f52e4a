"""A composed program, run: its value, or why it has none that a question can have."""

from collections.abc import Iterator
from typing import Any

from masks.regions import leaves
from schemas.mask import MIN_COMPONENT_PX
from schemas.program import (
    And,
    ClassMask,
    Count,
    Instances,
    Near,
    Or,
    Share,
    Valid,
)
from schemas.rejection import Reason
from schemas.value import Quantity, Undefined, Value
from templates.ground import Ground
from templates.named import labels_of, nodes, whole_labels
from templates.options import has_safe_margin
from templates.replies import Fault


def run_program(program: Any, ground: Ground, *, of_rule: bool = False) -> Value | Fault:
    """Return the value of a program on what is shown, or why there is none.

    A rule's program is ours: what it means stands in the rule book.
    """
    for detail in _leaf_faults(program, ground):
        return Fault(reason=Reason.BAD_PROGRAM, detail=detail)
    for detail in () if of_rule else _meaning_faults(program, ground):
        return Fault(reason=Reason.BAD_PROGRAM, detail=detail)
    try:
        value = ground.value(program)
    except Undefined as outcome:
        detail = f"the program has no safe value here: {outcome}"
        return Fault(reason=Reason.UNDEFINED_ANSWER, detail=detail)
    if not has_safe_margin(value):
        return Fault(
            reason=Reason.UNDEFINED_ANSWER, detail="the value's margin is too wide: wide_margin"
        )
    if isinstance(value, Quantity) and value.unit == "":
        return Fault(reason=Reason.BAD_PROGRAM, detail="the value is a number without a unit")
    if isinstance(value, Quantity) and value.value < 0:
        detail = "the program comes to a number below zero: take the smaller from the larger"
        return Fault(reason=Reason.BAD_PROGRAM, detail=detail)
    return value


def _leaf_faults(program: Any, ground: Ground) -> Iterator[str]:
    """Yield what a program looks at that is not there."""
    found = leaves(program)
    if not any(not isinstance(leaf, Valid) for leaf in found):
        yield "the program measures no class"
    for date in sorted({leaf.date for leaf in found} - set(ground.view.date_indices)):
        yield f"the program looks at date {date}, which no image shows"
    for leaf in found:
        known = ground.words.get(leaf.layer, {})
        if isinstance(leaf, ClassMask | Instances) and leaf.label not in known:
            yield f"there is no {leaf.label!r} in a layer {leaf.layer!r}"


def _meaning_faults(program: Any, ground: Ground) -> Iterator[str]:
    """Yield what the language allows, and what no question can mean."""
    for leaf in leaves(program):
        if isinstance(leaf, Instances) and not _has_objects(leaf, ground):
            yield f"there are no single objects {leaf.label!r} at date {leaf.date}: take its mask"
    for node in nodes(program):
        match node:
            case Count():
                yield from _count_faults(node, ground)
            case And() if _planes(node.a) == _planes(node.b) and not _is_cut(node):
                yield "classes of one image have no pixels in common: take 'or', or one of them"
            case Or() if len(_planes(node)) > 1:
                yield "what is put together by 'or' must be of one image"
            case Near() if whole_labels(node.of) & labels_of(node.to):
                yield "a class is always near itself: name another one in 'to'"
            case Share() if whole_labels(node.within) and not _is_of(node.of, node.within):
                yield "a share of a class is of a part of that class: cut 'of' out of 'within'"
            case Share() if not whole_labels(node.within) and _planes(node.of) != _planes(
                node.within
            ):
                yield "a share of all labelled pixels is of their own layer and image"


def _count_faults(node: Count, ground: Ground) -> Iterator[str]:
    if node.min_component_px != MIN_COMPONENT_PX:
        yield f"leave out min_component_px: areas of {MIN_COMPONENT_PX} pixels and more count"
    for leaf in leaves(node):
        if isinstance(leaf, ClassMask) and ground.words[leaf.layer][leaf.label].countable:
            yield f"count the objects of {leaf.label!r} by instances: areas may hold several"


def _has_objects(leaf: Instances, ground: Ground) -> bool:
    return ground.num_objects(leaf.model_copy(update={"attribute": None})) > 0


def _planes(expr: Any) -> set[tuple[str, int]]:
    """Return the layers and dates of an expression's leaves."""
    return {(leaf.layer, leaf.date) for leaf in leaves(expr)}


def _is_cut(node: And) -> bool:
    """Return whether one side only cuts out a place: it is made of all labelled pixels."""
    return not labels_of(node.a) or not labels_of(node.b)


def _is_of(part: Any, whole: Any) -> bool:
    """Return whether a mask is cut out of another one."""
    match part:
        case And():
            sides = (part.a, part.b)
            return any(side == whole or _is_of(side, whole) for side in sides)
        case Or():
            return _is_of(part.a, whole) and _is_of(part.b, whole)
    below = getattr(part, "of", None) or getattr(part, "a", None)
    return below is not None and (below == whole or _is_of(below, whole))
