"""What a disaster leaves of buildings: holes and tarpaulins, fallen halves, rubble, ash, mud."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from tasks.planet.footprints import Footprint, Points
from tasks.planet.tone import Image, blended, toned

WET = ("flooding", "tsunami")

RUBBLE_RGB = {
    "wind": (168, 152, 130),
    "fire": (128, 122, 118),
    "flooding": (120, 104, 82),
    "volcano": (92, 88, 86),
    "earthquake": (162, 154, 144),
    "tsunami": (134, 116, 92),
}
WATER_RGB = (116, 112, 84)
CHARRED_RGB = (52, 46, 42)
TARPAULIN_RGB = (58, 96, 168)
RING_M = {"minor-damage": 4.0, "major-damage": 8.0, "destroyed": 9.0}  # of water, or of soot
_SPILL_M = 1.6  # rubble lies beyond the walls
_UNIT = 128  # of the brightness of rubble, in whole steps


def paint_damage(
    image: Image,
    footprints: Sequence[Footprint],
    levels: Mapping[int, str],
    kind: str,
    pixel_m: float,
    rng: np.random.Generator,
) -> None:
    """Draw the damage of each building (by id) into (H, W, 3) RGB; roofs are drawn already."""
    mask = np.zeros(image.shape[:2], np.uint8)
    around = np.zeros_like(mask)
    roofs = np.zeros_like(mask)
    for footprint in footprints:
        level = levels.get(footprint.building.building_id, "no-damage")
        _draw(roofs, footprint.outline_px, 255)
        if level in RING_M:
            _draw(around, footprint.outline_px, 255, RING_M[level] / pixel_m)
        if level == "destroyed":
            _draw(mask, _ragged(rng, footprint.outline_px, _SPILL_M / pixel_m), 255)
        elif level == "major-damage":
            _draw(mask, _ragged(rng, _fallen_half(rng, footprint), 0.4 / pixel_m), 255)
        elif level == "minor-damage":
            for patch in _patches(rng, footprint):
                _draw(mask, patch, 255)
    _paint_around(image, around, roofs, kind)
    left, top, width, height = cv2.boundingRect(mask)
    if width:
        part = slice(top, top + height), slice(left, left + width)
        _cover(image[part], _rubble(rng, (height, width), RUBBLE_RGB[kind]), mask[part])
    if kind == "wind":
        _paint_tarpaulins(image, footprints, levels, rng)


def _paint_around(image: Image, around: Image, roofs: Image, kind: str) -> None:
    """Water stands, or soot lies, around what was struck; roofs that stand keep out of it."""
    around = np.asarray(cv2.blur(around, (9, 9)), dtype=np.uint8)
    if kind in WET:
        around[roofs > 0] = 0
        _cover(image, np.full_like(image, WATER_RGB), around, 0.85)
    elif kind == "fire":
        around[roofs > 0] = 0
        _cover(image, np.full_like(image, CHARRED_RGB), around, 0.6)


def _paint_tarpaulins(
    image: Image,
    footprints: Sequence[Footprint],
    levels: Mapping[int, str],
    rng: np.random.Generator,
) -> None:
    for footprint in footprints:
        level = levels.get(footprint.building.building_id)
        if level == "minor-damage" and rng.uniform() < 0.4:
            patch = _patches(rng, footprint)[0]
            cv2.fillPoly(image, [np.rint(patch - 0.5).astype(np.int32)], TARPAULIN_RGB, cv2.LINE_AA)


def _rubble(
    rng: np.random.Generator, shape_HW: tuple[int, ...], colour: tuple[int, int, int]
) -> Image:
    """Return a picture full of rubble: heaps, slabs and beams, light and dark, some white."""
    height, width = shape_HW[:2]
    beams, lumps, heaps = (
        rng.standard_normal((height // cell_px + 1, width // cell_px + 1), np.float32)
        for cell_px in (2, 5, 14)
    )
    size = (width, height)
    factor = 0.96 + 0.17 * cv2.resize(heaps, size, interpolation=cv2.INTER_CUBIC)
    factor += 0.13 * cv2.resize(lumps, size, interpolation=cv2.INTER_NEAREST)
    value = cv2.resize(beams, size, interpolation=cv2.INTER_NEAREST)
    factor += 0.1 * value
    factor[value > 2.1] = 1.45
    factor[value < -1.9] = 0.5
    grey = cv2.merge([cv2.convertScaleAbs(factor, alpha=_UNIT)] * 3)
    texture = toned(np.asarray(grey, dtype=np.uint8), tuple(value / _UNIT for value in colour))
    return np.clip(texture, 18, 240, out=texture)


def _cover(image: Image, over: Image, mask: Image, strength: float = 1.0) -> None:
    """Blend `over` into the image where the mask (0 to 255) says."""
    share_HW = mask.astype(np.float32) * np.float32(strength / 255)
    np.copyto(image, blended(over, np.ascontiguousarray(image), share_HW))


def _draw(mask: Image, ring_px: Points, value: int, grow_px: float = 0.0) -> None:
    points = np.rint(ring_px - 0.5).astype(np.int32)
    cv2.fillPoly(mask, [points], value)
    if grow_px:
        cv2.polylines(mask, [points], True, value, max(round(2 * grow_px), 1))


def _ragged(rng: np.random.Generator, ring_px: Points, out_px: float) -> Points:
    """Return the ring with extra vertices, each moved in or out at random."""
    following = np.roll(ring_px, -1, axis=0)
    steps = np.linspace(0, 1, 4, endpoint=False)[:, None, None]
    dense = (ring_px + steps * (following - ring_px)).transpose(1, 0, 2).reshape(-1, 2)
    middle = ring_px.mean(axis=0)
    away = dense - middle
    away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
    return np.asarray(dense + away * rng.uniform(-0.2, 1.0, (len(dense), 1)) * out_px)


def _fallen_half(rng: np.random.Generator, footprint: Footprint) -> Points:
    """Return the part of the main rectangle that lies beyond a line across it."""
    ring = np.roll(footprint.wings_px[0], int(rng.integers(4)), axis=0)
    first, second = rng.uniform(0.35, 0.7, 2)
    left, right = ring[1] + first * (ring[2] - ring[1]), ring[0] + second * (ring[3] - ring[0])
    return np.array([ring[0], ring[1], left, right])


def _patches(rng: np.random.Generator, footprint: Footprint) -> list[Points]:
    """Return two or three small holes in the main roof."""
    ring = footprint.wings_px[0]
    patches = []
    for _ in range(int(rng.integers(2, 4))):
        place, size = rng.uniform(0.05, 0.65, 2), rng.uniform(0.12, 0.26, 2)
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size + place
        patches.append(
            ring[0] + corners[:, :1] * (ring[1] - ring[0]) + corners[:, 1:] * (ring[3] - ring[0])
        )
    return patches
