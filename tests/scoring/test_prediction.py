"""Files of predictions: what is read, and what is wrong with a line."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import UserError
from tasks.scoring.prediction import FaultKind, PredictedMask, Predictions, read_predictions
from tests.scoring.conftest import counts, item, predicted

ITEMS = {one.item_id: one for one in (item("a"), item("b"), item("c", seen_on=(0, 1)))}
GOOD = {"sample_id": "a", "answer": "B"}


def written(path: Path, *lines: Any) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n")
    return path


def read(tmp_path: Path, *lines: Any) -> Predictions:
    return read_predictions(
        written(tmp_path / "mine.jsonl", *lines), ITEMS, {"elsewhere"}, "d" * 64
    )


def test_lines_are_read_by_id(tmp_path: Path) -> None:
    full = {
        "sample_id": "b",
        "text": "<answer>B</answer>",
        "masks": [predicted("##.. ....", label="water", image_index=0)],
        "confidence": 0.5,
    }
    found = read(tmp_path, GOOD, "", full)
    assert found.name == "mine"
    assert list(found.by_id) == ["a", "b"]
    assert found.by_id["b"].confidence == 0.5
    assert found.by_id["b"].masks[0].code() == counts("##.. ....").encode()
    assert not found.faults


FAULTS = [
    ("rubbish", FaultKind.NOT_JSON, ""),
    ('{"sample_id": "b"', FaultKind.NOT_JSON, ""),
    ('{"sample_id": "b", "confidence": NaN}', FaultKind.NOT_A_NUMBER, "b"),
    ('{"sample_id": "b", "confidence": Infinity}', FaultKind.NOT_A_NUMBER, "b"),
    ({"sample_id": "b", "confidence": 1.5}, FaultKind.NOT_A_PREDICTION, "b"),
    ({"sample_id": "b", "anwser": "A"}, FaultKind.NOT_A_PREDICTION, "b"),
    ({"answer": "A"}, FaultKind.NOT_A_PREDICTION, ""),
    (["b"], FaultKind.NOT_A_PREDICTION, ""),
    ({"sample_id": "z", "answer": "A"}, FaultKind.UNKNOWN_ID, "z"),
    ({"sample_id": "a", "answer": "A"}, FaultKind.DUPLICATE_ID, "a"),
    ({"sample_id": "b", "masks": [predicted("#. ..")]}, FaultKind.MASK_SIZE, "b"),
    (
        {"sample_id": "b", "masks": [{"size": [2, 4], "counts": "@@"}]},
        FaultKind.MASK_CODE,
        "b",
    ),
    (
        {"sample_id": "b", "masks": [{"size": [2, 4], "counts": [3, 4]}]},
        FaultKind.MASK_CODE,
        "b",
    ),
    (
        {"sample_id": "b", "masks": [{"size": [2, 4], "counts": "ü"}]},
        FaultKind.MASK_CODE,
        "b",
    ),
    (
        {"sample_id": "b", "masks": [predicted("#... ....", image_index=1)]},
        FaultKind.MASK_PICTURE,
        "b",
    ),
    (
        {"sample_id": "b", "masks": [{"size": [2, 4], "counts": [9, -1]}]},
        FaultKind.NOT_A_PREDICTION,
        "b",
    ),
]


@pytest.mark.parametrize(("line", "kind", "sample_id"), FAULTS, ids=[str(c[0]) for c in FAULTS])
def test_a_line_with_a_fault_is_told_by_number_and_the_others_count(
    tmp_path: Path, line: Any, kind: FaultKind, sample_id: str
) -> None:
    found = read(tmp_path, GOOD, "", line, {"sample_id": "c", "answer": "C"})
    assert [(f.line, f.kind, f.sample_id) for f in found.faults] == [(3, kind, sample_id)]
    assert found.faults[0].detail
    assert list(found.by_id) == ["a", "c"]
    assert found.faulty_ids - {"", "z"} == {sample_id} - {"", "z", "a"}


def test_of_a_faulty_and_a_good_line_of_one_item_the_good_one_counts(tmp_path: Path) -> None:
    found = read(tmp_path, {"sample_id": "a", "confidence": 7}, GOOD)
    assert found.by_id["a"].answer == "B"
    assert found.faulty_ids == frozenset()
    assert len(found.faults) == 1


def test_items_that_are_not_scored_now_are_no_fault(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD, {"sample_id": "elsewhere", "masks": "rubbish"[:0] or []})
    assert found.elsewhere == 1
    assert not found.faults


def test_a_header_names_the_model_and_what_it_was_asked(tmp_path: Path) -> None:
    header = {"format": "terrascope-predictions", "version": 1, "model": "m", "bench": "e" * 64}
    found = read(tmp_path, header, GOOD)
    assert found.name == "m"
    assert found.notes == ("the predictions were made for another version of this bench",)
    assert not read(tmp_path, {**header, "bench": "d" * 64}, GOOD).notes


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ({"format": "terrascope-predictions", "version": 2}, "version 2; this program reads"),
        (
            {"format": "terrascope-predictions", "version": 1, "schema_version": 3},
            "schema version 3, this program reads 4.*predict again",
        ),
        ({"format": "terrascope-predictions", "version": 1, "modle": "m"}, "line 1: modle"),
    ],
)
def test_a_header_of_something_else_is_refused(tmp_path: Path, header: Any, told: str) -> None:
    with pytest.raises(UserError, match=told):
        read(tmp_path, header, GOOD)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((), "holds no prediction"),
        ((GOOD | {"sample_id": "z"},) * 2, r"none of the 2 lines .* line 1: unknown id: .*'z'"),
        ((GOOD | {"sample_id": "elsewhere"},), "1 of other items"),
    ],
)
def test_a_file_without_any_prediction_of_the_bench_is_refused(
    tmp_path: Path, lines: Any, told: str
) -> None:
    with pytest.raises(UserError, match=told):
        read(tmp_path, *lines)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.jsonl cannot be read"):
        read_predictions(tmp_path / "gone.jsonl", ITEMS)


def test_codes_as_a_list_are_those_of_the_same_mask() -> None:
    # column by column: 2 of 0, 2 of 1, 1 of 0, 1 of 1, 2 of 0
    listed = PredictedMask(size=(2, 4), counts=[2, 2, 1, 1, 2])
    assert listed.code() == counts(".#.. .##.").encode()
