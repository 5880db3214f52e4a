"""Whether a bench question in other words asks what its template asks.

English can be read too many ways to compare two questions word by word (docs/composer.md). So the
other wording may hold nothing but the template's classes and images, the template's own words, and
words that are written down here for its kind of question, of which none turns another round. What
a kind must say, and where its classes and images must not stand, are patterns on the question
with letters for both: "what percentage of I is covered by A".
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from masks.regions import leaves
from schemas.program import Valid
from schemas.taxonomy import LandClass

VERSION = 1
MOST_LONGER, ALWAYS_LONG_ENOUGH = 2, 160  # times the template's question, or characters

_PLACE = r"(?:labelled (?:area|part) of (?:the |this )?)?(?:image \d+|image|scene)"
_ARTICLES = re.compile(r"\b(?:the|an?|this|these) ")
_PAUSES = re.compile(r"[,:–—]| - |(?<=[ABIJ])'s\b")
_SIGNS = re.compile(r"[a-z]+(?:[-'][a-z]+)*|[ABIJ]")  # what a question is made of beside spaces
_UNITS = frozenset("hectares hectare metres meters kilometres kilometers square".split())
_TURNED = frozenset(
    "smaller smallest less least fewer fewest lower lowest larger largest more most greater "
    "greatest bigger biggest longer longest farther farthest furthest maximum not no never without "
    "except excluding outside beyond other remaining rest unless neither nor".split()
)
_DATED = frozenset(
    "before after earlier later previous prior first second last date dates day month year season "
    "optical radar sar satellite sentinel sentinel-1 sentinel-2 vv vh rgb sensor band".split()
)


class Wrong(StrEnum):
    """Why other words are not kept, in a closed list."""

    NO_QUESTION = "no_question"  # not one sentence that ends with its one question mark
    TOO_LONG = "too_long"
    GIVES_AWAY = "gives_away"  # it holds an option
    NEW_NUMBER = "new_number"
    OTHER_IMAGES = "other_images"  # others, more or fewer of them, or in another order
    OTHER_CLASSES = "other_classes"
    OTHER_UNITS = "other_units"
    TURNED_WORD = "turned_word"  # a word of direction or of leaving out
    OTHER_DATE_OR_SENSOR = "other_date_or_sensor"
    UNKNOWN_WORD = "unknown_word"
    OFF_QUESTION = "off_question"  # what it asks is missing, or of what stands elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Misworded:
    """What is wrong with other words, counted as `why` and told as `detail`."""

    why: Wrong
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What may, must and must not stand in a kind of question; what must, with how it is told."""

    words: frozenset[str]
    due: Mapping[str, str]
    never: Sequence[str] = ()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMMON = _words(
    "is are was were be in within inside across throughout of on by from for to at with and it its "
    "their there that total overall all whole entire approximately roughly about looking "
    "considering shown seen visible lie lies lying located found present do does did"
)
_COVER = _words(
    "cover covers covered covering coverage occupy occupies occupied occupying take takes taken "
    "taking up make makes made account accounts accounted consist consists composed constitute "
    "constitutes represent represents fall falls classified labelled under as"
)
_SHARE = "(?:percentage|percent|proportion|fraction|share|portion|how much)"
_SHARE_WORDS = _words("percentage percent proportion fraction share portion")
_ACTS = "(?:covers?|occup(?:y|ies)|takes?|makes?|accounts?|constitutes?|represents?)"
_WHOLE = "(?:(?:total|whole|entire|overall|all|of) )*"
_INSIDE = rf"\b(?:in|within|inside|across|throughout|at|for|considering) {_WHOLE}I\b"
_NEAR = r"\b(?:closest|nearest|shortest|smallest|minimum|minimal|close)\b"
_DESTROYED = r"\b(?:were|was|been) (?:\w+ )?destroyed\b|\bdid event destroy\b|\bevent destroyed\b"
_IN_ORDER = r"\bI (?:and|to|with) J\b"

