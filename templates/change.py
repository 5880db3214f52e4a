"""Change of land between two dates: what a class gained or lost, and which class gained more."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from random import Random
from typing import Any

from schemas.program import And, Area, ArgMax, ClassMask, Minus, NamedNumber, Share, Valid
from schemas.trace import SEG, Fact, Line, quantity_text
from schemas.value import Name, Quantity, Value
from templates.asked import AskedScene, class_at
from templates.draft import Draft, Foreign, QuestionTemplate, StepDraft, Words
from templates.phrases import be, was
from templates.told import Told, is_labelled, land
from templates.view import View

PAIRS_TRIED = 3
PER_LAYER = 2


@dataclass(frozen=True, slots=True)
class Change:
    """One class of one layer at two dates; pixels without a label at either are left out."""

    before: ClassMask
    after: ClassMask

    def moved(self, *, gained: bool) -> And:
        """Return the ground that the class gained or lost, labelled at both dates."""
        old, new = self.before, self.after
        if gained:
            return And(a=Minus(a=new, b=old), b=_valid(old))
        return And(a=Minus(a=old, b=new), b=_valid(new))

    def share(self, *, gained: bool) -> Share:
        """Return that ground as a share of what is labelled at both dates."""
        whole = And(a=_valid(self.before), b=_valid(self.after))
        return Share(of=self.moved(gained=gained), within=whole)

    def step(self, told: Told, view: View, *, gained: bool) -> StepDraft:
        """Return the step that marks the ground gained or lost, on the image that shows it."""
        kind = land(told, self.before)
        shown, other = (self.after, self.before) if gained else (self.before, self.after)
        when = f"{was(kind)} not yet there" if gained else f"{be(kind)} no longer there"
        return StepDraft(
            line=(
                f"{view.lead(shown.date)}I mark {kind.phrase} that {when} "
                f"in {view.place(other.date)} {SEG}.",
            ),
            mask=self.moved(gained=gained),
            label=shown.label,
            date_index=shown.date,
        )


def read_moved(expr: Any) -> tuple[Change, bool]:
    """Return the change that an expression shows, and whether it is a gain; Foreign if neither."""
    match expr:
        case And(a=Minus(a=ClassMask() as kept, b=ClassMask() as gone), b=Valid()):
            gained = gone.date < kept.date
            change = Change(gone, kept) if gained else Change(kept, gone)
            if expr == change.moved(gained=gained):
                return change, gained
    raise Foreign("change asks of what a class gained or lost between two dates")


def changes(scene: AskedScene) -> Iterator[list[Change]]:
    """Yield, by layer, the classes that differ between its first and its last date."""
    for dates in scene.dated_layers():
        before, after = dates[0], dates[-1]
        if before is not after:
            yield [
                Change(class_at(before, name), class_at(after, name))
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
            if scene.pixel_size_m is None:
                program = change.share(gained=gained)
            value = scene.tried(template.task, program)
            if not isinstance(value, Quantity):
                continue
            if value.value == 0:
                scene.leave_out(template.task, "nothing_moved")
                continue
            pool = f"{change.before.label} {value.unit}"
            yield template.draft(scene, rng, program, value, pool=pool)


def amount_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark the ground that was gained or lost, and say how much it is."""
    match program, value:
        case Area() | Share(), Quantity():
            change, gained = read_moved(program.of)
        case _:
            raise Foreign("change_amount asks area(change) or share(change)")
    if isinstance(program, Share) and program != change.share(gained=gained):
        raise Foreign("change_amount asks a share of what is labelled at both dates")
    labelled = is_labelled(told, change.before) and is_labelled(told, change.after)
    whole = "" if labelled else "labelled "
    size = Fact(quantity_text(value.value, value.unit))
    amount: Line = ("That is ", size, "." if value.unit == "m2" else f" of the {whole}scene.")
    return Words(
        classes=(change.before.label,),
        slots={
            "a": land(told, change.before).phrase,
            "gain": "gain" if gained else "lose",
            "amount": "area" if value.unit == "m2" else f"percentage of the {whole}scene",
            "before": view.place(change.before.date),
            "after": view.place(change.after.date),
        },
        steps=(change.step(told, view, gained=gained), StepDraft(line=amount)),
    )


def propose_which(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on which of two classes gained more new ground; both gained some."""
    for found in changes(scene):
        pairs = list(combinations(found, 2))
        for pair in rng.sample(pairs, min(PAIRS_TRIED, len(pairs))):
            program = ArgMax(
                of=tuple(
                    NamedNumber(
                        name=land(scene, change.before).phrase, value=change.share(gained=True)
                    )
                    for change in pair
                )
            )
            value = scene.tried(template.task, program)
            if not isinstance(value, Name):
                continue
            if not all(scene.px(change.moved(gained=True)) for change in pair):
                scene.leave_out(template.task, "one_sided")
                continue
            balance = " / ".join(change.before.label for change in pair)
            yield template.draft(scene, rng, program, value, balance=balance)


def which_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark what both classes gained, and say which gained more."""
    match program, value:
        case ArgMax(of=(NamedNumber(), NamedNumber())), Name():
            pass
        case _:
            raise Foreign("change_which asks for the larger of two shares")
    pair: list[Change] = []
    for named in program.of:
        change, gained = read_moved(getattr(named.value, "of", None))
        if named.value != change.share(gained=True) or not gained:
            raise Foreign("change_which compares what two classes gained")
        pair.append(change)
    phrases = tuple(land(told, change.before).phrase for change in pair)
    if phrases != tuple(named.name for named in program.of):
        raise Foreign(f"change_which names the classes {phrases}")
    larger: Line = ("The larger gain is that of ", Fact(value.value), ".")
    return Words(
        classes=tuple(change.before.label for change in pair),
        slots={
            "a": phrases[0],
            "b": phrases[1],
            "before": view.place(pair[0].before.date),
            "after": view.place(pair[0].after.date),
        },
        steps=(
            *(change.step(told, view, gained=True) for change in pair),
            StepDraft(line=larger),
        ),
        choices=phrases,
    )


def _valid(mask: ClassMask) -> Valid:
    return Valid(layer=mask.layer, date=mask.date)


CHANGE_AMOUNT = QuestionTemplate(
    task="change_amount",
    version=3,
    wordings=(
        "what {amount} did {a} {gain} between {before} and {after}?",
        "from {before} to {after}, what {amount} did {a} {gain}?",
        "comparing {before} with {after}, what {amount} did {a} {gain}?",
        "what {amount} did {a} {gain} from {before} to {after}?",
    ),
    propose=propose_amount,
    words=amount_words,
    min_dates=2,
)
CHANGE_WHICH = QuestionTemplate(
    task="change_which",
    version=3,
    wordings=(
        "between {before} and {after}, which took over more new ground: {a} or {b}?",
        "which gained more new ground from {before} to {after}: {a} or {b}?",
        "of {a} and {b}, which spread over more new ground between {before} and {after}?",
        "comparing {before} with {after}, which had the larger gain: {a} or {b}?",
    ),
    propose=propose_which,
    words=which_words,
    min_dates=2,
)
