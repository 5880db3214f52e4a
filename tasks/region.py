"""The region of the world that a scene lies in, as a mixture names it."""

import math
from collections.abc import Mapping
from typing import Any

BLOCK_DEGREES = 10
UNKNOWN = "unknown"


def region_of(grid: Mapping[str, Any]) -> str:
    """Return the block of 10 by 10 degrees of a scene's centre by its south-west corner: "N40E010".

    "unknown" where the bounds are not known.
    """
    if grid["west"] is None:
        return UNKNOWN
    south = _corner((grid["south"] + grid["north"]) / 2)
    west = _corner((grid["west"] + grid["east"]) / 2)
    north_south, east_west = "S" if south < 0 else "N", "W" if west < 0 else "E"
    return f"{north_south}{abs(south):02d}{east_west}{abs(west):03d}"


def _corner(degrees: float) -> int:
    return math.floor(degrees / BLOCK_DEGREES) * BLOCK_DEGREES
