"""Land cover as ESA WorldCover maps it: eleven codes, drawn from the world's cover."""

from pathlib import Path

import cv2
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine

from tasks.planet.classes import Cover
from tasks.planet.geotiff import crs_of
from tasks.planet.map_regions import MapTile, degree_window
from tasks.planet.mercator import TILE_PX, latitude, longitude
from tasks.planet.terrain import coast_distance, height
from tasks.planet.window import Window
from tasks.planet.world import World

STEP_DEGREES = 1 / 12000
PRODUCT_YEAR = 2021.5
_TILE_DEGREES = 3
_OCEAN_M = 1700.0  # further out than this from the coast the map has no data
_MARGIN_STEPS = 6
_BLUR_PX = 5
_FINE_M = 6.0  # the covers of a larger pixel are counted on smaller ones

CODES = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100)
_GROUPS = {
    10: (Cover.BROADLEAF_TREE, Cover.CONIFER_TREE),
    20: (Cover.SHRUB, Cover.HEATHER),
    30: (Cover.MEADOW, Cover.DRY_GRASS, Cover.ALPINE_GRASS, Cover.LAWN, Cover.GARDEN),
    40: (
        Cover.CROP_GREEN, Cover.CROP_DARK, Cover.CROP_RIPE, Cover.RAPESEED, Cover.STUBBLE,
        Cover.SOIL, Cover.VINES, Cover.OLIVE_GROVE, Cover.TRACK,
    ),
    50: (
        Cover.RED_ROOF, Cover.GREY_ROOF, Cover.WHITE_ROOF, Cover.ASPHALT, Cover.PAVING,
        Cover.RUBBLE,
    ),
    60: (Cover.SAND, Cover.MUD, Cover.STONES, Cover.BARE_ROCK, Cover.BARE_EARTH, Cover.BURNT),
    70: (Cover.SNOW,),
    80: (Cover.SEA_WATER, Cover.FRESH_WATER, Cover.TURBID_WATER),
    90: (Cover.REED, Cover.PEAT),
    95: (Cover.MANGROVE,),
    100: (Cover.MOSS,),
}  # fmt: skip
_GROUP_OF = np.zeros(len(Cover), dtype=np.uint8)
for _number, _code in enumerate(CODES):
    _GROUP_OF[list(_GROUPS[_code])] = _number
# classes that win a pixel with less than half of it: a street of houses and gardens is built-up
_WEIGHT = np.ones(len(CODES), dtype=np.float32)
_WEIGHT[CODES.index(50)] = 2.2

_TAGS = {
    "algorithm_version": "V2.0.0",
    "copyright": (
        "ESA WorldCover project 2021 / Contains modified Copernicus Sentinel data (2021) "
        "processed by ESA WorldCover consortium"
    ),
    "creation_time": "2022-10-21 07:35:40.236136",
    "legend": (
        "10  Tree cover\n20  Shrubland\n30  Grassland\n40  Cropland\n50  Built-up\n"
        "60  Bare/sparse vegetation\n70  Snow and ice\n80  Permanent water bodies\n"
        "90  Herbaceous wetland\n95  Mangroves\n100 Moss and lichen\n"
    ),
    "license": "CC-BY 4.0 - https://creativecommons.org/licenses/by/4.0/",
    "product_crs": "EPSG:4326",
    "product_grid": "3x3 degree tiling grid",
    "product_type": "LandCover Map",
    "product_version": "V2.0.0",
    "reference": "https://esa-worldcover.org",
    "time_end": "2021-12-31T23:59:59Z",
    "time_start": "2021-01-01T00:00:00Z",
    "title": "ESA WorldCover product at 10m resolution for year 2021",
}
_COLOURS = {
    10: (0, 100, 0), 20: (255, 187, 34), 30: (255, 255, 76), 40: (240, 150, 255), 50: (250, 0, 0),
    60: (180, 180, 180), 70: (240, 240, 240), 80: (0, 100, 200), 90: (0, 150, 160),
    95: (0, 207, 117), 100: (250, 230, 160),
}  # fmt: skip


