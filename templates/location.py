"""Localisation: where in the picture a class lies, as a cell of a 3 x 3 grid."""

from collections.abc import Iterator
from random import Random

from schemas.program import CellOf
from schemas.trace import SEG, Fact, cell_text
from schemas.value import Name
from templates.asked import AskedScene, class_at
from templates.draft import Draft, QuestionTemplate, StepDraft

PER_LAYER = 2


def propose(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on classes that lie in one place."""
    for layer in scene.plain_layers():
        names = [name for name in layer.info.classes if layer.class_px(name)]
        for name in rng.sample(names, min(PER_LAYER, len(names))):
            date = layer.info.date_index
            mask = class_at(layer, name)
            program = CellOf(of=mask)
            value = scene.value(template.task, program)
            if not isinstance(value, Name):
                continue
            land, view = scene.land(layer, name), scene.view(rng)
            line = (
                f"{view.lead(date)}I find {land.phrase} {SEG}. The largest patch lies in the ",
                Fact(cell_text(value.value, scene.north_up)),
                f" of {view.place(date)}.",
            )
            yield Draft(
                question=template.ask(
                    rng,
                    a=land.phrase,
                    place=view.place(date),
                    largest="largest" if scene.labelled(layer) else "largest labelled",
                ),
                classes=(name,),
                program=program,
                value=value,
                steps=(StepDraft(line=line, mask=mask, label=name, date_index=date),),
                view=view,
                pool=name,
                balance=name,
            )


LOCATION = QuestionTemplate(
    task="location",
    version=1,
    wordings=(
        "dividing {place} into nine parts, in which one lies the {largest} patch of {a}?",
        "in which ninth of {place} is the {largest} patch of {a} centred?",
        "of the nine parts of {place}, which one holds the middle of the {largest} patch of {a}?",
        "where in {place}, by ninths, does the {largest} patch of {a} lie?",
    ),
    propose=propose,
)
