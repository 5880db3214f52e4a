"""Draw one sample as a picture: images with step masks, question, steps, answer, program."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from PIL import Image, ImageDraw, ImageFont

from tasks.atomic import placing
from tasks.drawing import ColourRGB, colour_of, decoded_image, enlarged, overlaid
from tasks.errors import UserError
from tasks.manifest import Manifest, read_manifest
from tasks.parts import parts_of
from tasks.readable import interval_text, program_text, step_pieces
from tasks.rows import Row, read_rows

PANEL_PX = 512  # an image is enlarged by a whole factor up to this
MARGIN_PX = 28
TEXT_PX = 20
MIN_WIDTH_PX = 900
PANELS_A_ROW = 4
INK, GREY, GREEN = (28, 32, 36), (105, 112, 120), (0, 110, 80)
PAPER = (255, 255, 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One paragraph beside the pictures; `chip` is the colour of its mask."""

    text: str
    size_px: int = TEXT_PX
    colour: ColourRGB = INK
    chip: ColourRGB | None = None
    gap_px: int = 8


def show(dataset: Path, sample_id: str, out_png: Path) -> None:
    """Write a picture of a sample.

    Raises:
        UserError: if the dataset holds no such sample.
        ManifestError: if the folder holds no finished dataset.
        RowError: if the row cannot be read.
        OSError: if the picture cannot be written.
    """
    image = picture(find_row(dataset, read_manifest(dataset), sample_id))
    with placing(out_png) as temporary:
        image.save(temporary, "PNG")


def find_row(dataset: Path, manifest: Manifest, sample_id: str) -> Row:
    """Return a sample by its id; UserError names the dataset where there is none."""
    for file in manifest.files:
        path = dataset / file.path
        ids = pq.ParquetFile(path).read(columns=["sample_id"]).column(0).to_pylist()
        if sample_id in ids:
            return read_rows(path, {sample_id})[sample_id]
    raise UserError(f"{dataset} holds no sample {sample_id!r}")


def picture(row: Row) -> Image.Image:
    """Return the picture of a row: images side by side, the text below."""
    panels = [_panel(row, number) for number in range(len(row.images))]
    columns = min(len(panels), PANELS_A_ROW)
    panel_width, panel_height = panels[0].size
    width = max(MIN_WIDTH_PX, columns * (panel_width + MARGIN_PX) + MARGIN_PX)
    lines = [*_question_lines(row), *_step_lines(row), *_answer_lines(row)]
    rows = -(-len(panels) // columns)
    top = MARGIN_PX + rows * (panel_height + MARGIN_PX)
    # drawn twice: how high the text is shows only once it is wrapped
    height = _write(ImageDraw.Draw(Image.new("RGB", (width, 1))), lines, width, top)
    canvas = Image.new("RGB", (width, height + MARGIN_PX), PAPER)
    for number, panel in enumerate(panels):
        across, down = number % columns, number // columns
        left = MARGIN_PX + across * (panel_width + MARGIN_PX)
        canvas.paste(panel, (left, MARGIN_PX + down * (panel_height + MARGIN_PX)))
    _write(ImageDraw.Draw(canvas), lines, width, top)
    return canvas


def _panel(row: Row, number: int) -> Image.Image:
    """Return one image with its masks, under a line that says which image it is."""
    rgb_HW3 = decoded_image(row.images[number].bytes)
    height, width = rgb_HW3.shape[:2]
    factor = max(1, PANEL_PX // max(height, width))
    masks = [
        (enlarged(parts_of(row, mask), factor), colour_of(index))
        for index, mask in enumerate(row.masks)
        if mask.image_index == number
    ]
    shown = Image.fromarray(overlaid(enlarged(rgb_HW3, factor), masks))
    shown.thumbnail((2 * PANEL_PX, 2 * PANEL_PX))
    head_px = TEXT_PX + 10
    panel = Image.new("RGB", (shown.width, shown.height + head_px), PAPER)
    panel.paste(shown, (0, head_px))
    ImageDraw.Draw(panel).text((0, 0), image_title(row, number), GREY, _font(TEXT_PX - 3))
    return panel


def image_title(row: Row, number: int) -> str:
    """Return how a carried image is called: "Image 2, sar, post, 2018-06-02"."""
    info = row.image_info[number]
    role = "" if info.role in ("single", "sequence") else info.role
    words = [f"Image {number + 1}", info.modality, role, info.date, "cloudy" * info.cloudy]
    return ", ".join(word for word in words if word)


def _question_lines(row: Row) -> list[_Line]:
    place = f"{row.source} / {row.split} / {row.place}   {row.tier} {row.task}   {row.sample_id}"
    lines = [
        _Line(text=place, size_px=TEXT_PX - 4, colour=GREY),
        _Line(text=row.question, size_px=TEXT_PX + 8, gap_px=12),
    ]
    for place_in_list, option in enumerate(row.options):
        letter = chr(ord("A") + place_in_list)
        true = letter == row.answer.letter
        lines.append(_Line(text=f"{letter}.  {option}", colour=GREEN if true else INK))
    return lines


def _step_lines(row: Row) -> list[_Line]:
    lines = []
    for step, pieces in zip(row.steps, step_pieces(row), strict=True):
        words = "".join(piece.text for piece in pieces if piece.kind != "seg")
        chip = colour_of(step.mask_index) if step.mask_index >= 0 else None
        # the mark of a mask is its colour chip here, so the words close up
        closed = words.replace(" .", ".").replace(" ,", ",")
        lines.append(_Line(text=" ".join(closed.split()), chip=chip))
    return lines


def _answer_lines(row: Row) -> list[_Line]:
    interval = interval_text(row)
    margin = f"   (between {interval.replace(' to ', ' and ')})" if " to " in interval else ""
    program = program_text(row.program, row.grid.north_up)
    return [
        _Line(text=f"Answer:  {row.answer.text}{margin}", size_px=TEXT_PX + 4, colour=GREEN),
        *(
            _Line(text=line, size_px=TEXT_PX - 4, colour=GREY, gap_px=2)
            for line in program.splitlines()
        ),
    ]


def _write(draw: ImageDraw.ImageDraw, lines: list[_Line], width: int, top: int) -> int:
    """Write paragraphs below `top` and return where they end."""
    for line in lines:
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
