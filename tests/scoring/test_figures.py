"""Ratios, intervals, calibration and correlation, worked by hand."""

import numpy as np
import pytest

from tasks.scoring.calibration import calibration
from tasks.scoring.correlation import right_and_wrong
from tasks.scoring.ratios import Estimate, Ratio, redraw


def ratio(above: list[float], below: list[float]) -> Ratio:
    return Ratio(np.array(above), np.array(below))


def test_a_ratio_of_all_items_is_the_sum_above_over_the_sum_below() -> None:
    found = redraw(["s", "t", "t"], {"iou": ratio([1, 2, 0], [2, 2, 4])}, seed=0)
    estimate = found.estimate("iou")
    assert estimate is not None
    assert estimate.value == 3 / 8
    assert estimate.low <= estimate.value <= estimate.high


def test_where_nothing_is_below_there_is_no_figure() -> None:
    assert redraw(["s"], {"iou": ratio([0], [0])}, seed=0).estimate("iou") is None


def test_a_scene_is_drawn_with_all_its_items() -> None:
    right = ratio([1, 1, 1, 0, 0, 0], [1] * 6)
    together = redraw(["s"] * 3 + ["t"] * 3, {"a": right}, seed=0, resamples=4000)
    assert set(together.drawn_BR[:, 0]) == {0.0, 0.5, 1.0}
    # two draws of two scenes: 1/4, 1/2, 1/4
    assert np.mean(together.drawn_BR[:, 0] == 0.5) == pytest.approx(0.5, abs=0.04)
    apart = redraw(list("abcdef"), {"a": right}, seed=0, resamples=4000)
    assert np.std(apart.drawn_BR) < np.std(together.drawn_BR)


def test_the_interval_of_many_scenes_is_that_of_the_normal_distribution() -> None:
    right = np.arange(2000) % 4 == 0
    found = redraw(
        [str(n) for n in range(2000)],
        {"a": Ratio(right.astype(float), np.ones(2000))},
        seed=1,
        resamples=4000,
    )
    estimate = found.estimate("a")
    assert estimate is not None
    half = 1.96 * np.sqrt(0.25 * 0.75 / 2000)
    assert estimate.low == pytest.approx(0.25 - half, abs=0.003)
    assert estimate.high == pytest.approx(0.25 + half, abs=0.003)


def test_the_same_seed_draws_the_same_scenes() -> None:
    ratios = {"a": ratio([1, 0, 1], [1, 1, 1])}
    one, same, other = (redraw(list("stu"), ratios, seed=seed).drawn_BR for seed in (3, 3, 4))
    assert (one == same).all()
    assert (one != other).any()


def test_the_mean_of_tasks_leaves_out_those_without_a_figure() -> None:
    ratios = {"a": ratio([1, 0], [1, 0]), "b": ratio([0, 1], [0, 2]), "c": ratio([0, 0], [0, 0])}
    found = redraw(["s", "s"], ratios, seed=0)
    assert found.mean(["a", "b", "c"]) == Estimate(value=0.75, low=0.75, high=0.75)
    assert found.mean(["c"]) is None


def test_calibration_by_hand() -> None:
    found = calibration([0.9, 0.9, 0.9, 0.9, 0.1], [True, True, True, False, True])
    assert found is not None
    assert found.items == 5
    assert (found.bins[9].items, found.bins[9].accuracy) == (4, 0.75)
    assert (found.bins[1].items, found.bins[1].accuracy) == (1, 1.0)
    assert found.error == pytest.approx((4 * 0.15 + 1 * 0.9) / 5)


def test_a_confidence_on_an_edge_is_of_the_bin_above_and_one_of_the_last() -> None:
    found = calibration([0.0, 0.3, 0.7, 1.0], [True] * 4)
    assert found is not None
    assert [one.items for one in found.bins] == [1, 0, 0, 1, 0, 0, 0, 1, 0, 1]


def test_without_confidences_there_is_no_calibration() -> None:
    assert calibration([], []) is None


def test_right_and_wrong_by_hand() -> None:
    found = right_and_wrong([True, True, False, False], [0.9, 0.7, 0.5, 0.3])
    assert (found.right, found.wrong) == (2, 2)
    assert found.iou_right == pytest.approx(0.8)
    assert found.iou_wrong == pytest.approx(0.4)
    # deviations 0.3, 0.1, -0.1, -0.3 and 0.5, 0.5, -0.5, -0.5: 0.4 / sqrt(0.2 x 1)
    assert found.r == pytest.approx(0.4 / np.sqrt(0.2))


@pytest.mark.parametrize(
    ("right", "ious"), [([True, True, True], [0.1, 0.2, 0.3]), ([True, False, True], [0.5] * 3)]
)
def test_no_correlation_where_one_of_the_two_is_always_the_same(
    right: list[bool], ious: list[float]
) -> None:
    found = right_and_wrong(right, ious)
    assert (found.r, found.p) == (None, None)
    assert right_and_wrong([], []).iou_right is None
