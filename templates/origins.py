"""L2-spatial: what the ground that a class gained was before."""

from collections.abc import Iterator
from random import Random
from typing import Any

from schemas.program import And, ClassMask, Share
from schemas.tier import Tier
from schemas.trace import SEG, Fact, Line, pixels_text, quantity_text
from schemas.value import Quantity, Value
from templates.asked import AskedScene
from templates.change import changes, read_moved
from templates.draft import Draft, Foreign, QuestionTemplate, StepDraft, Words
from templates.phrases import was
from templates.told import Told, land
from templates.view import View

LEAST, MOST = 0.05, 0.95


def propose(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the share of a class's new ground that was another class before."""
    for found in changes(scene):
        for change in rng.sample(found, len(found)):
            gained = change.moved(gained=True)
            others = [other.before for other in found if other != change]
            for other in rng.sample(others, len(others)):
                program = Share(of=And(a=gained, b=other), within=gained)
                value = scene.tried(template.task, program)
                if isinstance(value, Quantity) and LEAST <= value.value <= MOST:
                    pool = f"{change.after.label} / {other.label}"
                    yield template.draft(scene, rng, program, value, pool=pool)
                    return


def words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark the new ground, mark what of it was the other class, and say what share that is."""
    match program, value:
        case Share(of=And(a=And() as gained, b=ClassMask() as other) as part), Quantity():
            change, is_gain = read_moved(gained)
        case _:
            raise Foreign("ground_from asks share(gained and class before, within gained)")
    if program.within != gained or not is_gain or other.date != change.before.date:
        raise Foreign("ground_from asks what the ground gained was before")
    kind, before = land(told, change.after), land(told, other)
    found: Line = (
        f"{view.lead(other.date)}I mark the part of that ground where there {was(before)} "
        f"{before.phrase} {SEG}, ",
        Fact(pixels_text(told.px(part))),
        " pixels of ",
        Fact(pixels_text(told.px(gained))),
        ", which is ",
        Fact(quantity_text(value.value, value.unit)),
        ".",
    )
    return Words(
        classes=(change.after.label, other.label),
        slots={
            "a": kind.phrase,
            "b": before.phrase,
            "was": was(before),
            "before": view.place(change.before.date),
            "after": view.place(change.after.date),
        },
        steps=(
            change.step(told, view, gained=True),
            StepDraft(line=found, mask=part, label=other.label, date_index=other.date),
        ),
    )


GROUND_FROM = QuestionTemplate(
    task="ground_from",
    version=1,
    tier=Tier.L2_SPATIAL,
    wordings=(
        "of the ground that {a} gained from {before} to {after}, what share {was} {b} in {before}?",
        "what percentage of the new ground of {a} in {after} {was} {b} in {before}?",
        "from {before} to {after}, how much of what {a} gained {was} {b} before, in percent?",
        "what part of the ground newly taken by {a} in {after} {was} {b} in {before}, in percent?",
    ),
    propose=propose,
    words=words,
    min_dates=2,
)
