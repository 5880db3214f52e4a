"""Which ChatEarthNet tiles are written, where they lie on the world's plane, and their labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.planet.mercator import TILE_PX, column_px, latitude, pixel_m, row_px
from tasks.planet.noise import unit
from tasks.planet.window import Window
from tasks.planet.world import World

_LOOK_M = 160.0
_LOOKS = 6
_SPREAD_M = 400_000.0  # how far apart a seed may move a region on the plane
_SEA_MOST = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A block of tiles from (column, row) on, and the piece of the plane that lies under it.

    `base_m` is the plane's point under the block's upper-left corner, before the seed moves it.
    `labels` says whence the land cover comes: "satlas" or "worldcover".
    """

    column: int
    row: int
    base_m: tuple[float, float]
    labels: str

    @property
    def pixel_m(self) -> float:
        """Ground size of a pixel in metres, taken as one for the whole block."""
        return pixel_m(float(latitude(self.row * TILE_PX)))


@dataclass(frozen=True, slots=True, kw_only=True)
class MapTile:
    """One tile of 512 x 512 pixels in its region, whose corner lies at `origin_m` on the plane."""

    region: Region
    origin_m: tuple[float, float]
    column: int
    row: int

    @property
    def name(self) -> str:
        """The tile's name in both archives."""
        return f"{self.column}_{self.row}"

    def window(self) -> Window:
        """Return the tile's pixels on the world's plane."""
        return plane_window(
            self,
            self.column * TILE_PX + np.arange(TILE_PX, dtype=np.float64) + 0.5,
            self.row * TILE_PX + np.arange(TILE_PX, dtype=np.float64) + 0.5,
        )


# each lies, with all its parents, inside one WorldCover tile of 3 x 3 degrees
REGIONS = (
    Region(column=4304, row=2888, base_m=(-3.0e6, 2.0e6), labels="satlas"),
    Region(column=3832, row=3136, base_m=(-5.0e6, -2.0e6), labels="worldcover"),
    Region(column=4376, row=4032, base_m=(-7.0e6, -5.0e7), labels="satlas"),
    Region(column=4576, row=2080, base_m=(-9.0e6, 5.0e7), labels="satlas"),
)
REGION_TILES = 32  # for so many tiles one more region is begun: 128 patches
_PARENT = 8  # tiles on a side of their parent three zooms up; regions begin at such a corner
_PARENTS = 7  # on a side of a region, before it leaves its WorldCover tile


def choose_tiles(
    world: World, tiles: int, seed: int, region_tiles: int = REGION_TILES
) -> tuple[MapTile, ...]:
    """Return that many tiles, one region of the earth for about `region_tiles` of them.

    Those of a region are neighbours inside one parent tile; where that is full, the next fills up.
    """
    regions = REGIONS[: min(max(round(tiles / region_tiles), 1), len(REGIONS))]
    shares = np.diff(np.linspace(0, tiles, len(regions) + 1).round().astype(int)).tolist()
    return tuple(
        tile
        for number, (region, share) in enumerate(zip(regions, shares, strict=True))
        for tile in _fill(world, region, share, seed * 10 + number)
    )


def plane_window(tile: MapTile, x_px: NDArray[np.float64], y_px: NDArray[np.float64]) -> Window:
    """Return the window on the plane of whole-earth pixel columns and rows."""
    region = tile.region
    return Window(
        x_W=tile.origin_m[0] + (x_px - region.column * TILE_PX) * region.pixel_m,
        y_H=tile.origin_m[1] - (y_px - region.row * TILE_PX) * region.pixel_m,
    )


def degree_window(
    tile: MapTile, longitude_W: NDArray[np.float64], latitude_H: NDArray[np.float64]
) -> Window:
    """Return the window on the plane of longitudes and latitudes in degrees."""
    return plane_window(tile, column_px(longitude_W), row_px(latitude_H))


def _fill(world: World, region: Region, count: int, seed: int) -> list[MapTile]:
    """Return `count` tiles of a region, on the most varied of a few pieces of the plane."""
    parents = -(-count // _PARENT**2)
    if parents > _PARENTS**2:
        raise ValueError(f"{count} tiles do not fit a region of {_PARENTS} x {_PARENTS} parents")
    side = min(int(np.ceil(count**0.5)), _PARENT)
    looks = 1 if parents > 1 else _LOOKS
    origins = [
        (
            region.base_m[0] + _SPREAD_M * (float(unit(seed + 831, look)) - 0.5),
            region.base_m[1] + _SPREAD_M * (float(unit(seed + 832, look)) - 0.5),
        )
        for look in range(looks)
    ]
    best = max(origins, key=lambda origin: _variety(world, region, origin, side))
    places = [
        (_PARENT * (parent % _PARENTS) + k % side, _PARENT * (parent // _PARENTS) + k // side)
        for parent in range(parents)
        for k in range(side**2)
    ]
    return [
        MapTile(region=region, origin_m=best, column=region.column + right, row=region.row + down)
        for right, down in places[:count]
    ]


def _variety(world: World, region: Region, origin_m: tuple[float, float], side: int) -> float:
    """Return how many kinds of land a piece of the plane shows, less where it is mostly sea."""
    size = max(int(side * TILE_PX * region.pixel_m / _LOOK_M), 4)
    window = Window.regular(
        left_m=origin_m[0], top_m=origin_m[1], pixel_m=_LOOK_M, height=size, width=size
    )
    kinds, counts = np.unique(world.land_HW(window), return_counts=True)
    sea = counts[kinds <= 1].sum() / counts.sum()
    shares = counts / counts.sum()
    return float((shares > 0.01).sum()) - (100.0 if sea > _SEA_MOST else 0.0)