_DAMAGE = _COMMON | _words(
    "how what many much number count between comparing compared compare going judging based using "
    "event destroyed destroy been had result happened caused"
)
_KINDS: Mapping[str, _Kind] = {
    "coverage_percentage": _Kind(
        words=_COMMON
        | _COVER
        | _SHARE_WORDS
        | _words("what which how much area extent surface expressed given"),
        due={"the share of the image": rf"\b{_SHARE}\b"},
        never=(
            rf"\b{_SHARE} of (?!{_WHOLE}(?:(?:area|extent|surface) (?:of |in |within )?)?I\b)",
            r"(?<!up )(?<!composed )(?<!consists )(?<!consist )(?<!coverage )\bof A\b",
            rf"\bdo(?:es)? I\b|\bI {_ACTS}\b",
        ),
    ),
    "absolute_area": _Kind(
        words=_COMMON
        | _COVER
        | _words(
            "what which how much large big extensive size area extent surface ground land class"
        ),
        due={
            "what, or how large, the area is": r"\b(?:what|which|how)\b",
            "the area of the class": r"\b(?:large|big|extensive|size|area|extent|"
            r"surface|ground|land)\b",
        },
        never=(
            r"\bhow much (?!(?:total )?(?:area|surface|ground|land)\b)",
            r"\b(?:large|big|extensive) (?:is |are )?I\b|\bsize of I\b",
            rf"\bdo(?:es)? I\b|\bI {_ACTS}\b",
        ),
    ),
    "comparative_ranking": _Kind(
        words=_COMMON
        | _COVER
        | _SHARE_WORDS
        | _words(
            "which or larger largest more most greater greatest bigger biggest extensive "
            "dominant dominates area areas extent surface ground land class has have two between "
            "versus comparing compared"
        ),
        due={
            "which of the two": r"\bwhich\b",
            "which is larger": r"\b(?:larger|largest|more|most|greater|greatest|bigger|biggest|"
            r"dominant|dominates)\b",
            "both classes side by side, as A or B": r"\b[AB] (?:or|and|versus|with|to) [AB]\b",
            "where it is asked": rf"{_INSIDE}|\bof {_WHOLE}I\b|\bof area of {_WHOLE}I\b",
        },
        never=(
            r"\b(?:percentage|proportion|fraction|share|portion|ground|land|surface|more|most) "
            r"of [AB]\b",
            rf"\bdo(?:es)? I\b|\bI {_ACTS}\b",
        ),
    ),
    "boundary_relationship": _Kind(
        words=_COMMON
        | _words(
            "border borders bordering touch touches touching adjoin adjoins meet meets abut abuts "
            "adjacent neighbours neighbouring next directly side share shares sharing common "
            "boundary contact each other one another anywhere any point come comes into between"
        ),
        due={
            "whether, with is, are, do or does first": (
                r"^(?:(?:looking )?\w+ (?:whole |entire )?I )?(?:is|are|do|does)\b"
            ),
            "whether they border": r"\b(?:border\w*|touch\w*|adjoins?|meets?|abuts?|adjacent|"
            r"neighbour\w*|next to|contact|boundary|side by side)\b",
            "where it is asked": _INSIDE,
        },
        never=(r"\b(?:border\w*|boundary|side) of\b",),
    ),
    "distance_measurement": _Kind(
        words=_COMMON
        | _words(
            "what how many far apart distance gap separate separates separated separating close "
            "closest nearest shortest smallest minimum minimal point points between away come "
            "comes get measured each other"
        ),
        due={
            "how far, or what distance": r"\b(?:what|how)\b",
            "the distance": r"\b(?:distance|gap|far|apart|separat\w+|close|metres)\b",
            "that it is the shortest": _NEAR,
            "both classes, one from the other": r"\b[AB] (?:(?:and|to|from|away|come|comes|lie|"
            r"lies|is|are|get|separated|at|its|their|closest|nearest|point) )+[AB]\b",
            "where it is asked": _INSIDE,
        },
        never=(r"\bhow many (?!met(?:re|er)s\b)",),
    ),
    "how many destroyed": _Kind(
        words=_DAMAGE,
        due={
            "how many": r"\b(?:how many|number of) (?:all |of )*(?:destroyed )?A\b",
            "that they were destroyed": rf"{_DESTROYED}|\bdestroyed A\b",
            "both images, one after the other": _IN_ORDER,
        },
    ),
    "share destroyed": _Kind(
        words=_DAMAGE | _SHARE_WORDS,
        due={
            "the share of all that stood": rf"\b{_SHARE} of (?:all )?(?:of )?A\b",
            "that they were destroyed": _DESTROYED,
            "both images, one after the other": _IN_ORDER,
        },
        never=(r"\bhow many\b|\bnumber\b",),
    ),
}


def misworded(
    task: str,
    due: str,
    said: str,
    names: Sequence[str],
    known: Sequence[str],
    options: Sequence[str],
) -> Misworded | None:
    """Return what is wrong with other words for a question, None where they ask the same.

    Args:
        task: What kind of bench question it is.
        due: The template's question.
        said: The other words.
        names: How the classes of its program are called.
        known: How all classes of the scene are called.
        options: The question's options.
    """
    return next(_faults(task, due, said, names, known, options), None)


def names_of(program: Any, words: Mapping[str, Mapping[str, LandClass]]) -> list[str]:
    """Return how the classes of a program's leaves are called, each once."""
    named = (leaf for leaf in leaves(program) if not isinstance(leaf, Valid))
    return list(dict.fromkeys(words[leaf.layer][leaf.label].phrase for leaf in named))


