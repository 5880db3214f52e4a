"""Existence: is there any A, with true negatives."""

from collections.abc import Iterator
from random import Random
from typing import Any

from schemas.program import ClassMask, Exists
from schemas.trace import SEG, Fact, Line, pixels_text
from schemas.value import Truth, Value
from templates.asked import AskedScene, class_at
from templates.draft import Draft, Foreign, QuestionTemplate, StepDraft, Words
from templates.phrases import be, capital, cover, is_there_any, it
from templates.told import Told, land, whole
from templates.view import View

PER_ANSWER = 2  # questions a layer and answer; selection evens out what the scenes offer


def propose(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield a few questions on classes that are there and on classes that are not."""
    for layer in scene.plain_layers:
        # a state of objects, such as destroyed, is asked of the objects (templates.states)
        names = [name for name in layer.info.classes if name not in scene.object_states]
        present = [name for name in names if layer.class_px(name)]
        absent = [name for name in names if not layer.class_px(name)]
        for some in (present, absent if layer.closed else []):
            for name in rng.sample(some, min(PER_ANSWER, len(some))):
                program = Exists(of=class_at(layer, name))
                value = scene.tried(template.task, program)
                if isinstance(value, Truth):
                    yield template.draft(scene, rng, program, value, balance=name)


def words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Say whether a class is there: mark it, and tell its pixels or that there are none."""
    match program:
        case Exists(of=ClassMask() as mask):
            pass
        case _:
            raise Foreign("existence asks exists(class)")
    kind = land(told, mask)
    found_px = told.px(mask)
    line: Line = (f"{view.lead(mask.date)}I look for {kind.phrase} {SEG}. ",)
    if found_px:
        covers = f"{capital(it(kind))} {cover(kind)} "
        line = (*line, covers, Fact(pixels_text(found_px)), " pixels.")
    else:
        line = (*line, f"No pixel shows {kind.phrase}.")
    return Words(
        classes=(mask.label,),
        slots={
            "there": is_there_any(kind),
            "be": be(kind),
            "a": kind.phrase,
            "place": whole(told, mask, view),
        },
        steps=(StepDraft(line=line, mask=mask, label=mask.label, date_index=mask.date),),
        choices=("Yes", "No"),
    )


EXISTENCE = QuestionTemplate(
    task="existence",
    version=3,
    wordings=(
        "{there} {a} in {place}?",
        "{be} {a} present in {place}?",
        "can {a} be found anywhere in {place}?",
        "does {place} contain any {a}?",
        "looking over {place}, {there} {a}?",
    ),
    propose=propose,
    words=words,
)
