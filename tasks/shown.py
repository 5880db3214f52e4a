"""What a page shows of images: inlined, with the outlines of masks, and the page itself."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from tasks.atomic import place_text
from tasks.drawing import PartsHW, colour_of, hex_of, inline_image, outline_path
from tasks.parts import parts_of
from tasks.rows import Row
from tasks.show import image_title

PAGES = Path(__file__).with_name("pages")  # of the report
MOST_PX = 512  # a larger image is made smaller for the page; masks keep their own pixels
MOST_IMAGE_BYTES = 40_000
MOST_OUTLINE = 60_000  # characters; a longer outline is drawn from a mask of half the size


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskShape:
    """A mask as an SVG path in the pixels of a grid `scale` times as coarse as the image's."""

    number: int
    colour: str
    path: str
    scale: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One image with the masks that are seen on it."""

    title: str
    rendering: str
    source: str  # data URI
    width: int
    height: int
    masks: tuple[MaskShape, ...]


def picture_of_row(row: Row, number: int) -> Picture:
    """Return one of a row's images with the masks of its steps on it."""
    return picture_of(
        row.images[number].bytes,
        image_title(row, number),
        [
            (index, parts_of(row, mask))
            for index, mask in enumerate(row.masks)
            if mask.image_index == number
        ],
        (row.grid.height, row.grid.width),
        rendering=row.image_info[number].rendering,
    )


def picture_of(
    encoded: bytes,
    title: str,
    masks: Sequence[tuple[int, PartsHW]],
    size_HW: tuple[int, int],
    rendering: str = "",
) -> Picture:
    """Return an encoded image with numbered masks of its size on it."""
    kind, content = inline_image(encoded, MOST_PX, MOST_IMAGE_BYTES)
    return Picture(
        title=title,
        rendering=rendering,
        source=f"data:{kind};base64,{base64.b64encode(content).decode()}",
        width=size_HW[1],
        height=size_HW[0],
        masks=tuple(_shape(number, parts_HW) for number, parts_HW in masks),
    )


def _shape(number: int, parts_HW: PartsHW) -> MaskShape:
    scale = 1
    path = outline_path(parts_HW)
    while len(path) > MOST_OUTLINE and min(parts_HW.shape) > 1:
        scale *= 2
        parts_HW = np.ascontiguousarray(parts_HW[::2, ::2])
        path = outline_path(parts_HW)
    return MaskShape(number=number, colour=hex_of(colour_of(number)), path=path, scale=scale)


def write_page(path: Path, template: Path, **shown: Any) -> None:
    """Fill a template, which may use others of its folder; OSError if it cannot be written."""
    page = templates_in(template.parent).get_template(template.name)
    place_text(path, page.render(**shown))


def templates_in(*folders: Path) -> jinja2.Environment:
    """Return the templates of some folders: what they are given is escaped, and must be given."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
