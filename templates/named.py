"""Which classes a program measures, and which ones a question, a step or an option names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from masks.regions import leaves
from schemas.program import ClassMask, Instances, Valid
from schemas.value import Undefined
from templates.claim.classes import Classes, Meaning, Thing, class_phrases, is_state
from templates.claim.facts import STATE_WORDS
from templates.told import Told

_WORD = re.compile(r"[^\W\d_]+|\d+|[^\s\w]")


@dataclass(frozen=True, slots=True)
class Mention:
    """Classes that some words name.

    `inside` marks a thing that lies in such a class but is not all of it, such as a river.
    """

    meaning: Meaning
    inside: bool

    @property
    def names(self) -> set[str]:
        """All classes that the words may stand for."""
        return {*self.meaning.sets[-1], *self.meaning.states}


def mentions(text: str, classes: Classes) -> Iterator[Mention]:
    """Yield what a text names, in order; of phrases in one another the longest."""
    phrases, longest = _phrases(classes)
    words = [word.lower() for word in _WORD.findall(text.replace("-", " "))]
    at = 0
    while at < len(words):
        for end in range(min(len(words), at + longest), at, -1):
            found = phrases.get(" ".join(words[at:end]))
            if found is not None:
                inside = isinstance(found, Thing)
                meaning = found.inside if isinstance(found, Thing) else found
                if meaning is not None:
                    yield Mention(meaning, inside)
                at = end - 1
                break
        at += 1


def named_classes(text: str, classes: Classes) -> set[str]:
    """Return all classes that a text names, in any reading of its words."""
    return {name for mention in mentions(text, classes) for name in mention.names}


def left_out(mention: Mention, program: Any, told: Told) -> set[str]:
    """Return all that a word for a kind means for certain, and that is there where a program looks.

    A program on "the forest" must measure all of these.
    """
    if mention.inside or not mention.meaning.kind:
        return set()
    return {
        name
        for name in mention.meaning.sets[0]
        for leaf in leaves(program)
        if not isinstance(leaf, Valid) and _is_there(leaf, name, told)
    }


def _is_there(leaf: ClassMask | Instances, name: str, told: Told) -> bool:
    """Return whether a class is there in a leaf's layer and date; of objects a state."""
    if isinstance(leaf, Instances):
        return told.num_objects(leaf.model_copy(update={"attribute": name})) > 0
    if name not in told.words.get(leaf.layer, {}):
        return False
    try:
        return told.px(leaf.model_copy(update={"label": name})) > 0
    except Undefined:
        return False


def labels_of(program: Any) -> set[str]:
    """Return the classes, or the states of objects, that a program's leaves name."""
    return {
        f"{leaf.attribute}" if isinstance(leaf, Instances) and leaf.attribute else leaf.label
        for leaf in leaves(program)
        if not isinstance(leaf, Valid)
    }


def dates_of(program: Any) -> set[int]:
    """Return the dates that a program's leaves look at."""
    return {leaf.date for leaf in leaves(program)}


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


@lru_cache(maxsize=64)
def _phrases(classes: Classes) -> tuple[Mapping[str, Meaning | Thing], int]:
    phrases = dict(class_phrases(classes))
    lands = [land for _, held in classes for land in held]
    states = {land.name for land in lands if is_state(land)}
    for names, words in STATE_WORDS.items():
        held = tuple(name for name in names if name in states)
        for word in words.split(",") if held else ():
            phrases.setdefault(_spaced(word), Meaning("", (held,), kind=len(held) > 1))
    for land in lands:  # states too: "destroyed buildings"
        for phrase in {land.phrase, land.singular} - {""}:
            phrases.setdefault(_spaced(phrase), Meaning("", ((land.name,),), kind=False))
    return phrases, max(phrase.count(" ") + 1 for phrase in phrases)


def _spaced(phrase: str) -> str:
    return " ".join(_WORD.findall(phrase.lower().replace("-", " ")))
