"""Clouds with their shadows, and snow: what lies between an optical sensor and the ground."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tasks.planet.classes import Cover
from tasks.planet.noise import Floats, fbm
from tasks.planet.window import Window

_CLOUD_M = 620.0  # size of the larger clouds
_SHADOW_SHIFT_M = (-310.0, 270.0)  # where a cloud's shadow falls: the sun is in the south-east
_SHADE = np.float32(0.5)
_WHITE = np.float32(0.42)
_BARE_OF_SNOW = {
    Cover.SEA_WATER: 0.0, Cover.FRESH_WATER: 0.3, Cover.TURBID_WATER: 0.0,
    Cover.BROADLEAF_TREE: 0.45, Cover.CONIFER_TREE: 0.28, Cover.SHRUB: 0.65,
    Cover.ASPHALT: 0.35, Cover.RED_ROOF: 0.8, Cover.GREY_ROOF: 0.8, Cover.WHITE_ROOF: 0.8,
}  # fmt: skip
_SNOW_SHARE = np.array([_BARE_OF_SNOW.get(cover, 0.92) for cover in Cover], dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """The weather of one pass: `cloud_share` (0 to 1) of the sky is clouded; snow lies or not.

    Passes with different `seed` have their clouds elsewhere.
    """

    seed: int = 0
    cloud_share: float = 0.0
    snow: bool = False


CLEAR = Sky()


def cloud_opacity(window: Window, sky: Sky) -> Floats:
    """Return how much of the ground clouds hide, 0 to 1, (H, W)."""
    return _opacity(window, sky, 0.0, 0.0)


def snow_share(cover_HW: NDArray[np.uint8], window: Window, sky: Sky) -> Floats | None:
    """Return how much of each pixel lies under snow, 0 to 1, or None where no snow lies."""
    if not sky.snow:
        return None
    patchy_HW = np.float32(0.08) * fbm(sky.seed + 2, window.x_W, window.y_H, 120.0, 4)
    snow_HW = _SNOW_SHARE[cover_HW]
    return np.asarray(np.clip(snow_HW + patchy_HW * (snow_HW > 0), 0, 1))


def under_clouds(light_HWB: Floats, window: Window, sky: Sky) -> Floats:
    """Return reflectance as it arrives through clouds, and in their shadows."""
    if sky.cloud_share <= 0:
        return light_HWB
    shadow_HW = _opacity(window, sky, *_SHADOW_SHIFT_M)
    cloud_HW = cloud_opacity(window, sky)[..., None]
    light_HWB = light_HWB * (1 - _SHADE * shadow_HW[..., None])
    billows_HW = fbm(sky.seed + 3, window.x_W, window.y_H, 260.0, 4)
    bright_HW = _WHITE * (1 + np.float32(0.25) * np.tanh(billows_HW))
    return np.asarray(light_HWB * (1 - cloud_HW) + cloud_HW * bright_HW[..., None])


def _opacity(window: Window, sky: Sky, east_m: float, north_m: float) -> Floats:
    """Return the opacity of the clouds that stand so far east and north of each pixel."""
    if sky.cloud_share <= 0:
        return np.zeros(window.shape_HW, dtype=np.float32)
    billows_HW = fbm(sky.seed, window.x_W - east_m, window.y_H - north_m, _CLOUD_M, 5)
    edge = NormalDist().inv_cdf(1 - min(sky.cloud_share, 0.999))
    return np.asarray(np.clip((billows_HW - np.float32(edge)) * 2.5, 0, 1))
