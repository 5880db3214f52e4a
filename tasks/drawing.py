"""Masks in colour on images: pixels for a picture file, exact outlines for a page.

The colours are those of Okabe and Ito (2008), which colour-blind readers tell apart, in the order
in which they stand out from vegetation, soil and water.
"""

from io import BytesIO
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

PALETTE = (
    (213, 94, 0),  # vermilion
    (86, 180, 233),  # sky blue
    (240, 228, 66),  # yellow
    (204, 121, 167),  # reddish purple
    (0, 158, 115),  # bluish green
    (230, 159, 0),  # orange
    (0, 114, 178),  # blue
)
FILL = 0.38  # opacity of a mask: the ground stays visible under it
HALO_PX, LINE_PX = 4, 2  # a dark line around a coloured one shows on any ground

Pixel = TypeVar("Pixel", np.uint8, np.int32)
ColourRGB = tuple[int, int, int]
ImageHW3 = NDArray[np.uint8]
PartsHW = NDArray[np.int32]  # 1, 2, ... on the parts of a mask, 0 outside
Ring = list[tuple[int, int]]


def colour_of(number: int) -> ColourRGB:
    """Return the colour of a sample's mask by its number; after seven they repeat."""
    return PALETTE[number % len(PALETTE)]


def hex_of(colour: ColourRGB) -> str:
    """Return a colour as "#d55e00"."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def decoded_image(encoded: bytes) -> ImageHW3:
    """Return an encoded image as (H, W, 3) 8-bit RGB."""
    with Image.open(BytesIO(encoded)) as image:
        return np.asarray(image.convert("RGB"))


def enlarged(pixels: NDArray[Pixel], factor: int) -> NDArray[Pixel]:
    """Return an image, or a map of parts, with each pixel repeated `factor` times both ways."""
    return np.repeat(np.repeat(pixels, factor, axis=0), factor, axis=1)


def overlaid(rgb_HW3: ImageHW3, masks: list[tuple[PartsHW, ColourRGB]]) -> ImageHW3:
    """Return the image with masks of its size filled in colour, each part of them outlined."""
    shown_HW3 = rgb_HW3.astype(np.float32)
    for parts_HW, colour in masks:
        fill_3 = np.array(colour, np.float32)
        shown_HW3[parts_HW > 0] = (1 - FILL) * shown_HW3[parts_HW > 0] + FILL * fill_3
    canvas_HW3 = shown_HW3.round().astype(np.uint8)
    for parts_HW, colour in masks:
        outlines = [np.array(ring, np.int32) for ring in _rings(parts_HW)]
        cv2.polylines(canvas_HW3, outlines, True, (20, 20, 20), HALO_PX, cv2.LINE_AA)
        cv2.polylines(canvas_HW3, outlines, True, colour, LINE_PX, cv2.LINE_AA)
    return canvas_HW3


def outline_path(parts_HW: PartsHW) -> str:
    """Return the exact pixel edges of all parts as an SVG path; pixel (r, c) is x c..c+1, y r..r+1.

    Holes are rings of their own: fill it with the even-odd rule.
    """
    return "".join(_ring_path(ring) for ring in _rings(parts_HW))


def _rings(parts_HW: PartsHW) -> list[Ring]:
    """Return the rings around and inside each part, closed, in (x, y) of pixel corners."""
    from rasterio.features import shapes  # GDAL: half a second that a page without rings can spare

    found = shapes(parts_HW.astype(np.int32), mask=parts_HW > 0, connectivity=4)
    return [
        [(int(x), int(y)) for x, y in ring] for shape, _ in found for ring in shape["coordinates"]
    ]


def _ring_path(ring: Ring) -> str:
    """Return one closed ring of upright and level edges; the last is drawn by closing it."""
    (x, y), *rest = ring
    path = f"M{x} {y}"
    for next_x, next_y in rest[:-1]:
        path += f"h{next_x - x}" if next_y == y else f"v{next_y - y}"
        x, y = next_x, next_y
    return path + "z"


def inline_image(encoded: bytes, most_px: int, most_bytes: int) -> tuple[str, bytes]:
    """Return (media type, bytes) of an image for a page: as it is if small, else a smaller JPEG."""
    with Image.open(BytesIO(encoded)) as image:
        fits = max(image.size) <= most_px and len(encoded) <= most_bytes
        if fits and image.format in ("PNG", "JPEG"):
            return f"image/{image.format.lower()}", encoded
        smaller = image.convert("RGB")
    smaller.thumbnail((most_px, most_px), Image.Resampling.LANCZOS)
    file = BytesIO()
    smaller.save(file, "JPEG", quality=88, subsampling=0)
    return "image/jpeg", file.getvalue()
