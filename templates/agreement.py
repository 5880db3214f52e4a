"""Whether a question asks what its program answers, and does not give the answer away.

A program proves its own value, not that the question means it. So what both speak of must agree:
the classes, the kind of measure, the places, dates and distances.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from masks.regions import leaves
from schemas.program import Instances, Near, Number, Part, Valid
from schemas.rejection import Reason
from schemas.trace import COMPASS_CELLS, IMAGE_CELLS, quantity_text, value_text
from schemas.value import Name, Quantity, Value
from templates.claim.classes import Classes, Meaning, Thing, class_phrases, classes_of
from templates.replies import Fault
from templates.rule import Rule
from templates.rulebook import RULES
from templates.told import Told
from templates.view import View

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_IMAGE = re.compile(r"\b[Ii]mages? \d+(?:(?:,| and| to| or) \d+)*")
_NOT = re.compile(r"\b(?:not|never|neither|nor|cannot|except|without)\b|n't\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+|\d+|[^\s\w]")
# what a question must say, by the operation that its program is; one word of the pattern is enough
SAYS: Mapping[str, str] = {
    "share": r"percent|per cent|%|share|fraction|proportion|part|how much",
    "div": r"percent|per cent|%|share|fraction|proportion|ratio|times|how much",
    "area": r"area|large|size|hectares?|square|how much",
    "count": r"how many|number|count",
    "border_length": r"border|boundary|edge",
    "distance": r"distance|how far|apart|separat|close|near",
    "add": r"together|total|sum|combined|and",
    "sub": r"differ|more|less|larger|smaller|exceed|gain|los[ts]|chang|grew|shr[aiu]nk",
    "mul": r"times|product",
    "exists": r"is there|are there|any|exist|contain|present|found|occur|lie",
    "border": r"border|adjacent|touch|next to|adjoin|boundary|beside|neighbou?r",
    "compare": r"more|less|larger|smaller|greater|fewer|exceed|than|over|under|half|outnumber",
    "cell": r"where|which part|which corner|location|located|which direction|in which",
    "argmax": r"which|what",
    "rank": r"which|what",
    "first": r"which|what|when|how",
    "nearest": r"near|clos|short",
    "majority": r"half|most|majority|domina|mainly",
    "near": r"within|near|clos|from|metres?|meters?|\bm\b",
}
_DIRECTIONS = {
    direction: re.compile(words, re.IGNORECASE)
    for direction, words in {
        "north": "north",
        "south": "south",
        "west": "west",
        "east": "east",
        "upper": "upper|top",
        "lower": "lower|bottom",
        "left": "left",
        "right": "right",
        "middle": "middle|cent(?:re|er)",
        "centre": "middle|cent(?:re|er)",
    }.items()
}


def question_faults(
    question: str, program: Any, value: Value, told: Told, view: View, rule: Rule | None
) -> Iterator[Fault]:
    """Yield everything in which a question and its program differ, or that gives the answer away.

    `rule` is that of a semantic question; its program is then the rule's.
    """
    if not question.endswith("?"):
        yield _off(f"the question does not end with a question mark: {question!r}")
    if _NOT.search(question):
        yield _off(f"the question denies something, which turns its answer round: {question!r}")
    if rule is not None:
        yield from _rule_faults(question, rule)
    else:
        yield from _class_faults(question, program, told)
        yield from _measure_faults(question, program, told)
    yield from _date_faults(question, program, view)
    yield from _given_away(question, program, value, told, rule)


def named_classes(question: str, classes: Classes) -> set[str]:
    """Return all classes that a text names, in any reading of its words."""
    names: set[str] = set()
    for meaning in _meanings(question, classes):
        names.update(meaning.sets[-1])
        names.update(meaning.states)
    return names


def _meanings(question: str, classes: Classes) -> Iterator[Meaning]:
    phrases, longest = _phrases(classes)
    words = [word.lower() for word in _WORD.findall(question.replace("-", " "))]
    at = 0
    while at < len(words):
        for end in range(min(len(words), at + longest), at, -1):
            found = phrases.get(" ".join(words[at:end]))
            if found is not None:
                meaning = found.inside if isinstance(found, Thing) else found
                if meaning is not None:
                    yield meaning
                at = end - 1
                break
        at += 1


@lru_cache(maxsize=64)
def _phrases(classes: Classes) -> tuple[Mapping[str, Meaning | Thing], int]:
    phrases = dict(class_phrases(classes))
    for _, lands in classes:
        for land in lands:  # states too: "destroyed buildings"
            for phrase in {land.phrase.lower(), land.singular.lower()} - {""}:
                words = " ".join(_WORD.findall(phrase.replace("-", " ")))
                phrases.setdefault(words, Meaning("", ((land.name,),), kind=False))
    return phrases, max(phrase.count(" ") + 1 for phrase in phrases)


def labels_of(program: Any) -> set[str]:
    """Return the classes, or the states of objects, that a program's leaves name."""
    return {
        f"{leaf.attribute}" if isinstance(leaf, Instances) and leaf.attribute else leaf.label
        for leaf in leaves(program)
        if not isinstance(leaf, Valid)
    }


