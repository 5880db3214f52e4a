import json
import re
from pathlib import Path

import pytest

from schemas.program import MAX_DEPTH, dump_program, load_program, program_json_schema

DOCS = Path(__file__).parents[2] / "docs"

FOREST = {"op": "mask", "layer": "land", "label": "forest", "date": 0}
WATER = {"op": "mask", "layer": "land", "label": "water", "date": 1}
HOUSES = {"op": "instances", "layer": "houses", "label": "building", "date": 0}
VALID = {"op": "valid", "layer": "land", "date": 0}
ONE = {"op": "number", "value": 1.0, "unit": ""}
AREA = {"op": "area", "of": FOREST}
EXISTS = {"op": "exists", "of": FOREST}
NAMED = [{"name": "forest", "value": AREA}, {"name": "water", "value": {"op": "area", "of": WATER}}]
TESTS = [{"name": "first", "test": EXISTS}, {"name": "second", "test": EXISTS}]
MASKS = [{"name": "forest", "mask": FOREST}, {"name": "water", "mask": WATER}]
NEAR = {"op": "near", "of": FOREST, "to": WATER, "distance_m": 100.0}

# one program for each operation; a mask operation stands inside the simplest measure
PROGRAMS = {
    "mask": {"op": "exists", "of": FOREST},
    "instances": {"op": "exists", "of": {**HOUSES, "attribute": "destroyed"}},
    "valid": {"op": "exists", "of": VALID},
    "and": {"op": "exists", "of": {"op": "and", "a": FOREST, "b": WATER}},
    "or": {"op": "exists", "of": {"op": "or", "a": FOREST, "b": WATER}},
    "minus": {"op": "exists", "of": {"op": "minus", "a": FOREST, "b": WATER}},
    "part": {"op": "exists", "of": {"op": "part", "of": FOREST, "cell": 8}},
    "near": {"op": "exists", "of": NEAR},
    "number": ONE,
    "area": AREA,
    "share": {"op": "share", "of": FOREST, "within": VALID},
    "count": {"op": "count", "of": HOUSES, "min_component_px": 4},
    "border_length": {"op": "border_length", "a": FOREST, "b": WATER},
    "distance": {"op": "distance", "a": FOREST, "b": WATER},
    "add": {"op": "add", "a": AREA, "b": AREA},
    "sub": {"op": "sub", "a": AREA, "b": AREA},
    "mul": {"op": "mul", "a": AREA, "b": ONE},
    "div": {"op": "div", "a": AREA, "b": ONE},
    "exists": EXISTS,
    "border": {"op": "border", "a": FOREST, "b": WATER},
    "compare": {"op": "compare", "a": AREA, "relation": "<", "b": AREA},
    "all": {"op": "all", "of": [EXISTS, EXISTS]},
    "any": {"op": "any", "of": [EXISTS]},
    "not": {"op": "not", "of": EXISTS},
    "cell": {"op": "cell", "of": FOREST},
    "argmax": {"op": "argmax", "of": NAMED},
    "rank": {"op": "rank", "of": NAMED, "place": 2},
    "first": {"op": "first", "of": TESTS},
    "nearest": {"op": "nearest", "to": HOUSES, "of": MASKS},
    "majority": {"op": "majority", "of": MASKS, "within": VALID},
}


def nested(depth: int) -> str:
    """Return a program of `depth` operations: "not" around the existence of a mask."""
    inner = json.dumps(EXISTS)
    return '{"op":"not","of":' * (depth - 2) + inner + "}" * (depth - 2)


def operations(schema: object) -> set[str]:
    """Return every constant that stands under a property "op"."""
    return set(re.findall(r'"op": \{"const": "(\w+)"', json.dumps(schema)))


def test_the_programs_below_use_every_operation_of_the_language() -> None:
    assert set(PROGRAMS) == operations(program_json_schema())


@pytest.mark.parametrize("op", PROGRAMS)
def test_a_written_program_reads_back_as_itself(op: str) -> None:
    program = load_program(json.dumps(PROGRAMS[op]))
    assert load_program(dump_program(program)) == program
    assert json.loads(dump_program(program)) == PROGRAMS[op]


@pytest.mark.parametrize("op", PROGRAMS)
def test_the_same_program_is_written_with_the_same_bytes(op: str) -> None:
    shuffled = json.dumps(PROGRAMS[op], sort_keys=True, indent=3)
    assert dump_program(load_program(shuffled)) == dump_program(
        load_program(json.dumps(PROGRAMS[op]))
    )


