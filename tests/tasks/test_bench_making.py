"""What becomes of a bench's questions: options by hand, numbers wanted, scenes seen before."""

from bisect import insort
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.value import Quantity
from tasks.bench_making.answers import Others, by_kind, kinds_of, numbers_of, others_of
from tasks.bench_making.items import with_options
from tasks.bench_making.settings import BENCH_TASKS, BenchSettings
from tasks.bench_making.wanted import beyond_wanted
from tasks.config import BuildConfig, check_config
from tasks.errors import ConfigError
from tasks.publication.leakage import Footprint, meetings
from templates.options import group_options


def question(scene: str, value: float, task="absolute_area", classes=("water",)):
    """Return a candidate on an area of so many hectares, exact to the square metre."""
    text = f"{value:g} ha"
    return {
        "sample_id": f"{scene}-{value}",
        "scene_id": scene,
        "task": task,
        "classes": list(classes),
        "form": "open",
        "options": [],
        "answer": {
            "text": text,
            "letter": "",
            "value": value * 10_000,
            "unit": "m2",
            "low": value * 10_000 - 1,
            "high": value * 10_000 + 1,
        },
        "trace": f"<think>I mark the water [SEG].</think><answer>{text}</answer>",
    }


def answers_of(*rows):
    return by_kind(numbers_of(rows))


def test_four_answers_far_apart_become_the_options_of_one_another() -> None:
    rows = [question(f"s{n}", value) for n, value in enumerate((10, 20, 40, 80))]
    item = with_options(rows[1], answers_of(*rows))
    assert sorted(item["options"]) == ["10 ha", "20 ha", "40 ha", "80 ha"]
    letter = item["answer"]["letter"]
    assert item["options"]["ABCD".index(letter)] == "20 ha"
    assert item["form"] == "choice"
    assert item["trace"].endswith(f"[SEG].</think><answer>{letter}. 20 ha</answer>")


def test_answers_too_near_one_another_are_no_options() -> None:
    rows = [question(f"s{n}", value) for n, value in enumerate((10, 11, 12, 80))]
    assert with_options(rows[0], answers_of(*rows)) is None


def test_answers_of_its_own_scene_or_of_other_classes_are_no_options() -> None:
    rows = [question("one", value) for value in (10, 20, 40)]
    rows += [question("two", 80), question("three", 160, classes=["tree"])]
    assert with_options(rows[3], answers_of(*rows)) is not None
    assert with_options(rows[0], answers_of(*rows)) is None


def test_a_question_that_has_its_options_keeps_them() -> None:
    row = {**question("s", 10), "options": ["Yes", "No"]}
    assert with_options(row, {}) is row


def test_options_are_of_one_task_one_unit_and_the_same_two_classes_in_any_order() -> None:
    first = question("s", 1, "distance_measurement", ("water", "tree"))
    second = question("s", 1, "distance_measurement", ("tree", "water"))
    assert kinds_of(first) == kinds_of(second)
    assert not {*kinds_of(first)} & {*kinds_of({**first, "task": "absolute_area"})}


def test_distances_of_other_classes_are_options_only_where_there_are_few_of_the_same() -> None:
    asked = question("s", 1, "distance_measurement", ("water", "tree"))
    same = [question(f"a{n}", n, "distance_measurement", ("water", "tree")) for n in range(12)]
    others = [question(f"b{n}", 90 + n, "distance_measurement", ("crop", "tree")) for n in range(9)]
    enough = others_of(asked, answers_of(asked, *same, *others))
    few = others_of(asked, answers_of(asked, *same[:11], *others))
    assert sorted(value.value for value in enough) == [n * 10_000 for n in range(12)]
    assert len(few) == 20


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_the_answers_of_others_are_all_but_those_of_one_scene(values, start, end) -> None:
    start, end = sorted((min(start, len(values)), min(end, len(values))))
    numbers = [Quantity(v, "m", v, v) for v in values]
    others = Others(numbers, start, end)
    assert [*others] == numbers[:start] + numbers[end:]
    assert others[0:2] == (numbers[:start] + numbers[end:])[0:2]


def test_given_the_options_each_is_as_often_the_answer() -> None:
    """Of numbers in a crowded and a sparse part, neither size nor place tells the answer."""
    rng = Random(5)
    numbers = [*range(100, 112, 2), *(150.0 * 1.25**k for k in range(14))]
    pool = [Quantity(v, "m", v, v) for v in numbers]
    ranks, places = Counter(), Counter()
    for number in range(1600):
        at = number % len(pool)
        options = group_options(pool[at], pool[:at] + pool[at + 1 :], False, rng, 4)
        if options is None:
            continue
        shown: list[float] = []
        for option in options:
            insort(shown, float(option.removesuffix(" m").replace(",", "")))
        answer = float(f"{pool[at].value:.1e}")
        ranks[shown.index(answer)] += 1
        places[options.index(f"{answer:,.0f} m")] += 1
    total = ranks.total()
    assert total > 800
    for counts in (ranks, places):
        assert all(abs(counts[k] / total - 0.25) < 0.05 for k in range(4)), counts


def test_the_paper_has_3837_items() -> None:
    assert sum(BenchSettings(preset="paper").wanted.values()) == 3837
    assert BenchSettings(preset="paper", items={"distance_measurement": 5}).wanted == {
        **BenchSettings(preset="paper").wanted,
        "distance_measurement": 5,
    }


