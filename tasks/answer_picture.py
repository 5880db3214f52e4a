"""A model's answer as a picture: for each step its mask on its image, the words below."""

import re
from collections.abc import Iterator, Sequence
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from schemas.trace import CAPTION_OPEN, SEG, THINK_CLOSE, THINK_OPEN
from tasks.asked_images import AskedImage
from tasks.drawing import colour_of
from tasks.sheet import GREEN, GREY, TEXT_PX, Paragraph, panel, sheet

Masks = Sequence[tuple[int, NDArray[np.bool_]]]  # of the steps, with the number of their image
SENTENCE_END = ". "
# facts put in after a [SEG] are of its own step
_FACTS = re.compile(r" \([\d,]+ of [\d,]+ pixels[^)]*\)")


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


def step_texts(text: str) -> tuple[str, list[str]]:
    """Return what a trace says before its first step, and the words of each step.

    A step begins with the sentence that its [SEG] stands in, or where the step before it in that
    sentence ends; what follows up to the next one belongs to it.
    """
    thought = text.split(THINK_OPEN, 1)[-1].split(THINK_CLOSE, 1)[0].split(CAPTION_OPEN, 1)[0]
    *marked, last = thought.split(SEG)
    parts = [""]  # before the first step, then each step's
    for words in marked:
        facts = _FACTS.match(words)
        begin = max(words.rfind(SENTENCE_END) + 1, facts.end() if facts else 0)
        parts[-1] += words[:begin]
        parts.append(words[begin:])
    parts[-1] += last
    before, *steps = (_closed(part) for part in parts)
    return before, steps


def _closed(words: str) -> str:
    """Return words without the room that a [SEG] took up among them."""
    return " ".join(words.split()).replace(" .", ".").replace(" ,", ",").lstrip(",. ")


def _step_paragraphs(text: str) -> Iterator[Paragraph]:
    before, steps = step_texts(text)
    if before:
        yield Paragraph(text=before, colour=GREY)
    for number, words in enumerate(steps):
        yield Paragraph(text=f"{number + 1}.  {words}", chip=colour_of(number))


def _title(images: Sequence[AskedImage], number: int) -> str:
    several = f"Image {number + 1}, " if len(images) > 1 else ""
    return f"{several}{images[number].modality}, {images[number].path.name}"
