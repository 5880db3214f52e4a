"""The Web-Mercator tiles of zoom 13 that SatlasPretrain and ChatEarthNet are cut in."""

import math

import numpy as np
from numpy.typing import NDArray

TILES_ROUND = 8192  # tiles around the earth at zoom 13
TILE_PX = 512
EARTH_PX = TILES_ROUND * TILE_PX
_EARTH_M = 2 * math.pi * 6378137.0  # length of the equator in Web-Mercator


def pixel_m(latitude: float) -> float:
    """Return the ground size of a pixel in metres at a latitude in degrees."""
    return _EARTH_M / EARTH_PX * math.cos(math.radians(latitude))


def longitude(x_px: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the longitude in degrees of whole-earth pixel columns."""
    return np.asarray(x_px) / EARTH_PX * 360.0 - 180.0


def latitude(y_px: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the latitude in degrees of whole-earth pixel rows."""
    return np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * np.asarray(y_px) / EARTH_PX))))


def column_px(longitude_N: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the whole-earth pixel columns of longitudes in degrees."""
    return (longitude_N + 180.0) / 360.0 * EARTH_PX


def row_px(latitude_N: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the whole-earth pixel rows of latitudes in degrees."""
    return (1 - np.arcsinh(np.tan(np.radians(latitude_N))) / np.pi) / 2 * EARTH_PX
