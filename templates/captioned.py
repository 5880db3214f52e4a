"""A scene as a caption is tested on it, measured by the production kernels."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from masks.components import components
from masks.distance import shared_edges
from masks.evaluate import evaluate
from masks.measured import MeasuredLayer
from masks.regions import cell_slices, region
from schemas.program import ClassMask, Valid
from schemas.scene import INVALID_ID
from schemas.value import Undefined, Value
from templates.ground import Metadata
from templates.measured_told import MeasuredTold
from templates.view import View

_NUM_IDS = 256  # of a label map of bytes


@dataclass(kw_only=True)
class CaptionedScene(MeasuredTold):
    """One scene, measured once for all its sentences; a `templates.ground.Ground`."""

    view: View
    metadata: Metadata
    _cells: dict[Any, tuple[int, ...]] = field(default_factory=dict)
    _by_layer: dict[tuple[str, int], tuple[tuple[int, ...], ...] | None] = field(
        default_factory=dict
    )
    _edges: dict[tuple[Any, Any], int] = field(default_factory=dict)
    _areas: dict[Any, tuple[int, ...]] = field(default_factory=dict)
    _px: dict[Any, int] = field(default_factory=dict)
    _values: dict[Any, Value | tuple[str, str]] = field(default_factory=dict)

    def px(self, expr: Any) -> int:
        """Return the pixels of a mask expression, counted once."""
        if expr not in self._px:
            self._px[expr] = super().px(expr)
        return self._px[expr]

    def cells_px(self, expr: Any) -> tuple[int, ...]:
        """Return the pixels of a mask expression in each of the 9 cells, row by row.

        All classes of a label map are counted in one pass.
        """
        if expr not in self._cells:
            self._cells[expr] = self._cells_px(expr)
        return self._cells[expr]

    def _cells_px(self, expr: Any) -> tuple[int, ...]:
        if isinstance(expr, ClassMask | Valid):
            layer = self.measured.layer(expr.layer, expr.date)
            by_id = self._of_layer(layer)
            if by_id is not None and isinstance(expr, ClassMask):
                class_id = layer.class_id(expr.label)
                return tuple(cell[class_id] for cell in by_id)
            if by_id is not None:
                return tuple(sum(cell) - cell[INVALID_ID] for cell in by_id)
        mask_HW = region(expr, self.measured).mask_HW
        parts = (mask_HW[cell_slices(cell, self.size_HW)] for cell in range(9))
        return tuple(int(np.count_nonzero(part_hw)) for part_hw in parts)

    def _of_layer(self, layer: MeasuredLayer) -> tuple[tuple[int, ...], ...] | None:
        """Return, for each cell, the pixels of every id; None where classes overlap."""
        key = (layer.info.layer, layer.info.date_index)
        if key not in self._by_layer:
            ids_HW = layer.ids_HW
            self._by_layer[key] = (
                ids_HW
                if ids_HW is None
                else tuple(
                    tuple(
                        np.bincount(
                            ids_HW[cell_slices(cell, self.size_HW)].ravel(), minlength=_NUM_IDS
                        ).tolist()
                    )
                    for cell in range(9)
                )
            )
        return self._by_layer[key]

    def edges_px(self, a: Any, b: Any) -> int:
        """Return the number of 4-neighbour pixel edges that two mask expressions share."""
        if (a, b) not in self._edges:
            a_HW, b_HW = (region(expr, self.measured).mask_HW for expr in (a, b))
            self._edges[a, b] = sum(shared_edges(a_HW, b_HW))
        return self._edges[a, b]

    def areas_px(self, expr: Any) -> tuple[int, ...]:
        """Return the pixels of each 8-connected area of a mask expression, in any order."""
        if expr not in self._areas:
            found = components(region(expr, self.measured).mask_HW)
            self._areas[expr] = tuple(found.size_px.tolist())
        return self._areas[expr]

    def value(self, program: Any) -> Value:
        """Return a program's value; Undefined where it has no safe one."""
        if program not in self._values:
            try:
                self._values[program] = evaluate(program, self.measured)
            except Undefined as outcome:
                self._values[program] = (outcome.rule, outcome.detail)
        found = self._values[program]
        if isinstance(found, tuple):
            raise Undefined(*found)
        return found
