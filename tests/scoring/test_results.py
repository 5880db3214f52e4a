"""From a file of predictions to a folder of results, on a dataset of our own."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tasks.scoring.bench import Bench
from tasks.scoring.opened import open_bench
from tasks.scoring.results import compare_scored, score_file


@pytest.fixture(scope="module")
def bench(finished: Path) -> Bench:
    return open_bench(finished, "l1", "train", ())


def lines(bench: Bench, path: Path, *, wrong_every: int) -> Path:
    """Write the true masks and answers of a bench, but every n-th answer."""
    with path.open("w") as file:
        for number, one in enumerate(bench.items):
            right = number % wrong_every
            words = (f"{one.letter}. " if one.letter else "") + one.answer if right else "?"
            line: dict[str, Any] = {
                "sample_id": one.item_id,
                "text": f"<think>I mark it [SEG].</think><answer>{words}</answer>",
                "masks": [
                    {
                        "size": list(one.size_HW or ()),
                        "counts": mask.counts.decode(),
                        "label": mask.label,
                        "image_index": mask.image_index,
                    }
                    for mask in one.masks
                ],
                "confidence": 0.9,
            }
            file.write(json.dumps(line) + "\n")
    return path


def test_a_folder_of_results_is_whole_and_needs_nothing_else(bench: Bench, tmp_path: Path) -> None:
    found = score_file(bench, lines(bench, tmp_path / "m.jsonl", wrong_every=4), tmp_path / "out")
    items = len(bench.items)
    assert found.score.all.right == items - -(-items // 4)
    assert found.score.all.item_iou is not None
    assert found.score.all.item_iou.value == 1.0
    tree = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert (
        tree["all"]["items"]
        == items
        == len((tmp_path / "out/items.jsonl").read_text().split("\n")) - 1
    )
    assert "## By task" in (tmp_path / "out" / "bench.md").read_text()
    page = (tmp_path / "out" / "bench.html").read_text()
    assert page.count('<article class="sample">') == 12
    assert "&lt;here&gt;" in page  # words of a question are no markup
    assert not re.search(r"https?://|url\(|@import|<script", page)


def test_the_same_predictions_give_the_same_bytes(bench: Bench, tmp_path: Path) -> None:
    path = lines(bench, tmp_path / "m.jsonl", wrong_every=3)
    for name in ("one", "two"):
        score_file(bench, path, tmp_path / name)
    for name in ("bench.json", "bench.md", "bench.html", "items.jsonl"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_two_are_compared(bench: Bench, tmp_path: Path) -> None:
    first, second = (
        score_file(bench, lines(bench, tmp_path / f"m{n}.jsonl", wrong_every=n), tmp_path / str(n))
        for n in (2, 5)
    )
    compared = compare_scored(first, second, tmp_path)
    assert {one.name for one in compared} >= {"border", "all", "mean of tasks"}
    tree = json.loads((tmp_path / "comparison.json").read_text())
    assert (tree["first"], tree["second"]) == ("m2", "m5")
    page = (tmp_path / "comparison.html").read_text()
    assert "m5 against m2" in page
    assert not re.search(r"https?://|url\(|@import|<script", page)