def test_a_total_is_shared_evenly_by_what_is_not_named() -> None:
    wanted = BenchSettings(total=100, items={"absolute_area": 17}).wanted
    assert wanted == {
        "absolute_area": 17,
        "coverage_percentage": 17,
        "comparative_ranking": 17,
        "boundary_relationship": 17,
        "distance_measurement": 16,
        "building_change_estimation": 16,
    }
    assert BenchSettings().wanted == {}


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"items": {"area": 3}}, "unknown task 'area'"),
        ({"total": 3, "items": {"absolute_area": 4}}, "items name 4 and total is 3"),
        ({"total": 3, "preset": "paper"}, "a preset says"),
        ({"total": 9, "items": dict.fromkeys(BENCH_TASKS, 1)}, "items name 6 and total is 9"),
    ],
)
def test_numbers_that_do_not_add_up_are_refused(given_, said) -> None:
    with pytest.raises(ValidationError, match=said):
        BenchSettings(**given_)


def test_what_is_beyond_the_number_goes_and_what_is_short_is_said() -> None:
    tasks = ["absolute_area"] * 10 + ["distance_measurement"] * 2 + ["coverage_percentage"] * 3
    kept = [(task, f"{n:024x}") for n, task in enumerate(tasks)]
    wanted = {"absolute_area": 4, "distance_measurement": 5}
    beyond, short = beyond_wanted(kept, wanted)
    assert len(beyond) == 6
    assert {int(id_, 16) for id_ in beyond} <= set(range(10))
    assert short == ["distance_measurement: 5 items wanted, 2 reached"]
    assert beyond_wanted(kept[::-1], wanted) == (beyond, short)


def scene(name: str, split: str, bounds=None, images=()) -> Footprint:
    return Footprint(
        source="xbd",
        split=split,
        scene_id=name,
        place="p",
        bounds_lonlat=bounds,
        images=tuple(images),
    )


def test_scenes_meet_by_image_by_ground_and_by_an_edge() -> None:
    trained = [scene("a", "train of x", (0, 0, 1, 1), "i"), scene("b", "train of x", None, "j")]
    bench = [
        scene("same image", "test", None, "j"),
        scene("on it", "test", (0.5, 0.5, 1.5, 1.5)),
        scene("beside it", "test", (1, 0, 2, 1)),
        scene("away", "test", (5, 5, 6, 6), "k"),
        scene("nowhere", "test"),
    ]
    assert {(m.scene.scene_id, m.how, m.other.scene_id) for m in meetings(bench, trained)} == {
        ("same image", "shows an image of", "b"),
        ("on it", "overlaps", "a"),
        ("beside it", "touches", "a"),
    }
    assert [*meetings(bench, [])] == [*meetings([], trained)] == []


def test_a_bench_stands_alone_and_is_held_against_datasets(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"dataset of its own: take l1 out"):
        check_config(_config(tmp_path, stages=("l1", "bench")))
    against = {"against": [tmp_path]}
    with pytest.raises(ConfigError, match=r"holds no manifest.json"):
        check_config(_config(tmp_path, stages=("bench",), bench=against))
    with pytest.raises(ConfigError, match=r"the stages make none: --stage bench"):
        check_config(_config(tmp_path, bench=against))
    config = _config(tmp_path, stages=("bench",))
    check_config(config)
    with pytest.raises(ConfigError, match=r"composer.kind is rules, which has no other words"):
        check_config(_config(tmp_path, stages=("bench",), bench={"rephrase": True}))
    with pytest.raises(ConfigError, match=r"the stages make none: --stage bench"):
        check_config(_config(tmp_path, bench={"rephrase": True}))
    assert config.splits == ("test",)
    assert _config(tmp_path).splits == ()


def test_a_bench_is_reviewed_in_a_folder_that_is_there(tmp_path: Path) -> None:
    reviews = {"reviews": tmp_path / "bench-reviews"}
    with pytest.raises(ConfigError, match=r"bench\.reviews: .* is no folder; `terrascope review`"):
        check_config(_config(tmp_path, stages=("bench",), bench=reviews))
    reviews["reviews"].mkdir()
    check_config(_config(tmp_path, stages=("bench",), bench=reviews))
    with pytest.raises(ConfigError, match=r"the stages make none: --stage bench"):
        check_config(_config(tmp_path, bench=reviews))
    there = {"kind": "url", "url": "http://127.0.0.1:9/v1", "model": "m"}
    worded = {"bench": {**reviews, "rephrase": True}, "composer": there}
    with pytest.raises(ConfigError, match=r"leave one of the two out"):
        check_config(_config(tmp_path, stages=("bench",), **worded))
    with pytest.raises(ValidationError, match="reviews_least"):
        BenchSettings(reviews_least=4)


def test_only_a_bench_that_is_reviewed_says_so_in_its_configuration(tmp_path: Path) -> None:
    assert "reviews" not in BenchSettings().content()
    told = BenchSettings(reviews=tmp_path / "bench-reviews").content()
    assert (told["reviews"], told["reviews_least"]) == ("bench-reviews", 2)


def _config(root: Path, **more) -> BuildConfig:
    return BuildConfig(sources={"xbd": root}, out=root / "out", **more)
