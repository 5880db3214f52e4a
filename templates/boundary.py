"""Boundary: whether A borders B, and how long the border is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from random import Random
from typing import Any

import numpy as np

from masks.measured import MeasuredLayer
from schemas.program import Border, BorderLength, ClassMask
from schemas.trace import SEG, Fact, Line, quantity_text
from schemas.value import Quantity, Truth, Value
from templates.asked import AskedScene, class_at
from templates.draft import Draft, QuestionTemplate, StepDraft
from templates.phrases import do

PER_ANSWER = 2  # pairs that touch, and pairs that do not
PER_LAYER = 2
MIN_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Pair:
    """Two classes of one layer, each large enough to be seen."""

    layer: MeasuredLayer
    a: ClassMask
    b: ClassMask

    @property
    def name(self) -> str:
        """The two classes, in alphabetical order."""
        return " / ".join(sorted((self.a.label, self.b.label)))


def drawn_pairs(
    scene: AskedScene, layer: MeasuredLayer, rng: Random, number: int, *, touching: bool
) -> list[Pair]:
    """Draw up to `number` pairs of land classes that touch, or that do not.

    Each covers at least `MIN_SHARE` of the layer; none where the layer's classes overlap.
    """
    if layer.stats is None:
        return []
    names = [
        name
        for name in layer.info.classes
        if layer.class_px(name) >= MIN_SHARE * layer.valid_px
        and not scene.land(layer, name).countable
    ]
    ids = [layer.class_id(name) for name in names]
    adjacent = layer.stats.adjacent[np.ix_(ids, ids)].tolist()
    pairs = [
        (names[i], names[j])
        for i, j in combinations(range(len(names)), 2)
        if adjacent[i][j] == touching
    ]
    drawn = rng.sample(pairs, min(number, len(pairs)))
    return [Pair(layer, class_at(layer, a), class_at(layer, b)) for a, b in drawn]


def propose_border(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on whether two classes border one another."""
    for layer in scene.measured.layers:
        touching = drawn_pairs(scene, layer, rng, PER_ANSWER, touching=True)
        apart = drawn_pairs(scene, layer, rng, PER_ANSWER, touching=False)
        for pair in (*touching, *apart):
            program = Border(a=pair.a, b=pair.b)
            value = scene.value(template.task, program)
            if isinstance(value, Truth):
                found = "The two masks touch along a common edge."
                if not value.value:
                    found = "No pixel of one mask lies beside a pixel of the other."
                draft = pair_draft(template, scene, rng, pair, program, value, (found,))
                yield replace(draft, choices=("Yes", "No"), balance=pair.name)


def propose_length(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the length of the border that two classes share."""
    if scene.measured.evidence.pixel_size_m is None:
        return
    for layer in scene.measured.layers:
        for pair in drawn_pairs(scene, layer, rng, PER_LAYER, touching=True):
            if scene.value(template.task, Border(a=pair.a, b=pair.b)) != Truth(True):
                continue
            program = BorderLength(a=pair.a, b=pair.b)
            value = scene.value(template.task, program)
            if isinstance(value, Quantity):
                length = Fact(quantity_text(value.value, value.unit))
                found = ("Their common pixel edges add up to ", length, ".")
                yield pair_draft(template, scene, rng, pair, program, value, found, pair.name)


def pair_draft(
    template: QuestionTemplate,
    scene: AskedScene,
    rng: Random,
    pair: Pair,
    program: Any,
    value: Value,
    found: Line,
    pool: str = "",
) -> Draft:
    """Return the draft of a question on two classes: mark A, mark B, then what was found."""
    view = scene.view(rng)
    date = pair.layer.info.date_index
    a, b = (scene.land(pair.layer, mask.label) for mask in (pair.a, pair.b))
    lead = view.lead(date)
    lines: tuple[Line, Line] = (
        (f"{lead}I mark {a.phrase} {SEG}.",),
        (f"{lead}I mark {b.phrase} {SEG}. ", *found),
    )
    return Draft(
        question=template.ask(
            rng, do=do(a), a=a.phrase, b=b.phrase, place=scene.whole(pair.layer, view)
        ),
        classes=(pair.a.label, pair.b.label),
        program=program,
        value=value,
        steps=tuple(
            StepDraft(line=line, mask=mask, label=mask.label, date_index=date)
            for line, mask in zip(lines, (pair.a, pair.b), strict=True)
        ),
        view=view,
        pool=pool,
    )


BORDER = QuestionTemplate(
    task="border",
    version=1,
    wordings=(
        "{do} {a} border {b} in {place}?",
        "in {place}, {do} {a} share a border with {b}?",
        "do {a} and {b} touch anywhere in {place}?",
        "looking at {place}, {do} {a} lie directly next to {b}?",
    ),
    propose=propose_border,
)
BORDER_LENGTH = QuestionTemplate(
    task="border_length",
    version=1,
    wordings=(
        "how long is the border between {a} and {b} in {place}, along pixel edges?",
        "what length of border, along pixel edges, do {a} and {b} share in {place}?",
        "in {place}, how long is the boundary of {a} with {b}, measured along pixel edges?",
        "measured along pixel edges, how long is the border of {a} with {b} in {place}?",
    ),
    propose=propose_length,
)
