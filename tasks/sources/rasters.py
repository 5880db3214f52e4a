"""GeoTIFFs through GDAL, safely: one driver, magic bytes first, no sidecars, no network."""

import io
import math
import tokenize
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader, MemoryFile

from schemas.rejection import Reason, Refusal
from tasks.sources.image_files import MAX_SIDE_PX, refuse_foreign

_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# a file beside a raster must not change what it says, and a raster must not call out
_GDAL_SETTINGS: dict[str, Any] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_HTTP_MAX_RETRY": "0",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "VRT_VIRTUAL_OVERVIEWS": "NO",
}

# a .npy header is a Python literal, and NumPy lets through all that reading one can raise
_NPY_ERRORS = (
    ValueError,
    EOFError,
    OSError,
    SyntaxError,
    TypeError,
    MemoryError,
    RecursionError,
    tokenize.TokenError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raster:
    """One band with its grid.

    `crs` is None where the file names none; `transform` maps (column, row) to CRS units;
    `nodata` is None where the file names none.
    """

    values_HW: NDArray[Any]
    crs: CRS | None
    transform: Affine
    nodata: float | None

    @property
    def height(self) -> int:
        """Number of rows."""
        return int(self.values_HW.shape[0])

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.values_HW.shape[1])

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) of the outer pixel edges in CRS units."""
        left, top = self.transform @ (0, 0)
        right, bottom = self.transform @ (self.width, self.height)
        return (left, bottom, right, top)


@contextmanager
def open_tiff(content: bytes | Path, name: str, max_side: int) -> Iterator[DatasetReader]:
    """Open a TIFF from its bytes, or from a path where it is too large to hold.

    Raises:
        Refusal: EXTERNAL_REFERENCE or UNREADABLE_FILE by the first bytes, TOO_LARGE by the header,
            UNREADABLE_FILE where GDAL fails, also in the block under `with`.
    """
    refuse_foreign_tiff(content if isinstance(content, bytes) else _head(content), name)
    try:
        with rasterio.Env(**_GDAL_SETTINGS), warnings.catch_warnings():
            # own rasters may lack a transform; the reader judges that itself
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            if isinstance(content, Path):
                with rasterio.open(content, driver="GTiff") as dataset:
                    _refuse_header(dataset, name, max_side)
                    yield dataset
            else:
                with MemoryFile(content) as memory, memory.open(driver="GTiff") as dataset:
                    _refuse_header(dataset, name, max_side)
                    yield dataset
    except RasterioError as error:
        # rasterio's own words are "see previous exception"
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: {error.__cause__ or error}") from error


def refuse_foreign_tiff(head: bytes, name: str) -> None:
    """Raise EXTERNAL_REFERENCE or UNREADABLE_FILE unless the first bytes are a TIFF's."""
    if not head.startswith(_TIFF_SIGNATURES):
        raise refuse_foreign(head, name, "a TIFF")


def band_of(dataset: DatasetReader, index: int, name: str) -> Raster:
    """Read one band (from 1) of an open dataset, whole.

    Raises:
        Refusal: WRONG_PIXEL_FORMAT where there is no such band.
    """
    if index > dataset.count:
        raise Refusal(
            Reason.WRONG_PIXEL_FORMAT, f"{name}: {dataset.count} bands; expected band {index}"
        )
    return Raster(
        values_HW=dataset.read(index),
        crs=dataset.crs,
        transform=dataset.transform,
        nodata=None if dataset.nodata is None else float(dataset.nodata),
    )


def npy_array(content: bytes, name: str, max_side: int = MAX_SIDE_PX) -> NDArray[Any]:
    """Return a numeric NumPy array from .npy bytes; pickled objects are never loaded.

    Raises:
        Refusal: UNREADABLE_FILE (also where the header says more values than there are bytes),
            TOO_LARGE by its header, WRONG_PIXEL_FORMAT where not numeric.
    """
    if not content.startswith(b"\x93NUMPY"):
        raise refuse_foreign(content, name, "a .npy file")
    stream = io.BytesIO(content)
    try:
        shape, dtype = _npy_header(stream)
        _refuse_npy(shape, dtype, len(content) - stream.tell(), name, max_side)
        stream.seek(0)
        array: NDArray[Any] = np.load(stream, allow_pickle=False)
        return array
    except _NPY_ERRORS as error:
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: {error}") from error


def _npy_header(stream: io.BytesIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    return shape, dtype


def _refuse_npy(
    shape: tuple[int, ...], dtype: np.dtype[Any], num_bytes: int, name: str, max_side: int
) -> None:
    if any(type(side) is not int or side < 0 for side in shape):  # True is an int to Python
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: header says {shape}; expected counts")
    if any(side > max_side for side in shape):
        raise Refusal(Reason.TOO_LARGE, f"{name}: header says {shape}; at most {max_side} a side")
    if dtype.kind not in "biuf":
        raise Refusal(Reason.WRONG_PIXEL_FORMAT, f"{name}: {dtype}; expected numbers")
    due = math.prod(shape) * dtype.itemsize
    if due > num_bytes:
        raise Refusal(
            Reason.UNREADABLE_FILE,
            f"{name}: header says {shape} of {dtype}, {due} bytes; {num_bytes} follow it",
        )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def _refuse_header(dataset: DatasetReader, name: str, max_side: int) -> None:
    # blocks are what GDAL allocates: a small image may still claim enormous ones
    block = max((max(shape) for shape in dataset.block_shapes), default=0)
    largest = max(dataset.width, dataset.height, block)
    if largest > max_side:
        raise Refusal(
            Reason.TOO_LARGE,
            f"{name}: header says {dataset.width} x {dataset.height} px in blocks of up to "
            f"{block}; at most {max_side} a side are read",
        )
