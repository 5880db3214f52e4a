"""L2-spatial: how much of A lies within a distance of B, and which of two comes nearer to it."""

from collections.abc import Iterator
from math import ceil, floor, log10
from random import Random
from typing import Any

from masks.evaluate import MIN_DISTANCE_PX
from schemas.program import ClassMask, Distance, NamedMask, Near, Nearest, Share
from schemas.tier import Tier
from schemas.trace import SEG, Fact, Line, pixels_text, quantity_text
from schemas.value import Name, Quantity, Undefined, Value
from templates.asked import AskedScene, class_at
from templates.draft import Draft, Foreign, QuestionTemplate, StepDraft, Words
from templates.phrases import be
from templates.several import check_one_layer, listed, marked, seen_classes
from templates.told import Told, land, whole
from templates.view import View

DISTANCES_M = (100.0, 300.0)
LEAST, MOST = 0.05, 0.95  # a share outside is none or all
NUM_NAMED = 2


def propose_within(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the share of a class that lies within a distance of another."""
    if scene.pixel_size_m is None:
        return
    for layer in scene.pairs:
        names = seen_classes(layer)
        if len(names) < 2:
            continue
        a, b = (class_at(layer.layer, name) for name in rng.sample(names, 2))
        for distance_m in rng.sample(DISTANCES_M, len(DISTANCES_M)):
            program = Share(of=Near(of=a, to=b, distance_m=distance_m), within=a)
            value = scene.tried(template.task, program)
            if isinstance(value, Quantity) and LEAST <= value.value <= MOST:
                pool = f"{a.label} / {b.label} / {distance_m}"
                yield template.draft(scene, rng, program, value, pool=pool)
                return


def within_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark both classes and what of the first is near, and say what share that is."""
    match program, value:
        case (
            Share(of=Near(of=ClassMask() as a, to=ClassMask() as b) as near, within=ClassMask()),
            Quantity(),
        ) if program.within == a:
            pass
        case _:
            raise Foreign("within_distance asks share(near(class, class) within the class)")
    check_one_layer((a, b))
    kind, other = land(told, a), land(told, b)
    lead = view.lead(a.date)
    distance = quantity_text(near.distance_m, "m")
    found: Line = (
        f"{lead}I mark the part of {kind.phrase} within {distance} of {other.phrase} {SEG}, ",
        Fact(pixels_text(told.px(near))),
        " pixels of ",
        Fact(pixels_text(told.px(a))),
        ", which is ",
        Fact(quantity_text(value.value, value.unit)),
        ".",
    )
    return Words(
        classes=(a.label, b.label),
        slots={
            "a": kind.phrase,
            "b": other.phrase,
            "be": be(kind),
            "place": whole(told, a, view),
            "distance": distance,
        },
        steps=(
            marked(a, told, view),
            marked(b, told, view),
            StepDraft(line=found, mask=near, label=a.label, date_index=a.date),
        ),
    )


def propose_nearest(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on which of two classes comes nearer to a third."""
    if scene.pixel_size_m is None:
        return
    for layer in scene.pairs:
        names = seen_classes(layer)
        # what touches is nearest at once: where a class touches none of them it takes measuring
        apart = {name for pair in layer.apart for name in pair}
        for target in rng.sample(sorted(apart), len(apart)):
            away = [n for n in names if (n, target) in layer.apart or (target, n) in layer.apart]
            if len(away) < 2:
                continue
            chosen = sorted(rng.sample(away, NUM_NAMED))
            named = tuple(
                NamedMask(
                    name=scene.land(layer.layer, name).phrase, mask=class_at(layer.layer, name)
                )
                for name in chosen
            )
            program = Nearest(to=class_at(layer.layer, target), of=named)
            value = scene.tried(template.task, program)
            if isinstance(value, Name):
                balance = " / ".join(chosen)
                yield template.draft(scene, rng, program, value, balance=balance)
                return


def nearest_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark the class that is asked of and each that is named, and say which comes closest."""
    match program, value:
        case Nearest(to=ClassMask() as target), Name():
            masks = [n.mask for n in program.of if isinstance(n.mask, ClassMask)]
        case _:
            raise Foreign("nearest asks nearest(classes to a class)")
    phrases = tuple(land(told, mask).phrase for mask in masks)
    if phrases != tuple(named.name for named in program.of):
        raise Foreign(f"nearest names the classes {phrases}")
    check_one_layer((target, *masks))
    kind = land(told, target)
    closest = next((mask for mask in masks if land(told, mask).phrase == value.value), None)
    if closest is None:
        raise Foreign(f"nearest names {phrases}, and answers {value.value}")
    comes = "come" if land(told, closest).plural else "comes"
    found: Line = ("Of the two, ", Fact(value.value), f" {comes} closer to {kind.phrase}.")
    return Words(
        classes=(target.label, *(mask.label for mask in masks)),
        slots={
            "target": kind.phrase,
            "named": listed(phrases, "or"),
            "both": listed(phrases, "and"),
            "place": whole(told, target, view),
        },
        steps=(
            marked(target, told, view),
            *(_with_distance(mask, target, told, view) for mask in masks),
            StepDraft(line=found),
        ),
        choices=phrases,
    )


def _with_distance(mask: ClassMask, target: ClassMask, told: Told, view: View) -> StepDraft:
    """Return the step that marks a class, with its distance, or how near it is at the least."""
    step = marked(mask, told, view)
    other = land(told, target).phrase
    are = "they are" if land(told, mask).plural else "it is"
    try:
        gap = told.value(Distance(a=mask, b=target))
        assert isinstance(gap, Quantity), "a distance is a number"
        lead, far = f" From {other} {are} ", quantity_text(gap.value, gap.unit)
    except Undefined:  # too near; whatever else forbids a distance forbids the answer too
        lead, far = f" From {other} {are} at most ", quantity_text(_nearest_asked_m(told), "m")
    tail: Line = (lead, Fact(far), " away.")
    return StepDraft(
        line=(*step.line, *tail), mask=step.mask, label=step.label, date_index=step.date_index
    )


def _nearest_asked_m(told: Told) -> float:
    """Return the metres that masks too near for a distance are apart at most, in round figures."""
    assert told.pixel_size_m is not None, "without a pixel size nothing is nearest"
    most_m = MIN_DISTANCE_PX * max(told.pixel_size_m)
    unit_m = 10.0 ** floor(log10(most_m))
    return float(ceil(round(most_m / unit_m, 6)) * unit_m)


WITHIN_DISTANCE = QuestionTemplate(
    task="within_distance",
    version=1,
    tier=Tier.L2_SPATIAL,
    wordings=(
        "what share of {a} in {place} lies within {distance} of {b}?",
        "in percent, how much of {a} in {place} {be} at most {distance} away from {b}?",
        "what percentage of {a} in {place} lies {distance} or less from {b}?",
        "looking at {place}, what part of {a} lies no more than {distance} from {b}, in percent?",
    ),
    propose=propose_within,
    words=within_words,
)
NEAREST = QuestionTemplate(
    task="nearest",
    version=2,
    tier=Tier.L2_SPATIAL,
    wordings=(
        "which lies nearer to {target} in {place}: {named}?",
        "in {place}, which comes closer to {target}: {named}?",
        "of {both}, which is nearer to {target} in {place}?",
        "looking at {place}, to which is the way from {target} shorter: {named}?",
    ),
    propose=propose_nearest,
    words=nearest_words,
)
