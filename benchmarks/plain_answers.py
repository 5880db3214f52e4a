"""Programs on classes of one label map, answered with SciPy, pycocotools and NumPy alone.

The baseline of `l1_stage.py`: what a careful person writes with these libraries who knows every
rule of docs/program.md and keeps what a scene needs twice. Masks, their eroded, dilated and opened
forms, their growth by a pixel, parts and distance transforms are made once a scene, and only when a
program asks for them; a step mask that is stored already is not encoded again.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco
from scipy import ndimage

MaskHW = NDArray[np.bool_]
Answer = float | bool | str | tuple[float, ...]  # a number comes with its interval
Mask = tuple[str, int]  # name, and -1 for the inner form, 0 for the mask, 1 for the outer form
SQUARE = np.ones((3, 3), dtype=np.bool_)
INNER, PLAIN, OUTER = -1, 0, 1


class Unsafe(Exception):
    """There is no safe answer; the message is the rule."""


class PlainScene:
    """One scene row with one label layer at one date, answering programs given as JSON trees."""

    def __init__(self, row: dict[str, Any]) -> None:
        grid, (layer,) = row["grid"], row["layers"]
        self.size = [grid["height"], grid["width"]]
        self.pixel_m = (grid["pixel_size_y_m"], grid["pixel_size_x_m"])
        codes = {mask["label"]: mask["counts"] for mask in row["scene_masks"]}
        self.valid_HW = self._decode(codes.pop(layer["layer"]))
        self.valid_px = int(self.valid_HW.sum())
        share = self.valid_px / self.valid_HW.size
        self.closed = layer["invalid"] == "other" or (
            layer["invalid"] == "unknown" and share >= 0.99
        )
        self.forbids = layer["invalid"] == "forbids"
        self.codes = codes
        # kept for as long as the scene
        self.mask = cache(self._mask)
        self.px = cache(self._px)
        self.opened = cache(self._opened)
        self.grown = cache(self._grown)
        self.parts = cache(self._parts)
        self.edges = cache(self._edges)
        self.metres_to = cache(self._metres_to)

    def answer(self, program: dict[str, Any]) -> Answer:
        """Return a program's value; raises `Unsafe` where it has none."""
        return _MEASURES[program["op"]](self, program)

    def _decode(self, counts: str) -> MaskHW:
        decoded_HW: MaskHW = coco.decode({"size": self.size, "counts": counts}).view(np.bool_)
        return decoded_HW

    def _mask(self, name: str, form: int = PLAIN) -> MaskHW:
        if form == PLAIN:
            if name not in self.codes:
                return np.zeros(self.size, dtype=np.bool_)
            return np.ascontiguousarray(self._decode(self.codes[name]))
        mask_HW = self.mask(name)
        return self._eroded(mask_HW) if form == INNER else self._dilated(mask_HW)

    def _eroded(self, mask_HW: MaskHW) -> MaskHW:
        kept_HW = ndimage.binary_erosion(mask_HW | ~self.valid_HW, SQUARE, border_value=1)
        return kept_HW & mask_HW

    def _dilated(self, mask_HW: MaskHW) -> MaskHW:
        return mask_HW | ndimage.binary_dilation(mask_HW, SQUARE) & self.valid_HW

    def _opened(self, name: str, form: int) -> MaskHW:
        return self._dilated(self._eroded(self.mask(name, form)))

    def _grown(self, name: str, form: int) -> MaskHW:
        return ndimage.binary_dilation(self.mask(name, form), SQUARE)

    def _px(self, name: str, form: int = PLAIN) -> int:
        return int(np.count_nonzero(self.mask(name, form)))

    def _parts(self, name: str) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
        labels_HW, _ = ndimage.label(self.mask(name), SQUARE)
        return labels_HW, np.bincount(labels_HW.ravel())[1:].astype(np.int64)

    def _edges(self, a: str, b: str) -> tuple[int, int]:
        a_HW, b_HW = self.mask(a), self.mask(b)
        sideways_HW = a_HW[:, :-1] & b_HW[:, 1:] | b_HW[:, :-1] & a_HW[:, 1:]
        upright_HW = a_HW[:-1] & b_HW[1:] | b_HW[:-1] & a_HW[1:]
        return int(np.count_nonzero(sideways_HW)), int(np.count_nonzero(upright_HW))

    def _metres_to(self, name: str, form: int) -> NDArray[np.float64]:
        return ndimage.distance_transform_edt(~self.opened(name, form), sampling=self.pixel_m)

    def adjacent(self, a: Mask, b: Mask) -> bool:
        """Return whether two masks overlap or touch."""
        return bool((self.grown(*a) & self.mask(*b)).any())


