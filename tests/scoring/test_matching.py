"""Which predicted mask is held against which true one."""

import pytest

from tasks.scoring.matching import Marked, match_masks


def marks(*told: str) -> list[Marked]:
    """Return "water@1", "water", "@0" or "" as what is told of a mask."""
    pairs = [one.partition("@") for one in told]
    return [Marked(label or None, int(picture) if at else None) for label, at, picture in pairs]


@pytest.mark.parametrize(
    ("true", "predicted", "taken"),
    [
        (["water@0", "trees@0"], ["", ""], [0, 1]),  # by order
        (["water@0", "trees@0"], ["trees", "water"], [1, 0]),  # by label
        (["water@0", "trees@0"], ["Trees ", "WATER"], [1, 0]),
        (["water@0", "water@1"], ["water@1", "water@0"], [1, 0]),  # by label and picture
        (["water@0", "water@1"], ["@1", "@0"], [1, 0]),  # by picture
        (["water@0", "water@1"], ["@0", "@0"], [0, None]),  # one too many, one missing
        (["water@0", "trees@0"], ["trees"], [None, 0]),
        (["water@0", "trees@0"], ["bare land", "water"], [1, None]),  # a label that is not there
        (["water@0", "trees@0"], ["", "water"], [1, 0]),  # labels come first
        (["water@0", "water@0"], ["water", "water", "water"], [0, 1]),
        (["water@0"], [], [None]),
        ([], [""], []),
    ],
)
def test_masks_are_matched(true: list[str], predicted: list[str], taken: list[int | None]) -> None:
    assert match_masks(marks(*true), marks(*predicted)) == taken
