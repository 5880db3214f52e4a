"""A scene's evidence, decoded and measured once: the production view that programs run on."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from masks.components import ClassComponents, label_components
from masks.label_stats import ClassBorders, class_borders, margin_counts
from masks.morphology import dilate, erode
from masks.rle import area_px, decode, paint
from masks.runs import column_major
from schemas.mask import Evidence, Invalid, LayerInfo, MaskKind, Origin, SceneMask
from schemas.program import MaskExpr
from schemas.scene import BACKGROUND_ID, INVALID_ID
from schemas.value import Undefined

MaskHW = NDArray[np.bool_]
CLOSED_VALID_SHARE = 0.99  # under this, unknown pixels may hide a class


class Region(Protocol):
    """A mask with its inner and outer form, each (H, W) bool and made when first asked for.

    A region never holds the layer that keeps it, nor itself: a scene's masks are freed with the
    scene, not when the garbage collector comes round.
    """

    @property
    def mask_HW(self) -> MaskHW:
        """The mask itself."""

    @property
    def inner_HW(self) -> MaskHW:
        """What is left under erosion of what it is made of."""

    @property
    def outer_HW(self) -> MaskHW:
        """What it may be under dilation of what it is made of."""


class Leaf:
    """A stored mask as a region: its inner form is eroded, its outer form dilated."""

    def __init__(self, make: Callable[[], MaskHW], valid_HW: MaskHW) -> None:
        self._make, self._valid_HW = make, valid_HW

    @cached_property
    def mask_HW(self) -> MaskHW:
        """The mask itself."""
        return self._make()

    @cached_property
    def inner_HW(self) -> MaskHW:
        """The mask eroded."""
        return erode(self.mask_HW, self._valid_HW)

    @cached_property
    def outer_HW(self) -> MaskHW:
        """The mask dilated."""
        return dilate(self.mask_HW, self._valid_HW)


class Compound:
    """A region whose three forms are each made in their own way."""

    def __init__(
        self, mask: Callable[[], MaskHW], inner: Callable[[], MaskHW], outer: Callable[[], MaskHW]
    ) -> None:
        self._make_mask, self._make_inner, self._make_outer = mask, inner, outer

    @cached_property
    def mask_HW(self) -> MaskHW:
        """The mask itself."""
        return self._make_mask()

    @cached_property
    def inner_HW(self) -> MaskHW:
        """The mask at its smallest."""
        return self._make_inner()

    @cached_property
    def outer_HW(self) -> MaskHW:
        """The mask at its largest."""
        return self._make_outer()


class MeasuredLayer:
    """One label layer at one date: valid pixels, label map, and what was measured on it."""

    def __init__(
        self, info: LayerInfo, size_HW: tuple[int, int], masks: tuple[SceneMask, ...]
    ) -> None:
        self.info = info
        self.size_HW = size_HW
        self.class_masks = {m.label: m for m in masks if m.kind is MaskKind.CLASS}
        self.instances = tuple(m for m in masks if m.kind is MaskKind.INSTANCE)
        self._valid = next((m for m in masks if m.kind is MaskKind.VALID), None)
        self._regions: dict[str, Region] = {}

    @cached_property
    def valid_HW(self) -> MaskHW:
        """Pixels that carry a label; all of them where none is stored."""
        if self._valid is None:
            return np.ones(self.size_HW, dtype=np.bool_)
        return decode(self._valid.counts, self.size_HW)

    @cached_property
    def valid_px(self) -> int:
        """Number of valid pixels."""
        if self._valid is None:
            return self.size_HW[0] * self.size_HW[1]
        return area_px(self._valid.counts)

    @cached_property
    def has_boxes(self) -> bool:
        """Whether any mask was made from a box."""
        masks = (*self.class_masks.values(), *self.instances)
        return any(mask.origin is Origin.BOX for mask in masks)

    @property
    def is_predicted(self) -> bool:
        """Whether a model marked it: also what it says is not there."""
        return self._valid is not None and self._valid.origin is Origin.PREDICTED

    @cached_property
    def closed(self) -> bool:
        """Whether a class that is not seen is known not to be there."""
        if self.info.invalid is Invalid.OTHER:
            return True
        share = self.valid_px / (self.size_HW[0] * self.size_HW[1])
        return self.info.invalid is Invalid.UNKNOWN and share >= CLOSED_VALID_SHARE

    @property
    def ids_HW(self) -> NDArray[np.uint8] | None:
        """The label map that the class masks were cut from; None where they overlap."""
        return self._painted[0]

    @cached_property
    def _painted(self) -> tuple[NDArray[np.uint8] | None, dict[str, int]]:
        """The label map, and the pixels of every class mask."""
        outside = BACKGROUND_ID if self._valid is None else INVALID_ID
        painted_HW = np.full(self.size_HW, outside, dtype=np.uint8, order="F")
        if self._valid is not None:
            paint(painted_HW, self._valid.counts, BACKGROUND_ID)
        areas_px: dict[str, int] = {}
        for class_id, name in enumerate(self.info.classes):
            if (mask := self.class_masks.get(name)) is not None:
                areas_px[name] = paint(painted_HW, mask.counts, class_id)
        ids_HW = column_major(painted_HW.T).reshape(self.size_HW)
        held_px = int(np.count_nonzero(ids_HW < BACKGROUND_ID))
        return (ids_HW if held_px == sum(areas_px.values()) else None), areas_px

    @cached_property
    def borders(self) -> ClassBorders | None:
        """Shared edges and adjacency of every two classes."""
        if self.ids_HW is None:
            return None
        return class_borders(self.ids_HW, len(self.info.classes))

    @cached_property
    def margins_px(self) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Pixels of every class, eroded and dilated."""
        if self.ids_HW is None:
            return None
        return margin_counts(self.ids_HW, len(self.info.classes))

    @cached_property
    def components(self) -> ClassComponents | None:
        """8-connected areas of every class."""
        if self.ids_HW is None:
            return None
        return label_components(self.ids_HW, len(self.info.classes))

    def class_id(self, label: str) -> int:
        """Return the id of a class that the layer has."""
        return self.info.classes.index(label)

    def class_px(self, label: str) -> int:
        """Return the pixels of a class, 0 where it has no mask."""
        return self._painted[1].get(label, 0)

    def class_region(self, label: str) -> Region:
        """Return a class's region; empty where it has no mask."""
        if label not in self._regions:
            self._regions[label] = Leaf(self._class_maker(label), self.valid_HW)
        return self._regions[label]

    def selected(self, label: str, attribute: str | None) -> tuple[SceneMask, ...]:
        """Return the objects of a label, those with one attribute if it is given."""
        return tuple(
            m for m in self.instances if m.label == label and attribute in (None, m.attribute)
        )

    @cached_property
    def valid_region(self) -> Region:
        """The valid pixels as a region that has no margin."""
        valid_HW = self.valid_HW
        return Compound(lambda: valid_HW, lambda: valid_HW, lambda: valid_HW)

    def instance_region(self, label: str, attribute: str | None) -> Region:
        """Return the union of objects as a region."""
        key = f"instances\0{label}\0{attribute}"
        if key not in self._regions:
            union = partial(_union, self.selected(label, attribute), self.size_HW)
            self._regions[key] = Leaf(union, self.valid_HW)
        return self._regions[key]

    def _class_maker(self, label: str) -> Callable[[], MaskHW]:
        """Return what makes a class's mask; it does not hold the layer."""
        mask = self.class_masks.get(label)
        if mask is None:
            size_HW = self.size_HW
            return lambda: np.zeros(size_HW, dtype=np.bool_)
        if self.ids_HW is None:
            return partial(decode, mask.counts, self.size_HW)
        return partial(np.equal, self.ids_HW, self.class_id(label))


