"""L2-spatial: where in the picture the destroyed buildings lie, and how many stayed whole."""

from collections.abc import Iterator
from random import Random
from typing import Any

from schemas.program import Compare, Count, Instances, Majority, NamedMask
from schemas.tier import Tier
from schemas.trace import SEG, Fact, Line, pixels_text, things_text
from schemas.value import Name, Truth, Value
from templates.asked import AskedScene
from templates.damaged import damaged
from templates.draft import Draft, Foreign, QuestionTemplate, StepDraft, Words
from templates.parts import Cells, third_of, third_text
from templates.told import Told, land, state_land
from templates.view import View

ROWS: tuple[Cells, ...] = ((0, 1, 2), (3, 4, 5), (6, 7, 8))
COLUMNS: tuple[Cells, ...] = ((0, 3, 6), (1, 4, 7), (2, 5, 8))
UNDAMAGED = "no-damage"
LEAST_DESTROYED = 2  # of one alone nobody asks where most of them lie


def propose_where(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the third that holds over half of the destroyed buildings' ground."""
    view = scene.view(rng)
    found = damaged(scene, view)
    if found is None or scene.num_objects(found.destroyed) < LEAST_DESTROYED:
        return
    thirds = rng.choice((ROWS, COLUMNS))
    program = _where(found.destroyed, thirds, scene)
    value = scene.tried(template.task, program)
    if isinstance(value, Name):
        yield template.draft(scene, rng, program, value, view=view, balance=f"{thirds}")


def where_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark all destroyed buildings, then those of each third, and say where most are."""
    match program, value:
        case Majority(within=Instances() as objects), Name():
            pass
        case _:
            raise Foreign("destroyed_where asks majority(destroyed in thirds, within destroyed)")
    thirds = next((t for t in (ROWS, COLUMNS) if program == _where(objects, t, told)), None)
    if thirds is None or objects.attribute is None:
        raise Foreign("destroyed_where goes through the rows or the columns of thirds")
    kind = state_land(told, objects.attribute)
    lead = view.lead(objects.date)
    everything: Line = (
        f"{lead}I mark every {kind.singular} {SEG}, ",
        Fact(things_text(told.num_objects(objects), kind.singular, kind.phrase)),
        " in all.",
    )
    names = tuple(third_text(cells, told) for cells in thirds)
    return Words(
        classes=(objects.attribute,),
        slots={"objects": kind.phrase, "after": view.place(objects.date)},
        steps=(
            StepDraft(
                line=everything, mask=objects, label=objects.attribute, date_index=objects.date
            ),
            *(_in_third(objects, cells, told, view) for cells in thirds),
            StepDraft(line=("Over half of their ground lies in the ", Fact(value.value), ".")),
        ),
        choices=names,
    )


def propose_more(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on whether more buildings were destroyed than stayed undamaged."""
    view = scene.view(rng)
    found = damaged(scene, view)
    if found is None:
        return
    whole = found.destroyed.model_copy(update={"attribute": UNDAMAGED})
    program = Compare(a=Count(of=found.destroyed), relation=">", b=Count(of=whole))
    value = scene.tried(template.task, program)
    if isinstance(value, Truth):
        yield template.draft(scene, rng, program, value, view=view, balance="more")


def more_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark the destroyed and the undamaged buildings, count both, and compare."""
    match program, value:
        case (
            Compare(a=Count(of=Instances() as a), relation=">", b=Count(of=Instances() as b)),
            Truth(),
        ) if a.attribute and b == a.model_copy(update={"attribute": UNDAMAGED}):
            pass
        case _:
            raise Foreign("more_destroyed asks count(destroyed) > count(undamaged)")
    kinds = (state_land(told, f"{a.attribute}"), state_land(told, UNDAMAGED))
    outnumber = "outnumber" if value.value else "do not outnumber"
    return Words(
        classes=(f"{a.attribute}", UNDAMAGED),
        slots={
            "a": kinds[0].phrase,
            "b": kinds[1].phrase,
            "objects": land(told, a).phrase,
            "after": view.place(a.date),
        },
        steps=(
            _counted(a, told, view),
            _counted(b, told, view),
            StepDraft(line=(f"So {kinds[0].phrase} {outnumber} {kinds[1].phrase}.",)),
        ),
        choices=("Yes", "No"),
    )


def _where(objects: Instances, thirds: tuple[Cells, ...], told: Told) -> Majority:
    named = tuple(
        NamedMask(name=third_text(cells, told), mask=third_of(objects, cells)) for cells in thirds
    )
    return Majority(of=named, within=objects)


def _in_third(objects: Instances, cells: Cells, told: Told, view: View) -> StepDraft:
    part, third = third_of(objects, cells), third_text(cells, told)
    lead = view.lead(objects.date)
    if told.px(part) == 0:
        return StepDraft(line=(f"{lead}None of their ground lies in the {third}.",))
    line: Line = (
        f"{lead}I mark their ground in the {third} {SEG}, ",
        Fact(pixels_text(told.px(part))),
        " pixels.",
    )
    return StepDraft(line=line, mask=part, label=f"{objects.attribute}", date_index=objects.date)


def _counted(objects: Instances, told: Told, view: View) -> StepDraft:
    kind, number = state_land(told, f"{objects.attribute}"), told.num_objects(objects)
    lead = view.lead(objects.date)
    things = Fact(things_text(number, kind.singular, kind.phrase))
    if number == 0:
        return StepDraft(line=(f"{lead}I look for {kind.phrase} and find none.",))
    return StepDraft(
        line=(f"{lead}I mark every {kind.singular} {SEG}, ", things, " in all."),
        mask=objects,
        label=f"{objects.attribute}",
        date_index=objects.date,
    )


DESTROYED_WHERE = QuestionTemplate(
    task="destroyed_where",
    version=1,
    tier=Tier.L2_SPATIAL,
    wordings=(
        "in which third of {after} does over half of the ground of the {objects} lie?",
        "over half of the ground of the {objects} lies in one third of {after}; in which?",
        "which third of {after} holds most of the ground of the {objects}?",
        "where in {after}, by thirds, does more than half of the ground of the {objects} lie?",
    ),
    propose=propose_where,
    words=where_words,
    min_dates=2,
)
MORE_DESTROYED = QuestionTemplate(
    task="more_destroyed",
    version=1,
    tier=Tier.L2_SPATIAL,
    wordings=(
        "are there more {a} than {b} in {after}?",
        "in {after}, do {a} outnumber {b}?",
        "counting {objects} in {after}: are there more {a} than {b}?",
        "do the {a} in {after} outnumber the {b}?",
    ),
    propose=propose_more,
    words=more_words,
    min_dates=2,
)
