"""What an optical sensor sees: reflectance by cover and band, with texture, shade and grain."""

from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.planet.classes import ROOFS, Cover
from tasks.planet.cover import Surface, surface
from tasks.planet.events import Event
from tasks.planet.noise import Floats, fbm, mix
from tasks.planet.spectra import BANDS, GRAIN, REFLECTANCE, ROUGHNESS
from tasks.planet.weather import Sky, snow_share, under_clouds
from tasks.planet.window import Window

_COARSEST_M = 6.0  # larger pixels are the mean of smaller ones, so that they mix covers
_SHADOW_M = 5.0  # length of a house's shadow, towards the upper left: the sun is in the south-east
SENSOR_NOISE = np.float32(0.012)  # a share of the signal
_WHITE = 0.24  # red reflectance that is white in a picture, on the curve below
_GAMMA = 1.35
Picture = TypeVar("Picture", NDArray[np.bool_], Floats)
_IS_ROOF = np.isin(np.arange(256), ROOFS)


def optical(
    seed: int,
    window: Window,
    bands: tuple[str, ...],
    year: float,
    event: Event | None,
    sky: Sky,
    noise: np.float32 = SENSOR_NOISE,
) -> Floats:
    """Return reflectance as a sensor sees it, (H, W, B) float32, in Sentinel-2 bands.

    `noise` is the sensor's own, as a share of the signal.
    """
    split = int(np.ceil(window.pixel_m / _COARSEST_M))
    fine = window.split(split)
    ground = surface(seed, fine, year, event)
    shade_HW = _shading(seed, fine, ground)
    snow_HW = snow_share(ground.cover_HW, fine, sky)
    light_HWB = np.empty((*window.shape_HW, len(bands)), dtype=np.float32)
    for number, band in enumerate(bands):
        table = REFLECTANCE[:, BANDS.index(band)]
        bright_HW = table[ground.cover_HW]
        bright_HW *= shade_HW
        if snow_HW is not None:
            bright_HW += snow_HW * (table[Cover.SNOW] - bright_HW)
        light_HWB[..., number] = _mean_of_blocks(bright_HW, split)
    light_HWB = under_clouds(light_HWB, window, sky)
    if noise:
        rng = np.random.default_rng(_pixel_seed(seed, window, year))
        noise_HWB = rng.standard_normal(light_HWB.shape, dtype=np.float32)
        noise_HWB *= noise
        light_HWB += noise_HWB * light_HWB
    return np.maximum(light_HWB, np.float32(0.0005))


def _mean_of_blocks(fine_HW: Floats, size: int) -> Floats:
    """Return the mean of blocks of size x size pixels."""
    if size == 1:
        return fine_HW
    height, width = fine_HW.shape
    return np.asarray(
        cv2.resize(fine_HW, (width // size, height // size), interpolation=cv2.INTER_AREA)
    )


def to_rgb(light_HW3: Floats, white: float = _WHITE) -> NDArray[np.uint8]:
    """Return a picture of reflectance: `white` becomes 255, on a gamma curve, (H, W, 3) uint8."""
    bright = np.clip(light_HW3 / np.float32(white), 0, 1) ** np.float32(1 / _GAMMA)
    return np.asarray((bright * 255 + 0.5).astype(np.uint8))


def _shading(seed: int, window: Window, ground: Surface) -> Floats:
    """Return the brightness factor of each pixel: plots, patches, crowns, shadows."""
    cover_HW = ground.cover_HW
    rough_HW = ROUGHNESS[cover_HW]
    shade_HW = 1 + rough_HW * _patches(seed, window) + ground.tone_HW
    if window.pixel_m < 3.0:
        shade_HW += GRAIN[cover_HW] * _relief(seed, window)
        shade_HW *= np.where(_shadow(cover_HW, window), np.float32(0.45), np.float32(1))
    return np.asarray(np.clip(shade_HW, 0.25, 1.9), dtype=np.float32)


@lru_cache(maxsize=2)
def _patches(seed: int, window: Window) -> Floats:
    """Return lighter and darker ground; kept, as a pair of pictures shows one window twice."""
    return fbm(seed + 601, window.x_W, window.y_H, 160.0, 5, 0.65)


@lru_cache(maxsize=2)
def _relief(seed: int, window: Window) -> Floats:
    """Return what is lit and what is shaded of plants some metres wide; kept likewise."""
    crowns_HW = fbm(seed + 602, window.x_W, window.y_H, 7.0, 2, 0.7)
    lit_HW = crowns_HW - _moved(crowns_HW, window, 1.6)
    return np.asarray(0.5 * crowns_HW - lit_HW)


def _shadow(cover_HW: NDArray[np.uint8], window: Window) -> NDArray[np.bool_]:
    """Return the pixels beside a house, on the side away from the sun."""
    roof_HW = _IS_ROOF[cover_HW]
    return _moved(roof_HW, window, _SHADOW_M / 2) & ~roof_HW


def _moved(picture_HW: Picture, window: Window, by_m: float) -> Picture:
    """Return the picture moved up and left by so many metres."""
    step = max(round(by_m / window.pixel_m), 1)
    return np.roll(picture_HW, (-step, -step), axis=(0, 1))


def _pixel_seed(seed: int, window: Window, year: float) -> int:
    """Return the seed of the sensor's own noise in this picture."""
    place = mix(seed, round(float(window.x_W[0]) * 8), round(float(window.y_H[0]) * 8))
    return int(mix(round(year * 1000), int(place >> np.uint64(1)), round(window.pixel_m * 100)))
