"""A picture of panels side by side and paragraphs below them, drawn with Pillow's own font."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from tasks.drawing import ColourRGB, ImageHW3, PartsHW, enlarged, overlaid

PANEL_PX = 512  # an image is enlarged by a whole factor up to this
MARGIN_PX = 28
TEXT_PX = 20
MIN_WIDTH_PX = 900
PANELS_A_ROW = 4
INK, GREY, GREEN = (28, 32, 36), (105, 112, 120), (0, 110, 80)
PAPER = (255, 255, 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """One paragraph below the panels; `chip` is the colour of its mask."""

    text: str
    size_px: int = TEXT_PX
    colour: ColourRGB = INK
    chip: ColourRGB | None = None
    gap_px: int = 8


def panel(rgb_HW3: ImageHW3, masks: Sequence[tuple[PartsHW, ColourRGB]], title: str) -> Image.Image:
    """Return an image with masks of its size in colour, under a line that names it."""
    height, width = rgb_HW3.shape[:2]
    factor = max(1, PANEL_PX // max(height, width))
    shown = Image.fromarray(
        overlaid(
            enlarged(rgb_HW3, factor),
            [(enlarged(parts_HW, factor), colour) for parts_HW, colour in masks],
        )
    )
    shown.thumbnail((2 * PANEL_PX, 2 * PANEL_PX))
    head_px = TEXT_PX + 10
    framed = Image.new("RGB", (shown.width, shown.height + head_px), PAPER)
    framed.paste(shown, (0, head_px))
    ImageDraw.Draw(framed).text((0, 0), title, GREY, _font(TEXT_PX - 3))
    return framed


def sheet(panels: Sequence[Image.Image], paragraphs: Sequence[Paragraph]) -> Image.Image:
    """Return panels in rows of at most four, and the paragraphs below them."""
    columns = min(len(panels), PANELS_A_ROW)
    panel_width = max(shown.width for shown in panels)
    panel_height = max(shown.height for shown in panels)
    width = max(MIN_WIDTH_PX, columns * (panel_width + MARGIN_PX) + MARGIN_PX)
    rows = -(-len(panels) // columns)
    top = MARGIN_PX + rows * (panel_height + MARGIN_PX)
    # drawn twice: how high the text is shows only once it is wrapped
    height = _write(ImageDraw.Draw(Image.new("RGB", (width, 1))), paragraphs, width, top)
    canvas = Image.new("RGB", (width, height + MARGIN_PX), PAPER)
    for number, shown in enumerate(panels):
        across, down = number % columns, number // columns
        left = MARGIN_PX + across * (panel_width + MARGIN_PX)
        canvas.paste(shown, (left, MARGIN_PX + down * (panel_height + MARGIN_PX)))
    _write(ImageDraw.Draw(canvas), paragraphs, width, top)
    return canvas


def _write(draw: ImageDraw.ImageDraw, paragraphs: Sequence[Paragraph], width: int, top: int) -> int:
    """Write paragraphs below `top` and return where they end."""
    for line in paragraphs:
        font = _font(line.size_px)
        left = MARGIN_PX + (34 if line.chip else 0)
        indent = len(line.text) - len(line.text.lstrip())
        left += indent * line.size_px // 2
        if line.chip:
            box = (MARGIN_PX, top + 3, MARGIN_PX + 22, top + 3 + line.size_px)
            draw.rectangle(box, line.chip, INK)
        for part in _wrapped(draw, _drawable(line.text.strip()), font, width - left - MARGIN_PX):
            draw.text((left, top), part, line.colour, font)
            top += round(1.3 * line.size_px)
        top += line.gap_px
    return top


def _drawable(text: str) -> str:
    """Return a text without the signs that Pillow's own font has no picture of."""
    return text.replace("×", "x").replace("²", "2")


def _wrapped(
    draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont, width: int
) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and draw.textlength(longer, font) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _font(size_px: int) -> ImageFont.FreeTypeFont:
    """Return Pillow's own font; `_drawable` says which signs it lacks."""
    font = ImageFont.load_default(size_px)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font
