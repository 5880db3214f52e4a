"""L2-spatial: what a third of the picture holds, and how much of a class lies in it."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from schemas.program import ClassMask, Majority, NamedMask, Or, Part, Share, Valid
from schemas.tier import Tier
from schemas.trace import SEG, Fact, Line, pixels_text, quantity_text
from schemas.value import Name, Quantity, Value
from templates.asked import AskedScene, class_at, valid_at
from templates.draft import Draft, Foreign, QuestionTemplate, StepDraft, Words
from templates.phrases import capital, cover, it
from templates.several import check_one_layer, listed, marked, seen_classes
from templates.told import Told, is_labelled, land, whole
from templates.view import View

Cells = tuple[int, int, int]
THIRDS: Mapping[Cells, tuple[str, str]] = {  # cells -> name where up is north, and elsewhere
    (0, 1, 2): ("northern third", "upper third"),
    (3, 4, 5): ("middle third from north to south", "middle third from top to bottom"),
    (6, 7, 8): ("southern third", "lower third"),
    (0, 3, 6): ("western third", "left third"),
    (1, 4, 7): ("middle third from west to east", "middle third from left to right"),
    (2, 5, 8): ("eastern third", "right third"),
}
LEAST, MOST = 0.05, 0.95
MOST_NAMED = 2


def third_of(expr: Any, cells: Cells) -> Or:
    """Return the part of a mask expression in a third of the picture."""
    a, b, c = (Part(of=expr, cell=cell) for cell in cells)
    return Or(a=Or(a=a, b=b), b=c)


def third_text(cells: Cells, told: Told) -> str:
    """Return how a third is called."""
    return THIRDS[cells][0 if told.north_up else 1]


def cells_of(expr: Any) -> Cells:
    """Return the third that an expression is cut to; Foreign where it is not `third_of` one."""
    match expr:
        case Or(a=Or(a=Part() as a, b=Part() as b), b=Part() as c):
            cells = (a.cell, b.cell, c.cell)
            if cells in THIRDS and expr == third_of(a.of, cells):
                return cells
    raise Foreign("a third is a row or a column of the 3 x 3 grid")


def propose_share(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the share of a class that lies in a third of the picture."""
    for pairs in scene.pairs:
        for name in rng.sample(names := seen_classes(pairs), len(names)):
            mask, cells = class_at(pairs.layer, name), rng.choice(list(THIRDS))
            program = Share(of=third_of(mask, cells), within=mask)
            value = scene.tried(template.task, program)
            if isinstance(value, Quantity) and LEAST <= value.value <= MOST:
                yield template.draft(scene, rng, program, value, pool=name)
                return


def share_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark the class, mark what of it lies in the third, and say what share that is."""
    match program, value:
        case Share(of=Or() as part, within=ClassMask() as mask), Quantity():
            cells = cells_of(part)
        case _:
            raise Foreign("part_share asks share(class in a third, within the class)")
    if part != third_of(mask, cells):
        raise Foreign("part_share asks of one class")
    kind, third = land(told, mask), third_text(cells, told)
    found: Line = (
        f"{view.lead(mask.date)}I mark the part that lies in the {third} {SEG}, ",
        Fact(pixels_text(told.px(part))),
        " pixels, which is ",
        Fact(quantity_text(value.value, value.unit)),
        ".",
    )
    return Words(
        classes=(mask.label,),
        slots={"a": kind.phrase, "third": third, "place": view.place(mask.date)},
        steps=(
            marked(mask, told, view),
            StepDraft(line=found, mask=part, label=mask.label, date_index=mask.date),
        ),
    )


def propose_majority(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on which class covers more than half of a third of the picture."""
    for pairs in scene.pairs:
        layer = pairs.layer
        names = sorted(seen_classes(pairs), key=lambda name: -layer.class_px(name))[:MOST_NAMED]
        if len(names) < 2:
            continue
        named = tuple(
            NamedMask(name=scene.land(layer, name).phrase, mask=class_at(layer, name))
            for name in sorted(names)
        )
        for cells in rng.sample(list(THIRDS), len(THIRDS)):
            program = Majority(of=named, within=third_of(valid_at(layer), cells))
            value = scene.tried(template.task, program)
            if isinstance(value, Name):
                balance = " / ".join(sorted(names))
                yield template.draft(scene, rng, program, value, balance=balance)
                return


def majority_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark what of each class lies in the third, and say which of them covers over half of it."""
    match program, value:
        case Majority(within=Or() as within), Name():
            cells = cells_of(within)
            masks = [n.mask for n in program.of if isinstance(n.mask, ClassMask)]
        case _:
            raise Foreign("majority_part asks majority(classes, within a third)")
    phrases = tuple(land(told, mask).phrase for mask in masks)
    if phrases != tuple(named.name for named in program.of):
        raise Foreign(f"majority_part names the classes {phrases}")
    check_one_layer(masks)
    valid = Valid(layer=masks[0].layer, date=masks[0].date)
    if within != third_of(valid, cells):
        raise Foreign("majority_part asks of all labelled pixels of the third")
    third = third_text(cells, told)
    of_all = "" if is_labelled(told, valid) else " labelled"
    found: Line = (
        "The third has ",
        Fact(pixels_text(told.px(within))),
        f"{of_all} pixels; over half of them are covered by ",
        Fact(value.value),
        ".",
    )
    return Words(
        classes=tuple(mask.label for mask in masks),
        slots={
            "whole": f"the {third} of {whole(told, valid, view)}",
            "named": listed(phrases, "or"),
            "both": listed(phrases, "and"),
        },
        steps=(*(_in_third(mask, cells, told, view) for mask in masks), StepDraft(line=found)),
        choices=phrases,
    )


def _in_third(mask: ClassMask, cells: Cells, told: Told, view: View) -> StepDraft:
    kind, part = land(told, mask), third_of(mask, cells)
    third = third_text(cells, told)
    if told.px(part) == 0:
        none = f"{view.lead(mask.date)}I look for {kind.phrase} in the {third} and find none."
        return StepDraft(line=(none,))
    line: Line = (
        f"{view.lead(mask.date)}I mark {kind.phrase} in the {third} {SEG}. "
        f"{capital(it(kind))} {cover(kind)} ",
        Fact(pixels_text(told.px(part))),
        " pixels.",
    )
    return StepDraft(line=line, mask=part, label=mask.label, date_index=mask.date)


PART_SHARE = QuestionTemplate(
    task="part_share",
    version=1,
    tier=Tier.L2_SPATIAL,
    wordings=(
        "what share of {a} lies in the {third} of {place}?",
        "of all {a} in {place}, what percentage lies in the {third}?",
        "how much of {a}, in percent, lies in the {third} of {place}?",
        "in {place}, what part of {a} is found in the {third}, as a percentage?",
    ),
    propose=propose_share,
    words=share_words,
)
MAJORITY_PART = QuestionTemplate(
    task="majority_part",
    version=1,
    tier=Tier.L2_SPATIAL,
    wordings=(
        "which covers more than half of {whole}: {named}?",
        "more than half of {whole} is covered by one class; is it {named}?",
        "what makes up over half of {whole}: {named}?",
        "of {both}, which takes up most of {whole}?",
    ),
    propose=propose_majority,
    words=majority_words,
)
