"""A picture of an archive as a scene carries it: PNG or JPEG bytes as they are, TIFF made PNG."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.rejection import Reason, Refusal
from tasks.render import encode_png
from tasks.sources.image_files import refuse_blank, refuse_size
from tasks.sources.safe_files import Archive

AS_IS = "rgb_uint8_as_is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Encoded 8-bit RGB, its height and width in pixels, and the name of its rendering."""

    encoded: bytes
    size_HW: tuple[int, int]
    rendering: str


def read_picture(archive: Archive, name: str) -> Picture:
    """Read an 8-bit RGB picture; PNG and JPEG keep their bytes, a TIFF's pixels become a PNG.

    Raises:
        Refusal: as the readers of `Archive`; WRONG_PIXEL_FORMAT for a TIFF that is not three bands
            of 8 bits.
    """
    if name.lower().endswith((".tif", ".tiff")):
        rgb_HW3 = _tiff_rgb(archive, name)
        encoded = encode_png(rgb_HW3)
    else:
        rgb_HW3, encoded = archive.read_rgb(name)
    height, width = rgb_HW3.shape[:2]
    return Picture(encoded=encoded, size_HW=(height, width), rendering=AS_IS)


def _tiff_rgb(archive: Archive, name: str) -> NDArray[np.uint8]:
    with archive.open_raster(name) as dataset:
        refuse_size(dataset.width, dataset.height, name)
        kinds = set(dataset.dtypes)
        if dataset.count != 3 or kinds != {"uint8"}:
            raise Refusal(
                Reason.WRONG_PIXEL_FORMAT,
                f"{name}: {dataset.count} bands of {', '.join(sorted(kinds))}; "
                "expected 3 bands of uint8",
            )
        rgb_HW3: NDArray[np.uint8] = np.moveaxis(dataset.read(), 0, -1)
    refuse_blank(rgb_HW3, name)
    return rgb_HW3