def cover_codes_HW(world: World, window: Window) -> NDArray[np.uint8]:
    """Return the WorldCover code of every pixel, (H, W) uint8; 0 is open ocean.

    A pixel goes to the group of covers that is strongest in and around it.
    """
    split = int(np.ceil(window.pixel_m / _FINE_M))
    fine_HW = world.cover_HW(window.split(split), PRODUCT_YEAR)
    groups_HW = _GROUP_OF[fine_HW]
    tall, wide = window.shape_HW
    present = np.unique(groups_HW).tolist()
    votes = np.empty((len(present), tall, wide), dtype=np.float32)
    for number, group in enumerate(present):
        share_HW = (groups_HW == group).astype(np.float32)
        share_HW = cv2.resize(share_HW, (wide, tall), interpolation=cv2.INTER_AREA)
        votes[number] = cv2.blur(share_HW, (_BLUR_PX, _BLUR_PX)) * _WEIGHT[group]
    codes = np.array(CODES, dtype=np.uint8)[present]
    codes_HW = codes[votes.argmax(axis=0)]
    ocean_HW = (fine_HW[::split, ::split] == Cover.SEA_WATER) & (codes_HW == 80)
    if ocean_HW.any():
        coast_HW = coast_distance(window, height(world.seed, window))
        codes_HW[ocean_HW & (coast_HW < -_OCEAN_M)] = 0
    return np.asarray(codes_HW)


def write_worldcover(
    folder: Path, world: World, tiles: list[MapTile]
) -> tuple[NDArray[np.uint8], Affine]:
    """Write the part of a WorldCover tile that lies under neighbouring map tiles.

    The file has the whole tile's name and pixel grid but only the rows and columns that are
    needed. Returns its codes and its transform.
    """
    columns, rows = [tile.column for tile in tiles], [tile.row for tile in tiles]
    west = float(longitude(min(columns) * TILE_PX))
    east = float(longitude((max(columns) + 1) * TILE_PX))
    north = float(latitude(min(rows) * TILE_PX))
    south = float(latitude((max(rows) + 1) * TILE_PX))
    left = int(np.floor(west / STEP_DEGREES)) - _MARGIN_STEPS
    right = int(np.ceil(east / STEP_DEGREES)) + _MARGIN_STEPS
    low = int(np.floor(south / STEP_DEGREES)) - _MARGIN_STEPS
    high = int(np.ceil(north / STEP_DEGREES)) + _MARGIN_STEPS
    longitudes_W = (np.arange(left, right, dtype=np.float64) + 0.5) * STEP_DEGREES
    latitudes_H = (np.arange(high, low, -1, dtype=np.float64) - 0.5) * STEP_DEGREES
    codes_HW = cover_codes_HW(world, degree_window(tiles[0], longitudes_W, latitudes_H))
    transform = Affine(STEP_DEGREES, 0, left * STEP_DEGREES, 0, -STEP_DEGREES, high * STEP_DEGREES)
    corner = _corner_name(west, south)
    path = folder / f"ESA_WorldCover_10m_2021_v200_{corner}_Map.tif"
    _write(path, codes_HW, transform, corner)
    return codes_HW, transform


def _corner_name(west: float, south: float) -> str:
    """Return the name of the 3 x 3 degree tile around a place, after its south-west corner."""
    x = int(west // _TILE_DEGREES) * _TILE_DEGREES
    y = int(south // _TILE_DEGREES) * _TILE_DEGREES
    return f"{'N' if y >= 0 else 'S'}{abs(y):02d}{'E' if x >= 0 else 'W'}{abs(x):03d}"


def _write(path: Path, codes_HW: NDArray[np.uint8], transform: Affine, corner: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", dtype="uint8", count=1, nodata=0, crs=crs_of(4326),
        height=codes_HW.shape[0], width=codes_HW.shape[1], transform=transform,
        tiled=True, blockxsize=1024, blockysize=1024, compress="deflate",
    ) as raster:  # fmt: skip
        raster.write(codes_HW, 1)
        raster.update_tags(**_TAGS, product_tile=corner)
        colours = {code: (0, 0, 0, 255) for code in range(256)} | {0: (0, 0, 0, 0)}
        raster.write_colormap(1, colours | {code: (*c, 255) for code, c in _COLOURS.items()})
