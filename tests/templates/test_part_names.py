"""Names of thirds and cells: each is found by its own, and by no other."""

import pytest

from templates.part_names import cells_named, has_name, part_name

THIRDS = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8)]
NAMED_PLACES = [frozenset(cells) for cells in (*THIRDS, *((cell,) for cell in range(9)))]


@pytest.mark.parametrize("north_up", [True, False])
@pytest.mark.parametrize("cells", NAMED_PLACES, ids=sorted)
def test_a_place_is_found_by_its_name_and_has_its_own(cells, north_up) -> None:
    assert has_name(cells)
    name = part_name(cells, north_up)
    assert cells_named(name, north_up) == cells
    assert [other for other in NAMED_PLACES if part_name(other, north_up) == name] == [cells]


def test_compass_words_say_nothing_where_up_may_be_anything() -> None:
    for cells in NAMED_PLACES:
        name = part_name(cells, True)
        assert cells_named(name, False) == (cells if name == "centre part" else None)


@pytest.mark.parametrize(
    ("words", "cells"),
    [
        ("top third", {0, 1, 2}), ("bottom third", {6, 7, 8}), ("right third", {2, 5, 8}),
        ("north-west", {0}), ("northwest", {0}), ("north-western corner", {0}),
        ("southeastern part", {8}), ("center", {4}), ("upper left corner", {0}),
        ("north", None), ("northern half", None), ("middle third", None), ("third", None),
        ("north-north-west", None), ("left", None), ("", None), ("northern third or so", None),
    ],
)  # fmt: skip
def test_other_words_for_a_place_are_its_own_or_none(words, cells) -> None:
    assert cells_named(words, True) == cells


@pytest.mark.parametrize("cells", [(), (0, 8), (0, 1), (0, 1, 2, 3), tuple(range(9))])
def test_cells_that_make_no_place_have_no_name(cells) -> None:
    assert not has_name(frozenset(cells))
