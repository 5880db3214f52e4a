"""A model's answer as a picture: for each step its mask on its image, the words below."""

from collections.abc import Iterator, Sequence
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.asked_images import AskedImage
from tasks.drawing import colour_of
from tasks.sheet import GREEN, GREY, TEXT_PX, Paragraph, panel, sheet
from tasks.step_texts import step_texts

Masks = Sequence[tuple[int, NDArray[np.bool_]]]  # of the steps, with the number of their image


def answer_picture(
    images: Sequence[AskedImage],
    masks: Masks,
    *,
    question: str,
    options: Sequence[str],
    text: str,
    answer: str,
) -> Image.Image:
    """Return a panel for every mask, then the images without one, question, steps and answer."""
    panels = [
        panel(
            images[number].rgb_HW3,
            [(mask_HW.astype(np.int32), colour_of(step))],
            f"{step + 1}  {_title(images, number)}",
        )
        for step, (number, mask_HW) in enumerate(masks)
    ]
    bare = [number for number in range(len(images)) if number not in {at for at, _ in masks}]
    panels += [panel(images[number].rgb_HW3, [], _title(images, number)) for number in bare]
    paragraphs = [
        Paragraph(text=question, size_px=TEXT_PX + 8, gap_px=12),
        *(Paragraph(text=f"{ascii_uppercase[n]}.  {words}") for n, words in enumerate(options)),
        *_step_paragraphs(text),
        Paragraph(text=f"Answer:  {answer or 'none'}", size_px=TEXT_PX + 4, colour=GREEN),
    ]
    return sheet(panels, paragraphs)


def _step_paragraphs(text: str) -> Iterator[Paragraph]:
    before, steps = step_texts(text)
    if before:
        yield Paragraph(text=before, colour=GREY)
    for number, words in enumerate(steps):
        yield Paragraph(text=f"{number + 1}.  {words}", chip=colour_of(number))


def _title(images: Sequence[AskedImage], number: int) -> str:
    several = f"Image {number + 1}, " if len(images) > 1 else ""
    return f"{several}{images[number].modality}, {images[number].path.name}"
