"""Which visual tokens follow a mask, by hand on an image of one tile of 4 x 4 tokens."""

import pytest
import torch
from torch import Tensor

from terrascope_model.fed_tokens import fed_tokens
from terrascope_model.regions import TileLayout

LAYOUT = TileLayout(rows=1, cols=1, side=4)


def corners() -> Tensor:
    """Return a mask of 8 x 8 pixels that covers the first token and the one at row 1, column 2."""
    mask_HW = torch.zeros(8, 8, dtype=torch.bool)
    mask_HW[:2, :2] = True
    mask_HW[2:4, 4:6] = True
    return mask_HW


def test_tokens_are_those_of_the_mask() -> None:
    for feedback in ("tokens", "both"):
        assert fed_tokens(corners(), LAYOUT, feedback, 16).tolist() == [0, 6]  # type: ignore[arg-type]


def test_a_box_has_all_tokens_of_the_rectangle_around_it() -> None:
    assert fed_tokens(corners(), LAYOUT, "box", 16).tolist() == [0, 1, 2, 4, 5, 6]
    assert len(fed_tokens(corners(), LAYOUT, "box", 4)) == 4


def test_random_tokens_are_as_many_as_the_masks_and_the_same_each_time() -> None:
    found = fed_tokens(corners(), LAYOUT, "random", 16)
    assert len(found) == 2
    assert found.tolist() == fed_tokens(corners(), LAYOUT, "random", 16).tolist()
    others = {
        tuple(fed_tokens(corners().roll(shift, 1), LAYOUT, "random", 16).tolist())
        for shift in (0, 2)
    }
    assert len(others) == 2


@pytest.mark.parametrize("feedback", ["tokens", "box", "random", "none", "measure"])
def test_an_empty_mask_is_followed_by_no_token(feedback: str) -> None:
    empty_HW = torch.zeros(8, 8, dtype=torch.bool)
    assert not len(fed_tokens(empty_HW, LAYOUT, feedback, 16))  # type: ignore[arg-type]


@pytest.mark.parametrize("feedback", ["none", "measure"])
def test_without_tokens_none_follows(feedback: str) -> None:
    assert not len(fed_tokens(corners(), LAYOUT, feedback, 16))  # type: ignore[arg-type]
