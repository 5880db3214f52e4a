"""Places of the picture: which cells of the 3 x 3 grid a phrase means, and which lie around it.

Cells are numbered row by row from the top left, as in docs/program.md. Words of direction stand
alone ("the north") or before a part of the picture ("the northern edge").
"""

from collections.abc import Iterator
from dataclasses import dataclass

ROWS = ((0, 1, 2), (3, 4, 5), (6, 7, 8))
COLUMNS = ((0, 3, 6), (1, 4, 7), (2, 5, 8))
CENTRE = (4,)

PART_NOUNS = (
    "part parts portion portions side sides corner corners edge edges section sections area areas "
    "region regions half halves third thirds quadrant quadrants end ends zone zones border borders "
    "margin margins boundary sector sectors strip fringe quarter reaches segment row column"
).split()

# word -> cells; nouns may stand alone, adjectives only before a part
_NOUNS = {
    "top": ROWS[0],
    "bottom": ROWS[2],
    "left": COLUMNS[0],
    "right": COLUMNS[2],
    "centre": CENTRE,
    "center": CENTRE,
    "middle": CENTRE,
}
_ADJECTIVES = {
    "upper": ROWS[0],
    "uppermost": ROWS[0],
    "lower": ROWS[2],
    "lowermost": ROWS[2],
    "central": CENTRE,
    "leftmost": COLUMNS[0],
    "rightmost": COLUMNS[2],
    "left hand": COLUMNS[0],
    "right hand": COLUMNS[2],
}
_COMPASS = {
    "north": ROWS[0],
    "south": ROWS[2],
    "west": COLUMNS[0],
    "east": COLUMNS[2],
}


@dataclass(frozen=True, slots=True)
class Place:
    """Part of the picture: its own cells, and whether it is named by the compass."""

    core: tuple[int, ...]
    compass: bool

    @property
    def reach(self) -> tuple[int, ...]:
        """Its cells and all that touch them."""
        return tuple(
            cell
            for cell in range(9)
            if any(
                abs(cell // 3 - own // 3) <= 1 and abs(cell % 3 - own % 3) <= 1 for own in self.core
            )
        )


def _both(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(cell for cell in a if cell in b)


def place_phrases() -> Iterator[tuple[str, str, Place]]:
    """Yield phrases with their symbol and place.

    "P" is a place; "p" a word that is one only beside a part, an article or another place, such as
    "left" or "upper".
    """
    for word, cells in _single_words():
        place = Place(cells, _is_compass(word))
        alone = "P" if word in _COMPASS or _two_directions(cells) else "p"
        yield word, alone, place
        for part in PART_NOUNS:
            yield f"{word} {part}", "P", place
    every_corner = Place((0, 2, 6, 8), compass=False)
    for phrase in ("corners", "all corners", "all four corners", "four corners"):
        yield phrase, "P", every_corner


def _two_directions(cells: tuple[int, ...]) -> bool:
    return len(cells) == 1 and cells != CENTRE


def _is_compass(word: str) -> bool:
    return any(direction in word for direction in _COMPASS)


def _single_words() -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from _NOUNS.items()
    yield from _ADJECTIVES.items()
    for word, cells in _COMPASS.items():
        for form in (word, f"{word}ern", f"{word}ernmost"):
            yield form, cells
    yield from _combinations()


def _combinations() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield "upper left", "top left", "left upper", "north west", "northwestern", "middle left"."""
    vertical = {"top": ROWS[0], "upper": ROWS[0], "bottom": ROWS[2], "lower": ROWS[2]}
    sideways = {"left": COLUMNS[0], "right": COLUMNS[2]}
    middles = ("middle", "centre", "center", "central", "mid")
    for down, row in vertical.items():
        for across, column in sideways.items():
            for form in (f"{down} {across}", f"{across} {down}", f"{down} {across} hand"):
                yield form, _both(row, column)
        for middle in middles:
            for form in (f"{down} {middle}", f"{middle} {down}"):
                yield form, _both(row, COLUMNS[1])
    for across, column in sideways.items():
        for middle in middles:
            for form in (f"{across} {middle}", f"{middle} {across}"):
                yield form, _both(ROWS[1], column)
    for down in ("north", "south"):
        for across in ("west", "east"):
            for ending in ("", "ern", "ernmost"):
                for gap in (" ", ""):
                    yield f"{down}{gap}{across}{ending}", _both(_COMPASS[down], _COMPASS[across])
    for direction, cells in _COMPASS.items():
        across_cells = COLUMNS[1] if direction in ("north", "south") else ROWS[1]
        for middle in middles:
            for form in (direction, f"{direction}ern"):
                yield f"{form} {middle}", _both(cells, across_cells)
                yield f"{middle} {form}", _both(cells, across_cells)
