"""Counting: how many separate areas of a class, or how many objects."""

from collections.abc import Iterator
from random import Random
from typing import Any

from schemas.mask import MIN_COMPONENT_PX
from schemas.program import ClassMask, Count, Instances
from schemas.trace import SEG, Fact, things_text
from schemas.value import Quantity, Value
from templates.asked import AskedScene, class_at
from templates.draft import Draft, Foreign, QuestionTemplate, StepDraft, Words
from templates.told import Told, land, whole
from templates.view import View

PER_LAYER = 2
AREA_OPTIONS = 3  # most classes fall into few areas: four clearly different counts are rare


def propose_areas(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the number of separate areas of land-cover classes."""
    for layer in scene.plain_layers:
        names = [
            name
            for name in layer.info.classes
            if layer.class_px(name) >= MIN_COMPONENT_PX and not scene.land(layer, name).countable
        ]
        for name in rng.sample(names, min(PER_LAYER, len(names))):
            program = Count(of=class_at(layer, name), min_component_px=MIN_COMPONENT_PX)
            value = scene.tried(template.task, program)
            if not isinstance(value, Quantity):
                continue
            if value.value == 0:
                scene.leave_out(template.task, "only_specks")
                continue
            yield template.draft(
                scene, rng, program, value,
                pool=name, num_options=AREA_OPTIONS, balance="any class",
            )  # fmt: skip


def area_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark the class, and say how many patches the mask holds."""
    match program, value:
        case Count(of=ClassMask() as mask, min_component_px=floor_px), Quantity():
            pass
        case _:
            raise Foreign("count_areas asks count(class)")
    kind = land(told, mask)
    floor = f"{floor_px} pixels"
    line = (
        f"{view.lead(mask.date)}I mark {kind.phrase} {SEG}. The mask holds ",
        Fact(things_text(int(value.value), "separate patch", "separate patches")),
        f" of at least {floor}.",
    )
    return Words(
        classes=(mask.label,),
        slots={"a": kind.phrase, "place": whole(told, mask, view), "floor": floor},
        steps=(StepDraft(line=line, mask=mask, label=mask.label, date_index=mask.date),),
    )


def propose_objects(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the number of objects, such as all buildings at one date."""
    for layer in scene.plain_layers:
        for name in sorted({m.label for m in layer.instances}):
            if not scene.land(layer, name).countable:
                continue
            objects = Instances(layer=layer.info.layer, label=name, date=layer.info.date_index)
            program = Count(of=objects)
            value = scene.tried(template.task, program)
            if isinstance(value, Quantity):
                yield template.draft(scene, rng, program, value, pool=name, balance="any class")


def object_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark every object, and say how many there are."""
    match program, value:
        case Count(of=Instances(attribute=None) as objects), Quantity():
            pass
        case _:
            raise Foreign("count_objects asks count(objects)")
    kind = land(told, objects)
    there = "There is " if value.value == 1 else "There are "
    line = (
        f"{view.lead(objects.date)}I mark every {kind.singular} {SEG}. {there}",
        Fact(things_text(int(value.value), kind.singular, kind.phrase)),
        ".",
    )
    step = StepDraft(line=line, mask=objects, label=objects.label, date_index=objects.date)
    return Words(
        classes=(objects.label,),
        slots={"a": kind.phrase, "place": whole(told, objects, view)},
        steps=(step,),
    )


AREA_COUNT = QuestionTemplate(
    task="count_areas",
    version=3,
    wordings=(
        "how many separate patches of {a} are there in {place}, leaving out any under {floor}?",
        "leaving out patches under {floor}, how many separate patches of {a} does {place} show?",
        "count the separate patches of {a} in {place} of at least {floor}. How many are there?",
        "what is the number of separate patches of {a} of at least {floor} in {place}?",
    ),
    propose=propose_areas,
    words=area_words,
)
OBJECT_COUNT = QuestionTemplate(
    task="count_objects",
    version=3,
    wordings=(
        "how many {a} are there in {place}?",
        "count the {a} in {place}. How many are there?",
        "what is the number of {a} in {place}?",
        "how many {a} does {place} show?",
    ),
    propose=propose_objects,
    words=object_words,
)
