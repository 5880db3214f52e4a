"""Benches of other people's files, and of a dataset of our own."""

import csv
import json
import os
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from masks.rle import decode
from schemas.parquet import IMAGE
from tasks.errors import UserError
from tasks.exports.choice import Choice
from tasks.exports.export import export
from tasks.scoring.disaster import options_of
from tasks.scoring.file_items import UnusableRow
from tasks.scoring.judged import judge
from tasks.scoring.opened import open_bench
from tasks.scoring.prediction import Prediction
from tests.scoring.conftest import counts, mask


def png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (4, 2)).save(file, "PNG")
    return file.getvalue()


def opened(path: Path, *tasks: str) -> Any:
    return open_bench(path, None, None, tasks)


def published(path: Path, *rows: dict[str, Any]) -> Path:
    plain = {
        "image": {"bytes": png(), "path": "s2/1.png"},
        "question": "How much is crop?",
        "candidates": json.dumps({"B": "20 %", "A": "10 %"}),
        "answer": "B",
        "task_type": "coverage_percentage",
    }
    schema = pa.schema(
        [("image", IMAGE), *((name, pa.string()) for name in list(plain)[1:]), ("more", pa.int32())]
    )
    table = pa.Table.from_pylist([{**plain, **row} for row in rows], schema=schema)
    pq.write_table(table, path)
    return path


def test_the_published_file_is_read(tmp_path: Path) -> None:
    other = {"task_type": "boundary_detection", "candidates": '{"A": "Yes", "B": "No"}'}
    bench = opened(published(tmp_path / "b.parquet", {}, other))
    assert [(one.item_id, one.options, one.letter, one.answer) for one in bench.items] == [
        ("000000", ("10 %", "20 %"), "B", "20 %"),
        ("000001", ("Yes", "No"), "B", "No"),
    ]
    assert bench.items[0].masks == ()
    assert bench.items[0].scene_id == bench.items[1].scene_id == "s2/1.png"
    assert bench.pictures(["000001"])["000001"][0].encoded == png()
    assert [one.item_id for one in opened(tmp_path / "b.parquet", "boundary_detection").items] == [
        "000001"
    ]


def test_rows_that_cannot_be_scored_are_counted_by_reason(tmp_path: Path) -> None:
    rows = ({}, {"answer": "C"}, {"candidates": "10, 20"}, {"candidates": '{"A": 1, "C": 2}'})
    bench = opened(published(tmp_path / "b.parquet", *rows))
    assert len(bench.items) == 1
    assert bench.left_out == {
        "the answer is no letter of an option": 1,
        "the options are not JSON": 1,
        "the options' letters are not A, B and so on": 1,
    }
    with pytest.raises(UserError, match=r"no question that can be scored .*no letter"):
        opened(published(tmp_path / "none.parquet", {"answer": "C"}))


def test_a_parquet_file_of_something_else_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"question": ["?"]}), tmp_path / "b.parquet")
    with pytest.raises(UserError, match="no column image, candidates"):
        opened(tmp_path / "b.parquet")
    (tmp_path / "c.parquet").write_bytes(b"rubbish")
    with pytest.raises(UserError, match="cannot be read as Parquet"):
        opened(tmp_path / "c.parquet")


def landsat(path: Path, *rows: dict[str, str]) -> Path:
    plain = {
        "qa_id": "1",
        "image_path": "p/1.png",
        "question": "How many ponds are there?",
        "question_type": "Numerosity Estimation (NUM)",
        "options": "['None', '1-2', '3, or more']",
        "answer": "None",
    }
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(plain))
        writer.writeheader()
        writer.writerows({**plain, "qa_id": str(n), **row} for n, row in enumerate(rows))
    return path


def test_landsat_rows_are_read_with_their_traps(tmp_path: Path) -> None:
    path = landsat(
        tmp_path / "vqa.csv",
        {},  # "None" is an answer
        {"answer": "3, or more"},  # a comma inside an option
        {"answer": "4"},
        {"options": "[1"},
        {"qa_id": "0"},
    )
    bench = opened(path)
    assert [(one.letter, one.answer) for one in bench.items] == [("A", "None"), ("C", "3, or more")]
    assert bench.left_out == {
        "the answer is none of the options": 1,
        "the options are no Python list": 1,
        "the id was there before": 1,
    }
    with pytest.raises(UserError, match=r"the picture .*VQA/p/1\.png cannot be read"):
        bench.pictures(["0"])
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "1.png").write_bytes(png())
    assert opened(path).pictures(["0"])["0"][0].encoded == png()


