"""A picture from 0.3 to 1 m pixels: crowns, shadows, pitched roofs and debris over the ground."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.planet.classes import Cover
from tasks.planet.crowns import halved, paint_crowns
from tasks.planet.debris import paint_damage
from tasks.planet.footprints import Footprint, Points
from tasks.planet.noise import unit
from tasks.planet.tone import Image, dimmed, toned
from tasks.planet.window import Window
from tasks.planet.world import Event, World

ROOF_RGB = {
    Cover.RED_ROOF: (146, 88, 66),
    Cover.GREY_ROOF: (112, 108, 104),
    Cover.WHITE_ROOF: (204, 204, 200),
}
HEIGHT_M = {"house": 5.5, "farm": 6.0, "hall": 8.0, "block": 13.0}
GRAIN_DN = 1.8  # noise of the sensor, in steps of its 255
IN_SHADOW = (0.46, 0.5, 0.58)  # of the light, deep beside a wall
PITCHED = ("house", "farm")
_SHIFT = 4  # binary digits behind the point of what OpenCV draws
_TEXTURE = ((2, 0.05), (5, 0.03), (24, 0.03))  # (pixels, share of the value): the ground varies
_STAIRS_M = 6.0  # the land mask has steps of some metres; medians of that width round them
_MEDIAN_PX = 5  # a wider one is ten times slower, and two of this do the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """How a picture was taken: the direction to the sun (x right, y down), its height, the air.

    `shadow` is metres of shadow to a metre of height; `gain_C` and `haze_C` act on red, green,
    blue; `seed` drives the sensor's noise.
    """

    sun: tuple[float, float]
    shadow: float
    gain_C: tuple[float, float, float]
    haze_C: tuple[float, float, float]
    seed: int

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Self:
        """Return the light of one pass: late morning, sun in the south-east, more or less haze."""
        azimuth, warm = rng.uniform(math.radians(95), math.radians(170)), rng.uniform(-0.05, 0.05)
        gain, haze = rng.uniform(0.86, 1.06), rng.uniform(2, 14)
        return cls(
            sun=(math.sin(azimuth), -math.cos(azimuth)),
            shadow=float(rng.uniform(0.35, 0.85)),
            gain_C=(gain * (1 + warm), gain, gain * (1 - warm)),
            haze_C=(haze * 0.8, haze, haze * 1.25),
            seed=int(rng.integers(2**31)),
        )


def paint(
    world: World,
    window: Window,
    year: float,
    footprints: Sequence[Footprint],
    light: Light,
    event: Event | None = None,
    levels: Mapping[int, str] | None = None,
    draw_ground: Callable[[Image], None] | None = None,
) -> Image:
    """Return the picture of a window, (H, W, 3) uint8.

    `levels` gives buildings (by id) their damage level after `event`; others stand unharmed.
    `draw_ground` draws into the picture after the trees and before the buildings.
    """
    image = _ground(world, window, year, event)
    rng = np.random.default_rng([light.seed, 1])
    paint_crowns(image, world, window, year, light.sun, light.shadow, event)
    if draw_ground is not None:
        draw_ground(image)
    states = levels or {}
    standing = [f for f in footprints if states.get(f.building.building_id) != "destroyed"]
    _darken_shadows(image, standing, light, window.pixel_m)
    for footprint in standing:
        _paint_roof(image, footprint, light)
    if event is not None:
        paint_damage(image, footprints, states, event.kind, window.pixel_m, rng)
    return _exposed(image, light)


def _ground(world: World, window: Window, year: float, event: Event | None) -> Image:
    """Return the world's own picture, every second pixel of it, with its stairs rounded."""
    height, width = window.shape_HW
    coarse = halved(window)
    ground = np.ascontiguousarray(world.rgb_HWC(coarse, year, event))
    for _ in range(max(round(_STAIRS_M / coarse.pixel_m / _MEDIAN_PX), 1)):
        ground = np.asarray(cv2.medianBlur(ground, _MEDIAN_PX), dtype=np.uint8)
    _add_texture(ground, window, world.seed)
    whole = cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole, dtype=np.uint8)


def fill(image: Image, ring_px: Points, colour: Sequence[float] | NDArray[np.float64]) -> None:
    """Fill a ring, given in pixels from the top left corner, with a smooth edge."""
    points = np.rint((ring_px - 0.5) * 2**_SHIFT).astype(np.int32)
    cv2.fillPoly(image, [points], [float(c) for c in colour], cv2.LINE_AA, _SHIFT)


