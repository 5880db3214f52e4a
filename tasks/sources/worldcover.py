"""ESA WorldCover tiles: which tile holds a place, and the codes under a grid of points.

| what | value |
| --- | --- |
| raster | 3 x 3 degrees, 36,000 x 36,000 uint8, EPSG:4326, 1/12,000 degree, nodata 0 |
| products | 2020 v100 and 2021 v200, of different algorithms: never compare them |
| licence | CC BY 4.0 |

Open ocean is 0, not 80: code 0 may be water, and 80 is water inside the land mask only.
"""

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.windows import Window

from schemas.rejection import Reason, Refusal
from schemas.scene import INVALID_ID
from schemas.taxonomy import CHATEARTHNET_11
from tasks.sources.safe_files import Archive

TILE_DEGREES = 3
MAX_TILE_SIDE_PX = 36_000
_LONLAT = CRS.from_epsg(4326)
_FILE = re.compile(
    r"(?:.*/)?ESA_WorldCover_10m_(?P<year>\d{4})_v(?P<version>\d+)_"
    r"(?P<corner>[NS]\d{2}[EW]\d{3})_Map\.tif"
)
CODE_OF_CLASS = {
    "water": 80,
    "developed area": 50,
    "tree": 10,
    "shrub": 20,
    "grass": 30,
    "crop": 40,
    "bare land": 60,
    "snow": 70,
    "wetland": 90,
    "mangroves": 95,
    "moss": 100,
}
_UNKNOWN = 254  # only inside the table


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldCoverTile:
    """A tile's file; `corner` is its south-west corner ("N36W012"), `version` the product's."""

    name: str
    year: int
    version: int
    corner: str


def parse_tile_name(name: str) -> WorldCoverTile | None:
    """Return the tile that a relative path names, None if it names none."""
    match = _FILE.fullmatch(name)
    if match is None:
        return None
    return WorldCoverTile(
        name=name,
        year=int(match["year"]),
        version=int(match["version"]),
        corner=match["corner"],
    )


def corners_of(west: float, south: float, east: float, north: float) -> tuple[str, ...]:
    """Return the tiles that WGS84 bounds touch, from south to north and west to east."""
    lats = range(_floor3(south), _floor3(math.nextafter(north, -math.inf)) + 1, TILE_DEGREES)
    lons = range(_floor3(west), _floor3(math.nextafter(east, -math.inf)) + 1, TILE_DEGREES)
    return tuple(
        f"{'S' if lat < 0 else 'N'}{abs(lat):02d}{'W' if lon < 0 else 'E'}{abs(lon):03d}"
        for lat in lats
        for lon in lons
    )


def codes_at(
    archive: Archive,
    tiles: tuple[str, ...],
    lons_W: NDArray[np.float64],
    lats_H: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Return the code of the WorldCover pixel that holds each point; 0 outside all tiles.

    A row of the grid has one latitude and a column one longitude, as in Web Mercator. Only the
    window under the points is read.

    Raises:
        Refusal: CRS_MISMATCH, WRONG_PIXEL_FORMAT, and the reasons of `Archive.open_raster`.
    """
    codes_HW = np.zeros((len(lats_H), len(lons_W)), dtype=np.uint8)
    for name in tiles:
        with archive.open_raster(name, MAX_TILE_SIDE_PX) as dataset:
            _refuse_other_raster(dataset, name)
            step_x, _, left, _, step_y, top = dataset.transform[:6]
            columns = np.floor((lons_W - left) / step_x).astype(np.int64)
            rows = np.floor((lats_H - top) / step_y).astype(np.int64)
            inside_W = (columns >= 0) & (columns < dataset.width)
            inside_H = (rows >= 0) & (rows < dataset.height)
            if inside_W.any() and inside_H.any():
                codes_HW[np.ix_(inside_H, inside_W)] = _pixels(
                    dataset, rows[inside_H], columns[inside_W]
                )
    return codes_HW


def worldcover_to_11(codes_HW: NDArray[np.uint8], name: str = "WorldCover") -> NDArray[np.uint8]:
    """Return ids of `CHATEARTHNET_11`, `INVALID_ID` where the code is 0.

    Raises:
        Refusal: UNKNOWN_LABEL_CODE naming `name` and the codes that are not WorldCover's.
    """
    ids_HW: NDArray[np.uint8] = _ID_OF_CODE[codes_HW]
    if (ids_HW == _UNKNOWN).any():
        codes = np.unique(codes_HW[ids_HW == _UNKNOWN])[:5].tolist()
        raise Refusal(
            Reason.UNKNOWN_LABEL_CODE, f"{name}: codes {codes}; expected WorldCover's 11 or 0"
        )
    return ids_HW


def _refuse_other_raster(dataset: DatasetReader, name: str) -> None:
    if dataset.crs != _LONLAT or dataset.transform.b or dataset.transform.d:
        raise Refusal(Reason.CRS_MISMATCH, f"{name}: {dataset.crs}; expected EPSG:4326, north up")
    if dataset.dtypes[0] != "uint8":
        raise Refusal(Reason.WRONG_PIXEL_FORMAT, f"{name}: {dataset.dtypes[0]}; expected uint8")


def _pixels(
    dataset: DatasetReader, rows_H: NDArray[np.int64], columns_W: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Read the window under rows and columns, and pick them from it."""
    row, column = int(rows_H.min()), int(columns_W.min())
    window = Window(column, row, int(columns_W.max()) - column + 1, int(rows_H.max()) - row + 1)
    picked: NDArray[np.uint8] = dataset.read(1, window=window)[
        np.ix_(rows_H - row, columns_W - column)
    ]
    return picked


def _floor3(degrees: float) -> int:
    return math.floor(degrees / TILE_DEGREES) * TILE_DEGREES


def _table() -> NDArray[np.uint8]:
    table = np.full(256, _UNKNOWN, dtype=np.uint8)
    table[0] = INVALID_ID
    for class_id, name in enumerate(CHATEARTHNET_11.names):
        table[CODE_OF_CLASS[name]] = class_id
    return table


_ID_OF_CODE = _table()
