"""BigEarthNet's optical bands: what is due of each, and the check of those that are not shown."""

from schemas.rejection import Reason, Refusal
from tasks.sources.grids import GRID_TOLERANCE_PX
from tasks.sources.rasters import Raster
from tasks.sources.safe_files import Archive
from tasks.sources.tiff_header import TiffHeader, tiff_header

PATCH_M = 1200
# pixel size in metres; no B10: it sees no ground, and L2A has none
PIXEL_M_OF_BAND = {
    "B01": 60,
    "B02": 10,
    "B03": 10,
    "B04": 10,
    "B05": 20,
    "B06": 20,
    "B07": 20,
    "B08": 10,
    "B8A": 20,
    "B09": 60,
    "B11": 20,
    "B12": 20,
}
BANDS = tuple(PIXEL_M_OF_BAND)
RGB_BANDS = ("B04", "B03", "B02")  # red, green, blue; all at 10 m
DTYPE = "uint16"


def side_px(band: str) -> int:
    """Return how many pixels wide and high a band is due: 120, 60 or 20."""
    return PATCH_M // PIXEL_M_OF_BAND[band]


def refuse_side(width: int, height: int, band: str, name: str) -> None:
    """Raise SIZE_MISMATCH unless a band's picture is as large as due."""
    due = side_px(band)
    if (width, height) != (due, due):
        raise Refusal(
            Reason.SIZE_MISMATCH, f"{name}: {width} x {height} px; expected {due} x {due}"
        )


def refuse_hidden_bands(archive: Archive, stem: str, red: Raster) -> None:
    """Judge the nine bands that no picture shows by their headers, and note their digests.

    Args:
        archive: Where they are read.
        stem: Their name before "_B01.tif".
        red: B04, on whose ground all of them lie.

    Raises:
        Refusal: MISSING_FILE, UNREADABLE_FILE, EXTERNAL_REFERENCE, WRONG_PIXEL_FORMAT,
            SIZE_MISMATCH, CRS_MISMATCH.
    """
    epsg = 0 if red.crs is None else red.crs.to_epsg() or 0
    for band in BANDS:
        if band not in RGB_BANDS:
            name = f"{stem}_{band}.tif"
            header = tiff_header(archive.read_bytes(name), name)
            _refuse_header(header, band, name)
            _refuse_elsewhere(header, name, red, epsg)


def _refuse_header(header: TiffHeader, band: str, name: str) -> None:
    if header.dtype != DTYPE:
        raise Refusal(Reason.WRONG_PIXEL_FORMAT, f"{name}: {header.dtype} pixels; expected {DTYPE}")
    refuse_side(header.width, header.height, band, name)


def _refuse_elsewhere(header: TiffHeader, name: str, red: Raster, epsg: int) -> None:
    if header.epsg != epsg:
        raise Refusal(
            Reason.CRS_MISMATCH, f"{name}: EPSG:{header.epsg}; expected EPSG:{epsg} as B04"
        )
    tolerance = GRID_TOLERANCE_PX * PIXEL_M_OF_BAND["B04"]
    bounds = header.bounds
    if bounds is None or not all(
        abs(found - due) <= tolerance for found, due in zip(bounds, red.bounds, strict=True)
    ):
        raise Refusal(Reason.CRS_MISMATCH, f"{name}: bounds {bounds}; expected {red.bounds} as B04")
