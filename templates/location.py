"""Localisation: where in the picture a class lies, as a cell of a 3 x 3 grid."""

from collections.abc import Iterator
from random import Random
from typing import Any

from schemas.program import CellOf, ClassMask
from schemas.trace import SEG, Fact, cell_text
from schemas.value import Name, Value
from templates.asked import AskedScene, class_at
from templates.draft import Draft, Foreign, QuestionTemplate, StepDraft, Words
from templates.told import Told, is_labelled, land
from templates.view import View

PER_LAYER = 2
MIN_SHARE = 0.005  # of the labelled pixels: a smaller class is hardly seen


def propose(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on classes that lie in one place."""
    for layer in scene.plain_layers:
        names = [
            name
            for name in layer.info.classes
            if layer.class_px(name) >= MIN_SHARE * layer.valid_px
            and not scene.land(layer, name).countable
        ]
        for name in rng.sample(names, min(PER_LAYER, len(names))):
            program = CellOf(of=class_at(layer, name))
            value = scene.tried(template.task, program)
            if isinstance(value, Name):
                yield template.draft(scene, rng, program, value, pool=name, balance=name)


def words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark the class, and say where its largest patch lies."""
    match program, value:
        case CellOf(of=ClassMask() as mask), Name():
            pass
        case _:
            raise Foreign("location asks cell(class)")
    kind, place = land(told, mask), view.place(mask.date)
    line = (
        f"{view.lead(mask.date)}I find {kind.phrase} {SEG}. "
        "The middle of the largest patch lies in the ",
        Fact(cell_text(value.value, told.north_up)),
        f" of {place}.",
    )
    largest = "largest" if is_labelled(told, mask) else "largest labelled"
    return Words(
        classes=(mask.label,),
        slots={"a": kind.phrase, "place": place, "largest": largest},
        steps=(StepDraft(line=line, mask=mask, label=mask.label, date_index=mask.date),),
    )


LOCATION = QuestionTemplate(
    task="location",
    version=4,
    wordings=(
        "on a 3 × 3 grid over {place}, in which cell is the {largest} patch of {a} centred?",
        "dividing {place} into 3 × 3 parts, which part holds the middle of the {largest} patch of "
        "{a}?",
        "in which part of a 3 × 3 grid over {place} does the centre of the {largest} patch of {a} "
        "lie?",
        "where in {place}, on a 3 × 3 grid, is the middle of the {largest} patch of {a}?",
    ),
    propose=propose,
    words=words,
)