def _add_texture(ground: Image, window: Window, seed: int) -> None:
    """Vary the brightness of the ground, the same way at every date of one place."""
    height, width = window.shape_HW
    place = np.random.default_rng(
        [seed, abs(int(window.x_W[0] * 10)), abs(int(window.y_H[0] * 10)), 5]
    )
    factor_HW = np.ones(ground.shape[:2], np.float32)
    for cell_px, strength in _TEXTURE:
        noise = place.standard_normal((height // cell_px + 1, width // cell_px + 1), np.float32)
        factor_HW += cv2.resize(strength * noise, ground.shape[1::-1])
    cv2.multiply(ground, cv2.merge([factor_HW] * 3), dst=ground, dtype=cv2.CV_8U)


def _darken_shadows(
    image: Image, footprints: Sequence[Footprint], light: Light, pixel_m: float
) -> None:
    mask = np.zeros(image.shape[:2], np.uint8)
    for footprint in footprints:
        reach_px = HEIGHT_M[footprint.building.use] * light.shadow / pixel_m
        away = -np.array(light.sun) * reach_px
        for wing in footprint.wings_px:
            both = np.concatenate([wing, wing + away]).astype(np.float32)
            fill(mask, cv2.convexHull(both)[:, 0].astype(np.float64), (255,))
    soft = np.asarray(cv2.blur(mask, (3, 3)), dtype=np.uint8)
    np.copyto(image, dimmed(image, IN_SHADOW, soft))


def _paint_roof(image: Image, footprint: Footprint, light: Light) -> None:
    building = footprint.building
    tint = 0.82 + 0.4 * float(unit(51, building.building_id))
    warm = 0.94 + 0.12 * float(unit(52, building.building_id))
    red, green, blue = ROOF_RGB[building.roof]
    colour = np.clip(np.array([red * warm, green, blue / warm]) * tint, 0, 245)
    for wing in footprint.wings_px:
        if building.use in PITCHED:
            _paint_pitched(image, wing, colour, light)
        else:
            _paint_flat(image, wing, colour, building.building_id)


def _paint_pitched(image: Image, wing: Points, colour: NDArray[np.float64], light: Light) -> None:
    """Draw a hipped roof: a ridge along the longer side, four faces lit by the sun."""
    # complex numbers: x right, y down; a tenth of the time of arrays of two
    a, b, c, d = (complex(x, y) for x, y in wing.tolist())
    if abs(b - a) < abs(c - b):
        a, b, c, d = b, c, d, a
    start, end = (a + d) / 2, (b + c) / 2
    length, width = abs(end - start), abs(d - a)
    inset = (end - start) / length * min(0.5 * width, 0.45 * length)
    low, high = start + inset, end - inset
    middle, sun = (a + b + c + d) / 4, complex(*light.sun)
    for face in ((a, b, high, low), (c, d, low, high), (b, c, high), (d, a, low)):
        out = (face[0] + face[1]) / 2 - middle
        shade = 1 + 0.24 * (out * sun.conjugate()).real / abs(out)
        fill(image, np.array([(z.real, z.imag) for z in face]), np.clip(colour * shade, 0, 255))


def _paint_flat(image: Image, wing: Points, colour: NDArray[np.float64], building_id: int) -> None:
    """Draw a flat roof: a parapet, and a few machines on it."""
    middle = wing.mean(axis=0)
    fill(image, wing, np.clip(colour * 1.08, 0, 255))
    fill(image, middle + (wing - middle) * 0.92, np.clip(colour * 0.94, 0, 255))
    for k in range(2 + building_id % 4):
        s, t = (0.12 + 0.76 * float(unit(53 + axis, building_id, k)) for axis in range(2))
        corner = wing[0] + s * (wing[1] - wing[0]) + t * (wing[3] - wing[0])
        unit_ring = (wing - middle) * 0.035 + corner
        fill(image, unit_ring, np.clip(colour * (0.7 if k % 2 else 1.2), 0, 255))


def _exposed(image: Image, light: Light) -> Image:
    """Return the picture as the sensor gives it: haze, gain, the blur of the optics, noise."""
    rng = np.random.default_rng([light.seed, 2])
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.7), dtype=np.uint8)
    seen = toned(blurred, light.gain_C, light.haze_C)
    half = (image.shape[0] // 2 + 1, image.shape[1] // 2 + 1)
    grain = rng.standard_normal(half, np.float32)
    steps = (cv2.convertScaleAbs(np.maximum(sign * grain, 0), alpha=GRAIN_DN) for sign in (1, -1))
    up, down = (cv2.merge([cv2.resize(step, image.shape[1::-1])] * 3) for step in steps)
    return np.asarray(cv2.subtract(cv2.add(seen, up), down), dtype=np.uint8)
