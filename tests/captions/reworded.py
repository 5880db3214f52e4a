"""A model that puts bench questions in other words, well or with one planted fault, by its prompt.

It is given the question alone; what it turns the question into is known by hand.
"""

import json
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.captions.prompted import text_of

ASKED = re.compile(r"satellite images that you do not see:\n(?P<question>[^\n]+)\n")
_PLACE = r"(?P<place>(?:the labelled area of )?(?:the image|the scene|image \d))"
_TURNS: tuple[tuple[str, str], ...] = (  # a template's question, and another of the same meaning
    (rf"What percentage of {_PLACE} is covered by (?P<a>.+)\?",
     "What proportion of {place} is occupied by {a}?"),
    (rf"What share of {_PLACE} do(?:es)? (?P<a>.+) make up\?",
     "How much of {place}, as a percentage, is covered by {a}?"),
    (rf"In percent, how much of {_PLACE} is covered by (?P<a>.+)\?",
     "What percentage of {place} is occupied by {a}?"),
    (rf"What fraction of {_PLACE}, as a percentage, do(?:es)? (?P<a>.+) take up\?",
     "As a percentage, what share of {place} is occupied by {a}?"),
    (rf"(?:What|How large) is the area of (?P<a>.+) in {_PLACE}\?",
     "How much ground is covered by {a} in {place}?"),
    (rf"How large an area do(?:es)? (?P<a>.+) take up in {_PLACE}\?",
     "In {place}, what is the total area of {a}?"),
    (rf"What area of {_PLACE} is taken up by (?P<a>.+)\?",
     "How large is the area of {place} that is covered by {a}?"),
    (rf"(?:Which covers more of|Which takes up the larger area in|Comparing areas in) {_PLACE}"
     r"(?:, which is larger)?: (?P<a>.+)\?",
     "Which has the greater extent in {place}, {a}?"),
    (rf"In {_PLACE}, which is larger in area: (?P<a>.+)\?",
     "Which occupies more of {place}: {a}?"),
    (rf"Do(?:es)? (?P<a>.+) border (?P<b>.+) in {_PLACE}\?",
     "In {place}, is there any contact between {a} and {b}?"),
    (rf"In {_PLACE}, do(?:es)? (?P<a>.+) share a border with (?P<b>.+)\?",
     "Do {a} and {b} touch within {place}?"),
    (rf"Do (?P<ab>.+) touch anywhere in {_PLACE}\?",
     "Are {ab} adjacent at any point in {place}?"),
    (rf"Looking at {_PLACE}, do(?:es)? (?P<a>.+) lie directly next to (?P<b>.+)\?",
     "Do {a} and {b} share a boundary in {place}?"),
    (rf"What is the shortest distance between (?P<ab>.+) in {_PLACE}\?",
     "How far apart are {ab} at the closest point in {place}?"),
    (rf"How far apart are (?P<ab>.+) in {_PLACE}, at their closest\?",
     "In {place}, what is the minimum distance between {ab}?"),
    (rf"How far is it from (?P<a>.+) to (?P<b>.+) in {_PLACE}, at the closest point\?",
     "What is the shortest distance from {a} to {b} in {place}?"),
    (rf"In {_PLACE}, how many metres separate (?P<a>.+) from (?P<b>.+) at the closest point\?",
     "At the nearest point in {place}, how many metres is {a} from {b}?"),
    (r"How many buildings were destroyed .*image 1 and image 2\?",
     "Comparing image 1 with image 2, what is the number of buildings that were destroyed?"),
    (r"(?:Comparing|Going by) image 1 (?:with|and) image 2, how many buildings were destroyed\?",
     "How many of the buildings were destroyed between image 1 and image 2?"),
    (r"What percentage of the buildings were destroyed .*image 1 and image 2\?",
     "Between image 1 and image 2, what share of all buildings was destroyed?"),
    (r"(?:Comparing|Going by) image 1 (?:with|and) image 2, what percentage of the buildings were "
     r"destroyed\?",
     "What fraction of the buildings did the event destroy between image 1 and image 2?"),
)  # fmt: skip


def asked_of(body: Mapping[str, Any]) -> str:
    """Return the question that a request is about."""
    found = ASKED.search(text_of(body))
    assert found is not None, text_of(body)
    return found["question"]


def turned_well(question: str) -> str:
    """Return the question in other words that ask the same."""
    return _filled(question)


def _filled(question: str, **instead: str) -> str:
    for pattern, other in _TURNS:
        if found := re.fullmatch(pattern, question):
            return other.format(**{**found.groupdict(), **instead})
    raise AssertionError(question)


def well_worded(body: Mapping[str, Any]) -> str:
    """Reply as a model that does as it is told."""
    return json.dumps({"question": turned_well(asked_of(body))})


def another_number(question: str) -> str:
    return question.replace("?", ", to within 25 pixels?")


def dropped_class(question: str) -> str:
    return _filled(question, a="it", b="it", ab="it").replace("buildings", "them")


def told_answer(question: str) -> str:
    return question.replace("?", ", yes or no, 12 ha, 3 or 40 %?")


def swapped(question: str) -> str:
    """Turn images round, or what a share is of, or which of two is asked for, or far and near."""
    turns = {
        r"image 1(.*)image 2": r"image 2\1image 1",
        r"\b(?:more|larger)\b": "smaller",
        r"shortest|closest": "longest",
    }
    for pattern, other in turns.items():
        if re.search(pattern, question):
            return re.sub(pattern, other, question)
    if share := re.fullmatch(rf"What percentage of {_PLACE} is covered by (?P<a>.+)\?", question):
        return f"What percentage of the {share['a']} is in {share['place']}?"
    return question.replace("?", ", or does it not?")


class Faulty:
    """A model that makes a fault in every reply, also when it is told; its replies stay the same.

    `kinds` are what it does to a question; which one it does to which question is drawn from it.
    """

    def __init__(self, *kinds: Callable[[str], str]) -> None:
        self.kinds = kinds

    def __call__(self, body: Mapping[str, Any]) -> str:
        question = asked_of(body)
        kind = random.Random(question).choice(self.kinds)
        return json.dumps({"question": kind(question)})
