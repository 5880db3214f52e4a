"""What a word stands for in a scene: its classes for certain, and those it may take in as well."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from schemas.program import ClassMask, Instances, Or
from schemas.taxonomy import LandClass
from templates.claim.words import KIND_WORDS, NEVER_SHOWN, OWN_WORDS, SMALL_THINGS, KindWords

ClassNames = tuple[str, ...]
Classes = tuple[tuple[str, tuple[LandClass, ...]], ...]  # layer and its classes, in order


@dataclass(frozen=True, slots=True)
class Meaning:
    """The classes of one layer that a word stands for.

    `sets` are the readings: for certain, and with all that the word may take in; one where they
    are the same. `kind` says that the word names a kind, not one class; `objects` that the class
    is of single objects; `states` which of these are meant, all where empty.
    """

    layer: str
    sets: tuple[ClassNames, ...]
    kind: bool = True
    objects: bool = False
    states: ClassNames = ()


@dataclass(frozen=True, slots=True)
class Thing:
    """What no class is alone: it may lie in some classes, or be smaller than a pixel.

    `inside` is None where no class of the scene could hold it; `size_m` is 0 where it is large.
    """

    inside: Meaning | None = None
    size_m: float = 0.0


def union(leaves: tuple[ClassMask | Instances, ...]) -> ClassMask | Instances | Or:
    """Return leaves as one mask expression; there must be one at least."""
    expr: ClassMask | Instances | Or = leaves[0]
    for leaf in leaves[1:]:
        expr = Or(a=expr, b=leaf)
    return expr


def classes_of(words: Mapping[str, Mapping[str, LandClass]]) -> Classes:
    """Return a ground's words in a form that can be a key."""
    return tuple((layer, tuple(classes.values())) for layer, classes in words.items())


@lru_cache(maxsize=64)
def class_phrases(classes: Classes) -> Mapping[str, Meaning | Thing]:
    """Return what every phrase for a class, or for a thing, means in scenes with these classes."""
    lands = {land.name: (layer, land) for layer, held in classes for land in held}
    states = {name for name, (_, land) in lands.items() if is_state(land)}
    plain = {name: found for name, found in lands.items() if name not in states}
    phrases: dict[str, Meaning | Thing] = {
        phrase: Thing() for phrase in _with_plurals(_split(NEVER_SHOWN))
    }
    for thing, size_m in SMALL_THINGS.items():
        phrases.update(dict.fromkeys(_with_plurals((thing,)), Thing(size_m=size_m)))
    for row in sorted(KIND_WORDS, key=lambda row: not row.inside):
        meaning = _kind_meaning(row, plain)
        found = meaning if meaning is not None and not row.inside else Thing(inside=meaning)
        phrases.update(dict.fromkeys(_with_plurals(_split(row.words)), found))
    for name, (layer, land) in plain.items():
        own = {*_split(OWN_WORDS.get(name, "")), name, land.phrase, land.singular} - {""}
        for phrase in _with_plurals(own):
            phrases[phrase] = Meaning(layer, ((name,),), kind=False, objects=land.countable)
    return phrases


@lru_cache(maxsize=64)
def objects_of(classes: Classes) -> Meaning | None:
    """Return the single objects that scenes with these classes have, if any: buildings."""
    found = class_phrases(classes).values()
    return next((one for one in found if isinstance(one, Meaning) and one.objects), None)


def is_state(land: LandClass) -> bool:
    """Return whether a class is a state of objects, such as "destroyed"."""
    return land.countable and land.name in _STATES


_STATES = ("no-damage", "minor-damage", "major-damage", "destroyed")  # schemas.taxonomy.XBD_DAMAGE


def _kind_meaning(row: KindWords, lands: Mapping[str, tuple[str, LandClass]]) -> Meaning | None:
    """Return what a row of kind words means, in the first layer that has such a class."""
    maybe_names = {*row.maybe}
    for layer in dict.fromkeys(layer for layer, _ in lands.values()):
        held = [land for own, land in lands.values() if own == layer]
        certain = tuple(
            land.name
            for land in held
            if land.name not in maybe_names and {land.name, land.common.value} & {*row.certain}
        )
        possible = tuple(
            land.name
            for land in held
            if land.name in certain or {land.name, land.common.value} & maybe_names
        )
        if possible:
            sets = (certain,) if certain == possible else (certain, possible)
            return Meaning(layer, sets, objects=any(land.countable for land in held))
    return None


def _split(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(",") if word.strip())


def _with_plurals(phrases: "tuple[str, ...] | set[str]") -> Iterator[str]:
    for phrase in phrases:
        phrase = phrase.lower().replace("-", " ").replace(",", " ,")
        yield phrase
        if not phrase.endswith(("s", "cover")):  # "tree covers 5 %" is no plural
            yield f"{phrase}s"


split_words = _split
