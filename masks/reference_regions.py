"""Mask expressions of a program as arrays: the mask, its inner and its outer form."""

from collections.abc import Iterator
from typing import assert_never

import numpy as np
from pydantic import BaseModel

from masks.reference_morphology import Forms, MaskHW, cells_HW, near
from masks.reference_scene import Leaf, ReferenceScene
from schemas.program import And, ClassMask, Instances, MaskExpr, Minus, Near, Or, Part, Valid
from schemas.value import Undefined


def forms_of(expr: MaskExpr, scene: ReferenceScene) -> Forms:
    """Return the three masks of a mask expression; Undefined if a `near` in it breaks a rule."""
    match expr:
        case ClassMask() | Instances() | Valid():
            return scene.forms(expr)
        case Part():
            of = forms_of(expr.of, scene)
            cell_HW = cells_HW(scene.evidence.size_HW) == expr.cell
            return Forms(
                mask_HW=of.mask_HW & cell_HW,
                inner_HW=of.inner_HW & cell_HW,
                outer_HW=of.outer_HW & cell_HW,
            )
        case And() | Or() | Minus():
            return _combine(expr, forms_of(expr.a, scene), forms_of(expr.b, scene))
        case Near():
            of, to = forms_of(expr.of, scene), forms_of(expr.to, scene)
            size_m = scene.pixel_size_m
            if not all_closed(expr.to, scene):
                raise Undefined("open_layer")
            return Forms(
                mask_HW=of.mask_HW & near(to.mask_HW, expr.distance_m, size_m),
                inner_HW=of.inner_HW & near(to.inner_HW, expr.distance_m, size_m),
                outer_HW=of.outer_HW & near(to.outer_HW, expr.distance_m, size_m),
            )
        case _:
            assert_never(expr)


def _combine(expr: And | Or | Minus, a: Forms, b: Forms) -> Forms:
    match expr:
        case And():
            return Forms(
                mask_HW=a.mask_HW & b.mask_HW,
                inner_HW=a.inner_HW & b.inner_HW,
                outer_HW=a.outer_HW & b.outer_HW,
            )
        case Or():
            return Forms(
                mask_HW=a.mask_HW | b.mask_HW,
                inner_HW=a.inner_HW | b.inner_HW,
                outer_HW=a.outer_HW | b.outer_HW,
            )
        case Minus():
            return Forms(
                mask_HW=a.mask_HW & ~b.mask_HW,
                inner_HW=a.inner_HW & ~b.outer_HW,
                outer_HW=a.outer_HW & ~b.inner_HW,
            )
        case _:
            assert_never(expr)


def leaves(node: BaseModel) -> Iterator[Leaf]:
    """Yield the leaves of a program or a part of one, left to right."""
    if isinstance(node, Leaf):
        yield node
        return
    for child in children(node):
        yield from leaves(child)


def children(node: BaseModel) -> Iterator[BaseModel]:
    """Yield the parts that a node of a program has, left to right."""
    for _, field in node:
        for child in field if isinstance(field, tuple) else (field,):
            if isinstance(child, BaseModel):
                yield child


def all_closed(node: BaseModel, scene: ReferenceScene) -> bool:
    """Return whether the layers of all leaves are closed."""
    return all(scene.is_closed(leaf) for leaf in leaves(node))


def all_valid_HW(node: BaseModel, scene: ReferenceScene) -> MaskHW:
    """Return the (H, W) pixels that are valid in the layers of all leaves."""
    valid_HW = np.ones(scene.evidence.size_HW, dtype=np.bool_)
    for leaf in leaves(node):
        valid_HW &= scene.valid_HW(leaf)
    return valid_HW
