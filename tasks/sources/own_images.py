"""Images of your own dataset: GeoTIFF, PNG, JPEG or .npy, rendered to 8-bit RGB."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from schemas.rejection import Reason, Refusal
from schemas.scene import Modality
from tasks.render import (
    Picture,
    encode_png,
    percentile_rgb,
    sar_mean_8bit,
    sar_mean_db,
    sar_ratio_8bit,
    sar_ratio_db,
    to_8bit,
)
from tasks.sources.image_files import refuse_blank, refuse_size
from tasks.sources.own_config import ImageFiles
from tasks.sources.rasters import Raster
from tasks.sources.safe_files import Archive

TIFF_ENDINGS = (".tif", ".tiff")
NPY_ENDINGS = (".npy",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """CRS and outer bounds (left, bottom, right, top) for images that have none of their own."""

    crs: CRS
    bounds: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """An image's renderings (encoded bytes and name), one band with the image's grid.

    `valid_HW` is what is neither nodata nor infinite.
    """

    pictures: tuple[tuple[bytes, str], ...]
    grid: Raster
    valid_HW: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pixels:
    bands_HWB: NDArray[Any]
    numbers: tuple[int, ...]  # of the bands in their file, from 1
    valid_HW: NDArray[np.bool_]
    grid: Raster
    encoded: bytes = b""  # of a PNG or JPEG that is shown as it is


def read_image(archive: Archive, name: str, entry: ImageFiles, placing: Placing | None) -> Rendered:
    """Read and render one image.

    Raises:
        Refusal: WRONG_PIXEL_FORMAT (a band that is not there, 16 bits to be shown as they are),
            NODATA_IMAGE, BLANK_IMAGE, TOO_SMALL, and the reasons of `Archive`.
    """
    pixels = _read(archive, name, entry, placing)
    refuse_size(pixels.grid.width, pixels.grid.height, name)
    if not pixels.valid_HW.any():
        raise Refusal(Reason.NODATA_IMAGE, f"{name}: every pixel is nodata or not finite")
    if pixels.encoded and entry.stretch in (None, "as_is") and entry.bands is None:
        as_is = (pixels.encoded, "rgb_uint8_as_is")
        return Rendered(pictures=(as_is,), grid=pixels.grid, valid_HW=pixels.valid_HW)
    pictures = []
    for rgb_HW3, rendering in _renderings(pixels, name, entry):
        refuse_blank(rgb_HW3, name)
        pictures.append((encode_png(rgb_HW3), rendering))
    return Rendered(pictures=tuple(pictures), grid=pixels.grid, valid_HW=pixels.valid_HW)


def place_array(values_HW: NDArray[Any], placing: Placing | None) -> Raster:
    """Return an array without a grid of its own as a raster on the dataset's grid, if any."""
    if placing is None:
        return Raster(values_HW=values_HW, crs=None, transform=Affine.identity(), nodata=None)
    height, width = values_HW.shape
    left, bottom, right, top = placing.bounds
    transform = Affine((right - left) / width, 0.0, left, 0.0, (bottom - top) / height, top)
    return Raster(values_HW=values_HW, crs=placing.crs, transform=transform, nodata=None)


def _read(archive: Archive, name: str, entry: ImageFiles, placing: Placing | None) -> _Pixels:
    if name.lower().endswith(TIFF_ENDINGS):
        return _read_tiff(archive, name, entry, placing)
    if name.lower().endswith(NPY_ENDINGS):
        array_HWB = _npy_bands(archive.read_npy(name), name, entry)
        numbers = _band_numbers(array_HWB.shape[2], name, entry)
        bands_HWB = _picked(array_HWB, numbers)
        return _Pixels(
            bands_HWB=bands_HWB,
            numbers=numbers,
            valid_HW=np.isfinite(bands_HWB).all(axis=2),
            grid=place_array(bands_HWB[..., 0], placing),
        )
    rgb_HW3, encoded = archive.read_rgb(name)
    numbers = _band_numbers(3, name, entry)
    return _Pixels(
        bands_HWB=_picked(rgb_HW3, numbers),
        numbers=numbers,
        valid_HW=np.ones(rgb_HW3.shape[:2], dtype=np.bool_),
        grid=place_array(rgb_HW3[..., 0], placing),
        encoded=encoded,
    )


