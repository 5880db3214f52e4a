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
from rasterio.features import shapes

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

Pixel = TypeVar("Pixel", np.uint8, np.bool_)
ColourRGB = tuple[int, int, int]
ImageHW3 = NDArray[np.uint8]
MaskHW = NDArray[np.bool_]


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
    """Return an image or mask with every pixel repeated `factor` times along both axes."""
    return np.repeat(np.repeat(pixels, factor, axis=0), factor, axis=1)


def overlaid(rgb_HW3: ImageHW3, masks: list[tuple[MaskHW, ColourRGB]]) -> ImageHW3:
    """Return the image with masks of its size filled in colour and outlined."""
    shown_HW3 = rgb_HW3.astype(np.float32)
    for mask_HW, colour in masks:
        fill_3 = np.array(colour, np.float32)
        shown_HW3[mask_HW] = (1 - FILL) * shown_HW3[mask_HW] + FILL * fill_3
    canvas_HW3 = shown_HW3.round().astype(np.uint8)
    for mask_HW, colour in masks:
        contours, _ = cv2.findContours(
            mask_HW.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE
        )
        cv2.drawContours(canvas_HW3, contours, -1, (20, 20, 20), HALO_PX, cv2.LINE_AA)
        cv2.drawContours(canvas_HW3, contours, -1, colour, LINE_PX, cv2.LINE_AA)
    return canvas_HW3


def outline_path(mask_HW: MaskHW) -> str:
    """Return the exact pixel edges of a mask as an SVG path; pixel (r, c) is x c..c+1, y r..r+1.

    Holes are rings of their own: fill it with the even-odd rule.
    """
    pieces = []
    for shape, _ in shapes(mask_HW.astype(np.uint8), mask=mask_HW, connectivity=4):
        for ring in shape["coordinates"]:
            pieces.append(_ring_path([(int(x), int(y)) for x, y in ring]))
    return "".join(pieces)


def _ring_path(ring: list[tuple[int, int]]) -> str:
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
