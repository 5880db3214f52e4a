"""What is told of a mask is what was measured on it, in the words of a trace."""

import numpy as np
import pytest
from PIL import Image

from terrascope_model.feedback import checked_feedback, facts_text, last_facts_text
from terrascope_model.sample import Picture, StepMask


def pictured(**known: object) -> Picture:
    return Picture(image=Image.new("RGB", (20, 20)), **known)  # type: ignore[arg-type]


def box(top: int, left: int, height: int, width: int) -> np.ndarray:
    mask = np.zeros((20, 20), bool)
    mask[top : top + height, left : left + width] = True
    return mask


def test_pixels_share_and_patches_are_told_without_a_pixel_size() -> None:
    mask = box(0, 0, 4, 5) | box(10, 10, 3, 3) | box(18, 18, 1, 1)  # 20 + 9 + 1, one too small
    told = facts_text(mask, pictured())
    assert told == " (30 of 400 pixels, 7.5 %, 2 separate patches of at least 9 pixels)"


def test_area_is_told_where_the_pixel_size_is_known() -> None:
    """120 pixels of 10 m x 20 m are 24,000 square metres."""
    told = facts_text(box(0, 0, 10, 12), pictured(pixel_size_m=(10.0, 20.0)))
    assert told == (
        " (120 of 400 pixels, 30 %, 24,000 m², about 2.4 ha, 1 separate patch of at least 9 pixels)"
    )


def test_pixels_that_are_not_valid_do_not_count() -> None:
    picture = pictured(valid_HW=box(0, 0, 20, 10))
    told = facts_text(box(0, 5, 4, 10), picture)
    assert told == " (20 of 200 pixels, 10 %, 1 separate patch of at least 9 pixels)"


def test_of_an_empty_mask_only_that_is_told() -> None:
    assert facts_text(box(0, 0, 0, 0), pictured(), box(0, 0, 5, 5)) == " (0 of 400 pixels)"


@pytest.mark.parametrize(
    ("first", "second", "size", "due"),
    [
        # five edges between upper and lower pixels, each as long as a pixel is wide
        (box(0, 0, 5, 5), box(5, 0, 5, 5), (10.0, 20.0), "touching the mask before, common pixel"),
        (box(0, 0, 5, 5), box(5, 0, 5, 5), (10.0, 20.0), " edges 50 m)"),
        # columns 4 and 15: eleven pixels of 10 m
        (box(0, 0, 5, 5), box(0, 15, 5, 5), (10.0, 20.0), "closest points 110 m apart)"),
        (box(0, 0, 5, 5), box(0, 15, 5, 5), None, "; apart from the mask before)"),
        (box(0, 0, 5, 5), box(5, 0, 5, 5), None, "; touching the mask before)"),
        (box(0, 0, 5, 5), box(0, 0, 5, 5), (1.0, 1.0), "; on 25 pixels of the mask before)"),
        # what the second has beyond the first borders the first along five edges
        (box(0, 0, 5, 5), box(3, 0, 5, 5), (1.0, 1.0), "; on 10 pixels of the mask before, common"),
        (box(0, 0, 5, 5), box(3, 0, 5, 5), (1.0, 1.0), "common pixel edges 5.0 m)"),
        # nothing of a line is left to measure from
        (box(0, 0, 5, 5), box(0, 15, 5, 1), (1.0, 1.0), "; apart from the mask before)"),
        (box(0, 0, 0, 0), box(0, 0, 5, 5), (1.0, 1.0), "of at least 9 pixels)"),
    ],
)
def test_two_masks_are_told_of_together(
    first: np.ndarray, second: np.ndarray, size: tuple[float, float] | None, due: str
) -> None:
    masks = [StepMask(picture=0, mask_HW=mask) for mask in (first, second)]
    assert due in last_facts_text(masks, [pictured(pixel_size_m=size)])
    assert "the mask before" not in last_facts_text(masks[:1], [pictured(pixel_size_m=size)])


def test_masks_of_two_pictures_are_not_told_of_together() -> None:
    masks = [StepMask(picture=number, mask_HW=box(0, 0, 5, 5)) for number in (0, 1, 0)]
    pictures = [pictured(), pictured()]
    assert "the mask before" not in last_facts_text(masks[:2], pictures)
    assert last_facts_text(masks, pictures).endswith("; on 25 pixels of the mask before)")


def test_another_feedback_is_refused() -> None:
    with pytest.raises(ValueError, match="no feedback 'all'; there are tokens, measure, both, non"):
        checked_feedback("all")