def _read_tiff(archive: Archive, name: str, entry: ImageFiles, placing: Placing | None) -> _Pixels:
    with archive.open_raster(name) as dataset:
        numbers = _band_numbers(dataset.count, name, entry)
        bands_HWB = np.moveaxis(dataset.read(list(numbers)), 0, -1)
        nodata, crs, transform = dataset.nodata, dataset.crs, dataset.transform
    valid_HWB = np.isfinite(bands_HWB)
    if nodata is not None:
        valid_HWB &= bands_HWB != nodata
    grid = place_array(bands_HWB[..., 0], placing)
    if crs is not None:
        grid = Raster(values_HW=bands_HWB[..., 0], crs=crs, transform=transform, nodata=nodata)
    return _Pixels(bands_HWB=bands_HWB, numbers=numbers, valid_HW=valid_HWB.all(axis=2), grid=grid)


def _npy_bands(array: NDArray[Any], name: str, entry: ImageFiles) -> NDArray[Any]:
    """Return (H, W, B) of an array of (H, W), (H, W, B) or, with `frame`, (T, H, W, B)."""
    if array.ndim == 4 and entry.frame is not None and entry.frame < array.shape[0]:
        array = array[entry.frame]
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or 0 in array.shape:
        raise Refusal(
            Reason.WRONG_PIXEL_FORMAT,
            f"{name}: shape {array.shape}, frame {entry.frame}; expected (H, W), (H, W, bands), or "
            "(dates, H, W, bands) with a frame among them",
        )
    return array


def _picked(bands_HWB: NDArray[Any], numbers: tuple[int, ...]) -> NDArray[Any]:
    return bands_HWB[..., [number - 1 for number in numbers]]


def _band_numbers(count: int, name: str, entry: ImageFiles) -> tuple[int, ...]:
    if entry.bands is None:
        default = (1, 2) if entry.modality is Modality.SAR and count == 2 else (1, 2, 3)
        return default if count >= len(default) else (1,)
    if max(entry.bands) > count:
        raise Refusal(
            Reason.WRONG_PIXEL_FORMAT, f"{name}: {count} bands; expected band {max(entry.bands)}"
        )
    return entry.bands


def _renderings(pixels: _Pixels, name: str, entry: ImageFiles) -> list[Picture]:
    bands_HWB = pixels.bands_HWB
    is_8bit = bands_HWB.dtype == np.uint8
    if bands_HWB.shape[2] == 2:
        _refuse_sar_stretch(entry, is_8bit, name)
        vv_HW, vh_HW = bands_HWB[..., 0], bands_HWB[..., 1]
        if is_8bit:
            return [sar_mean_8bit(vv_HW, vh_HW), sar_ratio_8bit(vv_HW, vh_HW)]
        if not pixels.valid_HW.all():
            raise Refusal(Reason.NODATA_IMAGE, f"{name}: SAR with NaN or nodata in it")
        return [sar_mean_db(vv_HW, vh_HW), sar_ratio_db(vv_HW, vh_HW)]
    rgb_HW3 = np.repeat(bands_HWB, 3, axis=2) if bands_HWB.shape[2] == 1 else bands_HWB
    bands = "_".join(f"band{number}" for number in pixels.numbers)
    if isinstance(entry.stretch, tuple):
        low, high = entry.stretch
        return [(to_8bit(rgb_HW3, low, high), f"{bands}_fixed_{low:g}_{high:g}")]
    if entry.stretch == "percentile" or (entry.stretch is None and not is_8bit):
        picture_HW3, stretch = percentile_rgb(rgb_HW3, pixels.valid_HW)
        return [(picture_HW3, f"{bands}_{stretch}")]
    if not is_8bit:
        raise Refusal(
            Reason.WRONG_PIXEL_FORMAT, f"{name}: {bands_HWB.dtype}; expected uint8 to be as_is"
        )
    return [(np.ascontiguousarray(rgb_HW3), f"{bands}_uint8_as_is")]


def _refuse_sar_stretch(entry: ImageFiles, is_8bit: bool, name: str) -> None:
    if entry.stretch is not None and not (entry.stretch == "as_is" and is_8bit):
        raise Refusal(
            Reason.WRONG_PIXEL_FORMAT,
            f"{name}: stretch {entry.stretch} of two SAR bands, whose limits are fixed; expected "
            "none, or as_is for 8 bits",
        )
