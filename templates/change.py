"""Change between two dates: what was gained or lost, which grew more, what was destroyed."""

from collections.abc import Iterator
from itertools import combinations
from random import Random

from masks.measured import MeasuredLayer
from schemas.program import (
    Area,
    ArgMax,
    Count,
    Div,
    Exists,
    Instances,
    Minus,
    NamedNumber,
    Share,
    Valid,
)
from schemas.trace import SEG, Fact, Line, pixels_text, quantity_text, things_text
from schemas.value import Name, Quantity, Truth
from templates.asked import AskedScene, View, class_at
from templates.draft import Draft, QuestionTemplate, StepDraft
from templates.phrases import be

PAIRS_TRIED = 3
PER_LAYER = 2


def two_dates(scene: AskedScene) -> Iterator[tuple[MeasuredLayer, MeasuredLayer]]:
    """Yield the first and the last date of each layer that one product shows more than once."""
    for dates in scene.dated_layers():
        if len(dates) > 1:
            yield dates[0], dates[-1]


def changed_classes(before: MeasuredLayer, after: MeasuredLayer) -> list[str]:
    """Return the classes whose mask differs between two dates."""
    return [
        name
        for name in before.info.classes
        if getattr(before.class_masks.get(name), "counts", b"")
        != getattr(after.class_masks.get(name), "counts", b"")
    ]


def propose_amount(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on what a class gained or lost: its area, or without pixel size its share."""
    for before, after in two_dates(scene):
        names = changed_classes(before, after)
        for name in rng.sample(names, min(PER_LAYER, len(names))):
            gained = rng.random() < 0.5
            old, new = class_at(before, name), class_at(after, name)
            moved = Minus(a=new, b=old) if gained else Minus(a=old, b=new)
            program: Area | Share = Area(of=moved)
            if scene.measured.evidence.pixel_size_m is None:
                program = Share(of=moved, within=_valid(after))
            value = scene.value(template.task, program)
            if not isinstance(value, Quantity) or value.value == 0:
                continue
            view = scene.view(rng)
            yield Draft(
                question=template.ask(
                    rng,
                    a=scene.land(before, name).phrase,
                    gain="gain" if gained else "lose",
                    amount="area" if value.unit == "m2" else "percentage of the image",
                    before=view.place(before.info.date_index),
                    after=view.place(after.info.date_index),
                ),
                classes=(name,),
                program=program,
                value=value,
                steps=(
                    *_both(scene, view, before, after, name),
                    StepDraft(
                        line=(
                            f"What was {'gained' if gained else 'lost'} measures ",
                            Fact(quantity_text(value.value, value.unit)),
                            ".",
                        )
                    ),
                ),
                view=view,
                pool=f"{name} {value.unit}",
            )


def propose_which(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on which of two classes gained more of the picture."""
    for before, after in two_dates(scene):
        pairs = list(combinations(changed_classes(before, after), 2))
        for pair in rng.sample(pairs, min(PAIRS_TRIED, len(pairs))):
            lands = [scene.land(before, name) for name in pair]
            program = ArgMax(
                of=tuple(
                    NamedNumber(
                        name=land.phrase,
                        value=Share(
                            of=Minus(a=class_at(after, name), b=class_at(before, name)),
                            within=_valid(after),
                        ),
                    )
                    for name, land in zip(pair, lands, strict=True)
                )
            )
            value = scene.value(template.task, program)
            if not isinstance(value, Name):
                continue
            view = scene.view(rng)
            yield Draft(
                question=template.ask(
                    rng,
                    a=lands[0].phrase,
                    b=lands[1].phrase,
                    before=view.place(before.info.date_index),
                    after=view.place(after.info.date_index),
                ),
                classes=pair,
                program=program,
                value=value,
                steps=(
                    *_both(scene, view, before, after, pair[0]),
                    *_both(scene, view, before, after, pair[1]),
                    StepDraft(line=("The larger gain is that of ", Fact(value.value), ".")),
                ),
                view=view,
                choices=(lands[0].phrase, lands[1].phrase),
                balance=" / ".join(pair),
            )


def _valid(layer: MeasuredLayer) -> Valid:
    return Valid(layer=layer.info.layer, date=layer.info.date_index)


def _both(
    scene: AskedScene, view: View, before: MeasuredLayer, after: MeasuredLayer, name: str
) -> Iterator[StepDraft]:
    """Yield the steps that mark a class before and after."""
    phrase = scene.land(before, name).phrase
    for layer in (before, after):
        date = layer.info.date_index
        line: Line = (
            f"{view.lead(date)}I mark {phrase} {SEG}, ",
            Fact(pixels_text(layer.class_px(name))),
            " pixels.",
        )
        yield StepDraft(line=line, mask=class_at(layer, name), label=name, date_index=date)


def object_states(scene: AskedScene) -> Iterator[tuple[MeasuredLayer, str, tuple[str, ...]]]:
    """Yield layers at a later date whose objects carry a state, with the states of its classes."""
    for layer in scene.measured.layers:
        attributes = {m.attribute for m in layer.instances} - {""}
        if layer.info.date_index > 0 and attributes:
            states = next(
                other.info.classes
                for other in scene.measured.layers
                if other.info.layer != layer.info.layer
                and other.info.date_index == layer.info.date_index
            )
            label = layer.instances[0].label
            yield layer, label, states


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


CHANGE_AMOUNT = QuestionTemplate(
    task="change_amount",
    version=1,
    wordings=(
        "what {amount} did {a} {gain} between {before} and {after}?",
        "from {before} to {after}, what {amount} did {a} {gain}?",
        "comparing {before} with {after}, what {amount} did {a} {gain}?",
        "what {amount} did {a} {gain} from {before} to {after}?",
    ),
    propose=propose_amount,
)
CHANGE_WHICH = QuestionTemplate(
    task="change_which",
    version=1,
    wordings=(
        "between {before} and {after}, which took over more new ground: {a} or {b}?",
        "which gained more new area from {before} to {after}, {a} or {b}?",
        "of {a} and {b}, which spread over more new ground between {before} and {after}?",
        "comparing {before} with {after}, where was the larger gain: {a} or {b}?",
    ),
    propose=propose_which,
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
        "what percentage of the {all} seen in {before} are {a} in {after}?",
        "of all {all} in {before}, what percentage are {a} after the event?",
        "what share of the {all}, in percent, are {a} in {after}?",
        "after the event, what percentage of the {all} are {a}?",
    ),
    propose=propose_state_share,
)