def test_every_row_of_the_real_landsat_file_is_read() -> None:
    root = os.environ.get("TERRASCOPE_REALDATA")
    if not root:
        pytest.skip("TERRASCOPE_REALDATA is unset: no real files to read")
    bench = opened(Path(root) / "landsat30_au" / "vqa_gt" / "Landsat30-AU-VQA-test.csv")
    assert len(bench.items) == 2659
    assert not bench.left_out
    assert sum(one.answer == "None" for one in bench.items) == 96
    assert Counter(one.task for one in bench.items)["Numerosity Estimation (NUM)"] == 337


DISASTER = {
    "task": "Building Damage Counting",
    "prompts": "How many buildings are destroyed?",
    "options_str": "A. 9, B. 1, C. 7, D. 13, E. 17.",
    "ground_truth_option": "E",
    "pre_image_path": "test_images\\a_pre.png",
    "post_image_path": "test_images\\a_post.png",
    "post_image_type": "Optical",
}


def test_disaster_records_are_read(tmp_path: Path) -> None:
    path = tmp_path / "benchmark_release.json"
    records = [
        DISASTER,
        {**DISASTER, "ground_truth_option": "B, E"},
        {**DISASTER, "pre_image_path": None, "image_path": "x.png"},
    ]
    path.write_text(json.dumps(records))
    bench = opened(path)
    one = bench.items[0]
    assert (one.options, one.answer) == (("9", "1", "7", "13", "17"), "17")
    assert len(bench.items) == 1
    assert sum(bench.left_out.values()) == 2
    (tmp_path / "test_images").mkdir()
    (tmp_path / "test_images" / "a_pre.png").write_bytes(png())
    (tmp_path / "test_images" / "a_post.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"a_post\.png is an empty file"):
        bench.pictures(["000000"])
    (tmp_path / "test_images" / "a_post.png").write_bytes(png())
    assert len(bench.pictures(["000000"])["000000"]) == 2


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ("a text", "it is no object"),
        ({"pre_image_path": 7}, "it has no pair of dates"),
        ({"post_image_path": None}, "it has no pair of dates"),
        ({"post_image_path": ["a.png"]}, "it has no pair of dates"),
        ({"prompts": None}, "it has no question"),
        ({"prompts": [None]}, "it has no question"),
        ({"prompts": {"en": "How?"}}, "it has no question"),
        ({"options_str": ["A. 9", "B. 1"]}, "the options are no text"),
        ({"options_str": None}, "the options are no text"),
        ({"ground_truth_option": 3}, "the answer is not one letter of the options"),
        ({"ground_truth_option": None}, "the answer is not one letter of the options"),
        ({"task": None}, "it has no task"),
        ({"task": ["count"]}, "it has no task"),
    ],
)
def test_a_malformed_disaster_record_is_counted(tmp_path: Path, changed: Any, reason: str) -> None:
    path = tmp_path / "benchmark_release.json"
    records: list[Any] = [DISASTER, changed]
    if isinstance(changed, dict):
        without = {key: value for key, value in DISASTER.items() if key not in changed}
        records = [DISASTER, without, {**without, **changed}]
    path.write_text(json.dumps(records))
    bench = opened(path)
    assert [one.item_id for one in bench.items] == ["000000"]
    assert bench.left_out == {reason: len(records) - 1}  # where it is missing, too


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("A. 9, B. 1.", ("9", "1")),
        ("A. 0.5 %, B. 12.5 %", ("0.5 %", "12.5 %")),
        ("A. Road, blocked; B. Road, free", ("Road, blocked", "Road, free")),
        ("A. 9\nB. 1\nC. 25", ("9", "1", "25")),
    ],
)
def test_options_in_one_string(text: str, options: tuple[str, ...]) -> None:
    assert options_of(text) == options


@pytest.mark.parametrize("text", ["", "A. 9", "9, 1", "A. 9, C. 1"])
def test_options_that_are_none(text: str) -> None:
    with pytest.raises(UnusableRow):
        options_of(text)


def turns(question: str, reply: str) -> list[dict[str, str]]:
    return [{"from": "human", "value": question}, {"from": "gpt", "value": reply}]


