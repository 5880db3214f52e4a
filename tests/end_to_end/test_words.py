"""Every word of a question is proved: whatever is put in another's place is caught, and named."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.parquet import SAMPLE_SCHEMA
from tasks.verify import verify

CLASSES = {"bigearthnet": ("pastures", "marine waters"), "chatearthnet": ("shrubland", "mangroves")}


@pytest.fixture
def copy(dataset, tmp_path) -> Path:
    """Return a copy of the dataset that may be changed."""
    shutil.copytree(dataset, tmp_path / "copy", ignore=shutil.ignore_patterns(".work", "report"))
    return tmp_path / "copy"


def planted(copy: Path, change, wanted) -> set[str]:
    """Change the first wanted row; return the rules that it breaks then."""
    for path in sorted((copy / "data").rglob("*.parquet")):
        rows = pq.read_table(path).to_pylist()
        for row in rows:
            if wanted(row):
                change(row)
                pq.write_table(pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA), path)
                failures = verify(copy, digests=False).failures
                assert {f.sample_id for f in failures} == {row["sample_id"]}
                return {f.rule for f in failures}
    raise AssertionError("the dataset holds no such row")


def of_task(*tasks):
    return lambda row: row["task"] in tasks


def reworded(row, old, new):
    """Put one word for another in the trace and in its step, both of one length."""
    assert len(old) == len(new)
    row["trace"] = row["trace"].replace(old, new, 1)
    for step in row["steps"]:
        if old in step["text"]:
            step["text"] = step["text"].replace(old, new, 1)
            return


def phrase_of(row):
    (layer,) = json.loads(row["words"]).values()
    return layer[row["classes"][0]]["phrase"]


def test_a_question_on_another_class_is_named(copy) -> None:
    def change(row):
        (layer,) = json.loads(row["words"]).values()
        other = next(w["phrase"] for name, w in layer.items() if name not in row["classes"])
        row["question"] = row["question"].replace(phrase_of(row), other)

    found = planted(copy, change, lambda r: r["task"] == "coverage" and r["source"] in CLASSES)
    assert found == {"question", "sample_id"}


def test_a_whole_called_otherwise_is_named(copy) -> None:
    def change(row):
        row["question"] = row["question"].replace("the image", "the labelled area of the image")

    found = planted(copy, change, lambda row: row["question"].endswith(" in the image?"))
    assert found == {"question", "sample_id"}


def test_a_question_in_words_of_no_template_is_named(copy) -> None:
    def change(row):
        row["question"] = "Well, " + row["question"]

    assert planted(copy, change, of_task("location")) == {"question", "sample_id"}


def test_a_claim_without_a_number_is_named(copy) -> None:
    def change(row):
        reworded(row, "No pixel shows", "Each one shows")

    assert planted(copy, change, lambda row: "No pixel shows" in row["trace"]) == {"step_text"}


def test_two_measured_facts_in_each_others_place_are_named(copy) -> None:
    def change(row):
        first, second = (row["trace"][s["start"] : s["end"]] for s in row["fact_spans"][:2])
        for text in (row, row["steps"][0]):
            key = "trace" if "trace" in text else "text"
            swapped = text[key].replace(first, "@", 1).replace(second, first, 1)
            text[key] = swapped.replace("@", second, 1)

    def wanted(row):
        if row["task"] != "coverage":
            return False
        first, second = ((s["start"], s["end"]) for s in row["fact_spans"][:2])
        texts = [row["trace"][a:b] for a, b in (first, second)]
        return len(texts[0]) == len(texts[1]) and texts[0] != texts[1]

    assert planted(copy, change, wanted) == {"step_text"}


def test_a_mask_under_another_label_is_named(copy) -> None:
    def change(row):
        row["masks"][0]["label"] = "moss"

    assert planted(copy, change, of_task("border")) == {"mask_words"}


def test_masks_in_each_others_place_are_named(copy) -> None:
    def change(row):
        row["masks"].reverse()

    assert planted(copy, change, of_task("border")) == {"mask_words"}


def test_classes_that_the_question_does_not_speak_of_are_named(copy) -> None:
    def change(row):
        row["classes"] = ["moss"]

    assert planted(copy, change, of_task("area")) == {"classes"}


def test_another_id_is_named(copy) -> None:
    def change(row):
        row["sample_id"] = "0" * 24

    assert planted(copy, change, of_task("existence")) == {"sample_id"}


def test_a_program_of_the_same_value_on_another_class_is_named(copy) -> None:
    """Two classes are absent: the answer stays "No", but it is not that to this question."""

    def change(row):
        program = json.loads(row["program"])
        present = {mask["label"] for mask in row["scene_masks"]}
        absent = [c for c in row["layers"][0]["classes"] if c not in present]
        program["of"]["label"] = next(c for c in absent if c not in row["classes"])
        row["program"] = json.dumps(program)

    def wanted(row):
        return (
            row["task"] == "existence"
            and row["answer"]["text"] == "No"
            and row["source"] in CLASSES
            and len(row["layers"]) == 1
        )

    found = planted(copy, change, wanted)
    assert found == {"question", "classes", "step_text", "mask_words", "sample_id"}


def test_a_class_called_otherwise_in_the_row_is_named(copy) -> None:
    def change(row):
        row["words"] = row["words"].replace(f'"{phrase_of(row)}"', '"lava"')

    found = planted(copy, change, lambda r: r["task"] == "area" and r["source"] in CLASSES)
    assert found == {"question", "step_text", "fact_spans"}


def test_words_that_are_no_words_are_named(copy) -> None:
    def change(row):
        row["words"] = "{"

    assert planted(copy, change, of_task("area")) == {"words"}


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [("template", "existence", "template"), ("template_version", 1, "template_version")],
)
def test_another_template_is_named(copy, field, value, rule) -> None:
    def change(row):
        row["provenance"][field] = value

    assert planted(copy, change, of_task("area")) == {rule}


def test_a_program_of_another_shape_is_named(copy) -> None:
    def change(row):
        both = {"op": "and", "a": json.loads(row["program"])["of"]}
        row["program"] = json.dumps({"op": "exists", "of": {**both, "b": both["a"]}})

    found = planted(copy, change, lambda r: r["task"] == "existence" and len(r["layers"]) == 1)
    assert found == {"words"}