def all_names(words: Mapping[str, Mapping[str, LandClass]]) -> list[str]:
    """Return how all classes of a scene are called."""
    return [land.phrase for classes in words.values() for land in classes.values()]


def _faults(
    task: str,
    due: str,
    said: str,
    names: Sequence[str],
    known: Sequence[str],
    options: Sequence[str],
) -> Iterator[Misworded]:
    asked, told = _sketch(due, names), _sketch(said, names)
    body = told.text.removesuffix("?")
    if body == told.text or re.search(r"[?!.;\n]", body):
        yield _wrong(Wrong.NO_QUESTION, "write one question, with one question mark at its end")
    most = max(MOST_LONGER * len(due), ALWAYS_LONG_ENOUGH)
    if len(said) > most:
        yield _wrong(Wrong.TOO_LONG, f"{len(said)} characters, at most {most}")
    for option in options:
        if _holds(said, option) and not _holds(due, option):
            yield _wrong(Wrong.GIVES_AWAY, f"{option!r} is an option, and not to be named")
    if number := re.search(r"\d[\d.,]*", body):
        yield _wrong(Wrong.NEW_NUMBER, f"the question has no {number[0]!r}")
    if asked.places != told.places:
        expected = ", then ".join(asked.places)
        yield _wrong(Wrong.OTHER_IMAGES, f"it names {told.places}, and must name {expected!r}")
    if Counter(asked.names) != Counter(told.names):
        yield _wrong(Wrong.OTHER_CLASSES, f"name once each, as they stand: {', '.join(names)}")
    if others := [name for name in known if _holds(body, name) and not _holds(asked.text, name)]:
        yield _wrong(Wrong.OTHER_CLASSES, f"{others[0]!r} is not asked about")
    kind = _KINDS[_kind_of(task, due)]
    plain, words = _plain(body), set(_plain(asked.text.removesuffix("?")).split())
    yield from _of_words(plain, words, kind.words)
    for what, pattern in kind.due.items():
        if not re.search(pattern, plain):
            yield _wrong(Wrong.OFF_QUESTION, f"it has to ask {what}")
    if any(re.search(pattern, plain) for pattern in kind.never):
        yield _wrong(Wrong.OFF_QUESTION, "it asks of other things than the question does")


def _of_words(plain: str, words: set[str], allowed: frozenset[str]) -> Iterator[Misworded]:
    """Yield words that are neither of the question nor of its kind, and units that are missing."""
    for word in plain.split():
        if word in words | allowed or _is_token(word):
            continue
        if word in _UNITS:
            yield _wrong(Wrong.OTHER_UNITS, f"the question does not speak of {word!r}")
        elif word in _TURNED:
            yield _wrong(Wrong.TURNED_WORD, f"{word!r} is not what is asked")
        elif word in _DATED:
            yield _wrong(Wrong.OTHER_DATE_OR_SENSOR, f"the question does not speak of {word!r}")
        else:
            yield _wrong(Wrong.UNKNOWN_WORD, f"use another word than {word!r}")
    if missing := words & _UNITS - set(plain.split()):
        yield _wrong(Wrong.OTHER_UNITS, f"keep the unit {', '.join(sorted(missing))}")


def _kind_of(task: str, due: str) -> str:
    if task != "building_change_estimation":
        return task
    return "share destroyed" if "percentage" in due.lower() else "how many destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sketch:
    """A question in small letters, with A and B for its classes, I and J for its images."""

    text: str
    names: tuple[str, ...]
    places: tuple[str, ...]


def _sketch(text: str, names: Sequence[str]) -> _Sketch:
    lowered = [name.lower() for name in names]
    longest = sorted(lowered, key=len, reverse=True)
    wanted = "|".join([*map(re.escape, longest), _PLACE])
    found: list[str] = []
    places: list[str] = []

    def letter(match: re.Match[str]) -> str:
        thing = match[0]
        if thing in lowered:
            found.append(thing)
            return "AB"[lowered.index(thing)]
        place = _ARTICLES.sub("", thing)
        if place not in places:
            places.append(place)
        return "IJ"[places.index(place) % 2]

    spaced = " ".join(text.replace("’", "'").lower().split())
    sketched = re.sub(rf"(?<![\w-])(?:{wanted})(?![\w-])", letter, spaced)
    return _Sketch(text=sketched, names=tuple(found), places=tuple(places))


def _plain(text: str) -> str:
    """Return a sketch without articles and pauses."""
    return " ".join(_ARTICLES.sub("", _PAUSES.sub(" ", text)).split())


def _is_token(word: str) -> bool:
    return len(word) == 1 and _SIGNS.fullmatch(word) is not None and word.isupper()


def _holds(text: str, part: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(part.lower())}(?!\w)", text.lower()) is not None


def _wrong(why: Wrong, detail: str) -> Misworded:
    return Misworded(why=why, detail=detail)