def test_an_instances_leaf_without_attribute_is_written_without_one() -> None:
    program = load_program(json.dumps({"op": "exists", "of": HOUSES}))
    assert program.of.attribute is None
    assert "attribute" not in dump_program(program)


def test_areas_are_counted_from_nine_pixels_on_unless_said_otherwise() -> None:
    assert load_program(json.dumps({"op": "count", "of": FOREST})).min_component_px == 9


def test_sixteen_operations_may_nest() -> None:
    assert dump_program(load_program(nested(MAX_DEPTH))).count('"op"') == 16


def test_seventeen_nested_operations_are_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match="17 operations deep; at most 16"):
        load_program(nested(MAX_DEPTH + 1))


def test_a_hundred_thousand_nested_operations_are_refused_without_a_crash() -> None:
    with pytest.raises(ValueError, match="not one"):
        load_program(nested(100_000))


def test_ten_thousand_nested_near_masks_are_refused_without_a_crash() -> None:
    inner = json.dumps(FOREST)
    tail = f', "to": {inner}, "distance_m": 1.0' + "}"
    text = '{"op":"exists","of":' + '{"op":"near","of":' * 10_000 + inner + tail * 10_000 + "}"
    with pytest.raises(ValueError, match=r"not one|operations deep"):
        load_program(text)


@pytest.mark.parametrize("distance", ["0", "-1", "NaN", "Infinity", "1e999", '"3"', "null"])
def test_a_distance_must_be_a_finite_number_above_zero(distance: str) -> None:
    near = json.dumps(PROGRAMS["near"]).replace("100.0", distance)
    with pytest.raises(ValueError, match=r"greater than 0|finite|valid number"):
        load_program(near)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_must_be_finite(value: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        load_program(f'{{"op":"number","value":{value}}}')


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        ({"op": "eval", "of": "1"}, "eval"),
        ({"of": FOREST}, "op"),
        ({"op": "exists"}, "Field required"),
        ({"op": "exists", "of": FOREST, "comment": "?"}, "comment"),
        ({"op": "exists", "of": AREA}, "area"),
        ({"op": "area", "of": EXISTS}, "exists"),
        (FOREST, "mask"),
        ({"op": "not", "of": AREA}, "area"),
        ({"op": "exists", "of": {**FOREST, "date": -1}}, "greater than or equal to 0"),
        ({"op": "exists", "of": {**FOREST, "date": 0.5}}, "integer"),
        ({"op": "exists", "of": {"op": "part", "of": FOREST, "cell": 9}}, "less than or equal"),
        ({"op": "count", "of": FOREST, "min_component_px": 0}, "greater than or equal to 1"),
        ({"op": "compare", "a": AREA, "relation": "=", "b": AREA}, "'<' or '>'"),
        ({"op": "number", "value": 1, "unit": "ha"}, "unit"),
        ({"op": "all", "of": []}, "at least 1"),
        ({"op": "argmax", "of": NAMED[:1]}, "at least 2"),
        ({"op": "rank", "of": NAMED, "place": 0}, "greater than or equal to 1"),
        ({"op": "first", "of": TESTS[:1]}, "at least 2"),
        ({"op": "nearest", "to": HOUSES, "of": MASKS[:1]}, "at least 2"),
        ({"op": "nearest", "of": MASKS}, "Field required"),
        ({"op": "majority", "of": MASKS[:1], "within": VALID}, "at least 2"),
        ({"op": "majority", "of": NAMED, "within": VALID}, "mask"),
        ({"op": "exists", "of": {**NEAR, "unit": "km"}}, "unit"),
        (NEAR, "near"),
        ([], "object"),
        ({"op": "number", "value": "3"}, "valid number"),
    ],
)
def test_what_is_not_in_the_language_is_refused(tree: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        load_program(json.dumps(tree))


@pytest.mark.parametrize("text", ["", "{", "exists(forest)", b"\xff\xfe"])
def test_what_is_not_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="JSON"):
        load_program(text)


def test_a_program_cannot_be_changed() -> None:
    program = load_program(json.dumps(EXISTS))
    with pytest.raises(ValueError, match="frozen"):
        program.of = None


def test_the_committed_json_schema_is_the_one_of_the_code() -> None:
    committed = (DOCS / "program.schema.json").read_text(encoding="utf-8")
    assert committed == json.dumps(program_json_schema(), indent=2, sort_keys=True) + "\n", (
        "write docs/program.schema.json again, and raise LANGUAGE_VERSION if old programs change"
    )
