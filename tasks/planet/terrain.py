"""The lie of the land: height, wetness, climate, and distances to coast, river and lake shore."""

import numpy as np

from tasks.planet.noise import Floats, fbm
from tasks.planet.window import Window

SEA_LEVEL = -0.95  # in standard deviations of height: about a sixth of the world is sea
_FAR_M = 5000.0


def height(seed: int, window: Window) -> Floats:
    """Return height in standard deviations, (H, W); `SEA_LEVEL` is the shore."""
    return fbm(seed + 101, window.x_W, window.y_H, 7000.0, 6)


def climate(seed: int, window: Window) -> Floats:
    """Return warmth and dryness in standard deviations: -1 is cool and wet, +1 warm and dry."""
    return fbm(seed + 102, window.x_W, window.y_H, 16000.0, 2)


def moisture(seed: int, window: Window) -> Floats:
    """Return ground wetness in standard deviations, (H, W)."""
    return fbm(seed + 103, window.x_W, window.y_H, 3200.0, 4)


def coast_distance(window: Window, height_HW: Floats) -> Floats:
    """Return metres to the coast by the lie of the land, (H, W): below zero at sea."""
    return _metres(window, height_HW - np.float32(SEA_LEVEL))


def river_distance(seed: int, window: Window) -> Floats:
    """Return metres to the middle of the nearest river, (H, W), never negative."""
    return np.abs(_metres(window, fbm(seed + 104, window.x_W, window.y_H, 5200.0, 4, 0.4)))


def river_half_width(seed: int, window: Window, year: float) -> Floats:
    """Return half the width of a river that ran here, in metres, at that date, (H, W)."""
    wide_HW = fbm(seed + 105, window.x_W, window.y_H, 7000.0, 2)
    swollen = np.float32(1.0 + 0.25 * water_level(year))
    return np.asarray(np.maximum(12.0, 34.0 + 22.0 * wide_HW) * swollen)


def lake_depth(seed: int, window: Window, year: float) -> Floats:
    """Return depth below the lake surface, (H, W): above zero is lake, in standard deviations."""
    basin_HW = fbm(seed + 106, window.x_W, window.y_H, 1500.0, 3, 0.42)
    return basin_HW - np.float32(1.75 - 0.22 * water_level(year))


def water_level(year: float) -> float:
    """Return how high the waters stand, about -1 to 1: seasons, and years of drought and plenty."""
    season = 0.25 * np.cos(2 * np.pi * (year - 0.2))
    years = 0.75 * np.sin(2 * np.pi * (year - 2018.45) / 7.3)
    return float(season + years)


def _metres(window: Window, field_HW: Floats) -> Floats:
    """Return the signed distance to where a field is zero, by its slope at each pixel.

    The window has at least two rows and columns.
    """
    south_HW, east_HW = np.gradient(field_HW)
    south_HW /= np.gradient(window.y_H).astype(np.float32)[:, None]
    east_HW /= np.gradient(window.x_W).astype(np.float32)[None, :]
    slope_HW = np.maximum(np.hypot(south_HW, east_HW), np.float32(1e-6))
    return np.asarray(np.clip(field_HW / slope_HW, -_FAR_M, _FAR_M))
