"""Existence: is there any A, with true negatives."""

from collections.abc import Iterator
from random import Random

from masks.measured import MeasuredLayer
from schemas.program import ClassMask, Exists
from schemas.taxonomy import LandClass
from schemas.trace import SEG, Fact, pixels_text
from schemas.value import Truth
from templates.asked import AskedScene, View, class_at
from templates.draft import Draft, QuestionTemplate, StepDraft
from templates.phrases import be, capital, cover, is_there_any, it

PER_ANSWER = 2  # questions a layer and answer; selection evens out what the scenes offer


def propose(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield a few questions on classes that are there and on classes that are not."""
    for layer in scene.plain_layers():
        present = [name for name in layer.info.classes if layer.class_px(name)]
        absent = [name for name in layer.info.classes if not layer.class_px(name)]
        for names in (present, absent if layer.closed else []):
            for name in rng.sample(names, min(PER_ANSWER, len(names))):
                draft = _draft(template, scene, rng, layer, name)
                if draft is not None:
                    yield draft


def _draft(
    template: QuestionTemplate, scene: AskedScene, rng: Random, layer: MeasuredLayer, name: str
) -> Draft | None:
    mask = class_at(layer, name)
    program = Exists(of=mask)
    value = scene.value(template.task, program)
    if not isinstance(value, Truth):
        return None
    land, view = scene.land(layer, name), scene.view(rng)
    return Draft(
        question=template.ask(
            rng,
            there=is_there_any(land),
            be=be(land),
            a=land.phrase,
            place=scene.whole(layer, view),
        ),
        classes=(name,),
        program=program,
        value=value,
        steps=(_step(layer, land, view, mask),),
        view=view,
        choices=("Yes", "No"),
        balance=name,
    )


def _step(layer: MeasuredLayer, land: LandClass, view: View, mask: ClassMask) -> StepDraft:
    date = layer.info.date_index
    look = f"{view.lead(date)}I look for {land.phrase} {SEG}."
    found_px = layer.class_px(mask.label)
    found: tuple[str | Fact, ...] = (f"{look} No pixel shows {land.phrase}.",)
    if found_px:
        found = (
            f"{look} {capital(it(land))} {cover(land)} ",
            Fact(pixels_text(found_px)),
            " pixels.",
        )
    return StepDraft(line=found, mask=mask, label=mask.label, date_index=date)


EXISTENCE = QuestionTemplate(
    task="existence",
    version=1,
    wordings=(
        "{there} {a} in {place}?",
        "{be} {a} present in {place}?",
        "can {a} be found anywhere in {place}?",
        "does {place} contain any {a}?",
        "looking over {place}, {there} {a}?",
    ),
    propose=propose,
)
