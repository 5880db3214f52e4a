"""The picture that a captioner sees: the image with its regions outlined, numbered, and a legend.

The colours are for telling regions apart, by colour-blind readers too (`tasks.drawing.PALETTE`);
no text ever names them.
"""

from collections.abc import Sequence
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tasks.drawing import ImageHW3, colour_of, decoded_image, enlarged
from templates.regions import Region

MIN_SIDE_PX = 448  # one tile of the model family; a smaller image is enlarged by a whole factor
QUALITY = 92  # of JPEG: a picture of 1,024 pixels takes 15 ms, as PNG thirty times as long
TINT = 6  # one part of colour in so many: the ground stays to be seen
HALO_PX, EDGE_PX = 4, 2
LINE_PX = 26  # of the legend
FONT_PX = 17
INK, PAPER = (24, 28, 32), (255, 255, 255)

Marked = tuple[Region, NDArray[np.bool_]]


def captioner_picture(encoded: bytes, regions: Sequence[Marked]) -> bytes:
    """Return an image with regions drawn in, as JPEG; without regions, as it is.

    Args:
        encoded: The image file.
        regions: Regions of the image's date with their (H, W) masks, of the image's size.
    """
    rgb_HW3 = decoded_image(encoded)
    factor = max(1, -(-MIN_SIDE_PX // min(rgb_HW3.shape[:2])))
    tinted_HW3 = rgb_HW3.copy()
    for region, mask_HW in regions:
        colour_3 = np.array(colour_of(region.number - 1), np.uint16)
        ground_N3 = rgb_HW3[mask_HW].astype(np.uint16)
        tinted_HW3[mask_HW] = (ground_N3 * (TINT - 1) + colour_3) // TINT
    shown_HW3 = enlarged(tinted_HW3, factor)
    for region, mask_HW in regions:
        _outline(shown_HW3, enlarged(mask_HW.view(np.uint8), factor), region.number)
    picture = Image.fromarray(shown_HW3)
    draw = ImageDraw.Draw(picture)
    for region, mask_HW in regions:
        _write_number(draw, region.number, mask_HW, factor)
    canvas = _with_legend(picture, [region for region, _ in regions])
    file = BytesIO()
    canvas.save(file, "JPEG", quality=QUALITY, subsampling=0)
    return file.getvalue()


def _outline(shown_HW3: ImageHW3, mask_HW: NDArray[np.uint8], number: int) -> None:
    """Draw a line around every part of a mask, dark under light, so that it shows anywhere."""
    rings, _ = cv2.findContours(mask_HW, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    cv2.polylines(shown_HW3, rings, True, INK, HALO_PX, cv2.LINE_AA)
    cv2.polylines(shown_HW3, rings, True, colour_of(number - 1), EDGE_PX, cv2.LINE_AA)


def _write_number(
    draw: ImageDraw.ImageDraw, number: int, mask_HW: NDArray[np.bool_], factor: int
) -> None:
    """Write a region's number at the point of it that is farthest from its edge."""
    padded_HW = np.pad(mask_HW, 1).astype(np.uint8)
    depth_HW = cv2.distanceTransform(padded_HW, cv2.DIST_L2, 3)
    row, column = np.unravel_index(int(np.argmax(depth_HW)), depth_HW.shape)
    centre = ((int(column) - 0.5) * factor, (int(row) - 0.5) * factor)
    draw.text(centre, str(number), PAPER, _font(), anchor="mm", stroke_width=3, stroke_fill=INK)


def _with_legend(picture: Image.Image, regions: Sequence[Region]) -> Image.Image:
    """Return the picture with a line a region below: colour, number, class."""
    if not regions:
        return picture
    canvas = Image.new("RGB", (picture.width, picture.height + LINE_PX * len(regions) + 8), PAPER)
    canvas.paste(picture, (0, 0))
    draw = ImageDraw.Draw(canvas)
    for place, region in enumerate(regions):
        top = picture.height + 4 + LINE_PX * place
        draw.rectangle((6, top + 4, 24, top + LINE_PX - 4), colour_of(region.number - 1), INK)
        line = f"{region.number} {region.land.phrase}"
        fits = FONT_PX * (canvas.width - 40) / max(1.0, draw.textlength(line, _font()))
        draw.text((32, top + 3), line, INK, _font(min(FONT_PX, fits)))
    return canvas


def _font(size_px: float = FONT_PX) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size_px)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font
