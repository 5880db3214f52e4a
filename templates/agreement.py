"""Whether a question asks what its program answers, and does not give the answer away.

A program proves its own value, not that the question means it. So what both speak of must agree:
the classes, the kind of measure, the order, the places, dates and distances.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from masks.regions import leaves
from schemas.program import Instances
from schemas.rejection import Reason
from schemas.trace import value_text
from schemas.value import Name, Quantity, Value
from templates.claim.classes import classes_of, is_state
from templates.named import labels_of, left_out, mentions, named_classes
from templates.question_order import order_faults
from templates.question_places import place_faults
from templates.question_words import (
    asks_yes_no,
    constants_of,
    numbers_said,
    same,
    says,
    word_faults,
)
from templates.replies import Fault
from templates.rule import Rule
from templates.rulebook import RULES
from templates.told import Told
from templates.view import View

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_IMAGE = re.compile(
    r"\b[Ii]mages? (\d+(?:(?:, (?:image )?\d+)*,? (?:and|or|to) (?:image )?\d+|[-–]\d+)?)"
)
_RANGE = re.compile(r"(\d+)(?: to |-|–)(?:image )?(\d+)")
_NOT = re.compile(
    r"\b(?:not|never|neither|nor|cannot|except|without|none|absent|lacks?|lacking|missing|free of|"
    r"no(?! (?:more|less|fewer|farther|further) than))\b|n[\'’]t\b",
    re.IGNORECASE,
)
_SHORT_OF = (
    r"fall|fail|too little|too few|insufficient|unsuit|inadequate|less than|fewer than|below"
)
_PARTS = ("half", "third", "quarter", "fifth", "tenth", "twice", "majority")
_UNSEEN = re.compile(r"[<>\[\]\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e]")


def question_faults(
    question: str, program: Any, value: Value, told: Told, view: View, rule: Rule | None
) -> Iterator[Fault]:
    """Yield everything in which a question and its program differ, or that gives the answer away.

    `rule` is that of a semantic question; its program is then the rule's.
    """
    bare = _IMAGE.sub("the image", question)  # the numbers of images are no numbers
    if not question.endswith("?"):
        yield _off(f"the question does not end with a question mark: {question!r}")
    if _UNSEEN.search(question):
        yield _off(f"a question is plain words, without marks: {question!r}")
    if _NOT.search(question):
        yield _off(f"the question denies something, which turns its answer round: {question!r}")
    if rule is not None:
        yield from _rule_faults(question, rule)
        yield from map(_off, place_faults(bare, program, told.north_up))
    else:
        yield from _class_faults(question, program, told)
        found = chain(
            word_faults(bare, program, value),
            place_faults(bare, program, told.north_up),
            order_faults(question, program, told, view),
        )
        yield from map(_off, found)
    yield from _date_faults(question, program, view)
    yield from _given_away(question, program, value, told, rule)


def _class_faults(question: str, program: Any, told: Told) -> Iterator[Fault]:
    labels = labels_of(program)
    found = list(mentions(question, classes_of(told.words)))
    named = {name for mention in found for name in mention.names}
    for label in sorted(labels - named):
        yield _off(f"the program measures {label!r}, which the question does not name")
    measured = labels | _objects(program, told)
    for mention in found:
        if not mention.names & measured:
            names = ", ".join(mention.meaning.sets[-1])
            yield _off(f"the question names {names}, which the program does not measure")
        for name in sorted(left_out(mention, program, told) - measured):
            yield _off(f"the question means {name} as well, which the program does not measure")


def _objects(program: Any, told: Told) -> set[str]:
    """Return the kinds of objects that a program measures, in whatever state."""
    found = {leaf.label for leaf in leaves(program) if isinstance(leaf, Instances)}
    lands = {land.name: land for held in told.words.values() for land in held.values()}
    if any(is_state(lands[label]) for label in labels_of(program) if label in lands):
        found |= {name for name, land in lands.items() if land.countable and not is_state(land)}
    return found


def _date_faults(question: str, program: Any, view: View) -> Iterator[Fault]:
    """Where several dates are shown, a question names the image of each that it speaks of."""
    if view.num_dates < 2:
        return
    said: set[int] = set()
    for found in _IMAGE.findall(question):
        said.update(int(number) for number in re.findall(r"\d+", found))
        for first, last in _RANGE.findall(found):
            said.update(range(int(first), min(int(last), len(view.images)) + 1))
    due = {view.image_of_date(leaf.date) + 1 for leaf in leaves(program)}
    if said != due:
        names = " and ".join(f"image {number}" for number in sorted(due))
        yield _off(f"the question must name {names}, and no other image")


def _rule_faults(question: str, rule: Rule) -> Iterator[Fault]:
    if not asks(question, rule):
        words = "; ".join(" or ".join(group) for group in rule.keywords)
        yield _off(f"a question of the rule {rule.id} must say: {words}")
    for other in RULES:
        if other.id != rule.id and asks(question, other):
            yield _off(f"the question asks what the rule {other.id} answers, not {rule.id}")
    named = [choice for choice in rule.choices if _holds(question, choice)]
    if rule.is_yes_no:
        if not asks_yes_no(question):
            yield _off(f"the rule {rule.id} says yes or no, and the question asks something else")
        if says(_SHORT_OF, question):
            yield _off(f"the question asks the rule {rule.id} the other way round: {question!r}")
    elif not named and asks_yes_no(question):
        yield _off(f"the rule {rule.id} gives one of {', '.join(rule.choices)}: ask which")
    elif named and len(named) < len(rule.choices):
        yield _off(
            f"the question names {', '.join(named)}: name all of the rule's verdicts or none"
        )
    wordings = " ".join(rule.questions)
    for word in _PARTS:
        if says(word, question) and not says(word, wordings):
            yield _off(f"the question says {word!r}, which is no bound of the rule {rule.id}")


def asks(question: str, rule: Rule) -> bool:
    """Return whether a question holds a word of each of a rule's groups of words."""
    return all(
        any(re.search(rf"(?<!\w){re.escape(word)}", question, re.IGNORECASE) for word in group)
        for group in rule.keywords
    )


