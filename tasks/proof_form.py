"""What holds of a sample without measuring anything: sizes, steps, trace, options."""

from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from schemas.tier import Tier
from schemas.trace import (
    ANSWER_CLOSE,
    ANSWER_OPEN,
    CAPTION_CLOSE,
    CAPTION_OPEN,
    SEG,
    THINK_CLOSE,
    THINK_OPEN,
)
from tasks.finding import Finding
from tasks.rows import Row


def check_images(row: Row) -> Iterator[Finding]:
    """Yield images and masks that have not the size of the scene's grid."""
    due = (row.grid.width, row.grid.height)
    if not row.images or len(row.images) != len(row.image_info):
        yield Finding(
            rule="image_count",
            expected=f"at least one image, and {len(row.images)} descriptions",
            found=f"{len(row.images)} images, {len(row.image_info)} descriptions",
        )
    for image in row.images:
        found = _image_size(image.bytes)
        if found != due:
            yield Finding(rule="image_size", expected=f"{due} pixels", found=f"{found}")
    for number, mask in enumerate(row.masks):
        if mask.size != due[::-1]:
            yield Finding(
                rule="mask_size",
                expected=f"mask {number} of (height, width) {due[::-1]}",
                found=f"{mask.size}",
            )


def _image_size(encoded: bytes) -> tuple[int, int] | str:
    try:
        with Image.open(BytesIO(encoded)) as image:
            return image.size
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        return f"unreadable image ({error})"


def check_steps(row: Row) -> Iterator[Finding]:
    """Yield steps, [SEG] marks and masks that do not match one to one, and a trace not of steps."""
    grounded = [step for step in row.steps if step.mask_index != -1]
    indices = sorted(step.mask_index for step in grounded)
    if indices != list(range(len(row.masks))):
        yield Finding(
            rule="mask_index",
            expected=f"each of {len(row.masks)} masks in one step",
            found=f"mask indices {indices}",
        )
    if row.trace.count(SEG) != len(grounded):
        yield Finding(
            rule="seg_count",
            expected=f"{len(grounded)} {SEG} in the trace",
            found=f"{row.trace.count(SEG)}",
        )
    for number, step in enumerate(row.steps):
        due = int(step.mask_index != -1)
        if step.text.count(SEG) != due:
            yield Finding(
                rule="seg_count",
                expected=f"{due} {SEG} in step {number}",
                found=f"{step.text.count(SEG)}",
            )
        if not 0 <= step.image_index < len(row.images):
            yield Finding(
                rule="image_index",
                expected=f"step {number} on one of {len(row.images)} images",
                found=f"image {step.image_index}",
            )
        if 0 <= step.mask_index < len(row.masks):
            on = row.masks[step.mask_index].image_index
            if on != step.image_index:
                yield Finding(
                    rule="image_index",
                    expected=f"step {number} on image {on}, as its mask",
                    found=f"image {step.image_index}",
                )
    yield from _check_trace(row)


def _check_trace(row: Row) -> Iterator[Finding]:
    thought = f"{THINK_OPEN}{' '.join(step.text for step in row.steps)}{THINK_CLOSE}"
    said = f"{row.answer.letter}. {row.answer.text}" if row.answer.letter else row.answer.text
    is_caption = row.tier == Tier.CAP
    opened, closed = (CAPTION_OPEN, CAPTION_CLOSE) if is_caption else (ANSWER_OPEN, ANSWER_CLOSE)
    due = f"{thought}{opened}{said}{closed}"
    if row.trace != due:
        yield Finding(rule="trace", expected=due, found=row.trace)
    end_before = len(THINK_OPEN)
    for span in row.fact_spans:
        if not end_before <= span.start < span.end <= len(thought) - len(THINK_CLOSE):
            yield Finding(
                rule="fact_span",
                expected="spans in order, inside the steps",
                found=f"[{span.start}, {span.end})",
            )
        end_before = span.end


def check_options(row: Row) -> Iterator[Finding]:
    """Yield what is wrong with form, options and letter, whatever the true answer is."""
    letters = [chr(ord("A") + place) for place in range(len(row.options))]
    if row.form == "open":
        if row.options or row.answer.letter:
            yield Finding(
                rule="form",
                expected="no options and no letter in an open question",
                found=f"{len(row.options)} options, letter {row.answer.letter!r}",
            )
        return
    if row.form != "choice" or len(row.options) < 2:
        yield Finding(
            rule="form",
            expected="open, or choice with at least two options",
            found=f"{row.form} with {len(row.options)} options",
        )
        return
    at_letter = dict(zip(letters, row.options, strict=True)).get(row.answer.letter)
    if at_letter != row.answer.text:
        yield Finding(
            rule="letter",
            expected=f"a letter of {letters} whose option is {row.answer.text!r}",
            found=f"{row.answer.letter!r}: {at_letter!r}",
        )
    if len(set(row.options)) != len(row.options):
        yield Finding(rule="option_twice", expected="different options", found=f"{row.options}")
