"""One item judged, worked by hand on masks of 2 x 4 pixels."""

from typing import Any

import pytest

from tasks.scoring.judged import Judged, Status, judge, judge_all, tolerance_px
from tasks.scoring.parse import How
from tasks.scoring.prediction import Fault, FaultKind, Prediction, Predictions
from tests.scoring.conftest import item, predicted, true

TWO = (true("##.. ....", "water"), true("..## ....", "trees"))


def judged(given: Any = (), said: str = "B", **told: Any) -> Judged:
    changed = {"masks": TWO, **told}
    line = {"sample_id": "a", "answer": said, "masks": given}
    return judge(item("a", **changed), Prediction.model_validate(line))


def test_an_exact_answer_with_exact_masks() -> None:
    one = judged([predicted("##.. ...."), predicted("..## ....")])
    assert (one.right, one.said, one.status) == (True, "B", Status.ANSWERED)
    assert (one.iou, one.boundary_f, one.num_missing, one.num_extra) == (1.0, 1.0, 0, 0)


def test_ious_and_pixels_of_shifted_masks() -> None:
    one = judged([predicted(".##. ...."), predicted("..## ..##")])
    assert [step.iou for step in one.steps] == [1 / 3, 1 / 2]
    assert [(step.shared_px, step.either_px) for step in one.steps] == [(1, 3), (2, 4)]
    assert one.iou == pytest.approx(5 / 12)


def test_a_missing_mask_counts_zero_and_its_pixels_count_among_either() -> None:
    one = judged([predicted("##.. ....")])
    assert [step.iou for step in one.steps] == [1.0, 0.0]
    assert [step.boundary_f for step in one.steps] == [1.0, 0.0]
    assert (one.steps[1].shared_px, one.steps[1].either_px) == (0, 2)
    assert (one.iou, one.num_missing, one.num_extra) == (0.5, 1, 0)


def test_a_missing_mask_counts_zero_even_where_the_true_one_is_empty() -> None:
    assert judged([], masks=(*TWO[:1], true(".... ...."))).steps[1].iou == 0.0
    assert judged([predicted(".... ....")], masks=(true(".... ...."),)).iou == 1.0


def test_masks_too_many_are_counted_and_change_no_iou() -> None:
    three = [predicted("##.. ...."), predicted("..## ...."), predicted("#### ####")]
    one = judged(three)
    assert (one.iou, one.num_extra) == (1.0, 1)
    assert judged(three, masks=()).num_extra == 0  # nothing is known of an item without masks
    assert judged(three, masks=()).iou is None


def test_masks_are_held_against_those_of_their_label() -> None:
    turned = [predicted("..## ....", label="trees"), predicted("##.. ....", label="water")]
    assert judged(turned).iou == 1.0
    assert [step.predicted for step in judged(turned).steps] == [1, 0]


def test_a_mask_on_the_radar_picture_is_seen_on_the_optical_one_of_its_date() -> None:
    one = judged(
        [predicted("##.. ....", image_index=0)],
        masks=(true("##.. ....", image=1),),
        seen_on=(0, 1),
    )
    assert one.iou == 0.0
    beside = judged(
        [predicted("##.. ....", image_index=0)],
        masks=(true("##.. ....", image=1),),
        seen_on=(0, 0),
    )
    assert beside.iou == 1.0


@pytest.mark.parametrize(
    ("line", "status", "right"),
    [
        ({"text": "<answer>B. 20 %</answer>"}, Status.ANSWERED, True),
        ({"text": "<answer>C</answer>"}, Status.ANSWERED, False),
        ({"text": "<answer>C</answer>", "answer": "B"}, Status.ANSWERED, True),
        ({"text": "B", "answer": ""}, Status.UNPARSABLE, False),
        ({"text": "I see water"}, Status.UNPARSABLE, False),
        ({"text": "B", "error": "refused: 400"}, Status.ERROR, False),
    ],
)
def test_the_status_of_an_item(line: dict[str, Any], status: Status, right: bool) -> None:
    one = judge(item("a", masks=TWO), Prediction.model_validate({"sample_id": "a", **line}))
    assert (one.status, one.right) == (status, right)
    assert (one.how is How.NOT_AT_ALL) == (status in (Status.UNPARSABLE, Status.ERROR))


def test_two_options_of_equal_words_are_equally_right() -> None:
    options = ("12", "25", "40", "25")
    assert judged(said="B", options=options, letter="D").right
    assert not judged(said="C", options=options, letter="D").right


def test_items_without_a_usable_line_are_missing_or_faulty() -> None:
    fault = Fault(line=4, kind=FaultKind.MASK_CODE, sample_id="b", detail="")
    there = {"a": Prediction(sample_id="a", answer="B")}
    found = judge_all(
        [item("a"), item("b", masks=TWO), item("c", masks=TWO)],
        Predictions(name="m", by_id=there, faults=(fault,)),
    )
    assert [one.status for one in found] == [Status.ANSWERED, Status.FAULTY, Status.MISSING]
    assert [one.right for one in found] == [True, False, False]
    assert [one.iou for one in found] == [None, 0.0, 0.0]


def test_an_item_that_asks_for_a_mask_alone_needs_no_answer() -> None:
    one = judged(
        [predicted("##.. ....")], "", options=(), letter="", answer="", masks=TWO[:1],
        question="Please segment the water.",
    )  # fmt: skip
    assert one.status is Status.ANSWERED
    assert one.item.refers


def test_the_tolerance_is_a_share_of_the_diagonal_rounded_up() -> None:
    assert tolerance_px((256, 256), 0.02) == 8  # 7.24
    assert tolerance_px((300, 400), 0.02) == 10
    assert tolerance_px((300, 400), 0.0) == 0


def test_the_boundary_is_looked_for_within_the_tolerance() -> None:
    shifted = [predicted("##........ ##........")]
    told = {"size_HW": (2, 10), "masks": (true("####...... ####......"),)}
    line = Prediction.model_validate({"sample_id": "a", "masks": shifted})
    near, far = (judge(item("a", **told), line, tolerance) for tolerance in (0.05, 0.19))
    assert (near.boundary_f, far.boundary_f) == (0.0, 1.0)  # within 1 px and 2 px
