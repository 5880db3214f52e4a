"""Whether the measured facts of a trace follow from the sample's own masks and program."""

import re
from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel

from masks.reference import evaluate
from masks.reference_regions import children, leaves
from masks.reference_scene import ReferenceScene
from schemas.program import (
    Add,
    Area,
    BorderLength,
    Count,
    Distance,
    Div,
    Instances,
    Mul,
    Number,
    Program,
    Share,
    Sub,
)
from schemas.trace import pixel_size_text, pixels_text, quantity_text, value_text
from schemas.value import Quantity, Undefined, Value

_NUMBERS = (Number, Area, Share, Count, BorderLength, Distance, Add, Sub, Mul, Div)
_COUNTED = re.compile(r"(no|\d[\d,]*)(?: \D+)?")  # "7,075", "3 separate areas", "no buildings"


class KnownFacts:
    """All that a sample's masks and program say, in the wordings that a trace may use.

    Args:
        program: The sample's program, `value` its value on `scene`.
        marked: The mask expressions of the steps, with their pixel counts.
    """

    def __init__(
        self,
        program: Program,
        value: Value,
        scene: ReferenceScene,
        marked: list[tuple[BaseModel, int]],
    ) -> None:
        self._program = program
        self._scene = scene
        self._counts = {pixels_text(count) for count in _counts(program, scene, marked)}
        self._words = set(_pixel_size_words(scene))
        self._learn(value)
        self._looked_inside = False

    def hold(self, fact: str) -> bool:
        """Return whether a fact is one of them."""
        if not self._holds(fact) and not self._looked_inside:
            # the parts of a program are measured only where its value does not explain a fact
            self._looked_inside = True
            for value in _part_values(self._program, self._scene):
                self._learn(value)
        return self._holds(fact)

    def _holds(self, fact: str) -> bool:
        counted = _COUNTED.fullmatch(fact)
        if fact in self._words or counted is None:
            return fact in self._words
        return counted[1].replace("no", "0") in self._counts

    def _learn(self, value: Value) -> None:
        if not isinstance(value, Quantity):
            self._words.add(value_text(value, self._scene.evidence.north_up))
        elif value.unit == "count":
            self._counts.add(f"{value.value:,.0f}")
        elif value.unit:
            self._words.add(quantity_text(value.value, value.unit))
            if value.unit != "share":
                self._words.add(f"{value.value:,.0f} {'m²' if value.unit == 'm2' else 'm'}")


def _counts(
    program: Program, scene: ReferenceScene, marked: list[tuple[BaseModel, int]]
) -> Iterator[int]:
    """Yield pixels of each step mask and of each leaf's and its layer's mask, and object counts."""
    for expr, pixels in marked:
        yield pixels
        if isinstance(expr, Instances):
            yield len(scene.stored(expr))
    for leaf in {leaf for node in (program, *(e for e, _ in marked)) for leaf in leaves(node)}:
        yield int(np.count_nonzero(scene.valid_HW(leaf)))
        yield int(np.count_nonzero(scene.mask_HW(leaf)))


def _pixel_size_words(scene: ReferenceScene) -> Iterator[str]:
    if scene.evidence.pixel_size_m is not None:
        yield pixel_size_text(*scene.evidence.pixel_size_m)


def _part_values(node: BaseModel, scene: ReferenceScene) -> Iterator[Quantity]:
    """Yield the numbers of which a program is made, where they are defined."""
    if isinstance(node, _NUMBERS):
        try:
            value = evaluate(node, scene)
        except Undefined:
            value = None
        if isinstance(value, Quantity):
            yield value
    for child in children(node):
        yield from _part_values(child, scene)
