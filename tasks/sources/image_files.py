"""PNG and JPEG bytes to pixels: the header is judged first, and only then pixels are decoded."""

import io
import struct
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from schemas.rejection import Reason, Refusal

MAX_SIDE_PX = 8192  # no scene of any archive comes near it; a header beyond it is a trap
MIN_SIDE_PX = 16  # under this nothing can be asked: one erosion eats a quarter of the image

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_END_BYTES = 1024  # IEND is the last 12 bytes; some writers pad behind it
_JPEG_SIGNATURE = b"\xff\xd8\xff"
_PNG_COLOUR = {0: "grey", 2: "RGB", 3: "palette", 4: "grey+alpha", 6: "RGBA"}
_REFERENCE_MARKS = (b"<", b"://", b"/vsi", b"http")


@dataclass(frozen=True, slots=True, kw_only=True)
class PngHeader:
    """The first chunk of a PNG: size, bits a channel, and the colour kind in words."""

    width: int
    height: int
    bit_depth: int
    colour: str


def refuse_foreign(head: bytes, name: str, due: str) -> Refusal:
    """Return the refusal of a file whose first bytes are not those of a `due` file.

    Text that names a URL, a GDAL virtual path or opens an XML tag (VRT, WMS) is an external
    reference; anything else is unreadable.
    """
    start = head[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<") or any(mark in start for mark in _REFERENCE_MARKS[1:]):
        return Refusal(
            Reason.EXTERNAL_REFERENCE,
            f"{name}: starts with {start[:40]!r}, points elsewhere; expected {due}",
        )
    return Refusal(Reason.UNREADABLE_FILE, f"{name}: starts with {head[:8]!r}; expected {due}")


def refuse_size(width: int, height: int, name: str, max_side: int = MAX_SIDE_PX) -> None:
    """Raise TOO_LARGE or TOO_SMALL for a side over `max_side` or under `MIN_SIDE_PX`."""
    if max(width, height) > max_side:
        raise Refusal(
            Reason.TOO_LARGE,
            f"{name}: header says {width} x {height} px; at most {max_side} a side are read",
        )
    if min(width, height) < MIN_SIDE_PX:
        raise Refusal(
            Reason.TOO_SMALL,
            f"{name}: {width} x {height} px; at least {MIN_SIDE_PX} a side are needed",
        )


def refuse_blank(rgb_HW3: NDArray[np.uint8], name: str) -> None:
    """Raise BLANK_IMAGE if every value is 0 or every value is 255."""
    first = int(rgb_HW3.flat[0])
    if first in (0, 255) and bool((rgb_HW3 == first).all()):
        colour = "black" if first == 0 else "white"
        raise Refusal(
            Reason.BLANK_IMAGE, f"{name}: all {rgb_HW3.shape[0] * rgb_HW3.shape[1]} pixels {colour}"
        )


def png_header(content: bytes, name: str) -> PngHeader:
    """Return the header of PNG bytes; raise EXTERNAL_REFERENCE or UNREADABLE_FILE."""
    if not content.startswith(_PNG_SIGNATURE):
        raise refuse_foreign(content, name, "a PNG")
    if len(content) < 33 or content[12:16] != b"IHDR":
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: PNG without a whole IHDR chunk")
    width, height, bit_depth, colour = struct.unpack(">IIBB", content[16:26])
    return PngHeader(
        width=width,
        height=height,
        bit_depth=bit_depth,
        colour=_PNG_COLOUR.get(colour, f"colour type {colour}"),
    )


def png_rgb(content: bytes, name: str) -> NDArray[np.uint8]:
    """Return the (H, W, 3) pixels of an 8-bit RGB PNG.

    Raises:
        Refusal: TOO_LARGE, TOO_SMALL or WRONG_PIXEL_FORMAT by the header, UNREADABLE_FILE,
            EXTERNAL_REFERENCE, BLANK_IMAGE.
    """
    _expect_png(content, name, "RGB")
    rgb_HW3 = _decode(content, name, "PNG", "RGB")
    refuse_blank(rgb_HW3, name)
    return rgb_HW3


def png_grey(content: bytes, name: str) -> NDArray[np.uint8]:
    """Return the (H, W) pixels of an 8-bit grey PNG, such as a label map or one SAR channel.

    A label map of one class may be all one value, so nothing is refused as blank here.

    Raises:
        Refusal: as `png_rgb`, without BLANK_IMAGE.
    """
    _expect_png(content, name, "grey")
    return _decode(content, name, "PNG", "L")


def rgb(content: bytes, name: str) -> NDArray[np.uint8]:
    """Return the (H, W, 3) pixels of an 8-bit RGB PNG or JPEG, told apart by their first bytes.

    Raises:
        Refusal: as `png_rgb`.
    """
    if not content.startswith(_JPEG_SIGNATURE):
        return png_rgb(content, name)
    rgb_HW3 = _decode(content, name, "JPEG", "RGB")
    refuse_blank(rgb_HW3, name)
    return rgb_HW3


def refuse_png(content: bytes, name: str, colour: str, side_px: int) -> None:
    """Judge a PNG that is not shown by its header and its end; no pixel is decoded.

    Raises:
        Refusal: as `png_rgb`, without BLANK_IMAGE; SIZE_MISMATCH where it is not `side_px` a side.
    """
    _expect_png(content, name, colour)
    header = png_header(content, name)
    if (header.width, header.height) != (side_px, side_px):
        raise Refusal(
            Reason.SIZE_MISMATCH,
            f"{name}: {header.width} x {header.height} px; expected {side_px} x {side_px}",
        )
    if b"IEND" not in content[-_PNG_END_BYTES:]:
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: PNG without its last chunk, IEND")


def _expect_png(content: bytes, name: str, colour: str) -> None:
    header = png_header(content, name)
    refuse_size(header.width, header.height, name)
    if header.colour != colour or header.bit_depth != 8:
        raise Refusal(
            Reason.WRONG_PIXEL_FORMAT,
            f"{name}: {header.bit_depth}-bit {header.colour} PNG; expected 8-bit {colour}",
        )


def _decode(content: bytes, name: str, kind: str, mode: str) -> NDArray[np.uint8]:
    """Return the pixels of a PNG or JPEG (`kind`) whose PIL mode is `mode`, "RGB" or "L"."""
    # PIL, not cv2: as fast, and a broken file is an exception rather than lines on stderr
    try:
        with warnings.catch_warnings():
            # of a size that PIL warns of, twice that size being its error
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=(kind,)) as image:
                refuse_size(image.width, image.height, name)
                if image.mode != mode:  # a JPEG of several pictures calls itself MPO
                    raise Refusal(
                        Reason.WRONG_PIXEL_FORMAT, f"{name}: mode {image.mode}; expected {mode}"
                    )
                return np.array(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refusal(
            Reason.TOO_LARGE, f"{name}: {error}; at most {MAX_SIDE_PX} px a side are read"
        ) from error
    except (
        OSError,
        SyntaxError,  # on broken chunks
        ValueError,  # on over-long text chunks
        IndexError,  # on chunks that are shorter than their kind
        TypeError,
        EOFError,
        struct.error,
    ) as error:
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: {error}") from error
