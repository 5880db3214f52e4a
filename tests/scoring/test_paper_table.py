"""The paper's table of baselines, from predictions that are right as often as it says."""

from string import ascii_uppercase

import numpy as np
import pytest

from masks.rle import encode
from tasks.scoring.item import BenchItem, TrueMask
from tasks.scoring.judged import judge_all
from tasks.scoring.prediction import PredictedMask, Prediction, Predictions
from tasks.scoring.score import Rules, score
from tasks.scoring.written import headline
from tests.scoring.conftest import bench_of

# arXiv 2603.19039, 3.1: items and options of each task, 3,837 in all
COUNTS = {
    "coverage_percentage": (855, 4),
    "absolute_area": (855, 4),
    "comparative_ranking": (855, 2),
    "boundary_relationship": (855, 2),
    "distance_measurement": (129, 4),
    "building_change_estimation": (288, 4),
}
ROWS = {  # table 1; some others have shares that 129 and 288 items cannot have, such as 40.0
    "TerraScope 8B": (73.2, 70.2, 71.8, 80.0, 65.9, 52.1, 68.9),
    "InternVL3 8B": (22.3, 26.3, 57.2, 67.0, 18.6, 24.3, 36.0),
    "Qwen2.5-VL 7B": (25.3, 33.5, 55.7, 67.7, 23.3, 25.7, 38.5),
}
SIZE_HW = (8, 8)


def mask_of(number: int) -> bytes:
    mask_HW = np.zeros(SIZE_HW, np.bool_)
    mask_HW[: 1 + number % 8, : 1 + number % 7] = True
    return encode(mask_HW)


@pytest.fixture(scope="module")
def items() -> tuple[BenchItem, ...]:
    """Return 855 places with an item of four tasks each, and some of two more tasks."""
    return tuple(
        BenchItem(
            item_id=f"{task}-{number}",
            scene_id=f"place-{number}",
            source="chatearthnet",
            task=task,
            question="Which?",
            options=tuple(f"{10 * k} %" for k in range(1, options + 1)),
            letter=ascii_uppercase[number % options],
            answer=f"{10 * (1 + number % options)} %",
            size_HW=SIZE_HW,
            masks=(TrueMask(label="water", image_index=0, counts=mask_of(number)),),
        )
        for task, (count, options) in COUNTS.items()
        for number in range(count)
    )


def replies(items: tuple[BenchItem, ...], name: str, shares: tuple[float, ...]) -> Predictions:
    """Return replies of which as many are right as give each task's share of 100."""
    num_right = {
        task: round(count * share / 100)
        for (task, (count, _)), share in zip(COUNTS.items(), shares, strict=False)
    }
    by_id = {}
    for number, item in enumerate(items):
        right = num_right[item.task] > 0
        num_right[item.task] -= right
        place = ascii_uppercase.index(item.letter)
        said = ascii_uppercase[place if right else (place + 1) % len(item.options)]
        own = mask_of(number).decode()
        by_id[item.item_id] = Prediction(
            sample_id=item.item_id,
            text=f"<think>I mark water [SEG].</think><answer>{said}</answer>",
            masks=(PredictedMask(size=SIZE_HW, counts=own),),
        )
    return Predictions(name=name, by_id=by_id)


@pytest.mark.parametrize("name", ROWS)
def test_the_printed_row_is_the_papers(items: tuple[BenchItem, ...], name: str) -> None:
    given = replies(items, name, ROWS[name])
    found = score(bench_of(*items), given, judge_all(items, given), Rules(resamples=20))
    head, _, row = headline([found]).splitlines()
    assert head == "| model | CA | AQ | CR | BRD | DM | BCE | Avg |"
    assert row == f"| {name} | {' | '.join(map(str, ROWS[name]))} |"
    assert found.all.items == 3837


def test_the_micro_average_of_the_papers_row_is_another(items: tuple[BenchItem, ...]) -> None:
    given = replies(items, "TerraScope 8B", ROWS["TerraScope 8B"])
    found = score(bench_of(*items), given, judge_all(items, given), Rules(resamples=20))
    assert found.all.accuracy is not None
    assert round(100 * found.all.accuracy.value, 1) == 71.9
