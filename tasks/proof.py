"""Prove one sample again from its own masks, with the reference evaluator only."""

import math
import re
from collections.abc import Iterator

from pydantic import BaseModel

from masks.reference import evaluate
from masks.reference_scene import ReferenceScene
from schemas.program import load_program
from schemas.tier import Tier
from schemas.trace import THINK_CLOSE, value_text
from schemas.value import Quantity, Truth, Undefined, Value
from tasks.answer_text import read_quantity, rounds_to
from tasks.facts import KnownFacts
from tasks.finding import Finding
from tasks.proof_caption import check_caption
from tasks.proof_composed import check_composed
from tasks.proof_form import check_images, check_options, check_steps
from tasks.proof_masks import check_mask
from tasks.proof_words import check_words
from tasks.rows import Row
from templates.prompts import COMPOSE

TOLERANCE = 1e-9  # relative; sums of products differ in the last bits between evaluators
MAX_HALF_WIDTH = 0.15  # of an open answer's value
# numbers that no mask is measured for: which image, and the floor of a patch
_NAMED_NUMBERS = re.compile(r"[Ii]mage \d+|at least \d+ pixels")


def prove(row: Row, scene: ReferenceScene) -> list[Finding]:
    """Return every rule that a row breaks; an empty list means that its answer is proved.

    Args:
        row: The sample.
        scene: Its evidence, decoded; rows with the same `Evidence` may share one.
    """
    sizes = list(check_images(row))
    if sizes:
        return sizes  # masks of another size than the images prove nothing
    return [*check_steps(row), *check_options(row), *_check_measured(row, scene)]


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
    if row.tier == Tier.CAP:
        yield from _check_caption(row, value, scene)
        return
    composed = row.provenance.template == COMPOSE.id
    yield from check_composed(row, scene) if composed else check_words(row, program, value, scene)
    yield from _check_value(row, value)
    yield from _check_wording(row, value, scene.evidence.north_up)
    if isinstance(value, Quantity):
        yield from _check_margin(row, value)
    if isinstance(value, Truth) and row.options and set(row.options) != {"Yes", "No"}:
        yield Finding(rule="options", expected="Yes and No", found=f"{row.options}")
    marked: list[tuple[BaseModel, int]] = []
    for number, mask in enumerate(row.masks):
        yield from check_mask(row, number, mask, scene, marked)
    if row.tier in (Tier.L1, Tier.BENCH) and len(marked) == len(row.masks):
        yield from _check_facts(row, KnownFacts(program, value, scene, marked))


def _check_caption(row: Row, value: Value, scene: ReferenceScene) -> Iterator[Finding]:
    """A caption's program says that what it marks is there; its sentences are checked again."""
    if value != Truth(True):
        yield Finding(
            rule="program", expected="all that the caption marks is there", found=f"{value}"
        )
    marked: list[tuple[BaseModel, int]] = []
    for number, mask in enumerate(row.masks):
        yield from check_mask(row, number, mask, scene, marked)
    yield from check_caption(row, scene)


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


def _check_facts(row: Row, known: KnownFacts) -> Iterator[Finding]:
    """Every marked fact must be measured, and no number may stand in the steps unmarked."""
    bare = list(row.trace)
    for span in row.fact_spans:
        fact = row.trace[span.start : span.end]
        bare[span.start : span.end] = " " * len(fact)
        if not known.hold(fact):
            yield Finding(
                rule="fact",
                expected="a fact measured on this sample's masks",
                found=fact,
            )
    steps = "".join(bare).split(THINK_CLOSE)[0]
    for word in _NAMED_NUMBERS.sub(" ", steps).split():
        if any(c.isdigit() for c in word) and word.strip(".,") not in row.question:
            yield Finding(rule="unmarked_number", expected="a marked fact", found=word)
