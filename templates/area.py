"""Area and coverage: how large a class is, in square metres or hectares, and as a share."""

from collections.abc import Iterator
from random import Random
from typing import Any

from masks.measured import MeasuredLayer
from schemas.program import Area, ClassMask, Share, Valid
from schemas.trace import SEG, Fact, Line, pixel_size_text, pixels_text, quantity_text
from schemas.value import Quantity, Value
from templates.asked import AskedScene, class_at, valid_at
from templates.draft import Draft, Foreign, QuestionTemplate, StepDraft, Words
from templates.phrases import capital, cover, do, it
from templates.told import Told, land, valid_px, whole
from templates.view import View

PER_LAYER = 2
MIN_SHARE = 0.01  # smaller classes are hardly seen
MAX_SHARE = 0.95  # larger ones leave nothing to measure


def propose_area(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the area of classes; only where the pixel size is known."""
    if scene.pixel_size_m is None:
        return
    for layer, name in _measurable(scene, rng):
        program = Area(of=class_at(layer, name))
        value = scene.tried(template.task, program)
        if isinstance(value, Quantity):
            yield template.draft(scene, rng, program, value, pool=name)


def area_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark the class, and get from its pixels and their size to its area."""
    match program, value, told.pixel_size_m:
        case Area(of=ClassMask() as mask), Quantity(), (x_m, y_m):
            pass
        case _:
            raise Foreign("area asks area(class) where the pixel size is known")
    line = (
        *_covers(told, mask, view),
        " pixels. A pixel is ",
        Fact(pixel_size_text(x_m, y_m)),
        ", so the area is ",
        Fact(f"{value.value:,.0f} m²"),
        ", about ",
        Fact(quantity_text(value.value, value.unit)),
        ".",
    )
    return _words(told, mask, view, line)


def propose_coverage(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the share of the picture, or of its labelled part, that a class covers."""
    for layer, name in _measurable(scene, rng):
        program = Share(of=class_at(layer, name), within=valid_at(layer))
        value = scene.tried(template.task, program)
        if isinstance(value, Quantity):
            yield template.draft(scene, rng, program, value, pool=name)


def coverage_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark the class, and get from its pixels and the labelled ones to its share."""
    match program, value:
        case Share(of=ClassMask() as mask, within=Valid() as valid), Quantity():
            pass
        case _:
            raise Foreign("coverage asks share(class within valid)")
    if (valid.layer, valid.date) != (mask.layer, mask.date):
        raise Foreign("coverage asks the share of a class in its own layer at its own date")
    line = (
        *_covers(told, mask, view),
        " of ",
        Fact(pixels_text(valid_px(told, mask))),
        " labelled pixels, which is ",
        Fact(quantity_text(value.value, value.unit)),
        ".",
    )
    return _words(told, mask, view, line)


def _measurable(scene: AskedScene, rng: Random) -> Iterator[tuple[MeasuredLayer, str]]:
    for layer in scene.plain_layers:
        names = [
            name
            for name in layer.info.classes
            if MIN_SHARE <= layer.class_px(name) / layer.valid_px <= MAX_SHARE
        ]
        for name in rng.sample(names, min(PER_LAYER, len(names))):
            yield layer, name


def _covers(told: Told, mask: ClassMask, view: View) -> Line:
    kind = land(told, mask)
    return (
        f"{view.lead(mask.date)}I mark {kind.phrase} {SEG}. {capital(it(kind))} {cover(kind)} ",
        Fact(pixels_text(told.px(mask))),
    )


def _words(told: Told, mask: ClassMask, view: View, line: Line) -> Words:
    kind = land(told, mask)
    return Words(
        classes=(mask.label,),
        slots={"a": kind.phrase, "do": do(kind), "whole": whole(told, mask, view)},
        steps=(StepDraft(line=line, mask=mask, label=mask.label, date_index=mask.date),),
    )


AREA = QuestionTemplate(
    task="area",
    version=3,
    wordings=(
        "what is the area of {a} in {whole}?",
        "how large is the area of {a} in {whole}?",
        "how large an area {do} {a} take up in {whole}?",
        "what area of {whole} is taken up by {a}?",
    ),
    propose=propose_area,
    words=area_words,
)
COVERAGE = QuestionTemplate(
    task="coverage",
    version=3,
    wordings=(
        "what percentage of {whole} is covered by {a}?",
        "what share of {whole} {do} {a} make up?",
        "in percent, how much of {whole} is covered by {a}?",
        "what fraction of {whole}, as a percentage, {do} {a} take up?",
    ),
    propose=propose_coverage,
    words=coverage_words,
)
