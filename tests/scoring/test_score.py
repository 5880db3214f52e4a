"""All figures of a small bench, worked by hand, and two models compared."""

import json
from typing import Any

import pytest

from tasks.scoring.item import BenchItem
from tasks.scoring.judged import Judged, judge_all
from tasks.scoring.paired import compare, mcnemar_p
from tasks.scoring.plots import accuracy_bars, iou_histogram
from tasks.scoring.prediction import Prediction, Predictions
from tasks.scoring.score import Rules, Score, score
from tasks.scoring.tasks_named import short_name
from tasks.scoring.written import comparison_markdown, headline, score_json, score_markdown
from tests.scoring.conftest import bench_of, item, predicted, true

AREA = {"task": "absolute_area"}
ITEMS = (
    item("a", masks=(true("##.. ...."), true("#### ####", "trees"))),
    item("b", masks=(true("##.. ...."),)),
    item("c", scene_id="scene of b", **AREA),
    item("d", **AREA, options=("Yes", "No"), letter="A", answer="Yes"),
)
RULES = Rules(resamples=200)


def predictions(*lines: dict[str, Any], name: str = "m") -> Predictions:
    read = [Prediction.model_validate(line) for line in lines]
    return Predictions(name=name, by_id={one.sample_id: one for one in read})


def scored(items: tuple[BenchItem, ...], *lines: dict[str, Any]) -> tuple[Score, list[Judged]]:
    given = predictions(*lines)
    judged = judge_all(items, given)
    return score(bench_of(*items), given, judged, RULES), judged


LINES = (
    # IoU 1/2 of 2 of 4 pixels, and 1: the item's is 3/4
    {
        "sample_id": "a",
        "answer": "B",
        "masks": [predicted("##.. ##.."), predicted("#### ####")],
        "confidence": 0.9,
    },
    # right with IoU 0, and one mask too many
    {
        "sample_id": "b",
        "answer": "B",
        "masks": [predicted("..## ...."), predicted("#... ....")],
        "confidence": 0.4,
    },
    {"sample_id": "c", "answer": "C"},
)


def test_accuracy_by_task_micro_and_macro() -> None:
    found, _ = scored(ITEMS, *LINES, {"sample_id": "d", "answer": "yes"})
    assert [(one.name, one.right, one.items) for one in found.tasks] == [
        ("coverage_percentage", 2, 2),
        ("absolute_area", 1, 2),
    ]
    assert found.all.accuracy is not None
    assert found.macro.accuracy is not None
    assert (found.all.accuracy.value, found.macro.accuracy.value) == (0.75, 0.75)
    assert [one.chance for one in found.tasks] == [0.25, 0.375]


def test_macro_and_micro_differ_where_tasks_are_of_unequal_size() -> None:
    found, _ = scored((*ITEMS, item("e")), *LINES)
    assert found.all.accuracy is not None
    assert found.macro.accuracy is not None
    assert found.all.accuracy.value == 2 / 5
    assert found.macro.accuracy.value == (2 / 3 + 0) / 2


def test_the_figures_of_masks() -> None:
    found, _ = scored(ITEMS, *LINES)
    one = found.all
    values = {
        name: getattr(one, name).value
        for name in ("item_iou", "step_iou", "cumulative_iou", "grounded")
    }
    assert values == {
        "item_iou": (0.75 + 0) / 2,
        "step_iou": (0.5 + 1 + 0) / 3,
        "cumulative_iou": (2 + 8 + 0) / (4 + 8 + 4),
        "grounded": 1 / 2,  # both right, one with IoU over 0.5
    }
    assert (one.masks, one.missing_masks, one.extra_masks) == (3, 0, 1)
    assert found.tasks[1].item_iou is None
    assert found.tasks[1].grounded is None
    assert found.macro.item_iou is not None
    assert found.macro.item_iou.value == 0.375  # of the one task that has masks


def test_right_and_wrong_are_of_items_with_masks() -> None:
    found, _ = scored(ITEMS, {**LINES[0], "answer": "C"}, *LINES[1:])
    one = found.right_and_wrong["all"]
    assert (one.right, one.wrong, one.iou_right, one.iou_wrong) == (1, 1, 0.0, 0.75)
    assert found.right_and_wrong.keys() == {"all", "coverage_percentage"}


def test_what_there_is_of_items_adds_up_and_missing_ones_are_listed() -> None:
    failed = {"sample_id": "c", "error": "refused: 400"}
    silent = {"sample_id": "b", "text": "I do not know"}
    found, judged = scored(ITEMS, LINES[0], silent, failed)
    assert found.statuses == {
        "answered": 1,
        "no answer found": 1,
        "error of the run": 1,
        "missing": 1,
    }
    assert sum(found.statuses.values()) == len(judged) == found.all.items
    assert found.missing_ids == ("d",)
    assert found.notes[0].startswith("1 of 4 items have no prediction and count as wrong")


def test_calibration_is_of_the_items_with_a_confidence() -> None:
    found, _ = scored(ITEMS, *LINES)
    assert found.calibration is not None
    assert found.calibration.items == 2
    assert found.calibration.error == pytest.approx((0.1 + 0.6) / 2)


