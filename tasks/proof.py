"""Prove one sample again from its own masks, with the reference evaluator only."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image
from pydantic import BaseModel, TypeAdapter, ValidationError

from masks.reference import evaluate
from masks.reference_regions import forms_of, leaves
from masks.reference_scene import MaskHW, ReferenceScene, decode_rle
from schemas.mask import Origin
from schemas.program import MaskExpr, load_program
from schemas.trace import (
    ANSWER_CLOSE,
    ANSWER_OPEN,
    SEG,
    THINK_CLOSE,
    THINK_OPEN,
    value_text,
)
from schemas.value import Quantity, Undefined, Value
from tasks.answer_text import read_quantity, rounds_to
from tasks.facts import KnownFacts
from tasks.rows import Row, RowMask

TOLERANCE = 1e-9  # relative; sums of products differ in the last bits between evaluators
MAX_HALF_WIDTH = 0.15  # of an open answer's value
IOU_TOLERANCE = 1e-6
_MASK_EXPR: TypeAdapter[MaskExpr] = TypeAdapter(MaskExpr)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that a sample breaks, with what was expected and what was found."""

    rule: str
    expected: str
    found: str


def prove(row: Row, scene: ReferenceScene) -> list[Finding]:
    """Return every rule that a row breaks; an empty list means that its answer is proved.

    Args:
        row: The sample.
        scene: Its evidence, decoded; rows with the same `Evidence` may share one.
    """
    sizes = list(_check_images(row))
    if sizes:
        return sizes  # masks of another size than the images prove nothing
    return [*_check_steps(row), *_check_options(row), *_check_measured(row, scene)]


def _check_images(row: Row) -> Iterator[Finding]:
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


def _check_steps(row: Row) -> Iterator[Finding]:
    """Steps, [SEG] marks and masks must match one to one, and the trace be made of the steps."""
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
    due = f"{thought}{ANSWER_OPEN}{said}{ANSWER_CLOSE}"
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


def _check_options(row: Row) -> Iterator[Finding]:
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


def _check_measured(row: Row, scene: ReferenceScene) -> Iterator[Finding]:
    """What rests on the scene's masks: the value, its wording, the step masks, the facts."""
    try:
        program = load_program(row.program)
        value = evaluate(program, scene)
    except Undefined as outcome:
        yield Finding(rule="undefined", expected=f"answer {row.answer.text!r}", found=f"{outcome}")
        return
    except ValueError as error:
        yield Finding(rule="program", expected="a program and masks to run it on", found=f"{error}")
        return
    yield from _check_value(row, value)
    yield from _check_wording(row, value, scene.evidence.north_up)
    if isinstance(value, Quantity):
        yield from _check_margin(row, value)
    marked: list[tuple[BaseModel, int]] = []
    for number, mask in enumerate(row.masks):
        yield from _check_mask(row, number, mask, scene, marked)
    if len(marked) == len(row.masks):
        yield from _check_facts(row, KnownFacts(program, value, scene, marked))


def _check_value(row: Row, value: Value) -> Iterator[Finding]:
    answer = row.answer
    found = {
        "value": answer.value,
        "low": answer.low,
        "high": answer.high,
        "unit": answer.unit,
    }
    due: dict[str, float | str | None] = {"value": None, "low": None, "high": None, "unit": ""}
    if isinstance(value, Quantity):
        due = {"value": value.value, "low": value.low, "high": value.high, "unit": value.unit}
    for name, expected in due.items():
        if not _same(expected, found[name]):
            yield Finding(rule=f"answer_{name}", expected=f"{expected}", found=f"{found[name]}")


