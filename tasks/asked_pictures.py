"""A sample's pictures as a model is shown them, whoever is asked."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from masks.rle import decode
from schemas.mask import MaskKind
from tasks.rows import Row
from tasks.show import image_title


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AskedPicture:
    """One picture: its encoded file, and what is known of it.

    `pixel_size_m` is metres a pixel along x and y, None where unknown; `valid_HW` its pixels that
    measured facts count, None for all.
    """

    encoded: bytes
    title: str
    modality: str = "optical"
    date_index: int = 0
    pixel_size_m: tuple[float, float] | None = None
    valid_HW: NDArray[np.bool_] | None = None

    @property
    def size_HW(self) -> tuple[int, int]:
        """Its height and width in pixels."""
        with Image.open(BytesIO(self.encoded)) as image:
            return image.height, image.width


def asked_pictures(row: Row) -> tuple[AskedPicture, ...]:
    """Return the pictures of a row, in order."""
    x_m, y_m = row.grid.pixel_size_x_m, row.grid.pixel_size_y_m
    return tuple(
        AskedPicture(
            encoded=image.bytes,
            title=image_title(row, number),
            modality=info.modality,
            date_index=info.date_index,
            pixel_size_m=None if x_m is None or y_m is None else (x_m, y_m),
            valid_HW=_valid_at(row, info.date_index),
        )
        for number, (image, info) in enumerate(zip(row.images, row.image_info, strict=True))
    )


def _valid_at(row: Row, date_index: int) -> NDArray[np.bool_] | None:
    valid = (
        mask.counts
        for mask in row.evidence.masks
        if mask.kind is MaskKind.VALID and mask.date_index == date_index
    )
    counts = next(valid, None)
    return None if counts is None else decode(counts, row.evidence.size_HW)
