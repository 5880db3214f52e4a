"""Change of land between two dates: what a class gained or lost, and which class gained more."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from random import Random
from typing import Any

from masks.evaluate import evaluate
from masks.measured import MeasuredLayer
from schemas.program import And, Area, ArgMax, Minus, NamedNumber, Share, Valid
from schemas.trace import SEG, Fact, Line, quantity_text
from schemas.value import Name, Quantity
from templates.asked import AskedScene, View, class_at
from templates.draft import Draft, QuestionTemplate, StepDraft

PAIRS_TRIED = 3
PER_LAYER = 2


@dataclass(frozen=True, slots=True)
class Change:
    """One class of one layer between two dates; pixels without a label at either are left out."""

    before: MeasuredLayer
    after: MeasuredLayer
    name: str

    def moved(self, *, gained: bool) -> And:
        """Return the ground that the class gained or lost, labelled at both dates."""
        old, new = class_at(self.before, self.name), class_at(self.after, self.name)
        if gained:
            return And(a=Minus(a=new, b=old), b=_valid(self.before))
        return And(a=Minus(a=old, b=new), b=_valid(self.after))

    def share(self, *, gained: bool) -> Share:
        """Return that ground as a share of what is labelled at both dates."""
        whole = And(a=_valid(self.before), b=_valid(self.after))
        return Share(of=self.moved(gained=gained), within=whole)

    def step(self, scene: AskedScene, view: View, *, gained: bool) -> StepDraft:
        """Return the step that marks the ground gained or lost, on the image that shows it."""
        phrase = scene.land(self.before, self.name).phrase
        first, last = (
            view.place(self.before.info.date_index),
            view.place(self.after.info.date_index),
        )
        layer = self.after if gained else self.before
        date = layer.info.date_index
        text = (
            f"{view.lead(date)}I mark what is {phrase} here and was not in {first} {SEG}."
            if gained
            else f"{view.lead(date)}I mark what is {phrase} here and no longer in {last} {SEG}."
        )
        moved = self.moved(gained=gained)
        return StepDraft(line=(text,), mask=moved, label=self.name, date_index=date)


def changes(scene: AskedScene) -> Iterator[list[Change]]:
    """Yield, by layer, the classes that differ between its first and its last date."""
    for dates in scene.dated_layers():
        before, after = dates[0], dates[-1]
        if before is not after:
            yield [
                Change(before, after, name)
                for name in before.info.classes
                if before.class_masks.get(name) != after.class_masks.get(name)
                and not scene.land(before, name).countable
            ]


def propose_amount(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on what a class gained or lost: its area, or without pixel size its share."""
    for found in changes(scene):
        for change in rng.sample(found, min(PER_LAYER, len(found))):
            gained = rng.random() < 0.5
            program: Any = Area(of=change.moved(gained=gained))
            if scene.measured.evidence.pixel_size_m is None:
                program = change.share(gained=gained)
            value = scene.value(template.task, program)
            if not isinstance(value, Quantity) or value.value == 0:
                continue
            view = scene.view(rng)
            whole = "labelled " if not _labelled(scene, change) else ""
            amount: Line = ("It measures ", Fact(quantity_text(value.value, value.unit)), ".")
            yield Draft(
                question=template.ask(
                    rng,
                    a=scene.land(change.before, change.name).phrase,
                    gain="gain" if gained else "lose",
                    amount="area" if value.unit == "m2" else f"percentage of the {whole}scene",
                    before=view.place(change.before.info.date_index),
                    after=view.place(change.after.info.date_index),
                ),
                classes=(change.name,),
                program=program,
                value=value,
                steps=(change.step(scene, view, gained=gained), StepDraft(line=amount)),
                view=view,
                pool=f"{change.name} {value.unit}",
            )


def propose_which(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on which of two classes gained more new ground; both gained some."""
    for found in changes(scene):
        pairs = list(combinations(found, 2))
        for pair in rng.sample(pairs, min(PAIRS_TRIED, len(pairs))):
            a, b = (scene.land(change.before, change.name).phrase for change in pair)
            program = ArgMax(
                of=tuple(
                    NamedNumber(name=phrase, value=change.share(gained=True))
                    for change, phrase in zip(pair, (a, b), strict=True)
                )
            )
            value = scene.value(template.task, program)
            if not isinstance(value, Name) or not all(_gained(c, scene) for c in pair):
                continue
            view = scene.view(rng)
            larger: Line = ("The larger gain is that of ", Fact(value.value), ".")
            yield Draft(
                question=template.ask(
                    rng,
                    a=a,
                    b=b,
                    before=view.place(pair[0].before.info.date_index),
                    after=view.place(pair[0].after.info.date_index),
                ),
                classes=(pair[0].name, pair[1].name),
                program=program,
                value=value,
                steps=(
                    *(change.step(scene, view, gained=True) for change in pair),
                    StepDraft(line=larger),
                ),
                view=view,
                choices=(a, b),
                balance=f"{pair[0].name} / {pair[1].name}",
            )


def _gained(change: Change, scene: AskedScene) -> bool:
    share = evaluate(change.share(gained=True), scene.measured)
    return isinstance(share, Quantity) and share.value > 0


def _labelled(scene: AskedScene, change: Change) -> bool:
    return scene.labelled(change.before) and scene.labelled(change.after)


def _valid(layer: MeasuredLayer) -> Valid:
    return Valid(layer=layer.info.layer, date=layer.info.date_index)


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
        "which gained more new ground from {before} to {after}: {a} or {b}?",
        "of {a} and {b}, which spread over more new ground between {before} and {after}?",
        "comparing {before} with {after}, which had the larger gain: {a} or {b}?",
    ),
    propose=propose_which,
)