def _same(expected: float | str | None, found: float | str | None) -> bool:
    if isinstance(expected, float | int) and isinstance(found, float | int):
        return math.isclose(expected, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return expected == found


def _check_wording(row: Row, value: Value, north_up: bool) -> Iterator[Finding]:
    text = row.answer.text
    try:
        due = value_text(value, north_up)
    except ValueError as error:
        yield Finding(rule="answer_text", expected="a value with a wording", found=f"{error}")
        return
    if text != due:
        yield Finding(rule="answer_text", expected=due, found=text)
    if isinstance(value, Quantity) and not rounds_to(value.value, value.unit, text):
        yield Finding(
            rule="answer_rounding",
            expected=f"{value.value} {value.unit} to two digits",
            found=text,
        )


def _check_margin(row: Row, value: Quantity) -> Iterator[Finding]:
    """No other option within reach of the answer's interval; no vague open answer."""
    interval = f"[{value.low}, {value.high}] {value.unit}"
    if row.form == "open":
        half_width = (value.high - value.low) / 2
        if half_width > MAX_HALF_WIDTH * abs(value.value) * (1 + TOLERANCE):
            yield Finding(rule="margin_wide", expected="at most 15 % half-width", found=interval)
        return
    answer = read_quantity(row.answer.text)
    for option in row.options:
        other = read_quantity(option)
        if option == row.answer.text or answer is None:
            continue
        if other is None or other[1] != value.unit:
            yield Finding(rule="option_unit", expected=f"options in {value.unit}", found=option)
        elif value.low <= (answer[0] + other[0]) / 2 <= value.high:
            yield Finding(
                rule="option_margin",
                expected=f"no midpoint to another option in {interval}",
                found=f"{row.answer.text!r} and {option!r}",
            )


def _check_mask(
    row: Row,
    number: int,
    mask: RowMask,
    scene: ReferenceScene,
    marked: list[tuple[BaseModel, int]],
) -> Iterator[Finding]:
    """Compare a step mask with its expression; add the expression and its pixels to `marked`."""
    try:
        expr = _MASK_EXPR.validate_json(mask.program)
        due_HW = forms_of(expr, scene).mask_HW
        found_HW = decode_rle(mask.counts.encode(), mask.size)
    except ValidationError as error:
        yield Finding(rule="mask_program", expected="a mask expression", found=f"{error}")
        return
    except (ValueError, Undefined) as error:
        yield Finding(rule="mask_unreadable", expected=f"mask {number}", found=f"{error}")
        return
    marked.append((expr, int(np.count_nonzero(due_HW))))
    dates = {leaf.date for leaf in leaves(expr)}
    if 0 <= mask.image_index < len(row.image_info):
        shown = row.image_info[mask.image_index].date_index
        if len(dates) == 1 and shown not in dates:
            yield Finding(
                rule="mask_date",
                expected=f"mask {number} on an image of date {min(dates)}",
                found=f"image {mask.image_index} of date {shown}",
            )
    yield from _check_pixels(number, mask, due_HW, found_HW)


def _check_pixels(
    number: int, mask: RowMask, due_HW: MaskHW, found_HW: MaskHW
) -> Iterator[Finding]:
    """An annotated mask is its expression, pixel by pixel; any other tells its true IoU."""
    differing_px = int(np.count_nonzero(due_HW != found_HW))
    if mask.origin in (Origin.ANNOTATED, Origin.BOX) and differing_px:
        yield Finding(
            rule="mask_pixels",
            expected=f"mask {number} ({mask.label}) as its expression gives it",
            found=f"{differing_px} pixels differ",
        )
    union_px = int(np.count_nonzero(due_HW | found_HW))
    iou = np.count_nonzero(due_HW & found_HW) / union_px if union_px else 1.0
    if abs(iou - mask.iou) > IOU_TOLERANCE:
        yield Finding(rule="mask_iou", expected=f"{iou:.6f} for mask {number}", found=f"{mask.iou}")


def _check_facts(row: Row, known: KnownFacts) -> Iterator[Finding]:
    for span in row.fact_spans:
        fact = row.trace[span.start : span.end]
        if not known.hold(fact):
            yield Finding(
                rule="fact",
                expected="a fact measured on this sample's masks",
                found=fact,
            )
