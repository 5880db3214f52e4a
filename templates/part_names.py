"""What thirds and cells of a picture are called."""

import re
from collections.abc import Mapping

from schemas.trace import COMPASS_CELLS, IMAGE_CELLS

_THIRDS: Mapping[str, frozenset[int]] = {
    "northern third|upper third|top third": frozenset((0, 1, 2)),
    "middle third from north to south|middle third from top to bottom": frozenset((3, 4, 5)),
    "southern third|lower third|bottom third": frozenset((6, 7, 8)),
    "western third|left third": frozenset((0, 3, 6)),
    "middle third from west to east|middle third from left to right": frozenset((1, 4, 7)),
    "eastern third|right third": frozenset((2, 5, 8)),
}
# "the north" alone is a third, or a half: a cell at an edge is said to be in the middle
_CELLS = (
    tuple(f"{n} middle" if n in ("north", "west", "east", "south") else n for n in COMPASS_CELLS),
    IMAGE_CELLS,
)
_COMPASS = re.compile(r"north|south|west|east")


def cells_named(words: str, north_up: bool) -> frozenset[int] | None:
    """Return the cells that some words name, None where they name none for certain.

    Compass words say nothing where it is not known that up is north.
    """
    if _COMPASS.search(words) and not north_up:
        return None
    for names, cells in _THIRDS.items():
        if words in names.split("|"):
            return cells
    plain = re.sub(r"(?<=north|south)(?=west|east)", "-", words)
    plain = re.sub(r"ern\b", "", plain)
    plain = re.sub(r" (?:part|corner|cell|ninth)$", "", plain).replace("center", "centre")
    for cell_names in _CELLS:
        if plain in cell_names:
            return frozenset((cell_names.index(plain),))
    return None


def has_name(cells: frozenset[int]) -> bool:
    """Return whether some cells are one, or a third of the picture."""
    return len(cells) == 1 or cells in _THIRDS.values()


def part_name(cells: frozenset[int], north_up: bool) -> str:
    """Return the name of a third or a cell; KeyError for any other set of cells."""
    for names, found in _THIRDS.items():
        if found == cells:
            return names.split("|")[0 if north_up else 1]
    (cell,) = cells
    return f"{_CELLS[0 if north_up else 1][cell]} part"