def _given_away(
    question: str, program: Any, value: Value, told: Told, rule: Rule | None
) -> Iterator[Fault]:
    bare = _IMAGE.sub("the image", question)
    if rule is None:
        due = constants_of(program)
        strange = [n for n, said in numbers_said(bare) if not any(same(said, d) for d in due)]
    else:
        known = {n for text in (*rule.questions, *_flat(rule)) for n in _NUMBER.findall(text)}
        strange = [n for n in _NUMBER.findall(bare) if n.replace(",", "") not in known]
    for number in strange:
        yield _away(f"the number {number} in the question is no bound of its program")
    answer = value_text(value, told.north_up)
    if isinstance(value, Name) and _holds(question, answer):
        classes = classes_of(told.words)
        named = named_classes(question, classes)
        for other in sorted(set(choices_of(program, rule)) - {value.value}) or [""]:
            of_it = named_classes(other, classes)
            if not _holds(question, other) and not (of_it and of_it <= named):
                yield _away(
                    f"the question names its answer, {answer!r}, and not {other or 'others'!r}"
                )
    if isinstance(value, Quantity) and _holds(bare, answer):
        yield _away(f"the question holds its answer, {answer!r}")


def choices_of(program: Any, rule: Rule | None) -> tuple[str, ...]:
    """Return the closed set of names that a program can come to, () where there is none."""
    if rule is not None:
        return rule.choices
    named = getattr(program, "of", ())
    return tuple(part.name for part in named) if isinstance(named, tuple) else ()


def _flat(rule: Rule) -> Iterator[str]:
    for level in rule.levels:
        for condition in level.conditions:
            yield f"{100 * condition.bound:g}"
            yield f"{condition.bound:g}"


def _holds(text: str, words: str) -> bool:
    found = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.IGNORECASE)
    return bool(words) and found is not None


def _off(detail: str) -> Fault:
    return Fault(reason=Reason.OFF_QUESTION, detail=detail)


def _away(detail: str) -> Fault:
    return Fault(reason=Reason.GIVES_AWAY, detail=detail)
