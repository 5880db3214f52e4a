"""A dataset proves itself; whatever is planted in it is caught, and named."""

import json
import random
from collections import Counter
from copy import deepcopy
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pycocotools import mask as coco

from masks.reference import evaluate
from masks.reference_scene import ReferenceScene, decode_rle
from schemas.mask import Evidence, Invalid, LayerInfo, MaskKind, SceneMask
from schemas.parquet import SAMPLE_SCHEMA
from schemas.program import load_program
from schemas.value import Undefined
from tasks.answer_text import exactly, read_quantity, rounds_to
from tasks.verify import verify

NUM_PLANTED = 100


def shards_of(dataset: Path) -> list[Path]:
    return sorted((dataset / "data").rglob("*.parquet"))


def rows_of(path: Path) -> list[dict]:
    return pq.read_table(path).to_pylist()


def store(path: Path, rows: list[dict]) -> None:
    pq.write_table(pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA), path)


def rules(dataset: Path, **options: bool) -> list[tuple[str, str]]:
    return [(fault.sample_id, fault.rule) for fault in verify(dataset, **options).failures]


def value_of(row: dict) -> object:
    """The value of a row's program on its own masks, or the rule that it fails."""
    grid = row["grid"]
    evidence = Evidence(
        size_HW=(grid["height"], grid["width"]),
        pixel_size_m=(grid["pixel_size_x_m"], grid["pixel_size_y_m"]),
        north_up=grid["north_up"],
        layers=tuple(
            LayerInfo(**{**x, "classes": tuple(x["classes"]), "invalid": Invalid(x["invalid"])})
            for x in row["layers"]
        ),
        masks=tuple(
            SceneMask(**{**m, "counts": m["counts"].encode(), "kind": MaskKind(m["kind"])})
            for m in row["scene_masks"]
        ),
    )
    try:
        return evaluate(load_program(row["program"]), ReferenceScene(evidence))
    except Undefined as outcome:
        return outcome.rule


# every mutator changes one thing and returns the rules of which one must be named, or None where
# the row does not offer that change


def other_answer_text(row, rng):
    texts = {"Yes": "No", "No": "Yes", "north-west": "south-east", "crop": "forest"}
    read = read_quantity(row["answer"]["text"])
    row["answer"]["text"] = texts.get(row["answer"]["text"]) or f"{3 * read[0]:.0f} m²"
    return {"answer_text"}


def other_value(row, rng):
    if row["answer"]["value"] is None:
        row["answer"]["value"] = 1.0
    else:
        row["answer"]["value"] *= 1 + rng.choice([-1e-6, 1e-3, 0.5])
    return {"answer_value"}


def other_unit(row, rng):
    row["answer"]["unit"] = {"m2": "ha", "share": "", "m": "m2", "count": "m", "": "m"}[
        row["answer"]["unit"]
    ]
    return {"answer_unit"}


def other_interval(row, rng):
    if row["answer"]["low"] is None:
        return None
    row["answer"][rng.choice(["low", "high"])] *= 1 + 1e-6
    return {"answer_low", "answer_high"}


def other_letter(row, rng):
    if not row["options"]:
        return None
    letters = [chr(65 + i) for i in range(len(row["options"]))]
    row["answer"]["letter"] = rng.choice([x for x in letters if x != row["answer"]["letter"]])
    return {"letter"}


def options_swapped(row, rng):
    if not row["options"]:
        return None
    row["options"] = row["options"][1:] + row["options"][:1]
    return {"letter"}


def option_replaced(row, rng):
    """The true option no longer says the answer."""
    if not row["options"]:
        return None
    row["options"][row["options"].index(row["answer"]["text"])] = "none of these"
    return {"letter"}


def option_doubled(row, rng):
    if not row["options"]:
        return None
    at = row["options"].index(row["answer"]["text"])
    row["options"][at - 1] = row["answer"]["text"]
    return {"option_twice"}


def option_within_the_margin(row, rng):
    if not row["options"] or row["answer"]["unit"] not in ("m2", "share"):
        return None
    number = read_quantity(row["answer"]["text"])[0] * 1.05
    text = f"{number / 1e4:.1f} ha" if row["answer"]["unit"] == "m2" else f"{100 * number:.1f} %"
    at = row["options"].index(row["answer"]["text"])
    row["options"][at - 1] = text
    return {"option_margin"}


