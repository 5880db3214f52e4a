"""Masks as they are stored: COCO run-length codes with a label, an origin and a place in time."""

from dataclasses import dataclass
from enum import StrEnum

MIN_COMPONENT_PX = 9  # a 3 x 3 block: smaller specks are not counted


class Origin(StrEnum):
    """Where a mask comes from; a box mask never answers area, border or distance."""

    ANNOTATED = "annotated"
    BOX = "box"
    PREDICTED = "predicted"
    INTERSECTION = "intersection"


class MaskKind(StrEnum):
    """What a scene mask shows: a class of a layer, one object, or a layer's valid pixels."""

    CLASS = "class"
    INSTANCE = "instance"
    VALID = "valid"


class Invalid(StrEnum):
    """What is known of a layer's invalid pixels at one date."""

    OTHER = "other"  # none of the layer's classes lies there (or there are none)
    UNKNOWN = "unknown"  # any class may lie there
    FORBIDS = "forbids"  # as unknown, and so few or many of them: no count, share or absence


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneMask:
    """One mask of a scene. `counts` is the compressed COCO RLE of an (H, W) mask, column-major.

    `label` is the class name (for `VALID`: the layer's name); `attribute` an instance's state at
    that date, such as a damage level; `instance_id` its identity across dates.
    """

    kind: MaskKind
    layer: str
    label: str
    date_index: int
    counts: bytes
    origin: Origin = Origin.ANNOTATED
    instance_id: str = ""
    attribute: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerInfo:
    """What is known of one label layer at one date.

    `product` names the label product and its version: change between two products is refused.
    `classes` are all names that may occur in it, present or not, in id order.
    """

    layer: str
    date_index: int
    product: str
    invalid: Invalid
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a program is evaluated on: every mask of a scene, at every date, on one grid.

    `pixel_size_m` is (x, y) in metres per pixel, None where unknown; `north_up` is true where the
    image's up is north within 5 degrees. All masks have the size `size_HW`.
    """

    size_HW: tuple[int, int]
    pixel_size_m: tuple[float, float] | None
    north_up: bool
    layers: tuple[LayerInfo, ...]
    masks: tuple[SceneMask, ...]

    @property
    def marked_layers(self) -> frozenset[tuple[str, int]]:
        """The layers, by name and date, that have no labels of their own: a model marked them."""
        return frozenset(
            (mask.layer, mask.date_index)
            for mask in self.masks
            if (mask.kind, mask.origin) == (MaskKind.VALID, Origin.PREDICTED)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMask:
    """The mask of one reasoning step; `iou` is against the annotation (1.0 where it is one)."""

    label: str
    image_index: int
    size_HW: tuple[int, int]
    counts: bytes
    origin: Origin
    iou: float
