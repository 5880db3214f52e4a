"""Longer sequences: when a class is first seen, when it is largest, and how it develops."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from random import Random

from masks.measured import MeasuredLayer
from schemas.program import (
    All,
    Any_,
    ArgMax,
    Compare,
    Exists,
    First,
    NamedNumber,
    NamedTest,
    Share,
    Valid,
)
from schemas.trace import SEG, Fact, Line, pixels_text
from schemas.value import Name
from templates.asked import AskedScene, View, class_at
from templates.draft import Draft, QuestionTemplate, StepDraft
from templates.options import NUM_OPTIONS
from templates.phrases import be, do

MIN_DATES = 3
PER_LAYER = 2
GREW, SHRANK, BOTH = "it grew throughout", "it shrank throughout", "it both grew and shrank"


def sequences(scene: AskedScene) -> Iterator[list[MeasuredLayer]]:
    """Yield the dates of each layer that one product shows at three dates or more."""
    yield from (dates for dates in scene.dated_layers() if len(dates) >= MIN_DATES)


def propose_first(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the first image that shows a class which the sequence begins without."""
    for dates in sequences(scene):
        names = [name for name in _shown(dates) if not dates[0].class_px(name)]
        for name in _drawn(names, rng):
            view = scene.view(rng)
            program = First(
                of=tuple(
                    NamedTest(name=_image(view, layer), test=Exists(of=class_at(layer, name)))
                    for layer in dates
                )
            )
            value = scene.value(template.task, program)
            if isinstance(value, Name):
                found = ("The first image that shows any is ", Fact(value.value), ".")
                draft = _draft(template, scene, rng, view, dates, name, program, value, found)
                yield _with_options(draft, f"{len(dates)} dates", len(dates) - 1)


def propose_largest(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the image in which a class covers most."""
    for dates in sequences(scene):
        for name in _drawn(_shown(dates), rng):
            view = scene.view(rng)
            program = ArgMax(
                of=tuple(
                    NamedNumber(name=_image(view, layer), value=_share(layer, name))
                    for layer in dates
                )
            )
            value = scene.value(template.task, program)
            if isinstance(value, Name):
                found = ("The largest mask is that of ", Fact(value.value), ".")
                draft = _draft(template, scene, rng, view, dates, name, program, value, found)
                yield _with_options(draft, f"{len(dates)} dates", len(dates))


def propose_trend(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on whether a class grew, shrank, or did both."""
    for dates in sequences(scene):
        for name in _drawn(_shown(dates), rng):
            shares = [_share(layer, name) for layer in dates]
            rises = tuple(Compare(a=a, relation="<", b=b) for a, b in pairwise(shares))
            falls = tuple(Compare(a=a, relation=">", b=b) for a, b in pairwise(shares))
            program = First(
                of=(
                    NamedTest(name=GREW, test=All(of=rises)),
                    NamedTest(name=SHRANK, test=All(of=falls)),
                    NamedTest(name=BOTH, test=All(of=(Any_(of=rises), Any_(of=falls)))),
                )
            )
            value = scene.value(template.task, program)
            if isinstance(value, Name):
                view = scene.view(rng)
                found = ("From image to image, ", Fact(value.value), ".")
                draft = _draft(template, scene, rng, view, dates, name, program, value, found)
                yield _with_options(draft, "any class", len((GREW, SHRANK, BOTH)))


def _shown(dates: list[MeasuredLayer]) -> list[str]:
    return [n for n in dates[0].info.classes if any(layer.class_px(n) for layer in dates)]


def _drawn(names: list[str], rng: Random) -> list[str]:
    return rng.sample(names, min(PER_LAYER, len(names)))


def _share(layer: MeasuredLayer, name: str) -> Share:
    within = Valid(layer=layer.info.layer, date=layer.info.date_index)
    return Share(of=class_at(layer, name), within=within)


def _image(view: View, layer: MeasuredLayer) -> str:
    return view.place(layer.info.date_index)


def _draft(
    template: QuestionTemplate,
    scene: AskedScene,
    rng: Random,
    view: View,
    dates: list[MeasuredLayer],
    name: str,
    program: First | ArgMax,
    value: Name,
    found: Line,
) -> Draft:
    """Return a draft whose steps mark the class at every date, and then say what was found."""
    land = scene.land(dates[0], name)
    marked = [
        StepDraft(
            line=(
                f"{view.lead(layer.info.date_index)}I mark {land.phrase} {SEG}, ",
                Fact(pixels_text(layer.class_px(name))),
                " pixels.",
            ),
            mask=class_at(layer, name),
            label=name,
            date_index=layer.info.date_index,
        )
        for layer in dates
    ]
    return Draft(
        question=template.ask(rng, a=land.phrase, do=do(land), be=be(land)),
        classes=(name,),
        program=program,
        value=value,
        steps=(*marked, StepDraft(line=found)),
        view=view,
    )


def _with_options(draft: Draft, pool: str, num_answers: int) -> Draft:
    """Return the draft with options picked from `pool`, which also evens out its answers."""
    num_options = min(num_answers, NUM_OPTIONS)
    return replace(draft, pool=pool, num_options=num_options, balance=pool)


FIRST_SEEN = QuestionTemplate(
    task="first_seen",
    version=1,
    wordings=(
        "in which image {be} {a} first seen?",
        "which image is the first to show {a}?",
        "going through the images in order, in which one {do} {a} first appear?",
        "which image is the earliest in which {a} can be seen?",
    ),
    propose=propose_first,
)
LARGEST_WHEN = QuestionTemplate(
    task="largest_when",
    version=1,
    wordings=(
        "in which image {do} {a} cover the largest area?",
        "which image shows the most {a}?",
        "which image shows {a} at the largest extent?",
        "across the sequence, in which image {be} {a} at the largest extent?",
    ),
    propose=propose_largest,
)
TREND = QuestionTemplate(
    task="trend",
    version=1,
    wordings=(
        "step by step over the images, did the extent of {a} grow throughout, shrink throughout, "
        "or do both?",
        "from each image to the next, how did the extent of {a} change: growth throughout, "
        "shrinkage throughout, or both?",
        "going through the images in order, did {a} only grow, only shrink, or do both?",
        "over the whole sequence, did the area of {a} grow throughout, shrink throughout, or both?",
    ),
    propose=propose_trend,
)
