"""Draw one sample as a picture: images with step masks, question, steps, answer, program."""

from pathlib import Path

import pyarrow.parquet as pq
from PIL import Image

from tasks.atomic import placing
from tasks.drawing import colour_of, decoded_image
from tasks.errors import UserError
from tasks.manifest import DataFile, Manifest, read_manifest
from tasks.parts import parts_of
from tasks.readable import interval_text, program_text, step_pieces
from tasks.rows import Row, read_rows
from tasks.sheet import GREEN, GREY, INK, TEXT_PX, Paragraph, panel, sheet


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
    path = dataset / shard_with(dataset, manifest, sample_id).path
    return read_rows(path, {sample_id})[sample_id]


def shard_with(dataset: Path, manifest: Manifest, sample_id: str) -> DataFile:
    """Return the shard that holds a sample; UserError names the dataset where none does."""
    for file in manifest.files:
        ids = pq.ParquetFile(dataset / file.path).read(columns=["sample_id"]).column(0)
        if sample_id in ids.to_pylist():
            return file
    raise UserError(f"{dataset} holds no sample {sample_id!r}")


def picture(row: Row) -> Image.Image:
    """Return the picture of a row: images side by side, the text below."""
    panels = [_panel(row, number) for number in range(len(row.images))]
    return sheet(panels, [*_question_lines(row), *_step_lines(row), *_answer_lines(row)])


def _panel(row: Row, number: int) -> Image.Image:
    """Return one image with its masks, under a line that says which image it is."""
    masks = [
        (parts_of(row, mask), colour_of(index))
        for index, mask in enumerate(row.masks)
        if mask.image_index == number
    ]
    return panel(decoded_image(row.images[number].bytes), masks, image_title(row, number))


def image_title(row: Row, number: int) -> str:
    """Return how a carried image is called: "Image 2, sar, post, 2018-06-02"."""
    info = row.image_info[number]
    role = "" if info.role in ("single", "sequence") else info.role
    words = [f"Image {number + 1}", info.modality, role, info.date, "cloudy" * info.cloudy]
    return ", ".join(word for word in words if word)


def _question_lines(row: Row) -> list[Paragraph]:
    place = f"{row.source} / {row.split} / {row.place}   {row.tier} {row.task}   {row.sample_id}"
    lines = [
        Paragraph(text=place, size_px=TEXT_PX - 4, colour=GREY),
        Paragraph(text=row.question, size_px=TEXT_PX + 8, gap_px=12),
    ]
    for place_in_list, option in enumerate(row.options):
        letter = chr(ord("A") + place_in_list)
        true = letter == row.answer.letter
        lines.append(Paragraph(text=f"{letter}.  {option}", colour=GREEN if true else INK))
    return lines


def _step_lines(row: Row) -> list[Paragraph]:
    lines = []
    for step, pieces in zip(row.steps, step_pieces(row), strict=True):
        words = "".join(piece.text for piece in pieces if piece.kind != "seg")
        chip = colour_of(step.mask_index) if step.mask_index >= 0 else None
        # the mark of a mask is its colour chip here, so the words close up
        closed = words.replace(" .", ".").replace(" ,", ",")
        lines.append(Paragraph(text=" ".join(closed.split()), chip=chip))
    return lines


def _answer_lines(row: Row) -> list[Paragraph]:
    interval = interval_text(row)
    margin = f"   (between {interval.replace(' to ', ' and ')})" if " to " in interval else ""
    program = program_text(row.program, row.grid.north_up)
    return [
        Paragraph(text=f"Answer:  {row.answer.text}{margin}", size_px=TEXT_PX + 4, colour=GREEN),
        *(
            Paragraph(text=line, size_px=TEXT_PX - 4, colour=GREY, gap_px=2)
            for line in program.splitlines()
        ),
    ]
