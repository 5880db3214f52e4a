"""L2-spatial: classes compared in two ways at once: borders, sizes, and both together."""

from collections.abc import Iterator
from random import Random
from typing import Any

from schemas.program import (
    All,
    Area,
    ArgMax,
    Border,
    BorderLength,
    ClassMask,
    Compare,
    Div,
    NamedNumber,
    Share,
    Valid,
)
from schemas.taxonomy import LandClass
from schemas.tier import Tier
from schemas.trace import Fact, Line, quantity_text
from schemas.value import Name, Quantity, Truth, Undefined, Value
from templates.asked import AskedScene, class_at, valid_at
from templates.draft import Draft, Foreign, QuestionTemplate, StepDraft, Words
from templates.phrases import capital, do
from templates.several import check_one_layer, listed, marked, seen_classes
from templates.told import Told, land, whole
from templates.view import View

LEAST, MOST = 0.05, 0.95
MORE_GROUND = ("cover more ground than", "covers more ground than")


def propose_longest(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on which of two classes shares the longer border with a third."""
    if scene.pixel_size_m is None:
        return
    for pairs in scene.pairs:
        names = seen_classes(pairs)
        for target in rng.sample(names, len(names)):
            others = sorted(a if b == target else b for a, b in pairs.touching if target in (a, b))
            if len(others) < 2:
                continue
            chosen = sorted(rng.sample(others, 2))
            mask = class_at(pairs.layer, target)
            named = tuple(
                NamedNumber(
                    name=scene.land(pairs.layer, name).phrase,
                    value=BorderLength(a=mask, b=class_at(pairs.layer, name)),
                )
                for name in chosen
            )
            program = ArgMax(of=named)
            value = scene.tried(template.task, program)
            if isinstance(value, Name):
                balance = " / ".join(chosen)
                yield template.draft(scene, rng, program, value, balance=balance)
                return


def longest_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark all three classes, tell how long each border is, and say which is longer."""
    match program, value:
        case ArgMax(), Name():
            borders = [n.value for n in program.of if isinstance(n.value, BorderLength)]
        case _:
            raise Foreign("longest_border asks argmax(border_length(class, class))")
    targets = {border.a for border in borders}
    masks = [border.b for border in borders if isinstance(border.b, ClassMask)]
    phrases = tuple(land(told, mask).phrase for mask in masks)
    if len(targets) != 1 or phrases != tuple(named.name for named in program.of):
        raise Foreign(f"longest_border names the classes {phrases} beside one")
    (target,) = targets
    if not isinstance(target, ClassMask):
        raise Foreign("longest_border asks of classes")
    check_one_layer((target, *masks))
    kind = land(told, target)
    steps = [marked(target, told, view)]
    for border, mask in zip(borders, masks, strict=True):
        length = told.value(border)
        assert isinstance(length, Quantity), "a border's length is a number"
        step = marked(mask, told, view)
        found: Line = (
            f" The border with {kind.phrase} is ",
            Fact(quantity_text(length.value, length.unit)),
            " long.",
        )
        steps.append(_longer(step, found))
    steps.append(StepDraft(line=("The longer border is that with ", Fact(value.value), ".")))
    return Words(
        classes=(target.label, *(mask.label for mask in masks)),
        slots={
            "target": kind.phrase,
            "do": do(kind),
            "named": listed(phrases, "or"),
            "place": whole(told, target, view),
        },
        steps=tuple(steps),
        choices=phrases,
    )


def propose_both(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on whether a class borders one class and covers more ground than another."""
    for pairs in scene.pairs:
        names = seen_classes(pairs)
        if len(names) < 3:
            continue
        for _ in range(4):
            a, b, c = (class_at(pairs.layer, name) for name in rng.sample(names, 3))
            within = valid_at(pairs.layer)
            larger = Compare(
                a=Share(of=a, within=within), relation=">", b=Share(of=c, within=within)
            )
            program = All(of=(Border(a=a, b=b), larger))
            value = scene.tried(template.task, program)
            if isinstance(value, Truth):
                yield template.draft(scene, rng, program, value, balance="both")
                return


def both_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark the three classes, test each half of the question, and join the two."""
    match program, value:
        case (
            All(
                of=(
                    Border(a=ClassMask() as a, b=ClassMask() as b) as border,
                    Compare(
                        a=Share(of=ClassMask() as same, within=Valid() as whole_a),
                        relation=">",
                        b=Share(of=ClassMask() as c, within=Valid() as whole_b),
                    ) as larger,
                )
            ),
            Truth(),
        ) if a == same and whole_a == whole_b:
            pass
        case _:
            raise Foreign("border_and_size asks all(border(a, b), share(a) > share(c))")
    check_one_layer((a, b, c))
    kinds = [land(told, mask) for mask in (a, b, c)]
    # one half may lie within its margin where the other alone decides
    steps = [marked(mask, told, view) for mask in (a, b, c)]
    steps += [
        StepDraft(line=(text,))
        for text in (
            _half(told, border, _said(kinds[0], "border", "borders", kinds[1])),
            _half(told, larger, _said(kinds[0], *MORE_GROUND, kinds[2])),
        )
        if text
    ]
    steps.append(StepDraft(line=("Both hold." if value.value else "Not both hold.",)))
    return Words(
        classes=(a.label, b.label, c.label),
        slots={
            "do": do(kinds[0]),
            "a": kinds[0].phrase,
            "b": kinds[1].phrase,
            "c": kinds[2].phrase,
            "place": whole(told, a, view),
        },
        steps=tuple(steps),
        choices=("Yes", "No"),
    )


def propose_ratio(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the area of a class as a share of that of a larger one."""
    if scene.pixel_size_m is None:
        return
    for pairs in scene.pairs:
        names = seen_classes(pairs)
        if len(names) < 2:
            continue
        chosen = sorted(rng.sample(names, 2), key=pairs.layer.class_px)
        small, large = (class_at(pairs.layer, name) for name in chosen)
        program = Div(a=Area(of=small), b=Area(of=large))
        value = scene.tried(template.task, program)
        if isinstance(value, Quantity) and LEAST <= value.value <= MOST:
            yield template.draft(scene, rng, program, value, pool=f"{small.label} / {large.label}")


def ratio_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark both classes, measure each, and divide."""
    match program, value:
        case Div(a=Area(of=ClassMask() as a), b=Area(of=ClassMask() as b)), Quantity():
            pass
        case _:
            raise Foreign("area_ratio asks area(class) / area(class)")
    check_one_layer((a, b))
    kinds = (land(told, a), land(told, b))
    found: Line = (
        "The first area is ",
        Fact(quantity_text(value.value, value.unit)),
        " of the second.",
    )
    return Words(
        classes=(a.label, b.label),
        slots={"a": kinds[0].phrase, "b": kinds[1].phrase, "place": whole(told, a, view)},
        steps=(
            _measured(a, told, view),
            _measured(b, told, view),
            StepDraft(line=found),
        ),
    )


def _said(kind: LandClass, many: str, one: str, other: LandClass) -> tuple[str, str]:
    """Return a sentence on two classes that says yes, and one that says no."""
    yes = f"{kind.phrase} {many if kind.plural else one} {other.phrase}."
    return capital(yes), capital(f"{kind.phrase} {do(kind)} not {many} {other.phrase}.")


def _half(told: Told, test: Any, said: tuple[str, str]) -> str:
    """Return what one half of a question comes to, "" where it is not certain."""
    try:
        return said[0] if told.value(test) == Truth(True) else said[1]
    except Undefined:
        return ""


def _measured(mask: ClassMask, told: Told, view: View) -> StepDraft:
    area = told.value(Area(of=mask))
    assert isinstance(area, Quantity), "an area is a number"
    found: Line = (" That is ", Fact(quantity_text(area.value, area.unit)), ".")
    return _longer(marked(mask, told, view), found)


def _longer(step: StepDraft, found: Line) -> StepDraft:
    return StepDraft(
        line=(*step.line, *found), mask=step.mask, label=step.label, date_index=step.date_index
    )


LONGEST_BORDER = QuestionTemplate(
    task="longest_border",
    version=1,
    tier=Tier.L2_SPATIAL,
    wordings=(
        "with which {do} {target} share the longer border in {place}, along pixel edges: {named}?",
        "in {place}, with which is the border of {target} longer: {named}?",
        "which has the longer common border with {target} in {place}: {named}?",
        "along pixel edges, which borders {target} over the greater length in {place}: {named}?",
    ),
    propose=propose_longest,
    words=longest_words,
)
BORDER_AND_SIZE = QuestionTemplate(
    task="border_and_size",
    version=1,
    tier=Tier.L2_SPATIAL,
    wordings=(
        "{do} {a} border {b} and also cover more ground than {c} in {place}?",
        "in {place}, {do} {a} touch {b} and at the same time take up more ground than {c}?",
        "in {place}, {do} {a} both touch {b} and cover more ground than {c}?",
        "in {place}, {do} {a} lie directly next to {b} and also exceed {c} in size?",
    ),
    propose=propose_both,
    words=both_words,
)
AREA_RATIO = QuestionTemplate(
    task="area_ratio",
    version=1,
    tier=Tier.L2_SPATIAL,
    wordings=(
        "how large is the area of {a} in percent of that of {b} in {place}?",
        "in {place}, what percentage of the area of {b} does the area of {a} come to?",
        "what is the area of {a} as a percentage of the area of {b} in {place}?",
        "comparing areas in {place}: what percentage of the area of {b} is that of {a}?",
    ),
    propose=propose_ratio,
    words=ratio_words,
)
