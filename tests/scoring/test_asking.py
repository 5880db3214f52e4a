"""What a model is asked, under controls too, and what is kept of a run."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import pytest
from PIL import Image

from tasks.asked_pictures import AskedPicture
from tasks.errors import ConfigError, UserError
from tasks.scoring.ask_url import asked_url, call_of, prompt_of, url_settings
from tasks.scoring.controls import AskedItem, Control, asked_items, turned_back
from tasks.scoring.prediction import Header, Prediction, read_predictions
from tasks.scoring.run_file import append, folder_digest, header_of, still_to_ask
from tasks.scoring.sources import Source, check_sources
from tests.completer.fault_server import MODEL, Behaviour, FaultServer
from tests.scoring.conftest import bench_of, item


def picture(grey: int, size: tuple[int, int] = (4, 2)) -> AskedPicture:
    file = BytesIO()
    Image.new("RGB", size, (grey,) * 3).save(file, "PNG")
    return AskedPicture(encoded=file.getvalue(), title=str(grey))


def pixels(shown: AskedPicture) -> tuple[tuple[int, int], int]:
    with Image.open(BytesIO(shown.encoded)) as image:
        return image.size, image.convert("L").getpixel((0, 0))  # type: ignore[return-value]


PICTURES = {"a": (picture(10),), "b": (picture(20),), "c": (picture(30, (8, 4)),)}
ITEMS = (item("a", scene_id="s"), item("b", scene_id="s"), item("c", scene_id="t"))


def bench(*items: Any) -> Any:
    def look(wanted: Any) -> Iterator[Any]:
        return ((name, PICTURES[name]) for name in wanted)

    return bench_of(*(items or ITEMS), look=look)


def asked(control: Any) -> list[AskedItem]:
    return list(asked_items(bench(), ITEMS, control))


def test_blind_sees_grey_of_the_pictures_size() -> None:
    assert [pixels(one.pictures[0]) for one in asked("blind")] == [
        ((4, 2), 127),
        ((4, 2), 127),
        ((8, 4), 127),
    ]


def test_shuffled_sees_another_scene_in_the_size_of_its_own() -> None:
    assert [pixels(one.pictures[0]) for one in asked("shuffled")] == [
        ((4, 2), 30),
        ((4, 2), 30),
        ((8, 4), 10),
    ]
    with pytest.raises(UserError, match="needs another scene"):
        list(asked_items(bench(*ITEMS[:2]), ITEMS[:2], "shuffled"))


def test_an_answer_to_turned_options_is_turned_back() -> None:
    for one in asked("rotated"):
        assert sorted(one.options) == sorted(one.item.options)
        assert one.options != one.item.options
        letter = "ABCD"[one.options.index(one.item.answer)]
        back = turned_back(one, Prediction(sample_id="a", text=f"<answer>{letter}</answer>"))
        assert back.answer == one.item.letter
        assert back.text == f"<answer>{letter}</answer>"
        words = turned_back(one, Prediction(sample_id="a", text=one.item.answer))
        assert words.answer == one.item.letter
        assert turned_back(one, Prediction(sample_id="a", text="?")).answer == ""


def test_the_prompt_is_the_papers_with_the_letters_that_are_offered() -> None:
    four, two = (
        prompt_of(AskedItem(item=item(), pictures=(), options=options))
        for options in (("10 %", "20 %", "30 %", "40 %"), ("Yes", "No"))
    )
    assert four == (
        "How much is water?\nA. 10 %\nB. 20 %\nC. 30 %\nD. 40 %\nPlease respond with only the "
        "option letter (A, B, C, or D) corresponding to your answer."
    )
    assert "(A or B)" in two


def test_blind_is_sent_no_picture_and_all_is_asked_greedily() -> None:
    one = AskedItem(item=item(), pictures=PICTURES["a"], options=item().options)
    assert call_of(one, "blind", 8).turns[0].images == ()
    call = call_of(one, "none", 8)
    assert call.turns[0].images == (PICTURES["a"][0].encoded,)
    assert (call.sampling.temperature, call.sampling.max_tokens) == (0.0, 8)


def test_a_model_behind_a_url_is_asked(tmp_path: Path) -> None:
    with FaultServer(Behaviour(), lambda body: "B") as server:
        settings = url_settings(server.base_url, MODEL, None)
        found = list(asked_url(bench(), ITEMS, "none", settings, tmp_path / "calls.sqlite", 8))
    assert [(one.sample_id, one.text, one.error) for one in found] == [
        ("a", "B", ""),
        ("b", "B", ""),
        ("c", "B", ""),
    ]
    with pytest.raises(ConfigError, match="must start with http"):
        url_settings("ftp://x", "m", None)


def test_a_run_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    path, header = tmp_path / "out" / "p.jsonl", header_of(bench(), "m", "8 tokens", "none")
    assert still_to_ask(path, header, ITEMS) == list(ITEMS)
    failed = Prediction(sample_id="b", error="refused: 400")
    append(path, [Prediction(sample_id="a", text="B"), failed])
    with path.open("a") as file:
        file.write('{"sample_id": "c", "te')  # killed here
    assert [one.item_id for one in still_to_ask(path, header, ITEMS)] == ["b", "c"]
    append(path, [Prediction(sample_id="b", text="C")])
    assert [one.item_id for one in still_to_ask(path, header, ITEMS)] == ["c"]
    other = header_of(bench(), "m", "8 tokens", "blind")
    assert still_to_ask(path, other, ITEMS) == list(ITEMS)


def test_a_run_under_a_control_has_a_name_of_its_own(tmp_path: Path) -> None:
    names, controls = [], get_args(Control)[:2]
    for control in controls:
        path = tmp_path / f"{control}.jsonl"
        still_to_ask(path, header_of(bench(), "mine", "8 tokens", control), ITEMS)
        append(path, [Prediction(sample_id="a", text="B")])
        names.append(read_predictions(path, bench().by_id()).name)
    assert names == ["mine", "mine, blind"]


def test_line_breaks_that_json_keeps_are_no_ends_of_lines(tmp_path: Path) -> None:
    path, header = tmp_path / "p.jsonl", header_of(bench(), "m", "a prompt of\u2028lines", "none")
    still_to_ask(path, header, ITEMS)
    append(path, [Prediction(sample_id="a", text="one\u2028two\u2029three\x85four")])
    assert [one.item_id for one in still_to_ask(path, header, ITEMS)] == ["b", "c"]
    assert (
        read_predictions(path, bench().by_id()).by_id["a"].text == "one\u2028two\u2029three\x85four"
    )


def test_a_model_trained_again_in_its_folder_is_another_run(tmp_path: Path) -> None:
    model, path = tmp_path / "model", tmp_path / "p.jsonl"
    model.mkdir()

    def header_after(name: str, content: str) -> Header:
        (model / name).write_text(content)
        return header_of(bench(), "model", "8 tokens", "none", folder_digest(model))

    first = header_after("model.safetensors", "weights")
    still_to_ask(path, first, ITEMS)
    append(path, [Prediction(sample_id="a", text="B")])
    noted = header_after("training.json", "seconds")
    assert [one.item_id for one in still_to_ask(path, noted, ITEMS)] == ["b", "c"]
    for name in ("model.safetensors", "tokenizer.json", "processor_config.json", "config.json"):
        still_to_ask(path, header_after(name, "other"), ITEMS)
        append(path, [Prediction(sample_id="a", text="B")])
        assert still_to_ask(path, header_after(name, "trained again"), ITEMS) == list(ITEMS)


def test_one_source_or_two() -> None:
    check: Callable[..., list[Source]] = check_sources
    files = [Path("a"), Path("b")]
    assert [s.predictions for s in check(files, None, None, None, "none")] == files
    assert [s.model for s in check(files[:1], Path("m"), None, None, "blind")] == [None, Path("m")]
    for given, told in (
        (([], None, None, None, "none"), "0 sets of predictions"),
        ((files, Path("m"), None, None, "none"), "3 sets"),
        (([], None, "http://x", None, "none"), "given together"),
        ((files, None, None, None, "blind"), "needs --model or --url"),
    ):
        with pytest.raises(ConfigError, match=told):
            check(*given)
