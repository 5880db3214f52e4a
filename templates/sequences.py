"""Longer sequences: when a class is first seen, when it is largest, and how it develops."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import Any

from masks.measured import MeasuredLayer
from schemas.program import (
    All,
    Any_,
    ArgMax,
    ClassMask,
    Compare,
    Exists,
    First,
    NamedNumber,
    NamedTest,
    Share,
    Valid,
)
from schemas.trace import SEG, Fact, Line, pixels_text
from schemas.value import Name, Value
from templates.asked import AskedScene, class_at
from templates.draft import Draft, Foreign, QuestionTemplate, StepDraft, Words
from templates.options import NUM_OPTIONS
from templates.phrases import be, do
from templates.told import Told, land
from templates.view import View

MIN_DATES = 3
PER_LAYER = 2
GREW, SHRANK, BOTH = "it grew throughout", "it shrank throughout", "it both grew and shrank"
NUM_TRENDS = 3


def propose_first(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the first image that shows a class which the sequence begins without."""
    for dates in _sequences(scene):
        names = [name for name in _shown(dates) if not dates[0].class_px(name)]
        for masks in _drawn(dates, names, rng):
            view = scene.view(rng)
            program, pool = _first(masks, view), _pool(masks)
            yield from _drafts(template, scene, rng, view, program, pool, len(dates) - 1)


def first_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark the class at every date, and say which image is the first to show any."""
    match program, value:
        case First(), Name():
            masks = _masks(getattr(named.test, "of", None) for named in program.of)
        case _:
            raise Foreign("first_seen asks for the first image in which a class exists")
    if program != _first(masks, view):
        raise Foreign("first_seen goes through the carried images in order")
    found: Line = ("The first image that shows any is ", Fact(value.value), ".")
    return _words(masks, told, view, found)


def propose_largest(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the image in which a class covers most."""
    for dates in _sequences(scene):
        for masks in _drawn(dates, _shown(dates), rng):
            view = scene.view(rng)
            program, pool = _largest(masks, view), _pool(masks)
            if _seen_again(template, scene, masks):
                yield from _drafts(template, scene, rng, view, program, pool, len(dates))


def largest_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark the class at every date, and say in which image the mask is largest."""
    match program, value:
        case ArgMax(), Name():
            masks = _masks(getattr(named.value, "of", None) for named in program.of)
        case _:
            raise Foreign("largest_when asks for the image with the largest share")
    if program != _largest(masks, view):
        raise Foreign("largest_when goes through the carried images in order")
    found: Line = ("The largest mask is that of ", Fact(value.value), ".")
    return _words(masks, told, view, found)


def propose_trend(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on whether a class grew, shrank, or did both."""
    for dates in _sequences(scene):
        for masks in _drawn(dates, _shown(dates), rng):
            view, pool = scene.view(rng), masks[0].label
            if _seen_again(template, scene, masks):
                yield from _drafts(template, scene, rng, view, _trend(masks), pool, NUM_TRENDS)


