"""Where a ChatEarthNet patch lies: its file name is a Web-Mercator tile and a quarter of it."""

import math
import re
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from schemas.rejection import Reason, Refusal
from schemas.scene import Grid
from tasks.sources.grids import grid_of

ZOOM = 13
TILES_A_SIDE = 2**ZOOM
TILE_PX = 512
PATCH_PX = 256
BUCKET_ZOOMS_UP = 3  # 64 tiles of 4 patches: 256 scenes

_HALF_WORLD_M = math.pi * 6378137.0  # half of the Web-Mercator square's side
_TILE_M = 2 * _HALF_WORLD_M / TILES_A_SIDE
_WEB_MERCATOR = CRS.from_epsg(3857)
_NAME = re.compile(r"(\d{1,5})_(\d{1,5})_patch([01])([01])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A quarter of tile (`column`, `row`); `down` and `right` (0 or 1) say which.

    That the first digit of `patch10` counts downwards is the natural reading of the archive's
    code; it is not documented.
    """

    column: int
    row: int
    down: int
    right: int

    @property
    def name(self) -> str:
        """The patch's name without ending: "3886_3141_patch00"."""
        return f"{self.tile}_patch{self.down}{self.right}"

    @property
    def tile(self) -> str:
        """The tile's name: "3886_3141"."""
        return f"{self.column}_{self.row}"

    @property
    def bucket(self) -> str:
        """The parent tile three zooms up: "z10-485-392"."""
        column, row = self.column >> BUCKET_ZOOMS_UP, self.row >> BUCKET_ZOOMS_UP
        return f"z{ZOOM - BUCKET_ZOOMS_UP}-{column}-{row}"

    @property
    def transform(self) -> Affine:
        """(column, row) of the patch to Web-Mercator metres."""
        pixel_m = _TILE_M / TILE_PX
        left = -_HALF_WORLD_M + self.column * _TILE_M + self.right * PATCH_PX * pixel_m
        top = _HALF_WORLD_M - self.row * _TILE_M - self.down * PATCH_PX * pixel_m
        return Affine(pixel_m, 0.0, left, 0.0, -pixel_m, top)

    @property
    def grid(self) -> Grid:
        """The patch's grid: 9.5546 cos(latitude) m a pixel, north up."""
        return grid_of(PATCH_PX, PATCH_PX, _WEB_MERCATOR, self.transform)


def parse_patch_name(name: str) -> Patch:
    """Parse `3886_3141_patch00`, with or without `.png`.

    Raises:
        Refusal: MISSING_METADATA for another form, UNKNOWN_VALUE for a tile outside the world.
    """
    match = _NAME.fullmatch(name.removesuffix(".png"))
    if match is None:
        raise Refusal(
            Reason.MISSING_METADATA, f"{name}: expected <column>_<row>_patch<0 or 1><0 or 1>.png"
        )
    column, row, down, right = (int(group) for group in match.groups())
    if max(column, row) >= TILES_A_SIDE:
        raise Refusal(
            Reason.UNKNOWN_VALUE,
            f"{name}: tile {column}, {row}; expected 0 to {TILES_A_SIDE - 1} at zoom {ZOOM}",
        )
    return Patch(column=column, row=row, down=down, right=right)


def tile_corner_lonlat(column: float, row: float) -> tuple[float, float]:
    """Return (longitude, latitude) in degrees of a zoom-13 tile's north-west corner."""
    longitude = column / TILES_A_SIDE * 360.0 - 180.0
    latitude = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / TILES_A_SIDE))))
    return longitude, latitude


def pixel_centres_lonlat(patch: Patch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the longitude of each column (W,) and the latitude of each row (H,), in degrees."""
    offsets = (np.arange(PATCH_PX) + 0.5) / TILE_PX
    columns_W = patch.column + patch.right * PATCH_PX / TILE_PX + offsets
    rows_H = patch.row + patch.down * PATCH_PX / TILE_PX + offsets
    lons_W = columns_W / TILES_A_SIDE * 360.0 - 180.0
    lats_H = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * rows_H / TILES_A_SIDE))))
    return lons_W, lats_H
