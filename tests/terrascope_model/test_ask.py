"""`terrascope ask` says what a saved model writes, and draws its masks; bad input is one line."""

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from PIL import Image

import cli
from commands import console
from terrascope_model.presets import tiny
from terrascope_model.tokens import TURN_CLOSE
from tests.terrascope_model.conftest import untied

TRACE = "<think>Image 2: I mark water[SEG], lake</think><answer>B</answer>"
Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model that writes one trace: each token follows from the one before alone."""
    model, processor = tiny([TRACE] * 9, seed=0)
    untied(model)
    processor.feedback = model.config.feedback = "measure"
    ids = processor.text_ids(f"\n{TRACE}{TURN_CLOSE}")
    assert len(set(ids)) == len(ids)
    (comma,), (bracket,) = processor.text_ids(","), processor.text_ids(")")
    language = model.vlm.model.language_model
    with torch.no_grad():
        for layer in language.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        states = language.norm(model.get_input_embeddings().weight)
        model.vlm.lm_head.weight.zero_()
        for before, after in [*pairwise(ids), (bracket, comma)]:
            model.vlm.lm_head.weight[after] += states[before]
    saved = tmp_path_factory.mktemp("model")
    model.save_pretrained(saved)
    processor.save_pretrained(saved)
    return saved


@pytest.fixture
def ask(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ask:
    """Run the command in a folder of its own; return exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (40, 40), "green").save("a.png")
    Image.new("RGB", (40, 40), "blue").save("b.jpg")
    Image.new("RGB", (40, 40), "gold").save("sar.png")
    transform = Affine(10, 0, 500_000, 0, -10, 5_000_000)
    options = {"width": 40, "height": 40, "count": 3, "dtype": "uint16"}
    with rasterio.open(
        "c.tif", "w", driver="GTiff", crs="EPSG:32632", transform=transform, **options
    ) as file:
        file.write(np.arange(4800, dtype="uint16").reshape(3, 40, 40))

    def run(*words: str, model: Path = folder) -> tuple[int, str, str]:
        given = ["terrascope", "ask", "--model", str(model), *words]
        monkeypatch.setattr(sys, "argv", given)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        return int(code or 0), *capsys.readouterr()

    return run


def test_what_is_drawn_at_a_temperature_is_that_of_the_seed(ask: Ask) -> None:
    drawn = [
        ask("a.png", "What is it?", "--temperature", "100", "--seed", seed)[1]
        for seed in ("1", "2", "1")
    ]
    assert drawn[0] == drawn[2] != drawn[1]


def test_the_reasoning_is_printed_with_what_was_measured_and_then_the_answer(ask: Ask) -> None:
    code, out, _ = ask("a.png", "c.tif", "What is it?", "--option", "sea", "--option", "lake")
    assert code == 0
    said, answer, picture = out.strip().split("\n")
    assert said.startswith("<think>Image 2: I mark water[SEG] (")
    assert " of 1,600 pixels" in said
    assert said.endswith("), lake</think><answer>B</answer>")
    assert "m²" in said, "the GeoTIFF says how large its pixels are"
    assert answer == "answer   B"
    assert picture == "picture  answer.png"
    with Image.open("answer.png") as drawn:
        drawn.load()


@pytest.mark.parametrize(
    "images",
    [
        ["a.png"],
        ["a.png", "b.jpg", "c.tif"],
        ["a.png", "--sar", "sar.png"],
        ["a.png", "b.jpg", "--sar", "sar.png", "--sar", "sar.png"],
        ["--sar", "sar.png"],
    ],
)
def test_one_or_more_dates_of_either_sensor_or_both_can_be_asked_about(
    ask: Ask, images: list[str]
) -> None:
    code, out, _ = ask(*images, "What is it?", "--out", "drawn.png", "--feedback", "none")
    assert code == 0
    assert out.startswith(TRACE)
    assert Path("drawn.png").exists()


def test_an_answer_that_was_cut_off_is_said_to_be(ask: Ask) -> None:
    code, out, _ = ask("a.png", "What is it?", "--max-new-tokens", "4")
    assert code == 0
    assert "answer   none; the model was cut off: give it more --max-new-tokens" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.png"], "needs an image"),  # it was taken for the question
        (["a.png", " "], "the question is empty"),
        (["none.png", "What?"], "none.png: no such file"),
        (["a.png", "What is [SEG]?"], "a.png: the question holds the mark [SEG]"),
        (["a.png", "why " * 4200], "leaves no room to write"),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_status_2(
    ask: Ask, words: list[str], message: str
) -> None:
    code, _, err = ask(*words)
    assert code == 2
    assert message in err
    assert err.startswith("terrascope: ")
    assert err.count("\n") == 1


def test_a_folder_without_a_model_is_one_line_and_status_2(ask: Ask, tmp_path: Path) -> None:
    other = tmp_path / "other"
    code, _, err = ask("a.png", "What?", model=other)
    assert (code, err) == (
        2,
        f"terrascope: {other}: no such folder; give the one that training wrote\n",
    )
    other.mkdir()
    (other / "config.json").write_text(json.dumps({"model_type": "internvl"}))
    code, _, err = ask("a.png", "What?", model=other)
    assert code == 2
    assert "a model of the type 'internvl'; expected 'terrascope'" in err


def test_without_the_extra_it_says_what_to_install(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "find_spec", lambda name: None if name == "torch" else object())
    code, _, err = ask("a.png", "What?")
    assert code == 2
    assert "ask needs torch, which the extra brings: pip install -e '.[train]'" in err


def test_the_command_line_starts_without_torch() -> None:
    code = "import cli, sys; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
