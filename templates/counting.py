"""Counting: how many separate areas of a class, or how many objects."""

from collections.abc import Iterator
from random import Random

from masks.measured import MeasuredLayer
from schemas.program import Count, Instances
from schemas.trace import SEG, Fact, things_text
from schemas.value import Quantity
from templates.asked import AskedScene, class_at
from templates.draft import Draft, QuestionTemplate, StepDraft
from templates.phrases import be

PER_LAYER = 2
AREA_OPTIONS = 3  # most classes fall into few areas: four clearly different counts are rare
MIN_COMPONENT_PX = 9  # a 3 x 3 block: smaller specks are not counted
FLOOR = f"{MIN_COMPONENT_PX} pixels"


def propose_areas(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the number of separate areas of land-cover classes."""
    for layer in scene.plain_layers():
        names = [n for n in layer.info.classes if layer.class_px(n) >= MIN_COMPONENT_PX]
        names = [n for n in names if not scene.land(layer, n).countable]
        for name in rng.sample(names, min(PER_LAYER, len(names))):
            date = layer.info.date_index
            mask = class_at(layer, name)
            program = Count(of=mask, min_component_px=MIN_COMPONENT_PX)
            value = scene.value(template.task, program)
            if not isinstance(value, Quantity) or value.value < 1:
                continue
            land, view = scene.land(layer, name), scene.view(rng)
            found = Fact(things_text(int(value.value), "separate patch", "separate patches"))
            line = (
                f"{view.lead(date)}I mark {land.phrase} {SEG}. The mask falls into ",
                found,
                f" of at least {FLOOR}.",
            )
            yield Draft(
                question=template.ask(
                    rng, a=land.phrase, place=scene.whole(layer, view), floor=FLOOR
                ),
                classes=(name,),
                program=program,
                value=value,
                steps=(StepDraft(line=line, mask=mask, label=name, date_index=date),),
                view=view,
                pool=name,
                num_options=AREA_OPTIONS,
                balance="any class",
            )


def propose_objects(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the number of objects, such as all buildings at one date."""
    for layer in scene.plain_layers():
        for name in sorted({m.label for m in layer.instances}):
            draft = _objects_draft(template, scene, rng, layer, name)
            if draft is not None:
                yield draft


def _objects_draft(
    template: QuestionTemplate, scene: AskedScene, rng: Random, layer: MeasuredLayer, name: str
) -> Draft | None:
    date = layer.info.date_index
    objects = Instances(layer=layer.info.layer, label=name, date=date)
    program = Count(of=objects)
    value = scene.value(template.task, program)
    land = scene.land(layer, name)
    if not isinstance(value, Quantity) or not land.countable:
        return None
    view = scene.view(rng)
    line = (
        f"{view.lead(date)}I mark every {land.singular} {SEG}. There {be(land)} ",
        Fact(things_text(int(value.value), land.singular, land.phrase)),
        ".",
    )
    return Draft(
        question=template.ask(rng, a=land.phrase, place=scene.whole(layer, view)),
        classes=(name,),
        program=program,
        value=value,
        steps=(StepDraft(line=line, mask=objects, label=name, date_index=date),),
        view=view,
        pool=name,
        balance="any class",
    )


AREA_COUNT = QuestionTemplate(
    task="count_areas",
    version=1,
    wordings=(
        "how many separate patches of {a} are there in {place}, leaving out any under {floor}?",
        "leaving out patches under {floor}, how many separate patches of {a} does {place} show?",
        "count the separate patches of {a} in {place} of at least {floor}. How many are there?",
        "what is the number of separate patches of {a} of at least {floor} in {place}?",
    ),
    propose=propose_areas,
)
OBJECT_COUNT = QuestionTemplate(
    task="count_objects",
    version=1,
    wordings=(
        "how many {a} are there in {place}?",
        "count the {a} in {place}. How many are there?",
        "what is the number of {a} in {place}?",
        "how many {a} does {place} show?",
    ),
    propose=propose_objects,
)
