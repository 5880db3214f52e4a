"""Whether a text says the part of the image that a program, or a mask, is cut to."""

import re
from collections.abc import Iterator
from typing import Any

from schemas.program import CellOf, Or, Part

_NOT_PLACES = re.compile(
    r"\bfrom (?:north|top|west|left)(?: edge)? to (?:south|bottom|east|right)\b|\bright next\b",
    re.IGNORECASE,
)
_BESIDE = r"(?=[- ](?:third|part|corner|side|row|column|strip|edge|hand|middle|cent|area|section))"
_DIRECTIONS = {
    "north": re.compile(r"\bnorth|\bupper|\btop\b", re.IGNORECASE),
    "south": re.compile(
        rf"\bsouth|\bbottom\b|\blower(?:(?=[- ](?:left|right))|{_BESIDE})", re.IGNORECASE
    ),
    "west": re.compile(
        rf"west(?!er\b)|\bleft{_BESIDE}|\b(?:upper|lower|middle|top|bottom|the|cent\w+)[- ]left\b",
        re.IGNORECASE,
    ),
    "east": re.compile(
        rf"\beast|(?<=north)-?east|(?<=south)-?east|\bright{_BESIDE}"
        r"|\b(?:upper|lower|middle|top|bottom|the|cent\w+)[- ]right\b",
        re.IGNORECASE,
    ),
    "middle": re.compile(r"\bmiddle\b|\bcent(?:re|er|ral)\b", re.IGNORECASE),
}
_COMPASS = re.compile(r"(?:north|south)|\b(?:east|west)", re.IGNORECASE)
_THIRD = re.compile(r"third|band|strip|\brow\b|column", re.IGNORECASE)
_OTHER_PARTS = re.compile(
    r"(?:\w+ern|upper|lower|left|right|top|bottom|\w*west|\w*east)[- ](?:half|quarter|quadrant)",
    re.IGNORECASE,
)
_WHERE = re.compile(r"where|third|\bpart\b|\bcell\b|corner|side\b|region|section", re.IGNORECASE)
_ACROSS = re.compile(r"north to south|top to bottom|horizontal", re.IGNORECASE)
_UPRIGHT = re.compile(r"west to east|left to right|vertical|upright", re.IGNORECASE)

ROWS = ("north", "middle", "south")
COLUMNS = ("west", "middle", "east")
THIRDS = {
    frozenset(cells): (name, lies)
    for cells, name, lies in (
        ((0, 1, 2), "north", ""),
        ((3, 4, 5), "middle", "across"),
        ((6, 7, 8), "south", ""),
        ((0, 3, 6), "west", ""),
        ((1, 4, 7), "middle", "upright"),
        ((2, 5, 8), "east", ""),
    )
}
WHOLE = frozenset(range(9))


def place_faults(text: str, program: Any, north_up: bool) -> Iterator[str]:
    """Yield where a text and a program speak of different parts of the image."""
    options = _ranked_places(program)
    places = set(places_of(program)) - {WHOLE} - options
    said = directions_said(text)
    for cells in (*places, *options):
        if directions_of(cells) is None:
            yield f"the cells {sorted(cells)} are no part that has a name: take one, or a third"
            return
    if options:
        if not _WHERE.search(text):
            yield "the program gives a part of the image, and the text does not ask which"
        if said and said != {name for cells in options for name in directions_of(cells) or ()}:
            yield f"the text speaks of the {_listed(said)} of the image: name all parts, or none"
        return
    if not places:
        if said and not isinstance(program, CellOf):
            yield f"the text speaks of the {_listed(said)} of the image, and the program does not"
        return
    due = {name for cells in places for name in directions_of(cells) or ()}
    if said != due:
        found = f"and {text!r} speaks of the {_listed(said)}" if said else f"and {text!r} does not"
        yield f"the program looks at the {_listed(due)} of the image, {found}"
    elif _COMPASS.search(text) and not north_up:
        yield "it is not known where north is: say upper, lower, left and right"
    elif _OTHER_PARTS.search(text):
        yield "the program looks at a ninth or a third of the image, not at a half or a quarter"
    yield from _middle_faults(text, places)


def _ranked_places(program: Any) -> set[frozenset[int]]:
    """Return the parts of the image among which a program names one; none where it names else."""
    named = getattr(program, "of", ())
    if not isinstance(named, tuple) or not all(hasattr(part, "name") for part in named):
        return set()
    found = [frozenset(places_of(part)) for part in named]
    return set().union(*found) if len(set(found)) == len(found) else set()


def _middle_faults(text: str, places: set[frozenset[int]]) -> Iterator[str]:
    """Yield where "the middle" may be a cell or a third that lies one way or the other."""
    thirds = {THIRDS[cells][1] for cells in places if cells in THIRDS}
    if "across" in thirds and not _ACROSS.search(text):
        yield "say that the middle third is that from north to south (from top to bottom)"
    if "upright" in thirds and not _UPRIGHT.search(text):
        yield "say that the middle third is that from west to east (from left to right)"
    if frozenset({4}) in places and not thirds and _THIRD.search(text):
        yield "the program looks at the cell in the middle, not at a third"
    if any(len(cells) == 3 and not THIRDS[cells][1] for cells in places) and re.search(
        r"corner|\bcell\b|ninth", text, re.IGNORECASE
    ):
        yield "the program looks at a third of the image, not at a cell"


def directions_said(text: str) -> set[str]:
    """Return the directions that a text names: north, south, west, east, middle."""
    bare = _NOT_PLACES.sub(" ", text)
    return {name for name, words in _DIRECTIONS.items() if words.search(bare)}


def directions_of(cells: frozenset[int]) -> set[str] | None:
    """Return the directions by which some cells are called; None where they have no name."""
    if len(cells) == 1:
        (cell,) = cells
        return {ROWS[cell // 3], COLUMNS[cell % 3]}
    return {THIRDS[cells][0]} if cells in THIRDS else None


def places_of(expr: Any) -> Iterator[frozenset[int]]:
    """Yield the cells of every part of the image that an expression is cut to.

    Parts of one mask that are put together are one place.
    """
    joined = _joined(expr)
    if joined is not None:
        yield joined[1]
        yield from places_of(joined[0])
        return
    if isinstance(expr, tuple):
        for part in expr:
            yield from places_of(part)
    elif hasattr(expr, "model_fields_set"):
        for child in vars(expr).values():
            yield from places_of(child)


def _joined(expr: Any) -> tuple[Any, frozenset[int]] | None:
    """Return the mask, and the cells, of parts of one mask; None for anything else."""
    match expr:
        case Part():
            return expr.of, frozenset({expr.cell})
        case Or():
            a, b = _joined(expr.a), _joined(expr.b)
            if a is not None and b is not None and a[0] == b[0]:
                return a[0], a[1] | b[1]
    return None


def _listed(directions: set[str]) -> str:
    return " and ".join(sorted(directions))
