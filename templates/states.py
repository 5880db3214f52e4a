"""Objects with a state, such as buildings after a disaster: any destroyed, how many, what share."""

from collections.abc import Iterator
from random import Random

from masks.measured import MeasuredLayer
from masks.regions import UNCLASSIFIED
from schemas.program import Count, Div, Exists, Instances
from schemas.trace import SEG, Fact, Line, quantity_text, things_text
from schemas.value import Quantity, Truth
from templates.asked import AskedScene
from templates.draft import Draft, QuestionTemplate, StepDraft
from templates.phrases import be

PER_LAYER = 2


def object_states(scene: AskedScene) -> Iterator[tuple[MeasuredLayer, str, tuple[str, ...]]]:
    """Yield layers at a later date whose objects carry a state, with the states of its classes."""
    for layer in scene.measured.layers:
        attributes = {m.attribute for m in layer.instances} - {""}
        if layer.info.date_index > 0 and attributes:
            for other in scene.measured.layers:
                if attributes <= {*other.info.classes, UNCLASSIFIED} and other is not layer:
                    yield layer, layer.instances[0].label, other.info.classes


def propose_state_exists(
    template: QuestionTemplate, scene: AskedScene, rng: Random
) -> Iterator[Draft]:
    """Yield questions on whether any object ended in a state, such as destroyed."""
    for layer, label, states in object_states(scene):
        for state in rng.sample(states, min(PER_LAYER, len(states))):
            objects = _in_state(layer, label, state)
            program = Exists(of=objects)
            value = scene.value(template.task, program)
            if isinstance(value, Truth):
                yield _state_draft(
                    template, scene, rng, layer, objects, program, value, balance=state
                )


def propose_state_count(
    template: QuestionTemplate, scene: AskedScene, rng: Random
) -> Iterator[Draft]:
    """Yield questions on how many objects ended in a state."""
    for layer, label, states in object_states(scene):
        for state in rng.sample(states, min(PER_LAYER, len(states))):
            objects = _in_state(layer, label, state)
            program = Count(of=objects)
            value = scene.value(template.task, program)
            if isinstance(value, Quantity):
                yield _state_draft(
                    template, scene, rng, layer, objects, program, value, pool=state, balance=state
                )


def propose_state_share(
    template: QuestionTemplate, scene: AskedScene, rng: Random
) -> Iterator[Draft]:
    """Yield questions on the share of objects that ended in a state."""
    for layer, label, states in object_states(scene):
        for state in rng.sample(states, min(PER_LAYER, len(states))):
            objects = _in_state(layer, label, state)
            everything = Instances(layer=objects.layer, label=label, date=objects.date)
            program = Div(a=Count(of=objects), b=Count(of=everything))
            value = scene.value(template.task, program)
            if isinstance(value, Quantity) and 0 < value.value < 1:
                yield _state_draft(template, scene, rng, layer, objects, program, value, pool=state)


def _in_state(layer: MeasuredLayer, label: str, state: str) -> Instances:
    return Instances(
        layer=layer.info.layer, label=label, date=layer.info.date_index, attribute=state
    )


def _state_draft(
    template: QuestionTemplate,
    scene: AskedScene,
    rng: Random,
    layer: MeasuredLayer,
    objects: Instances,
    program: Exists | Count | Div,
    value: Truth | Quantity,
    pool: str = "",
    balance: str = "",
) -> Draft:
    state = str(objects.attribute)
    date = layer.info.date_index
    land = next(words[state] for words in scene.words.values() if state in words)
    everything = Instances(layer=objects.layer, label=objects.label, date=0)
    kind = scene.land(layer, objects.label)
    view = scene.view(rng)
    total = len(layer.selected(objects.label, None))
    found = len(layer.selected(objects.label, state))
    before: Line = (
        f"{view.lead(0)}I mark every {kind.singular} {SEG}, ",
        Fact(things_text(total, kind.singular, kind.phrase)),
        " in all.",
    )
    after: Line = (
        f"{view.lead(date)}I mark every {land.singular} {SEG}, ",
        Fact(things_text(found, land.singular, land.phrase)),
        ".",
    )
    if isinstance(program, Div) and isinstance(value, Quantity):
        after = (*after, " That is ", Fact(quantity_text(value.value, value.unit)), " of them.")
    return Draft(
        question=template.ask(
            rng,
            a=land.phrase,
            be=be(land),
            all=kind.phrase,
            before=view.place(0),
            after=view.place(date),
        ),
        classes=(state,),
        program=program,
        value=value,
        steps=(
            StepDraft(line=before, mask=everything, label=objects.label, date_index=0),
            StepDraft(line=after, mask=objects, label=state, date_index=date),
        ),
        view=view,
        choices=("Yes", "No") if isinstance(value, Truth) else (),
        pool=pool,
        balance=balance,
    )


STATE_EXISTS = QuestionTemplate(
    task="change_exists",
    version=1,
    wordings=(
        "did the event between {before} and {after} leave any {a}?",
        "are there any {a} in {after}, after the event?",
        "after what happened between {before} and {after}, are any {a} to be seen?",
        "does {after} show any {a} that stood in {before}?",
    ),
    propose=propose_state_exists,
)
STATE_COUNT = QuestionTemplate(
    task="change_count",
    version=1,
    wordings=(
        "how many {a} are there in {after}, after the event?",
        "how many {a} did the event between {before} and {after} leave?",
        "count the {a} in {after}. How many are there?",
        "what is the number of {a} after the event, in {after}?",
    ),
    propose=propose_state_count,
)
STATE_SHARE = QuestionTemplate(
    task="change_share",
    version=1,
    wordings=(
        "of the {all} in {before}, what percentage had become {a} by {after}?",
        "what percentage of all {all} does {after} show as {a}?",
        "what share of the {all} in {before}, in percent, counts as {a} in {after}?",
        "after the event, {a} make up what percentage of all {all}?",
    ),
    propose=propose_state_share,
)