def _class_faults(question: str, program: Any, told: Told) -> Iterator[Fault]:
    labels = labels_of(program)
    meanings = list(_meanings(question, classes_of(told.words)))
    named = {name for meaning in meanings for name in (*meaning.sets[-1], *meaning.states)}
    for label in sorted(labels - named):
        yield _off(f"the program measures {label!r}, which the question does not name")
    objects = {leaf.label for leaf in leaves(program) if isinstance(leaf, Instances)}
    for meaning in meanings:
        if not {*meaning.sets[-1], *meaning.states} & (labels | objects):
            names = ", ".join(meaning.sets[-1])
            yield _off(f"the question names {names}, which the program does not measure")


def _measure_faults(question: str, program: Any, told: Told) -> Iterator[Fault]:
    operations = dict.fromkeys(_operations(program, top=True))
    for operation in operations:
        if not re.search(SAYS[operation], question, re.IGNORECASE):
            yield _off(f"the program is {operation}(...), of which the question does not ask")
    yield from _place_faults(
        question, {n.cell for n in nodes(program) if isinstance(n, Part)}, told
    )
    for node in nodes(program):
        if isinstance(node, Near) and not _says_distance(question, node.distance_m):
            yield _off(f"the question does not say the distance of {node.distance_m:g} m")


def _place_faults(question: str, cells: set[int], told: Told) -> Iterator[Fault]:
    """Yield a fault unless the question names the directions that all cells share."""
    if not cells:
        return
    names = [(COMPASS_CELLS if told.north_up else IMAGE_CELLS)[cell] for cell in sorted(cells)]
    found = [{word for word in _DIRECTIONS if word in name} for name in names]
    shared = set.intersection(*found) or {"middle"}
    if not all(_DIRECTIONS[direction].search(question) for direction in shared):
        place = " and ".join(sorted(shared))
        yield _off(f"the program looks at the {place} of the image, and the question does not")


def _date_faults(question: str, program: Any, view: View) -> Iterator[Fault]:
    """Where several dates are shown, a question names the image of each that it speaks of."""
    if view.num_dates < 2:
        return
    said = {int(n) for found in _IMAGE.findall(question) for n in _NUMBER.findall(found)}
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


def asks(question: str, rule: Rule) -> bool:
    """Return whether a question holds a word of each of a rule's groups of words."""
    text = question.lower()
    return all(any(word.lower() in text for word in group) for group in rule.keywords)


def _given_away(
    question: str, program: Any, value: Value, told: Told, rule: Rule | None
) -> Iterator[Fault]:
    constants = {f"{node.distance_m:g}" for node in nodes(program) if isinstance(node, Near)}
    for node in nodes(program):
        if isinstance(node, Number):
            shown = 100 * node.value if node.unit == "share" else node.value
            constants |= {f"{shown:g}", *_NUMBER.findall(_quantity(node))}
    if rule is not None:
        constants |= {n for text in (*rule.questions, *_flat(rule)) for n in _NUMBER.findall(text)}
    for found in _NUMBER.finditer(_IMAGE.sub("", question)):
        if found[0].replace(",", "") not in {c.replace(",", "") for c in constants}:
            yield _away(f"the number {found[0]} in the question is no bound of its program")
    answer = value_text(value, told.north_up)
    if isinstance(value, Name) and _holds(question, answer):
        others = set(choices_of(program, rule)) - {value.value}
        if not others or not all(_holds(question, other) for other in others):
            yield _away(f"the question names its answer, {answer!r}, and not all others")
    if isinstance(value, Quantity) and _holds(_IMAGE.sub("", question), answer):
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


def _quantity(node: Number) -> str:
    return quantity_text(node.value, node.unit) if node.unit else f"{node.value:g}"


def _holds(text: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.IGNORECASE) is not None


def _says_distance(question: str, distance_m: float) -> bool:
    said = question.replace(",", "")
    shown = {
        f"{distance_m:g}": r"\s?-?(?:m\b|met)",
        f"{distance_m / 1000:g}": r"\s?-?(?:km\b|kilo)",
    }
    return any(
        re.search(rf"(?<![\d.]){re.escape(number)}{unit}", said) for number, unit in shown.items()
    )


def nodes(program: Any) -> Iterator[Any]:
    """Yield every operation of a program, from the outside in."""
    if isinstance(program, tuple):
        for part in program:
            yield from nodes(part)
    elif hasattr(program, "model_fields_set"):
        if hasattr(program, "op"):
            yield program
        for child in vars(program).values():
            yield from nodes(child)


def _operations(program: Any, *, top: bool) -> Iterator[str]:
    """Yield the operations that a question must speak of: the outermost, or what it joins."""
    op = getattr(program, "op", "")
    if op in ("all", "any"):
        for part in program.of:
            yield from _operations(part, top=top)
    elif op == "not":
        yield from _operations(program.of, top=top)
    elif op in SAYS:
        yield op
        if any(isinstance(node, Near) for node in nodes(program)):
            yield "near"


def _off(detail: str) -> Fault:
    return Fault(reason=Reason.OFF_QUESTION, detail=detail)


def _away(detail: str) -> Fault:
    return Fault(reason=Reason.GIVES_AWAY, detail=detail)