def code(text: str) -> dict[str, Any]:
    return {"size": list(mask(text).shape), "counts": counts(text)}


def test_training_records_of_one_picture_and_of_two(tmp_path: Path) -> None:
    one = {
        "image": "1.png",
        "conversations": turns(
            "<image>\nHow much is crop?\nA. 10 %\nB. 20 %",
            "<think>crop [SEG], trees [SEG]</think>\n<answer>B. 20 %</answer>",
        ),
        "masks": [[code("##.. ...."), code("..#. ....")], [code("#### ####")]],
    }
    two = {
        "pre_image": "1_pre.png",
        "post_image": "1_post.png",
        "conversations": turns("<image>\nHow many are gone?", "<answer>3</answer>"),
        "masks": [[code("#... ....")], [None]],
    }
    path = tmp_path / "disaster.json"
    path.write_text(json.dumps([one, two, {"image": "2.png"}]))
    bench = opened(path)
    first, second = bench.items
    assert (first.question, first.options, first.letter) == (
        "How much is crop?",
        ("10 %", "20 %"),
        "B",
    )
    assert first.size_HW == (2, 4)
    expected = [mask("###. ...."), mask("#### ####")]
    for found, due in zip(first.masks, expected, strict=True):
        assert (decode(found.counts, (2, 4)) == due).all()
    assert (second.answer, second.options, second.seen_on) == ("3", (), (0, 1))
    assert [found.image_index for found in second.masks] == [0]
    assert bench.left_out == {"it has not one question and one answer": 1}


MARKED = code("##.. ....")
TRAINING = {
    "image": "1.png",
    "conversations": turns("How much?\nA. 1\nB. 2", "<answer>B. 2</answer>"),
    "masks": [[MARKED]],
}


def two_dates(masks: Any, steps: int) -> dict[str, Any]:
    return {
        "pre_image": "1_pre.png",
        "post_image": "1_post.png",
        "conversations": turns("How many are gone?", f"{'one [SEG]. ' * steps}<answer>3</answer>"),
        "masks": masks,
    }


def test_null_is_no_mask(tmp_path: Path) -> None:
    path = tmp_path / "disaster.json"
    gone, stands = code("#... ...."), code("..## ....")
    records = [
        two_dates([None, gone], steps=1),  # flat: all before, then all after
        two_dates([[None], [gone]], steps=1),
        two_dates([None, stands, gone, None], steps=2),
        {**TRAINING, "masks": [[gone, None], [None], None]},
        two_dates([None, None], steps=1),
    ]
    path.write_text(json.dumps(records))
    items = opened(path).items
    marked = [[(one.image_index, one.counts.decode()) for one in item.masks] for item in items]
    assert marked[:2] == [[(1, gone["counts"])]] * 2
    assert marked[2] == [(1, gone["counts"]), (0, stands["counts"])]  # as [SEG] come
    assert marked[3] == [(0, gone["counts"])]
    assert marked[4] == []
    for item in items[:3]:
        said = Prediction.model_validate(
            {
                "sample_id": item.item_id,
                "answer": "3",
                "masks": [
                    {"size": [2, 4], "counts": counts} for _, counts in marked[int(item.item_id)]
                ],
            }
        )
        assert judge(item, said).iou == 1.0


def test_an_export_of_two_dates_is_read_back_with_the_masks_of_its_rows(
    finished: Path, tmp_path: Path
) -> None:
    export(finished, "terracot", tmp_path / "out", Choice())
    path = tmp_path / "out" / "train" / "bitemporal.json"
    due = open_bench(finished, "l1", "train", ()).by_id()
    ids = [entry["id"] for entry in json.loads(path.read_text())]
    pairs = [
        (item, due[ids[int(item.item_id)]])
        for item in opened(path).items
        if ids[int(item.item_id)] in due
    ]
    assert pairs
    for item, row in pairs:
        assert [(one.image_index, one.counts) for one in item.masks] == [
            (one.image_index, one.counts) for one in row.masks
        ]


