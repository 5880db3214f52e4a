"""The affine from a high-resolution picture to WGS84, with the slight turn that real ones have."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Georeference:
    """Pixel (x right, y down, from the top left corner) to degrees.

    `pixel_m` is (x, y) in metres; `turn_rad` how far the picture's right is turned from east.
    """

    longitude: float
    latitude: float
    pixel_m: tuple[float, float]
    turn_rad: float

    def lonlat(self, points_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (longitude, latitude) of (N, 2) pixel positions."""
        right_m = points_px[:, 0] * self.pixel_m[0]
        down_m = points_px[:, 1] * self.pixel_m[1]
        cos, sin = math.cos(self.turn_rad), math.sin(self.turn_rad)
        east_m, north_m = cos * right_m - sin * down_m, -sin * right_m - cos * down_m
        per_lon, per_lat = metres_per_degree(self.latitude)
        return np.stack(
            [self.longitude + east_m / per_lon, self.latitude + north_m / per_lat], axis=1
        )


def metres_per_degree(latitude: float) -> tuple[float, float]:
    """Return metres of a degree of longitude and of latitude on the WGS84 ellipsoid.

    The usual series in multiples of the latitude; good to a centimetre.
    """
    phi = math.radians(latitude)
    per_lon = 111412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi) + 0.118 * math.cos(5 * phi)
    per_lat = 111132.954 - 559.822 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi)
    return per_lon, per_lat
