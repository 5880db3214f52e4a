"""How values, places and measured facts are worded, and how a reasoning trace is put together.

A trace is `<think>step step …</think><answer>…</answer>`; a grounded step carries one `[SEG]` after
the words that name its mask. Numbers that were measured are marked by their spans, so that training
can leave them out of the loss and a checker can find them again.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.value import Name, Quantity, Truth, Value

SEG = "[SEG]"
THINK_OPEN, THINK_CLOSE = "<think>", "</think>"
ANSWER_OPEN, ANSWER_CLOSE = "<answer>", "</answer>"
CAPTION_OPEN, CAPTION_CLOSE = "<caption>", "</caption>"
MARKS = (
    SEG,
    THINK_OPEN,
    THINK_CLOSE,
    ANSWER_OPEN,
    ANSWER_CLOSE,
    CAPTION_OPEN,
    CAPTION_CLOSE,
    "<REGION>",
    "<image>",
)

M2_PER_HA = 10_000.0
SIGNIFICANT_DIGITS = 2  # of every open answer (the measured margin is at best a few per cent)

COMPASS_CELLS = (
    "north-west",
    "north",
    "north-east",
    "west",
    "centre",
    "east",
    "south-west",
    "south",
    "south-east",
)
IMAGE_CELLS = (
    "upper left",
    "upper middle",
    "upper right",
    "middle left",
    "centre",
    "middle right",
    "lower left",
    "lower middle",
    "lower right",
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A piece of a step's text that was measured on masks."""

    text: str


Line = tuple[str | Fact, ...]  # one step: plain words and measured facts, [SEG] among the words


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The training string, its steps' texts, and the [start, end) spans of measured facts."""

    text: str
    steps: tuple[str, ...]
    fact_spans: tuple[tuple[int, int], ...]


def build_trace(lines: Sequence[Line], answer: str) -> Trace:
    """Join steps and answer to one string and note where the measured facts stand."""
    text = THINK_OPEN
    steps: list[str] = []
    spans: list[tuple[int, int]] = []
    for number, line in enumerate(lines):
        text += " " if number else ""
        start = len(text)
        for piece in line:
            if isinstance(piece, Fact):
                spans.append((len(text), len(text) + len(piece.text)))
                text += piece.text
            else:
                text += piece
        steps.append(text[start:])
    text += f"{THINK_CLOSE}{ANSWER_OPEN}{answer}{ANSWER_CLOSE}"
    return Trace(text=text, steps=tuple(steps), fact_spans=tuple(spans))


def answer_of(text: str) -> str:
    """Return what a text answers or captions with, "" where it has neither whole."""
    for begin, end in ((ANSWER_OPEN, ANSWER_CLOSE), (CAPTION_OPEN, CAPTION_CLOSE)):
        _, opened, rest = text.rpartition(begin)
        if opened and end in rest:
            return rest.partition(end)[0].strip()
    return ""


def caption_trace(think: str, caption: str) -> str:
    """Return the training string of a caption."""
    return f"{THINK_OPEN}{think}{THINK_CLOSE}{CAPTION_OPEN}{caption}{CAPTION_CLOSE}"


def round_significant(value: float, digits: int = SIGNIFICANT_DIGITS) -> float:
    """Round to significant digits, half to even on the decimal digits; 0 stays 0."""
    if value == 0:
        return 0.0
    return float(f"{value:.{digits - 1}e}")


def value_text(value: Value, north_up: bool = False) -> str:
    """Word a value as an answer: "Yes", "15", "49 %", "71 ha", "230 m", "north-east"."""
    match value:
        case Truth():
            return "Yes" if value.value else "No"
        case Name():
            return cell_text(value.value, north_up) if is_cell(value.value) else value.value
        case Quantity():
            return quantity_text(value.value, value.unit)


def quantity_text(value: float, unit: str) -> str:
    """Word a number to two significant digits; counts are exact, areas turn to ha from 1 ha on.

    Raises:
        ValueError: the unit has no wording.
    """
    match unit:
        case "count":
            return number_text(value, exact=True)
        case "share":
            return f"{number_text(100 * value)} %"
        case "m2":
            rounded_m2 = round_significant(value)
            if abs(rounded_m2) >= M2_PER_HA:
                return f"{number_text(value / M2_PER_HA)} ha"
            return f"{number_text(value)} m²"
        case "m":
            return f"{number_text(value)} m"
    raise ValueError(f"no wording for the unit {unit!r}")


def number_text(value: float, *, exact: bool = False) -> str:
    """Return 1234.5 as "1,200" (two significant digits) or exactly, with thousands separated."""
    if not exact:
        value = round_significant(value)
    if value == 0:
        return "0"
    if exact:
        return f"{value:,.0f}" if value.is_integer() else f"{value:,}"
    decimals = max(0, SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def pixels_text(pixels: int) -> str:
    """Return a pixel count exactly: "7,075"."""
    return f"{pixels:,}"


def pixel_size_text(x_m: float, y_m: float) -> str:
    """Return "10 m × 10 m", with digits enough that pixels times it give the area to the metre."""
    return f"{x_m:.6g} m × {y_m:.6g} m"


def is_cell(name: str) -> bool:
    """Return whether a name stands for a cell of the 3 x 3 grid ("cell 0" to "cell 8")."""
    return name.startswith("cell ") and name[5:] in "012345678" and len(name) == 6


def cell_text(name: str, north_up: bool) -> str:
    """Return "cell 2" as "north-east" where up is north, else as "upper right"."""
    return (COMPASS_CELLS if north_up else IMAGE_CELLS)[int(name[5:])]


def things_text(number: int, singular: str, plural: str) -> str:
    """Return "no areas", "1 area" or "3 areas"."""
    if number == 0:
        return f"no {plural}"
    return f"{number:,} {singular if number == 1 else plural}"