def scene_mask_moved(row, rng):
    """A class or an object lies elsewhere: only changes that alter the program's value count."""
    before = value_of(row)
    mask = rng.choice([m for m in row["scene_masks"] if m["label"] in row["program"]])
    size = (row["grid"]["height"], row["grid"]["width"])
    moved_HW = np.roll(decode_rle(mask["counts"].encode(), size), 31, axis=(0, 1))
    moved_HW[: size[0] // 2] = False
    mask["counts"] = coco.encode(np.asfortranarray(moved_HW, dtype=np.uint8))["counts"].decode()
    if value_of(row) == before:
        return None
    return {"answer_value", "answer_text", "undefined", "answer_low", "answer_high"}


def scene_mask_dropped(row, rng):
    before = value_of(row)
    at = rng.choice([i for i, m in enumerate(row["scene_masks"]) if m["label"] in row["program"]])
    del row["scene_masks"][at]
    if value_of(row) == before:
        return None
    return {"answer_value", "answer_text", "undefined", "answer_low", "answer_high"}


def object_renamed(row, rng):
    """A building that was destroyed is recorded as standing, and the reverse."""
    before = value_of(row)
    objects = [m for m in row["scene_masks"] if m["attribute"]]
    if not objects:
        return None
    for mask in objects:
        states = {"destroyed": "no-damage", "no-damage": "destroyed"}
        mask["attribute"] = states[mask["attribute"]]
    if value_of(row) == before:
        return None
    return {"answer_value", "answer_text", "undefined"}


def pixel_size_changed(row, rng):
    if row["answer"]["unit"] not in ("m2", "m"):
        return None
    row["grid"]["pixel_size_x_m"] = row["grid"]["pixel_size_y_m"] = 12.0
    return {"answer_value"}


def step_mask_changed(row, rng):
    mask = rng.choice(row["masks"])
    mask_HW = decode_rle(mask["counts"].encode(), tuple(mask["size"])).copy()
    mask_HW[rng.randrange(120), rng.randrange(120)] ^= True
    mask["counts"] = coco.encode(np.asfortranarray(mask_HW, dtype=np.uint8))["counts"].decode()
    return {"mask_pixels"}


def step_mask_program_changed(row, rng):
    mask = rng.choice(row["masks"])
    others = {"forest": "water", "water": "town", "town": "crop", "crop": "forest"}
    label = next((x for x in others if f'"{x}"' in mask["program"]), None)
    if label is None:
        return None
    mask["program"] = mask["program"].replace(f'"{label}"', f'"{others[label]}"')
    return {"mask_pixels"}


def program_changed(row, rng):
    before = value_of(row)
    swaps = [("forest", "town"), ("water", "crop"), ('"<"', '">"'), ("exists", "not-an-op")]
    swaps += [('"area"', '"count"'), ("destroyed", "no-damage"), ("snow", "forest"), (">", "<")]
    rng.shuffle(swaps)
    for old, new in swaps:
        if old in row["program"]:
            row["program"] = row["program"].replace(old, new)
            break
    try:
        if value_of(row) == before:
            return None
    except ValueError:
        return {"program"}
    return {
        "answer_value", "answer_text", "answer_unit", "answer_low", "answer_high", "undefined",
    }  # fmt: skip


def seg_removed(row, rng):
    row["trace"] = row["trace"].replace("[SEG]", "", 1)
    return {"seg_count"}


def fact_changed(row, rng):
    """A number of the trace, in trace and step alike, is another than was measured."""
    span = row["fact_spans"][0]
    fact = row["trace"][span["start"] : span["end"]]
    if not fact[0].isdigit():
        return None
    wrong = fact.replace(fact[0], str((int(fact[0]) + 3) % 10 or 4), 1)
    row["trace"] = row["trace"][: span["start"]] + wrong + row["trace"][span["end"] :]
    row["steps"][0]["text"] = row["steps"][0]["text"].replace(fact, wrong)
    return {"fact"}


MUTATORS = (
    other_answer_text, other_value, other_unit, other_interval, other_letter, options_swapped,
    option_replaced, option_doubled, option_within_the_margin, scene_mask_moved,
    scene_mask_dropped, object_renamed, pixel_size_changed, step_mask_changed,
    step_mask_program_changed, program_changed, seg_removed, fact_changed,
)  # fmt: skip


def planted(rows: list[dict], mutators, seed: int) -> dict[str, tuple[str, set[str]]]:
    """Change each row in one way, in place; return what was done and what must be named."""
    rng = random.Random(seed)
    done = {}
    used = Counter()
    for row in rows:
        for mutate in sorted(mutators, key=lambda m: used[m]):
            changed = deepcopy(row)
            due = mutate(changed, rng)
            if due is not None:
                row.update(changed)
                done[row["sample_id"]] = (mutate.__name__, due)
                used[mutate] += 1
                break
    return done


def test_an_untouched_dataset_is_proved(dataset):
    report = verify(dataset)
    assert report.failures == ()
    assert report.samples == report.proved == 88 + 12
    assert report.ok


def test_two_workers_find_what_one_finds(dataset, monkeypatch):
    monkeypatch.undo()  # other processes would not see that the words are left out
    path = shards_of(dataset)[0]
    rows = rows_of(path)
    planted(rows, MUTATORS, seed=1)
    store(path, rows)
    assert verify(dataset, workers=2) == verify(dataset)


def test_every_one_of_a_hundred_planted_changes_is_caught_and_named(dataset):
    done = {}
    for number, path in enumerate(shards_of(dataset)):
        rows = rows_of(path)
        done |= planted(rows, MUTATORS, seed=number)
        store(path, rows)
    assert len(done) >= NUM_PLANTED
    assert Counter(name for name, _ in done.values()).keys() == {m.__name__ for m in MUTATORS}
    report = verify(dataset, digests=False)
    found = {}
    for fault in report.failures:
        found.setdefault(fault.sample_id, set()).add(fault.rule)
    missed = [
        (sample_id, name, found.get(sample_id))
        for sample_id, (name, due) in done.items()
        if not due & found.get(sample_id, set())
    ]
    assert missed == []
    assert report.proved == report.samples - len(done)


@pytest.mark.parametrize("mutate", MUTATORS, ids=lambda m: m.__name__)
def test_a_planted_change_is_caught_in_its_row_and_in_no_other(dataset, mutate):
    path = shards_of(dataset)[mutate is object_renamed]
    rows = rows_of(path)
    for number, row in enumerate(rows):
        changed = deepcopy(row)
        due = mutate(changed, random.Random(number))
        if due is not None:
            row.update(changed)
            break
    store(path, rows)
    failures = verify(dataset, digests=False).failures
    assert {fault.sample_id for fault in failures} == {row["sample_id"]}
    assert {fault.file for fault in failures} == {path.relative_to(dataset).as_posix()}
    assert due & {fault.rule for fault in failures}


def test_a_failure_says_what_was_expected_and_what_was_found(dataset):
    path = shards_of(dataset)[1]
    rows = rows_of(path)
    row = next(r for r in rows if r["task"] == "state_count")
    row["answer"]["value"] = 9.0
    store(path, rows)
    (fault,) = verify(dataset, digests=False).failures
    assert str(fault) == (
        "data/l1/xbd-train-b00.parquet storm-000-01: answer_value: expected 2.0, found 9.0"
    )


def test_a_picture_of_another_size_than_its_masks_is_a_failure(dataset):
    path = shards_of(dataset)[0]
    rows = rows_of(path)
    rows[3]["grid"]["height"] = 60
    rows[3]["grid"]["width"] = 240
    store(path, rows)
    found = rules(dataset, digests=False)
    assert (rows[3]["sample_id"], "image_size") in found
    assert (rows[3]["sample_id"], "mask_size") in found


@pytest.mark.parametrize("bad", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_an_unreadable_picture_is_a_failure(dataset, bad):
    path = shards_of(dataset)[0]
    rows = rows_of(path)
    rows[3]["images"][0]["bytes"] = bad
    store(path, rows)
    assert rules(dataset, digests=False) == [(rows[3]["sample_id"], "image_size")]


def test_a_mask_on_an_image_of_another_date_is_a_failure(dataset):
    path = shards_of(dataset)[1]
    rows = rows_of(path)
    row = next(r for r in rows if r["task"] == "state_count")
    row["masks"][1]["image_index"] = row["steps"][1]["image_index"] = 0
    store(path, rows)
    assert rules(dataset, digests=False) == [(row["sample_id"], "mask_date")]


def test_an_intersection_must_tell_its_true_iou(dataset):
    path = shards_of(dataset)[0]
    rows = rows_of(path)
    mask_HW = decode_rle(rows[2]["masks"][0]["counts"].encode(), (120, 120)).copy()
    area = int(mask_HW.sum())
    mask_HW[np.nonzero(mask_HW)[0][0]] = False
    kept = int(mask_HW.sum())
    mask = rows[2]["masks"][0]
    mask["counts"] = coco.encode(np.asfortranarray(mask_HW, dtype=np.uint8))["counts"].decode()
    mask["origin"] = "intersection"
    mask["iou"] = kept / area
    store(path, rows)
    assert rules(dataset, digests=False) == []
    mask["iou"] = 1.0
    store(path, rows)
    assert rules(dataset, digests=False) == [(rows[2]["sample_id"], "mask_iou")]


@pytest.mark.parametrize(
    ("step", "labels"), [("predicted", "annotated"), ("annotated", "predicted")]
)
def test_a_mask_is_predicted_where_a_model_marked_its_layer_and_nowhere_else(dataset, step, labels):
    path = shards_of(dataset)[0]
    rows = rows_of(path)
    rows[2]["masks"][0]["origin"] = step
    for mask in rows[2]["scene_masks"]:
        mask["origin"] = labels
    store(path, rows)
    assert (rows[2]["sample_id"], "mask_origin") in rules(dataset, digests=False)


def test_an_intersection_must_lie_inside_of_the_annotation(dataset):
    path = shards_of(dataset)[0]
    rows = rows_of(path)
    mask = rows[2]["masks"][0]
    mask_HW = decode_rle(mask["counts"].encode(), (120, 120)).copy()
    area = int(mask_HW.sum())
    mask_HW[tuple(np.argwhere(~mask_HW)[0])] = True
    mask["counts"] = coco.encode(np.asfortranarray(mask_HW, dtype=np.uint8))["counts"].decode()
    mask |= {"origin": "intersection", "iou": area / (area + 1)}
    store(path, rows)
    assert rules(dataset, digests=False) == [(rows[2]["sample_id"], "mask_outside")]


def test_a_vague_open_answer_is_a_failure(dataset):
    """A strip of two pixels' width has a margin of its whole area."""
    path = shards_of(dataset)[0]
    rows = rows_of(path)
    row = next(r for r in rows if r["task"] == "rest")
    strip_HW = np.zeros((120, 120), dtype=np.bool_)
    strip_HW[:, 2:] = True
    thin = coco.encode(np.asfortranarray(strip_HW, dtype=np.uint8))["counts"].decode()
    for mask in row["scene_masks"]:
        if mask["label"] == "water":
            mask["counts"] = thin
    store(path, rows)
    assert (row["sample_id"], "margin_wide") in rules(dataset, digests=False)


def test_a_row_with_a_missing_value_is_a_failure_and_the_rest_is_still_proved(dataset):
    path = shards_of(dataset)[0]
    rows = rows_of(path)
    rows[5]["question"] = None
    rows[6]["masks"][0]["origin"] = "guessed"
    rows[7]["scene_masks"][0]["counts"] = None
    rows[8]["answer"] = None
    store(path, rows)
    report = verify(dataset, digests=False)
    assert {(f.sample_id, f.rule) for f in report.failures} == {
        (rows[i]["sample_id"], "row") for i in (5, 6, 7, 8)
    }
    assert report.proved == report.samples - 4


@pytest.mark.parametrize("counts", ["zz", "", "0", "é", "0" * 4000])
def test_a_scene_mask_that_is_no_run_length_code_is_a_failure(dataset, counts):
    path = shards_of(dataset)[0]
    rows = rows_of(path)
    rows[2]["scene_masks"][1]["counts"] = counts
    store(path, rows)
    assert rows[2]["sample_id"] in {sample_id for sample_id, _ in rules(dataset, digests=False)}


def test_an_id_that_occurs_in_two_shards_is_a_failure(dataset):
    first, second = (rows_of(path) for path in shards_of(dataset))
    second[0]["sample_id"] = first[0]["sample_id"]
    store(shards_of(dataset)[1], second)
    assert rules(dataset, digests=False) == [(first[0]["sample_id"], "sample_id_twice")]


def test_a_sample_in_the_wrong_shard_is_a_failure(dataset):
    path = shards_of(dataset)[0]
    rows = rows_of(path)
    rows[0]["split"] = "test"
    store(path, rows)
    assert rules(dataset, digests=False) == [(rows[0]["sample_id"], "wrong_shard")]


def test_one_flipped_byte_is_seen_by_its_digest(dataset):
    path = shards_of(dataset)[0]
    content = bytearray(path.read_bytes())
    content[content.index(b"\x89PNG") + 1000] ^= 1  # inside a picture: the answers still hold
    path.write_bytes(content)
    assert rules(dataset, digests=False) == []
    assert rules(dataset) == [("", "digest")]


def test_missing_rows_are_counted(dataset):
    path = shards_of(dataset)[0]
    store(path, rows_of(path)[:-1])
    assert rules(dataset, digests=False) == [("", "row_count")]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not a table", None])
def test_a_shard_that_cannot_be_read_is_a_failure_that_names_it(dataset, content):
    path = shards_of(dataset)[0]
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    failures = verify(dataset, digests=False).failures
    assert [(f.file, f.rule) for f in failures] == [
        (path.relative_to(dataset).as_posix(), "unreadable")
    ]


def test_a_shard_cut_short_inside_is_a_failure(dataset):
    path = shards_of(dataset)[0]
    content = path.read_bytes()
    path.write_bytes(content[:2000] + bytes(len(content) - 12_000) + content[-10_000:])
    assert ("", "unreadable") in rules(dataset, digests=False)


def test_a_table_with_other_columns_is_a_failure_that_names_them(dataset):
    path = shards_of(dataset)[0]
    pq.write_table(pq.read_table(path).drop_columns(["trace"]), path)
    (fault,) = verify(dataset, digests=False).failures
    assert "these differ: ['trace']" in fault.found


def test_a_file_that_the_manifest_does_not_list_is_a_failure(dataset):
    path = shards_of(dataset)[0]
    path.with_name("stray.parquet").write_bytes(b"")
    (fault,) = verify(dataset).failures
    assert (fault.rule, fault.found) == ("unlisted_file", "data/l1/stray.parquet")


def test_a_dataset_without_a_manifest_is_not_proved(dataset):
    (dataset / "manifest.json").unlink()
    report = verify(dataset)
    assert [fault.rule for fault in report.failures] == ["manifest"]
    assert report.samples == report.proved == 0


@pytest.mark.parametrize(
    ("stage", "field", "value", "rule"),
    [
        (0, "taken", 13, "stage_sum"),
        (0, "rejected", 0, "stage_sum"),
        (1, "out", 99, "sample_count"),
        (1, "reasons", {"area: wide_margin": 4}, "left_out_sum"),
        (1, "reasons", {"area: wide_margin": 3, "area: thinned": 2}, None),
        (1, "stage", "ask", None),
    ],
)
def test_counts_must_add_up(dataset, stage, field, value, rule):
    manifest = json.loads((dataset / "manifest.json").read_text())
    manifest["counts"][stage][field] = value
    (dataset / "manifest.json").write_text(json.dumps(manifest))
    found = [fault.rule for fault in verify(dataset).failures]
    assert rule in found if rule else not found


def test_a_stage_takes_what_the_one_before_it_gave(dataset):
    manifest = json.loads((dataset / "manifest.json").read_text())
    more = {"stage": "thin", "unit": "sample", "taken": 90, "out": 100, "rejected": 0}
    manifest["counts"].append({**more, "left_out": -0})
    (dataset / "manifest.json").write_text(json.dumps(manifest))
    assert {fault.rule for fault in verify(dataset).failures} == {"stage_sum", "stage_chain"}


def test_refused_samples_are_all_in_quarantine(dataset, rejects):
    path = dataset / "quarantine" / "ingest.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    found = {fault.rule for fault in verify(dataset, digests=False).failures}
    assert found == {"row_count", "rejected_count"}


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("15", (15.0, "count")),
        ("1,234", (1234.0, "count")),
        ("49 %", (0.49, "share")),
        ("71 ha", (710_000.0, "m2")),
        ("1.2 ha", (12_000.0, "m2")),
        ("8,300 m²", (8300.0, "m2")),
        ("1.2 km²", (1_200_000.0, "m2")),
        ("1.5 km", (1500.0, "m")),
        ("230 m", (230.0, "m")),
        ("12,34", None),
        ("Yes", None),
        ("71 acres", None),
    ],
)
def test_worded_numbers_are_read_back(text, quantity):
    assert read_quantity(text) == quantity


def test_an_amount_is_told_exactly_in_the_unit_of_an_answer():
    assert exactly(714_999.0, "71 ha") == "71.4999 ha"
    assert exactly(1_234_567.0, "1,200 km") == "1,234.57 km"
    assert exactly(15, "3") == "15"
    assert exactly(2_000_000.0, "9 m²") == "2,000,000 m²"


def test_two_digits_are_checked_to_half_of_the_second():
    assert rounds_to(714_999.0, "m2", "71 ha")
    assert not rounds_to(715_100.0, "m2", "71 ha")
    assert rounds_to(0.4949, "share", "49 %")
    assert not rounds_to(0.4951, "share", "49 %")
    assert not rounds_to(710_000.0, "m", "71 ha")
    assert rounds_to(15, "count", "15")
    assert not rounds_to(15, "count", "16")
