"""The page of a score: figures, plots, and the best and worst items with their masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

import numpy as np

from masks.rle import decode
from tasks.answer_picture import step_texts
from tasks.answers_page import StepLine
from tasks.asked_pictures import AskedPicture
from tasks.counts_table import CountsTable
from tasks.drawing import colour_of, hex_of
from tasks.readable import OptionView
from tasks.scoring.bench import Bench
from tasks.scoring.item import BenchItem
from tasks.scoring.judged import Judged, Status, matched
from tasks.scoring.paired import Compared
from tasks.scoring.plots import accuracy_bars, iou_histogram
from tasks.scoring.prediction import Prediction, Predictions
from tasks.scoring.score import Score
from tasks.scoring.written import (
    COMPARISON_WORDS,
    TASK_COLUMNS,
    all_figures,
    calibration_cells,
    comparison_cells,
    comparison_columns,
    correlation_cells,
    counted,
    decimal,
    percent,
    rules_words,
    task_cells,
)
from tasks.shown import PAGES, Picture, picture_of, write_page

NUM_SHOWN = 6  # at either end


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """All that the page shows of one item."""

    judged: Judged
    options: tuple[OptionView, ...]
    true: tuple[Picture, ...]
    predicted: tuple[Picture, ...]
    before: str
    steps: tuple[StepLine, ...]
    said: str
    text: str


def write_score(
    path: Path, score: Score, bench: Bench, predictions: Predictions, judged: Sequence[Judged]
) -> None:
    """Write the page of one score, a file that needs nothing else; OSError where it cannot be."""
    best, worst = best_and_worst(judged)
    pictures = bench.pictures([one.item.item_id for one in (*best, *worst)])
    ends = [
        (title, [_view(one, predictions, pictures[one.item.item_id]) for one in of])
        for title, of in (("Worst", worst), ("Best", best))
    ]
    write_page(
        path,
        PAGES / "bench.html",
        score=score,
        figures=_figures(score),
        tasks=_table("By task", [list(TASK_COLUMNS), *map(task_cells, all_figures(score))]),
        tables=[
            _table("Masks of right and wrong answers", correlation_cells(score)),
            _table("Calibration", calibration_cells(score)),
            CountsTable(
                title="What there was", columns=("what", "number"), rows=tuple(counted(score))
            ),
            CountsTable(
                title="Faulty lines",
                columns=("line", "kind", "what"),
                rows=tuple((f.line, f.kind.value, f.detail) for f in score.fault_lines),
            ),
        ],
        bars=accuracy_bars(score),
        histogram=iou_histogram(judged),
        rules=rules_words(score),
        ends=[(title, views) for title, views in ends if views],
    )


def write_comparison(path: Path, scores: Sequence[Score], compared: Sequence[Compared]) -> None:
    """Write the page of two scores side by side."""
    first, second = scores
    write_page(
        path,
        PAGES / "bench_comparison.html",
        first=first,
        second=second,
        figures=[_figures(score) for score in scores],
        bars=[accuracy_bars(score) for score in scores],
        paired=_table(
            "Paired",
            [comparison_columns(first.name, second.name), *map(comparison_cells, compared)],
        ),
        words=COMPARISON_WORDS,
    )


def best_and_worst(judged: Sequence[Judged]) -> tuple[list[Judged], list[Judged]]:
    """Return items with a prediction: right with the best masks, and wrong with the worst.

    Of those that are equally good, tasks take turns.
    """
    there = [one for one in judged if one.status in (Status.ANSWERED, Status.UNPARSABLE)]
    seen: dict[str, int] = {}
    turns = {}
    for one in there:
        seen[one.item.task] = turn = seen.get(one.item.task, -1) + 1
        turns[one.item.item_id] = turn
    ranked = sorted(
        there, key=lambda one: (one.right, one.iou or 0.0, -turns[one.item.item_id]), reverse=True
    )
    best = [one for one in ranked if one.right][:NUM_SHOWN]
    shown = {one.item.item_id for one in best}
    last = sorted(there, key=lambda one: (one.right, one.iou or 0.0, turns[one.item.item_id]))
    return best, [one for one in last if one.item.item_id not in shown][:NUM_SHOWN]


def _view(judged: Judged, predictions: Predictions, pictures: Sequence[AskedPicture]) -> ItemView:
    item, prediction = judged.item, predictions.by_id[judged.item.item_id]
    before, texts = step_texts(prediction.text) if prediction.masks else ("", [])
    return ItemView(
        judged=judged,
        options=tuple(
            OptionView(letter=letter, text=text, true=letter == item.letter)
            for letter, text in zip(ascii_uppercase, item.options, strict=False)
        ),
        true=tuple(_true(item, number, picture) for number, picture in enumerate(pictures)),
        predicted=tuple(
            _predicted(item, prediction, number, picture) for number, picture in enumerate(pictures)
        )
        if prediction.masks
        else (),
        before=before,
        steps=_step_lines(judged, prediction, texts),
        said=_said(judged),
        text=prediction.text or (prediction.answer or ""),
    )


def _said(judged: Judged) -> str:
    options = judged.item.options
    if judged.said and options:
        return f"{judged.said}. {options[ascii_uppercase.index(judged.said)]}"
    return judged.said


def _true(item: BenchItem, number: int, picture: AskedPicture) -> Picture:
    masks = [
        (step, mask.counts) for step, mask in enumerate(item.masks) if mask.image_index == number
    ]
    return _picture(item, picture, picture.title, masks)


def _predicted(
    item: BenchItem, prediction: Prediction, number: int, picture: AskedPicture
) -> Picture:
    """Return a picture with the predicted masks, in the colours of those they are held against."""
    step_of = {place: step for step, place in enumerate(matched(item, prediction))}
    masks = []
    extra = len(item.masks)
    for place, mask in enumerate(prediction.masks):
        step = step_of.get(place)
        if step is None:
            step, extra = extra, extra + 1
            image = mask.image_index or 0
        else:
            told = mask.image_index
            image = item.masks[step].image_index if told is None else told
        if image == number:
            masks.append((step, mask.code()))
    return _picture(item, picture, f"{picture.title}: predicted", masks)


def _picture(
    item: BenchItem, picture: AskedPicture, title: str, masks: Sequence[tuple[int, bytes]]
) -> Picture:
    size_HW = item.size_HW
    shapes = [] if size_HW is None else [(n, decode(c, size_HW).astype(np.int32)) for n, c in masks]
    return picture_of(picture.encoded, title, shapes, size_HW or picture.size_HW)


def _step_lines(
    judged: Judged, prediction: Prediction, texts: Sequence[str]
) -> tuple[StepLine, ...]:
    """Return a line for each true mask, with what was written of the mask held against it."""
    lines = []
    for number, (mask, step) in enumerate(zip(judged.item.masks, judged.steps, strict=True)):
        written = step.predicted is not None and step.predicted < len(texts)
        words = texts[step.predicted] if written and step.predicted is not None else mask.label
        note = (
            "no mask"
            if step.predicted is None
            else f"IoU {step.iou:.2f}, boundary F {step.boundary_f:.2f} with {mask.label}"
        )
        lines.append(StepLine(text=words, colour=hex_of(colour_of(number)), note=note))
    return tuple(lines)


def _figures(score: Score) -> list[tuple[str, str]]:
    told = [
        (f"{percent(score.macro.accuracy)} %", "accuracy, mean of tasks"),
        (f"{percent(score.all.accuracy)} %", "accuracy, all items"),
    ]
    if score.all.item_iou is not None:
        told += [
            (decimal(score.all.item_iou), "mean IoU"),
            (decimal(score.all.item_boundary_f), "boundary F"),
            (f"{percent(score.all.grounded)} %", "right and grounded"),
        ]
    return [*told, (f"{score.all.items:,}", "items")]


def _table(title: str, cells: Sequence[Sequence[str]]) -> CountsTable:
    head, *rows = cells or [[]]
    return CountsTable(title=title, columns=tuple(head), rows=tuple(tuple(row) for row in rows))
