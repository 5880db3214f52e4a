"""Time the bench scorer on 3,837 items with masks: python benchmarks/scorer.py [--items N].

Each item has two true masks of 256 x 256 and two predicted ones, drawn from smooth noise; 855
places have four or five items. What is timed, in seconds of one core (CPU time): reading the
predictions, judging, and all figures with 1,000 redrawings. Baseline: the IoU of the same masks
alone, decoded by pycocotools and counted by NumPy; equal IoUs are asserted.
"""

import argparse
import json
import tempfile
from pathlib import Path
from statistics import median
from time import process_time

import cv2
import numpy as np
from pycocotools import mask as coco

from masks.rle import encode
from tasks.scoring.bench import Bench
from tasks.scoring.item import BenchItem, TrueMask
from tasks.scoring.judged import Judged, judge_all
from tasks.scoring.prediction import read_predictions
from tasks.scoring.score import score

SIDE_PX, SMOOTH_PX, NUM_SCENES, NUM_DRAWN = 256, 9, 855, 64
REPEATS = 3
TASKS = ("coverage_percentage", "absolute_area", "comparative_ranking", "boundary_relationship")


def drawn_masks(seed: int) -> list[bytes]:
    """Return codes of some masks like fields."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((NUM_DRAWN, SIDE_PX, SIDE_PX)).astype(np.float32)
    smooth = [cv2.GaussianBlur(one, (0, 0), SMOOTH_PX) for one in noise]
    return [encode(one > np.quantile(one, 0.6)) for one in smooth]


def made(num_items: int, lines: Path) -> Bench:
    """Write predictions of some items, and return the bench."""
    true, predicted = drawn_masks(0), drawn_masks(1)
    items = []
    with lines.open("w", encoding="utf-8") as file:
        for number in range(num_items):
            pair = [number % NUM_DRAWN, (7 * number + 1) % NUM_DRAWN]
            items.append(
                BenchItem(
                    item_id=f"{number:06}",
                    scene_id=str(number % NUM_SCENES),
                    source="drawn",
                    task=TASKS[number % len(TASKS)],
                    question="How much?",
                    options=("10 %", "20 %", "30 %", "40 %"),
                    letter="ABCD"[number % 4],
                    answer="",
                    size_HW=(SIDE_PX, SIDE_PX),
                    masks=tuple(
                        TrueMask(label="", image_index=0, counts=true[place]) for place in pair
                    ),
                )
            )
            masks = [
                {"size": [SIDE_PX, SIDE_PX], "counts": predicted[place].decode()} for place in pair
            ]
            line = {"sample_id": f"{number:06}", "text": "<answer>B</answer>", "masks": masks}
            file.write(json.dumps(line) + "\n")
    return Bench(name="drawn", digest="", items=tuple(items), look=lambda wanted: iter(()))


def scored(bench: Bench, lines: Path) -> list[Judged]:
    """Read, judge, and make all figures."""
    predictions = read_predictions(lines, bench.by_id())
    judged = judge_all(bench.items, predictions)
    score(bench, predictions, judged)
    return judged


def by_pycocotools(bench: Bench, lines: Path) -> list[float]:
    """Return the IoU of every pair of masks, decoded and counted with NumPy."""
    found = []
    with lines.open(encoding="utf-8") as file:
        for item, line in zip(bench.items, file, strict=True):
            for mask, other in zip(item.masks, json.loads(line)["masks"], strict=True):
                size = [SIDE_PX, SIDE_PX]
                a_HW = coco.decode({"size": size, "counts": mask.counts}).astype(bool)
                b_HW = coco.decode({"size": size, "counts": other["counts"]}).astype(bool)
                found.append(float((a_HW & b_HW).sum() / (a_HW | b_HW).sum()))
    return found


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=3837)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "predictions.jsonl"
        bench = made(given.items, lines)
        scored(made(8, Path(folder) / "few.jsonl"), Path(folder) / "few.jsonl")  # compiles
        ours, theirs = [], []
        for _ in range(REPEATS):
            begun = process_time()
            judged = scored(bench, lines)
            ours.append(process_time() - begun)
            begun = process_time()
            ious = by_pycocotools(bench, lines)
            theirs.append(process_time() - begun)
        assert np.allclose([step.iou for one in judged for step in one.steps], ious)
    print(f"scorer       {median(ours):6.1f} s  {given.items:,} items, {2 * given.items:,} masks")
    print(f"pycocotools  {median(theirs):6.1f} s  IoU alone")
    print(f"ratio        {median(ours) / median(theirs):6.2f}")


if __name__ == "__main__":
    main()
