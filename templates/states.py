"""Objects with a state, such as buildings after a disaster: any destroyed, how many, what share."""

from collections.abc import Iterator
from random import Random
from typing import Any

from schemas.program import Count, Div, Exists, Instances
from schemas.trace import SEG, Fact, Line, quantity_text, things_text
from schemas.value import Quantity, Truth, Value
from templates.asked import AskedScene
from templates.draft import Draft, Foreign, QuestionTemplate, StepDraft, Words
from templates.phrases import be
from templates.told import Told, land, state_land
from templates.view import View

PER_LAYER = 2


def drawn_states(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Instances]:
    """Draw leaves of objects in a state at a later date, a few for each layer.

    None where the first date shows more or fewer objects: a question speaks of all of them there.
    """
    for layer in scene.measured.layers:
        states = scene.states(layer)
        if layer.info.date_index == 0 or not states:
            continue
        label = layer.instances[0].label
        for state in rng.sample(states, min(PER_LAYER, len(states))):
            objects = Instances(
                layer=layer.info.layer, label=label, date=layer.info.date_index, attribute=state
            )
            everything = objects.model_copy(update={"attribute": None})
            if scene.num_objects(everything) != scene.num_objects(_before(objects)):
                scene.leave_out(template.task, "objects_differ_by_date")
                continue
            yield objects


def propose_exists(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on whether any object ended in a state, such as destroyed."""
    for objects in drawn_states(template, scene, rng):
        program = Exists(of=objects)
        value = scene.tried(template.task, program)
        if isinstance(value, Truth):
            yield template.draft(scene, rng, program, value, balance=f"{objects.attribute}")


def exists_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark all objects before, and those in the state after."""
    match program, value:
        case Exists(of=Instances() as objects), Truth():
            return _words(objects, told, view, choices=("Yes", "No"))
    raise Foreign("change_exists asks exists(objects in a state)")


def propose_count(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on how many objects ended in a state."""
    for objects in drawn_states(template, scene, rng):
        program = Count(of=objects)
        value = scene.tried(template.task, program)
        if isinstance(value, Quantity):
            state = f"{objects.attribute}"
            yield template.draft(scene, rng, program, value, pool=state, balance=state)


def count_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark all objects before, and those in the state after."""
    match program, value:
        case Count(of=Instances() as objects), Quantity():
            return _words(objects, told, view)
    raise Foreign("change_count asks count(objects in a state)")


def propose_share(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the share of objects that ended in a state: some, and not all."""
    for objects in drawn_states(template, scene, rng):
        program = Div(a=Count(of=objects), b=Count(of=_before(objects)))
        value = scene.tried(template.task, program)
        if not isinstance(value, Quantity):
            continue
        if not 0 < value.value < 1:
            scene.leave_out(template.task, "none_or_all")
            continue
        yield template.draft(scene, rng, program, value, pool=f"{objects.attribute}")


def share_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark all objects before and those in the state after, and say what share these are."""
    match program, value:
        case Div(a=Count(of=Instances() as objects), b=Count(of=Instances() as everything)), (
            Quantity()
        ):
            if everything == _before(objects):
                share = Fact(quantity_text(value.value, value.unit))
                all_of = f" of all {land(told, everything).phrase}."
                return _words(objects, told, view, found=(" That is ", share, all_of))
    raise Foreign("change_share asks count(objects in a state) / count(objects)")


def _before(objects: Instances) -> Instances:
    return Instances(layer=objects.layer, label=objects.label, date=0)


def _words(
    objects: Instances, told: Told, view: View, found: Line = (), choices: tuple[str, ...] = ()
) -> Words:
    if objects.attribute is None or objects.date == 0:
        raise Foreign("a state is asked of objects at a later date")
    everything = _before(objects)
    kind, state = land(told, objects), state_land(told, objects.attribute)
    total, number = told.num_objects(everything), told.num_objects(objects)
    before: Line = (
        f"{view.lead(0)}I mark every {kind.singular} {SEG}, ",
        Fact(things_text(total, kind.singular, kind.phrase)),
        " in all.",
    )
    after: Line = (
        f"{view.lead(objects.date)}I mark every {state.singular} {SEG}, ",
        Fact(things_text(number, state.singular, state.phrase)),
        ".",
        *found,
    )
    return Words(
        classes=(objects.attribute,),
        slots={
            "a": state.phrase,
            "be": be(state),
            "all": kind.phrase,
            "before": view.place(0),
            "after": view.place(objects.date),
        },
        steps=(
            StepDraft(line=before, mask=everything, label=objects.label, date_index=0),
            StepDraft(line=after, mask=objects, label=objects.attribute, date_index=objects.date),
        ),
        choices=choices,
    )


STATE_EXISTS = QuestionTemplate(
    task="change_exists",
    version=4,
    wordings=(
        "did the event between {before} and {after} leave any {a}?",
        "are there any {a} in {after}, after the event?",
        "after what happened between {before} and {after}, are any {a} to be seen?",
        "does {after} show any {a} that stood in {before}?",
    ),
    propose=propose_exists,
    words=exists_words,
    min_dates=2,
)
STATE_COUNT = QuestionTemplate(
    task="change_count",
    version=4,
    wordings=(
        "how many {a} are there in {after}, after the event?",
        "how many {a} did the event between {before} and {after} leave?",
        "count the {a} in {after}. How many are there?",
        "what is the number of {a} after the event, in {after}?",
    ),
    propose=propose_count,
    words=count_words,
    min_dates=2,
)
STATE_SHARE = QuestionTemplate(
    task="change_share",
    version=4,
    wordings=(
        "of the {all} in {before}, what percentage are {a} in {after}?",
        "what percentage of all {all} does {after} show as {a}?",
        "in percent, what share of the {all} in {before} are {a} in {after}?",
        "after the event, {a} make up what percentage of all {all}?",
    ),
    propose=propose_share,
    words=share_words,
    min_dates=2,
)