def trend_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark the class at every date, and say how it went from each image to the next."""
    match program, value:
        case First(of=(NamedTest(test=All(of=(Compare(), *_) as rises)), *_)), Name():
            compared = [rise for rise in rises if isinstance(rise, Compare)]
            shares = (compared[0].a, *(rise.b for rise in compared))
            masks = _masks(getattr(share, "of", None) for share in shares)
        case _:
            raise Foreign("trend asks whether the shares of a class rise or fall")
    if program != _trend(masks):
        raise Foreign("trend compares every image with the next")
    found: Line = ("From image to image, ", Fact(value.value), ".")
    return _words(masks, told, view, found)


def _sequences(scene: AskedScene) -> Iterator[list[MeasuredLayer]]:
    """Yield the dates of each layer that one product shows at three dates or more."""
    yield from (dates for dates in scene.dated_layers() if len(dates) >= MIN_DATES)


def _shown(dates: list[MeasuredLayer]) -> list[str]:
    return [n for n in dates[0].info.classes if any(layer.class_px(n) for layer in dates)]


def _drawn(
    dates: list[MeasuredLayer], names: list[str], rng: Random
) -> Iterator[tuple[ClassMask, ...]]:
    """Draw some classes; yield each as its masks at all dates."""
    for name in rng.sample(names, min(PER_LAYER, len(names))):
        yield tuple(class_at(layer, name) for layer in dates)


def _first(masks: Sequence[ClassMask], view: View) -> First:
    return First(
        of=tuple(NamedTest(name=view.place(mask.date), test=Exists(of=mask)) for mask in masks)
    )


def _largest(masks: Sequence[ClassMask], view: View) -> ArgMax:
    return ArgMax(
        of=tuple(NamedNumber(name=view.place(mask.date), value=_share(mask)) for mask in masks)
    )


def _trend(masks: Sequence[ClassMask]) -> First:
    shares = [_share(mask) for mask in masks]
    rises = tuple(Compare(a=a, relation="<", b=b) for a, b in pairwise(shares))
    falls = tuple(Compare(a=a, relation=">", b=b) for a, b in pairwise(shares))
    return First(
        of=(
            NamedTest(name=GREW, test=All(of=rises)),
            NamedTest(name=SHRANK, test=All(of=falls)),
            NamedTest(name=BOTH, test=All(of=(Any_(of=rises), Any_(of=falls)))),
        )
    )


def _share(mask: ClassMask) -> Share:
    return Share(of=mask, within=Valid(layer=mask.layer, date=mask.date))


def _masks(leaves: Iterator[Any]) -> tuple[ClassMask, ...]:
    """Return the leaves of a program; Foreign unless they are one class at several dates."""
    masks = tuple(leaf for leaf in leaves if isinstance(leaf, ClassMask))
    if len(masks) < MIN_DATES or len({(mask.layer, mask.label) for mask in masks}) > 1:
        raise Foreign(f"a sequence shows one class at {MIN_DATES} dates or more")
    return masks


def _pool(masks: Sequence[ClassMask]) -> str:
    """Return what options are picked from: images that answer for the same class."""
    return f"{masks[0].label}, {len(masks)} dates"  # what is cleared comes before what is built


def _seen_again(template: QuestionTemplate, scene: AskedScene, masks: Sequence[ClassMask]) -> bool:
    """Return whether a class is there at two dates: else all says no more than when it is seen."""
    if sum(scene.px(mask) > 0 for mask in masks) >= 2:
        return True
    scene.leave_out(template.task, "seen_once")
    return False


def _drafts(
    template: QuestionTemplate,
    scene: AskedScene,
    rng: Random,
    view: View,
    program: First | ArgMax,
    pool: str,
    num_answers: int,
) -> Iterator[Draft]:
    """Yield the draft of a program that has a value; its pool also evens out its answers."""
    value = scene.tried(template.task, program)
    if isinstance(value, Name):
        num_options = min(num_answers, NUM_OPTIONS)
        yield template.draft(
            scene, rng, program, value,
            view=view, pool=pool, num_options=num_options, balance=pool,
        )  # fmt: skip


def _words(masks: Sequence[ClassMask], told: Told, view: View, found: Line) -> Words:
    """Say the steps that mark the class at every date, and then what was found."""
    kind = land(told, masks[0])
    marked = [
        StepDraft(
            line=(
                f"{view.lead(mask.date)}I mark {kind.phrase} {SEG}, ",
                Fact(pixels_text(told.px(mask))),
                " pixels.",
            ),
            mask=mask,
            label=mask.label,
            date_index=mask.date,
        )
        for mask in masks
    ]
    return Words(
        classes=(masks[0].label,),
        slots={"a": kind.phrase, "do": do(kind), "be": be(kind)},
        steps=(*marked, StepDraft(line=found)),
    )


FIRST_SEEN = QuestionTemplate(
    task="first_seen",
    version=4,
    wordings=(
        "in which image {be} {a} first seen?",
        "which image is the first to show {a}?",
        "going through the images in order, in which one {do} {a} first appear?",
        "which image is the earliest in which {a} can be seen?",
    ),
    propose=propose_first,
    words=first_words,
    min_dates=MIN_DATES,
)
LARGEST_WHEN = QuestionTemplate(
    task="largest_when",
    version=4,
    wordings=(
        "in which image {do} {a} cover the largest area?",
        "which image shows the most {a}?",
        "which image shows {a} at the largest extent?",
        "across the sequence, in which image {be} {a} at the largest extent?",
    ),
    propose=propose_largest,
    words=largest_words,
    min_dates=MIN_DATES,
)
TREND = QuestionTemplate(
    task="trend",
    version=4,
    wordings=(
        "step by step over the images, did the extent of {a} grow throughout, shrink throughout, "
        "or do both?",
        "from each image to the next, how did the extent of {a} change: growth throughout, "
        "shrinkage throughout, or both?",
        "going through the images in order, did {a} only grow, only shrink, or do both?",
        "over the whole sequence, did the area of {a} grow throughout, shrink throughout, or both?",
    ),
    propose=propose_trend,
    words=trend_words,
    min_dates=MIN_DATES,
)
