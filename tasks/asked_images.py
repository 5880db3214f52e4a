"""Images that a question is asked about: PNG, JPEG or GeoTIFF, made 8-bit RGB as a build does it.

A GeoTIFF may be reflectance (16 bits, stretched as Sentinel-2's) or anything else of three or more
bands (between percentiles); radar has one band, or VV and VH in decibels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader

from schemas.rejection import Reason, Refusal
from schemas.scene import Modality, SarRendering
from tasks.drawing import ImageHW3, decoded_image
from tasks.errors import UserError
from tasks.render import REFLECTANCE_LIMITS
from tasks.sources.faults import refusing_faults
from tasks.sources.grids import grid_of
from tasks.sources.own_config import ImageFiles
from tasks.sources.own_images import TIFF_ENDINGS, Rendered, read_image
from tasks.sources.safe_files import Archive

SENTINEL2_RGB = (("B04", "B03", "B02"), ("B4", "B3", "B2"))  # red, green, blue
ENDINGS = (".png", ".jpg", ".jpeg", *TIFF_ENDINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedImage:
    """One image.

    Attributes:
        path: Its file.
        rgb_HW3: What is shown of it.
        modality: What made it.
        date_index: The place of its date among those asked about.
        pixel_size_m: Metres a pixel along x and y; None where the file does not say where it lies.
        valid_HW: Pixels that hold a value.
    """

    path: Path
    rgb_HW3: ImageHW3
    modality: Modality
    date_index: int
    pixel_size_m: tuple[float, float] | None
    valid_HW: NDArray[np.bool_]


def read_asked(
    optical: Sequence[Path], sar: Sequence[Path], sar_rendering: SarRendering = "vv_vh"
) -> list[AskedImage]:
    """Read the optical image of each date, then the radar image of each, in the order of the dates.

    Radar of two bands is shown as `sar_rendering` says, which is to be that of the dataset that the
    model learnt from.

    Raises:
        UserError: none is given, one cannot be read, there are more radar images than dates, or two
            of one date differ in size.
    """
    if not (optical or sar):
        raise UserError("ask needs an image: give one before the question, or one with --sar")
    if optical and len(sar) > len(optical):
        raise UserError(
            f"{len(sar)} radar images for {len(optical)} dates; give one --sar a date, in the "
            "order of the images"
        )
    images = [
        *_read_all(optical, Modality.OPTICAL, sar_rendering),
        *_read_all(sar, Modality.SAR, sar_rendering),
    ]
    for beside in images[len(optical) :] if optical else ():
        _refuse_other_size(beside, images[beside.date_index])
    return images


def _read_all(
    paths: Sequence[Path], modality: Modality, sar_rendering: SarRendering
) -> Iterator[AskedImage]:
    for date_index, path in enumerate(paths):
        if not path.is_file():
            raise UserError(f"{path}: no such file; the images stand before the question")
        if not path.name.lower().endswith(ENDINGS):
            raise UserError(f"{path}: no image by its name; expected {', '.join(ENDINGS)}")
        try:
            with refusing_faults(path.name):
                yield _read(path.resolve(), modality, date_index, sar_rendering)
        except Refusal as refusal:
            # what is refused begins with the file's name
            raise UserError(
                f"{path.parent / refusal.detail}; ask reads PNG and JPEG of 8-bit RGB, and GeoTIFF"
            ) from refusal


def _read(
    path: Path, modality: Modality, date_index: int, sar_rendering: SarRendering
) -> AskedImage:
    archive = Archive(path.parent)
    entry = ImageFiles(pattern="image", modality=modality)
    if path.name.lower().endswith(TIFF_ENDINGS):
        with archive.open_raster(path.name) as dataset:
            entry = _entry(dataset, path, modality)
    rendered = read_image(archive, path.name, entry, None)
    grid = rendered.grid
    return AskedImage(
        path=path,
        rgb_HW3=decoded_image(_shown(rendered, sar_rendering)),
        modality=modality,
        date_index=date_index,
        pixel_size_m=grid_of(grid.height, grid.width, grid.crs, grid.transform).pixel_size_m,
        valid_HW=rendered.valid_HW,
    )


def _entry(dataset: DatasetReader, path: Path, modality: Modality) -> ImageFiles:
    """Return how a GeoTIFF is shown, by its bands."""
    if modality is Modality.SAR:
        if dataset.count > 2:
            raise Refusal(
                Reason.WRONG_PIXEL_FORMAT,
                f"{path.name}: {dataset.count} bands; radar has one, or two (VV, VH), and an "
                "optical image stands before the question, without --sar",
            )
        return ImageFiles(pattern="image", modality=modality)
    if dataset.count < 3:
        raise Refusal(
            Reason.WRONG_PIXEL_FORMAT,
            f"{path.name}: {dataset.count} bands; an optical image has three or more, and radar "
            "is given with --sar",
        )
    named = {name: number for number, name in enumerate(dataset.descriptions, start=1) if name}
    found = [names for names in SENTINEL2_RGB if set(names) <= named.keys()]
    bands = tuple(named[name] for name in found[0]) if found else (1, 2, 3)
    is_16bit = set(dataset.dtypes) <= {"uint16", "int16"}
    stretch = REFLECTANCE_LIMITS if is_16bit else None
    return ImageFiles(pattern="image", modality=modality, bands=bands, stretch=stretch)


def _shown(rendered: Rendered, sar_rendering: SarRendering) -> bytes:
    """Return the rendering of radar that is asked for, or the only one there is."""
    for encoded, name in rendered.pictures:
        if name.startswith(sar_rendering):
            return encoded
    return rendered.pictures[0][0]


def _refuse_other_size(sar: AskedImage, optical: AskedImage) -> None:
    sizes = [image.rgb_HW3.shape[1::-1] for image in (sar, optical)]
    if sizes[0] != sizes[1]:
        raise UserError(
            f"{sar.path}: {sizes[0][0]} x {sizes[0][1]} px; {optical.path}, of the same date, has "
            f"{sizes[1][0]} x {sizes[1][1]}; both have to show the same ground, pixel by pixel"
        )