def test_referring_segmentation_has_its_own_figures() -> None:
    asks = {
        "question": "Please segment the water.",
        "task": "segment",
        "options": (),
        "letter": "",
        "answer": "",
    }
    items = (
        item("a", masks=(true("#... ...."),), **asks),
        item("b", masks=(true("#### ####"),), **asks),
        item("c"),
    )
    found, _ = scored(
        items,
        {"sample_id": "a", "masks": [predicted("##.. ....")]},
        {"sample_id": "b", "masks": [predicted("#### ####")]},
        {"sample_id": "c", "answer": "B"},
    )
    assert found.referring is not None
    assert found.referring.item_iou is not None
    assert found.referring.cumulative_iou is not None
    assert found.referring.item_iou.value == 0.75  # gIoU
    assert found.referring.cumulative_iou.value == 9 / 10  # cIoU
    assert found.all.accuracy is not None
    assert found.all.accuracy.value == 1.0  # of the one item that asks for an answer
    assert [one.accuracy for one in found.tasks if one.name == "segment"] == [None]
    assert "gIoU 0.750" in score_markdown(found)


def test_what_asks_for_no_answer_is_neither_right_nor_wrong() -> None:
    asks = {"task": "segment", "question": "Please segment the water."}
    none = {"options": (), "letter": "", "answer": ""}
    items = (
        item("a", masks=(true("#... ...."),)),
        *(item(name, masks=(true("##.. ...."),), **asks, **none) for name in ("b", "c")),
    )
    found, judged = scored(
        items,
        {"sample_id": "a", "answer": "B", "masks": [predicted("#... ....")], "confidence": 0.8},
        {"sample_id": "b", "masks": [predicted("##.. ....")], "confidence": 0.9},
        {"sample_id": "c", "masks": [predicted("..## ....")], "confidence": 0.9},
    )
    assert found.right_and_wrong.keys() == {"all", "coverage_percentage"}
    one = found.right_and_wrong["all"]
    assert (one.right, one.wrong, one.iou_right, one.iou_wrong) == (1, 0, 1.0, None)
    assert found.calibration is not None
    assert (found.calibration.items, found.calibration.error) == (1, pytest.approx(0.2))
    histogram = iou_histogram(judged)
    assert histogram is not None
    assert (sum(histogram.right), sum(histogram.wrong)) == (1.0, 0.0)
    assert [bar.name for bar in accuracy_bars(found)] == ["CA", "mean of tasks"]


def test_every_figure_is_in_the_json_and_none_is_nan() -> None:
    found, _ = scored(ITEMS, *LINES)
    tree = json.loads(score_json(found))
    assert tree["version"] == 1
    assert tree["all"]["item_iou"]["value"] == 0.375
    assert tree["tasks"][1]["item_iou"] is None


def test_the_headline_has_the_papers_names_and_order() -> None:
    found, _ = scored(ITEMS[::-1], *LINES)
    assert headline([found]).splitlines()[0] == "| model | CA | AQ | Avg |"
    assert headline([found]).splitlines()[2] == "| m | 100.0 | 0.0 | 50.0 |"


def test_short_names_are_the_papers_or_those_that_a_task_brings_along() -> None:
    told = ("boundary_detection", "Urban-Scale Recognition (USR)", "first_seen")
    assert [short_name(task) for task in told] == ["BRD", "USR", "first_seen"]


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [(0, 0, 1.0), (3, 3, 1.0), (0, 5, 2 / 32), (1, 5, 2 * 7 / 64), (5, 1, 2 * 7 / 64)],
)
def test_mcnemars_exact_p(first: int, second: int, p: float) -> None:
    assert mcnemar_p(first, second) == pytest.approx(p)


def test_two_models_on_the_same_items() -> None:
    items = tuple(item(f"{n:02}", masks=(true("##.. ...."),)) for n in range(12))
    good, bad = predicted("##.. ...."), predicted("..## ....")
    first = predictions(
        *({"sample_id": one.item_id, "answer": "C", "masks": [bad]} for one in items), name="bad"
    )
    second = predictions(
        *(
            {"sample_id": one.item_id, "answer": "B" if n else "C", "masks": [good if n else bad]}
            for n, one in enumerate(items)
        ),
        name="good",
    )
    judged = [judge_all(items, given) for given in (first, second)]
    every = {one.name: one for one in compare(*judged, RULES)}
    one = every["all"]
    assert (one.first_alone, one.second_alone) == (0, 11)
    assert one.mcnemar_p == pytest.approx(2 / 2**11)
    assert one.accuracy is not None
    assert one.item_iou is not None
    assert one.accuracy.estimate.value == one.item_iou.estimate.value == pytest.approx(11 / 12)
    assert one.item_iou.estimate.low > 0.5
    assert one.item_iou.p == pytest.approx(2 / 201)
    scores = [
        score(bench_of(*items), given, of, RULES)
        for given, of in zip((first, second), judged, strict=True)
    ]
    text = comparison_markdown(scores, compare(*judged, RULES))
    assert "# good against bad on hand" in text
    assert "+91.7" in text


def test_a_model_that_is_as_often_right_elsewhere_is_no_better() -> None:
    items = tuple(item(f"{n:02}") for n in range(20))
    given = [
        predictions(
            *(
                {"sample_id": one.item_id, "answer": "B" if n % 2 == odd else "C"}
                for n, one in enumerate(items)
            )
        )
        for odd in (0, 1)
    ]
    one = compare(*(judge_all(items, of) for of in given), RULES)[1]
    assert (one.first_alone, one.second_alone, one.mcnemar_p) == (10, 10, 1.0)
    assert one.accuracy is not None
    assert one.accuracy.estimate.value == 0.0
    assert one.accuracy.p is not None
    assert one.accuracy.p > 0.5


def test_a_model_beside_itself_differs_in_nothing() -> None:
    _, judged = scored(ITEMS, *LINES)
    for one in compare(judged, judged, RULES):
        assert one.mcnemar_p in (1.0, None)
        for difference in (one.accuracy, one.item_iou, one.grounded):
            if difference is not None:
                assert difference.estimate.value == 0.0
                assert difference.p is None  # of three scenes
