"""The masks of an xBD tile: buildings drawn once, then footprints, damage map and objects."""

import numpy as np

from masks.rle import encode_window
from schemas.mask import Invalid
from schemas.scene import BACKGROUND_ID, INVALID_ID, Instance, LabelLayer
from schemas.taxonomy import XBD_DAMAGE, XBD_FOOTPRINT, XBD_UNCLASSIFIED
from tasks.sources.polygons import Window, draw_polygon, paint
from tasks.sources.xbd_label import Building, TileLabel

PRODUCT = "xbd"

Drawn = tuple[tuple[Building, Window], ...]
Size = tuple[int, int]


def draw_buildings(label: TileLabel, name: str) -> Drawn:
    """Return every building with its pixels, in the label's order.

    Raises:
        Refusal: POLYGON_OUTSIDE, naming the file `name` and the building.
    """
    return tuple(
        (building, draw_polygon(building.polygon, label.size_HW, f"{name}: {building.uid}"))
        for building in label.buildings
    )


def footprint_layer(drawn: Drawn, size_HW: Size, date_index: int) -> LabelLayer:
    """Return the layer "footprint" of one date: building or not, every pixel valid."""
    ids_HW = np.full(size_HW, BACKGROUND_ID, dtype=np.uint8)
    for _, window in drawn:
        paint(ids_HW, window, 0)
    return LabelLayer(
        layer="footprint",
        date_index=date_index,
        product=PRODUCT,
        taxonomy=XBD_FOOTPRINT,
        ids_HW=ids_HW,
        invalid=Invalid.OTHER,
    )


def damage_layer(drawn: Drawn, size_HW: Size) -> LabelLayer:
    """Return the layer "damage" of the date after the event.

    Where buildings overlap the higher level wins; un-classified ones are painted first.
    """
    levels = XBD_DAMAGE.names
    values = {XBD_UNCLASSIFIED: INVALID_ID, **{name: i for i, name in enumerate(levels)}}
    ids_HW = np.full(size_HW, BACKGROUND_ID, dtype=np.uint8)
    for subtype in (XBD_UNCLASSIFIED, *levels):
        for building, window in drawn:
            if building.subtype == subtype:
                paint(ids_HW, window, values[subtype])
    unclassified = any(building.subtype == XBD_UNCLASSIFIED for building, _ in drawn)
    return LabelLayer(
        layer="damage",
        date_index=1,
        product=PRODUCT,
        taxonomy=XBD_DAMAGE,
        ids_HW=ids_HW,
        invalid=Invalid.FORBIDS if unclassified else Invalid.OTHER,
    )


def instances(drawn: Drawn, size_HW: Size, date_index: int) -> tuple[Instance, ...]:
    """Return one object a building, its damage level as attribute ("" before the event)."""
    return tuple(
        Instance(
            instance_id=building.uid,
            layer="footprint",
            label="building",
            date_index=date_index,
            attribute=building.subtype,
            counts=encode_window(window.mask_hw, window.top, window.left, size_HW),
        )
        for building, window in drawn
    )
