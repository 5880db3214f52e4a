"""All phrases with their symbols in one tree of words, so that a sentence is read in one pass."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from templates.claim.classes import Classes, Meaning, Thing, class_phrases, split_words
from templates.claim.cues import CARRIERS, CUES, PRONOUNS
from templates.claim.facts import (
    COLOUR_WORDS,
    DATE_WORDS,
    DISASTER_WORDS,
    MODALITY_WORDS,
    MOST_NUMBERS,
    NUMBERED_SENSORS,
    OVERLAY_WORDS,
    SEASON_WORDS,
    SENSOR_FAMILIES,
    STATE_WORDS,
    FactWord,
)
from templates.claim.measures import (
    COMPLEMENTS,
    COUNT_WORDS,
    FRACTIONS,
    MULTIPLES,
    NUMBER_WORDS,
    RANK_WORDS,
    SHARE_WORDS,
    SINGLE,
    UNITS,
    Amount,
    Unit,
)
from templates.claim.places import Place, place_phrases

RANK_SYMBOLS = {"dominant": "D", "largest": "D", "second": "2", "third": "2", "smallest": "y"}
ARTICLES = frozenset(("the", "a", "an"))

Payload = (
    Meaning
    | Thing
    | Place
    | Amount
    | FactWord
    | tuple[Meaning, ...]
    | tuple[Place, ...]
    | tuple[str, ...]
    | tuple[Unit, float]
    | float
    | str
    | None
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a phrase is: its symbol ("" for a carrier) and what it says beside."""

    symbol: str
    payload: Payload = None


@dataclass(slots=True)
class Node:
    """A word of the tree: the entry of the phrase that ends here, and the words that go on."""

    entry: Entry | None = None
    following: dict[str, "Node"] = field(default_factory=dict)


@lru_cache(maxsize=64)
def lexicon(classes: Classes) -> Node:
    """Return the tree of all phrases for scenes with these classes; class words come first."""
    root = Node()
    for phrase, entry in cue_entries():
        _add(root, phrase, entry)
    for phrase, found in class_phrases(classes).items():
        _add(root, phrase, Entry("X" if isinstance(found, Meaning) else "I", found))
    return root


def cue_entries() -> Iterator[tuple[str, Entry]]:
    """Yield every phrase that is no class word; each stands for one symbol."""
    yield from ((word, Entry("")) for word in split_words(CARRIERS))
    yield from ((word, Entry("@")) for word in split_words(PRONOUNS))
    for symbol, words in CUES.items():
        yield from ((word, Entry(symbol, word)) for word in split_words(words))
    yield from ((phrase, Entry("g", phrase)) for phrase in _surrounded())
    yield from ((phrase, Entry("z")) for phrase in _separate_areas())
    yield from ((phrase, Entry(symbol, place)) for phrase, symbol, place in place_phrases())
    yield from _amounts()
    yield from _facts()


def _surrounded() -> Iterator[str]:
    for manner in (
        *"completely fully entirely totally mostly mainly largely almost nearly".split(),
        "almost completely",
        "almost entirely",
        "nearly completely",
    ):
        for verb in ("surrounded by", "enclosed by", "encircled by", "surrounded", "enclosed"):
            yield f"{manner} {verb}" if verb.endswith("by") else f"{verb} {manner} by"
    for sides in ("on all sides", "on every side", "from all sides", "on each side"):
        for verb in "surrounded enclosed encircled bordered bounded framed flanked".split():
            yield f"{verb} {sides} by"


def _separate_areas() -> Iterator[str]:
    for noun in "areas patches regions zones bodies parts parcels blocks clusters pieces".split():
        yield f"separate {noun}"


def _amounts() -> Iterator[tuple[str, Entry]]:
    for row, words in SHARE_WORDS.items():
        yield from ((word, Entry("Q", Amount(word=row))) for word in split_words(words))
    for word, part in FRACTIONS.items():
        yield word, Entry("Q", Amount(value=100 * part, fraction=True))
    for row, words in COUNT_WORDS.items():
        for word in split_words(words):
            yield word, Entry("#", Amount(unit="count", word=row))
    for word in split_words(SINGLE):
        yield word, Entry("#", Amount(unit="count", value=1.0))
    yield from ((word, Entry("9", float(number))) for word, number in NUMBER_WORDS.items())
    for word, unit in UNITS.items():
        for form in (word, f"{word}s") if len(word) > 2 else (word,):
            yield form, Entry("1", unit)
    for complement in split_words(COMPLEMENTS):
        yield f"times {complement}", Entry("*", 0.0)
        for word, times in MULTIPLES.items():
            yield f"{word} {complement}", Entry("*", times)
    for row, words in RANK_WORDS.items():
        yield from ((word, Entry(RANK_SYMBOLS[row], row)) for word in split_words(words))
        if RANK_SYMBOLS[row] == "2":
            yield from ((phrase, Entry("2", row)) for phrase in _ranked_after(words))


def _ranked_after(words: str) -> Iterator[str]:
    """Yield "second largest class after": it goes on with the larger ones."""
    for word in split_words(words):
        for noun in (
            "",
            " class",
            " cover",
            " land cover",
            " land cover class",
            " land cover type",
        ):
            for after in ("after", "behind"):
                yield f"{word}{noun} {after}"


def _sensors() -> Iterator[tuple[str, str]]:
    """Yield sensors as metadata name them, "Landsat-8", with how a text does, "landsat 8"."""
    for family in split_words(SENSOR_FAMILIES):
        if family not in NUMBERED_SENSORS:
            yield family, family.lower()
        for number in range(1, MOST_NUMBERS + 1):
            yield f"{family}-{number}", f"{family.lower()} {number}"


def _facts() -> Iterator[tuple[str, Entry]]:
    for kind, table in (
        ("modality", MODALITY_WORDS),
        ("sensor", dict(_sensors())),
        ("season", SEASON_WORDS),
        ("disaster", DISASTER_WORDS),
        ("colour", {"colour": COLOUR_WORDS}),
        ("overlay", {"overlay": OVERLAY_WORDS}),
    ):
        for value, words in table.items():
            yield from ((word, Entry("Z", FactWord(kind, value))) for word in split_words(words))
    for colour in split_words(COLOUR_WORDS):  # "a red outline" is drawn on the picture
        for mark in "outline outlines polygon polygons box boxes contour contours".split():
            yield f"{colour} {mark}", Entry("Z", FactWord("overlay", "overlay"))
    for states, words in STATE_WORDS.items():
        yield from ((word, Entry("T", states)) for word in split_words(words))
    for date, words in DATE_WORDS.items():
        yield from ((word, Entry("Y", float(date))) for word in split_words(words))


def _add(root: Node, phrase: str, entry: Entry) -> None:
    """Add a phrase; articles inside it are left out, as reading passes over them."""
    first, *others = phrase.replace("-", " ").split()
    node = root.following.setdefault(first, Node())
    for word in others:
        if word not in ARTICLES:
            node = node.following.setdefault(word, Node())
    node.entry = entry