def _union(masks: tuple[SceneMask, ...], size_HW: tuple[int, int]) -> MaskHW:
    union_HW = np.zeros(size_HW, dtype=np.uint8, order="F")
    for mask in masks:
        paint(union_HW, mask.counts, 1)
    return np.ascontiguousarray(union_HW).view(np.bool_)


class Measured:
    """The evidence of one scene, its layers measured on demand."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        # kept by masks.regions: what lies near a mask, by mask expression and distance
        self.near_regions: dict[tuple[MaskExpr, float], Region] = {}
        # kept by masks.evaluate: a mask's runs, opened, for distances, by mask expression
        self.opened_runs: dict[MaskExpr, tuple[NDArray[np.int32], ...]] = {}
        self._layers: dict[tuple[str, int], MeasuredLayer] = {}
        for info in evidence.layers:
            masks = tuple(
                m
                for m in evidence.masks
                if m.layer == info.layer and m.date_index == info.date_index
            )
            key = (info.layer, info.date_index)
            self._layers[key] = MeasuredLayer(info, evidence.size_HW, masks)

    @property
    def layers(self) -> tuple[MeasuredLayer, ...]:
        """All layers, in the evidence's order."""
        return tuple(self._layers.values())

    def layer(self, layer: str, date_index: int) -> MeasuredLayer:
        """Return one layer at one date; Undefined("unknown_layer") if it is not there."""
        found = self._layers.get((layer, date_index))
        if found is None:
            raise Undefined("unknown_layer", f"{layer} at date {date_index}")
        return found
