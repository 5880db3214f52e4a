"""Held-out questions on a page: what a model wrote, beside what the dataset has."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from flows.answers import answers
from flows.bench import ask_model
from masks.rle import decode
from schemas.sensors import segmented_picture
from tasks.answers_page import Answered, held_out_questions
from tasks.errors import UserError
from tasks.rows import Row
from tasks.scoring.opened import open_bench
from tasks.scoring.results import score_file
from terrascope_model.presets import tiny
from tests.terrascope_model.conftest import untied

ROOT = Path(__file__).resolve().parents[2]
ASKED = {"split": "train", "tier": None, "tasks": (), "seed": 0, "max_new_tokens": 12}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learnt nothing, and marks whatever comes."""
    folder = tmp_path_factory.mktemp("eager")
    model, processor = tiny(["I mark water and trees."], seed=0)
    torch.manual_seed(0)
    head = untied(model).vlm.lm_head.weight
    with torch.no_grad():
        torch.nn.init.normal_(model.get_input_embeddings().weight)  # or it writes one word for ever
        torch.nn.init.normal_(head, std=0.2)
        head[processor.tokenizer.eos_token_id] = 0
        head[model.config.seg_token_id] = 0
        head[model.config.seg_token_id, :4] = 4  # by some numbers of its hidden state
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def test_the_page_shows_every_question_and_needs_nothing_else(dataset: Path, saved: Path) -> None:
    page, answered = answers(dataset, saved, number=10, **ASKED)  # type: ignore[arg-type]
    text = page.read_text()
    assert len(answered) == 10
    assert text.count('<article class="sample">') == 10
    assert any(one.masks for one in answered)
    assert "0 of 10 answers are word for word" in text
    assert not re.search(r"https?://|url\(|@import|<script", text)


def test_a_bench_is_asked_scored_and_gone_on_with(
    dataset: Path, saved: Path, tmp_path: Path
) -> None:
    bench = open_bench(dataset, "l1", "train", ()).drawn(5, seed=0)
    lines = tmp_path / "predictions.jsonl"
    ask_model(bench, saved, lines, "none", 12)
    found = score_file(bench, lines, tmp_path)
    assert found.score.all.items == 5
    assert sum(len(one.steps) for one in found.judged if one.iou is not None) > 0
    assert any(step.predicted is not None for one in found.judged for step in one.steps)
    assert (tmp_path / "bench.html").read_text().count('<article class="sample">') == 5
    kept = lines.read_text().splitlines()
    lines.write_text("\n".join(kept[:-2]) + "\n")
    ask_model(bench, saved, lines, "none", 12)
    assert len(lines.read_text().splitlines()) == len(kept) == 6
    ask_model(bench, saved, lines, "blind", 12)  # another run: nothing of this one is kept
    assert "control: blind" in lines.read_text().splitlines()[0]


def test_a_model_trained_again_is_asked_again(dataset: Path, saved: Path, tmp_path: Path) -> None:
    bench = open_bench(dataset, "l1", "train", ()).drawn(2, seed=0)
    model, lines = tmp_path / "model", tmp_path / "predictions.jsonl"
    shutil.copytree(saved, model)
    ask_model(bench, model, lines, "none", 4)
    before = lines.read_text()
    trained, _ = tiny(["I mark water and trees."], seed=1)
    trained.save_pretrained(model)
    ask_model(bench, model, lines, "none", 4)
    assert not set(before.splitlines()) & set(lines.read_text().splitlines())


def test_a_model_is_asked_without_what_builds_and_publishes() -> None:
    built = {"tasks.publish", "tasks.config", "tasks.asked_images", "pandas"}
    script = f"import sys, flows.answers, flows.bench; assert not {built} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_questions_are_of_the_split_and_tier_that_are_asked_for(dataset: Path) -> None:
    rows = held_out_questions(dataset, "train", 12, seed=1, tier="l1")
    assert {(row.split, row.tier) for row in rows} == {("train", "l1")}
    ids = [row.sample_id for row in rows]
    assert ids == [r.sample_id for r in held_out_questions(dataset, "train", 12, 1, "l1")]
    with pytest.raises(UserError, match="no questions of the tier 'l3' of the split 'train'"):
        held_out_questions(dataset, "train", 1, seed=0, tier="l3")


def test_questions_are_of_the_tasks_that_are_named(dataset: Path) -> None:
    rows = held_out_questions(dataset, "train", 12, seed=1, tasks=("existence", "border"))
    assert {row.task for row in rows} == {"existence", "border"}
    with pytest.raises(UserError, match="no questions of the kinds weather in the split 'train'"):
        held_out_questions(dataset, "train", 1, seed=0, tasks=("weather",))


def others(row: Row) -> list[int]:
    """Return the images of a row that are segmented apart from that of its first mask."""
    infos = [info.model_dump() for info in row.image_info]
    seen = segmented_picture(infos, row.masks[0].image_index) if row.masks else 0
    return [n for n in range(len(infos)) if segmented_picture(infos, n) != seen]


def test_a_mask_counts_where_it_is_seen_and_nowhere_else(dataset: Path) -> None:
    """What a row marks on radar is seen on the optical picture beside it."""
    rows = held_out_questions(dataset, "train", 200, seed=0, tier="l1")
    row = next(r for r in rows if r.masks and len(others(r)) > 0)
    mask_HW = decode(row.masks[0].counts.encode(), row.masks[0].size)
    assert mask_HW.any()
    seen = segmented_picture([i.model_dump() for i in row.image_info], row.masks[0].image_index)
    right = answered(row, (seen, mask_HW))
    assert right.ious == [1.0]
    assert replace(right, masks=((others(row)[0], mask_HW),)).ious == [0.0]
    assert replace(right, masks=((seen, ~mask_HW),)).ious == [0.0]


def test_an_answer_is_right_word_for_word_and_a_letter_only_where_one_is_due(dataset: Path) -> None:
    rows = held_out_questions(dataset, "train", 200, seed=0, tier="l1")
    asked_open = next(row for row in rows if not row.options and row.answer.text == "Yes")
    found = answered(asked_open, (0, np.ones((1, 1), np.bool_)))
    assert not found.right
    assert replace(found, answer="Yes").right
    assert replace(found, answer="B. Yes").right
    assert not replace(found, answer="Yes, it does").right
    choice = next(row for row in rows if row.options)
    of_choice = answered(choice, (0, np.ones((1, 1), np.bool_)))
    due = f"{choice.answer.letter}. {choice.answer.text}"
    assert of_choice.due == due
    assert replace(of_choice, answer=due).right
    assert not replace(of_choice, answer=choice.answer.text).right


def answered(row: Row, mask: tuple[int, np.ndarray]) -> Answered:
    return Answered(row=row, text=row.trace, answer="", masks=(mask,))