def _area(scene: PlainScene, program: dict[str, Any]) -> Answer:
    pixel_m2 = scene.pixel_m[0] * scene.pixel_m[1]
    name = program["of"]["label"]
    return tuple(scene.px(name, form) * pixel_m2 for form in (PLAIN, INNER, OUTER))


def _share(scene: PlainScene, program: dict[str, Any]) -> Answer:
    if scene.forbids:
        raise Unsafe("forbidden_share")
    name = program["of"]["label"]
    return tuple(scene.px(name, form) / scene.valid_px for form in (PLAIN, INNER, OUTER))


def _exists(scene: PlainScene, program: dict[str, Any]) -> Answer:
    name = program["of"]["label"]
    if scene.px(name) and scene.px(name, INNER):
        return True
    if scene.px(name):
        raise Unsafe("thin")
    if not scene.closed:
        raise Unsafe("open_layer")
    return False


def _count(scene: PlainScene, program: dict[str, Any]) -> Answer:
    if not scene.closed:
        raise Unsafe("open_layer")
    sizes_px, least_px = scene.parts(program["of"]["label"])[1], program["min_component_px"]
    number = int((sizes_px >= least_px).sum())
    if number != (sizes_px >= 2 * least_px).sum():
        raise Unsafe("count_unsafe")
    return (number, number, number)


def _cell(scene: PlainScene, program: dict[str, Any]) -> Answer:
    name = program["of"]["label"]
    if scene.px(name) == 0:
        raise Unsafe("empty_side")
    if scene.px(name) > 0.4 * scene.valid_px:
        raise Unsafe("cell_too_large")
    labels_HW, sizes_px = scene.parts(name)
    largest = int(sizes_px.argmax())
    if sizes_px[largest] < 0.7 * scene.px(name):
        raise Unsafe("cell_scattered")
    rows, cols = np.nonzero(labels_HW == largest + 1)
    height, width = scene.size
    held_px = np.zeros((3, 3), dtype=np.int64)
    np.add.at(held_px, (3 * rows // height, 3 * cols // width), 1)
    row, col = int(3 * (rows.mean() + 0.5) / height), int(3 * (cols.mean() + 0.5) / width)
    near_px = held_px[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2].sum()
    named_px, held_px[row, col] = int(held_px[row, col]), 0
    if near_px < 0.8 * sizes_px[largest] or named_px < 1.5 * held_px.max():
        raise Unsafe("cell_unclear")
    return f"cell {3 * row + col}"


def _border(scene: PlainScene, program: dict[str, Any]) -> Answer:
    a, b = program["a"]["label"], program["b"]["label"]
    if not (scene.px(a) and scene.px(b)):
        raise Unsafe("empty_side")
    if (
        sum(scene.edges(a, b)) >= 8
        and scene.adjacent((b, OUTER), (a, INNER))
        and scene.adjacent((a, OUTER), (b, INNER))
    ):
        return True
    if scene.adjacent((a, OUTER), (b, OUTER)):
        raise Unsafe("border_in_between")
    if not scene.closed:
        raise Unsafe("open_layer")
    return False


def _border_length(scene: PlainScene, program: dict[str, Any]) -> Answer:
    sideways, upright = scene.edges(program["a"]["label"], program["b"]["label"])
    length_m = sideways * scene.pixel_m[0] + upright * scene.pixel_m[1]
    if length_m == 0:
        raise Unsafe("no_border")
    return (length_m, length_m, length_m)


def _distance(scene: PlainScene, program: dict[str, Any]) -> Answer:
    if not scene.closed:
        raise Unsafe("open_layer")
    a, b = program["a"]["label"], program["b"]["label"]
    forms = (PLAIN, OUTER, INNER)
    if not all(scene.opened(name, form).any() for form in forms for name in (a, b)):
        raise Unsafe("erased")
    if scene.adjacent((a, PLAIN), (b, PLAIN)):
        raise Unsafe("too_near")
    near_m = float(scene.metres_to(b, PLAIN)[scene.opened(a, PLAIN)].min())
    # pixels are square here, so that one transform tells metres and pixels
    if round(near_m / scene.pixel_m[0], 9) <= 10:
        raise Unsafe("too_near")
    low_m, high_m = (
        float(scene.metres_to(b, form)[scene.opened(a, form)].min()) for form in (OUTER, INNER)
    )
    return (near_m, low_m, high_m)


_MEASURES: dict[str, Callable[[PlainScene, dict[str, Any]], Answer]] = {
    "area": _area,
    "share": _share,
    "exists": _exists,
    "count": _count,
    "cell": _cell,
    "border": _border,
    "border_length": _border_length,
    "distance": _distance,
}