def test_the_smaller_half_of_masks_lies_before(tmp_path: Path) -> None:
    path = tmp_path / "disaster.json"
    path.write_text(json.dumps([two_dates([code("#... ....")] * 3, steps=3)]))
    assert [one.image_index for one in opened(path).items[0].masks] == [0, 1, 1]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("a text", "it is no object"),
        ({**TRAINING, "image": None}, "it names no picture"),
        ({**TRAINING, "image": 7}, "it names no picture"),
        ({**two_dates([], 1), "post_image": None}, "it names no picture"),
        ({key: TRAINING[key] for key in ("image", "masks")}, "it has not one question"),
        ({**TRAINING, "conversations": ["How much?", "2"]}, "it has not one question"),
        ({**TRAINING, "conversations": [{"from": "human"}, {}]}, "it has not one question"),
        ({**TRAINING, "conversations": turns("How?", 2)}, "it has not one question"),  # type: ignore[arg-type]
        ({**TRAINING, "masks": 3}, "its masks are no list"),
        ({**TRAINING, "masks": {"size": [2, 4]}}, "its masks are no list"),
        ({**TRAINING, "masks": [3]}, "a mask's code is invalid"),
        ({**TRAINING, "masks": [["counts"]]}, "a mask's code is invalid"),
        ({**TRAINING, "masks": [[{"counts": "04"}]]}, "a mask's code is invalid"),
        ({**TRAINING, "masks": [[{"size": [2, 4]}]]}, "a mask's code is invalid"),
        ({**TRAINING, "masks": [[{**MARKED, "size": 8}]]}, "a mask's code is invalid"),
        ({**TRAINING, "masks": [[{**MARKED, "size": [2, None]}]]}, "a mask's code is invalid"),
        ({**TRAINING, "masks": [[{**MARKED, "size": [2, 5]}]]}, "a mask's code is invalid"),
        ({**TRAINING, "masks": [[{**MARKED, "counts": 3}]]}, "a mask's code is invalid"),
        ({**TRAINING, "masks": [[MARKED], [code("#.")]]}, "its masks are of several sizes"),
    ],
)
def test_a_malformed_training_record_is_counted(tmp_path: Path, record: Any, reason: str) -> None:
    path = tmp_path / "train.json"
    path.write_text(json.dumps([TRAINING, record]))
    bench = opened(path)
    assert [one.item_id for one in bench.items] == ["000000"]
    ((told, number),) = bench.left_out.items()
    assert (told.startswith(reason), number) == (True, 1)


def test_a_json_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    for text, told in (("{}", "not a JSON list"), ('[{"a": 1}]', "neither"), ("[", "as JSON")):
        path.write_text(text)
        with pytest.raises(UserError, match=told):
            opened(path)
    (tmp_path / "bench.txt").write_text("")
    with pytest.raises(UserError, match="is no bench"):
        opened(tmp_path / "bench.txt")


def test_a_dataset_without_a_bench_says_which_tiers_it_has(finished: Path) -> None:
    with pytest.raises(UserError, match=r"no rows of the tier 'bench'.*--tier l1"):
        opened(finished)
    with pytest.raises(UserError, match=r"no questions of the split 'test'.*--split train"):
        open_bench(finished, "l1", None, ())


def test_rows_of_a_dataset_become_items(finished: Path) -> None:
    bench = open_bench(finished, "l1", "train", ("border", "state_count"))
    assert {one.task for one in bench.items} == {"border", "state_count"}
    assert len(bench.items) + len(bench.other_ids) == 7 * 12 + 4 + 12
    border = next(one for one in bench.items if one.task == "border")
    assert border.options == ("Yes", "No")
    assert border.options["AB".index(border.letter)] == border.answer
    assert [one.label for one in border.masks] == ["water", "forest"]
    assert border.seen_on == (0, 0)  # the radar picture beside the optical one
    assert decode(border.masks[0].counts, border.size_HW).any()
    change = next(one for one in bench.items if one.task == "state_count")
    assert change.seen_on == (0, 1)
    pictures = bench.pictures([change.item_id])[change.item_id]
    assert [one.date_index for one in pictures] == [0, 1]


def test_some_items_are_drawn_in_turn_of_tasks(finished: Path) -> None:
    bench = open_bench(finished, "l1", "train", ())
    some = bench.drawn(15, seed=1)
    assert len(some.items) == 15
    assert len({one.task for one in some.items}) == 15 or len({o.task for o in bench.items}) < 15
    assert some.other_ids | some.by_id().keys() == bench.by_id().keys() | bench.other_ids
    assert some.items == bench.drawn(15, seed=1).items
    assert np.array_equal(
        [one.item_id for one in some.items],
        [one.item_id for one in bench.items if one.item_id in some.by_id()],
    )
