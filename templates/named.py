"""Which classes a program measures, and whether some words are the name of a mask."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from masks.regions import leaves
from schemas.program import And, ClassMask, Instances, Minus, Near, Or, Part, Valid
from schemas.value import Undefined
from templates.claim.classes import (
    Classes,
    Meaning,
    Thing,
    class_phrases,
    classes_of,
    is_state,
)
from templates.claim.facts import STATE_WORDS
from templates.told import Told

_WORD = re.compile(r"[^\W\d_]+|\d+|[^\s\w]")


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


def whole_labels(mask: Any) -> set[str]:
    """Return the classes that a mask is a part of, and not those that it is cut by."""
    match mask:
        case Near() | Part():
            return whole_labels(mask.of)
        case Minus():
            return whole_labels(mask.a)
        case And():
            return whole_labels(mask.a) | whole_labels(mask.b)
    return labels_of(mask)


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
def _phrases(classes: Classes) -> Mapping[str, Meaning | Thing]:
    phrases = dict(class_phrases(classes))
    lands = [land for _, held in classes for land in held]
    states = {land.name for land in lands if is_state(land)}
    objects = [land.phrase for land in lands if land.countable and land.name not in states]
    for names, words in STATE_WORDS.items():
        held = tuple(name for name in names if name in states)
        for word in words.split(",") if held else ():
            meaning = Meaning("", (held,), kind=len(held) > 1)
            for phrase in (word, *(f"{word} {things}" for things in objects)):
                phrases.setdefault(_spaced(phrase), meaning)
    for land in lands:  # states too: "destroyed buildings"
        for phrase in {land.phrase, land.singular} - {""}:
            phrases.setdefault(_spaced(phrase), Meaning("", ((land.name,),), kind=False))
    return phrases


def _spaced(phrase: str) -> str:
    return " ".join(_WORD.findall(phrase.lower().replace("-", " ")))


def means_exactly(words: str, expr: Any, told: Told) -> bool:
    """Return whether some words are a name for what a mask expression is of, and for no more.

    A word for a kind will do where the scene holds no other class of that kind. What is cut out of
    classes has no such name.
    """
    if not is_union(expr):
        return False
    found = _phrases_of(classes_of(told.words)).get(plain(words))
    if found is None or isinstance(found, Thing):
        return False
    labels, names = labels_of(expr), {*found.sets[-1], *found.states}
    there = (leaf for leaf in leaves(expr) if not isinstance(leaf, Valid))
    others = names - labels
    return (
        bool(labels)
        and labels <= names
        and not any(_is_there(leaf, other, told) for leaf in there for other in others)
    )


def is_union(expr: Any) -> bool:
    """Return whether an expression is a leaf of a class, or such leaves put together."""
    if isinstance(expr, Or):
        return is_union(expr.a) and is_union(expr.b)
    return isinstance(expr, ClassMask | Instances)


def phrase_of(expr: Any, told: Told) -> str:
    """Return the words for what a mask expression is of: "cropland", "broad-leaved forest"."""
    lands = {land.name: land for held in told.words.values() for land in held.values()}
    return " and ".join(lands[label].phrase for label in sorted(labels_of(expr)))


@lru_cache(maxsize=64)
def _phrases_of(classes: Classes) -> Mapping[str, Meaning | Thing]:
    return {plain(phrase): found for phrase, found in _phrases(classes).items()}


def plain(words: str) -> str:
    """Return words in lower case, without articles and marks."""
    return " ".join(w for w in _spaced(words.lower()).split() if w not in ("the", "a", "an"))
