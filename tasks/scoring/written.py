"""A score in words: JSON with every figure, and Markdown tables."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from tasks.scoring.judged import Judged
from tasks.scoring.paired import Compared, Difference
from tasks.scoring.ratios import Estimate
from tasks.scoring.score import VERSION, Figures, Score
from tasks.scoring.tasks_named import short_name

NONE = "–"
FAULTS_TOLD = 20
TASK_COLUMNS = (
    "task",
    "items",
    "right",
    "accuracy",
    "95 %",
    "chance",
    "grounded",
    "IoU",
    "95 %",
    "IoU of masks",
    "cIoU",
    "boundary F",
    "masks",
    "missing",
    "extra",
)


def score_json(score: Score) -> str:
    """Return every figure as JSON, null where there is none."""
    return json.dumps(asdict(score), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def comparison_json(scores: Sequence[Score], compared: Sequence[Compared]) -> str:
    """Return a comparison as JSON."""
    tree = {
        "version": VERSION,
        "first": scores[0].name,
        "second": scores[1].name,
        "bench": scores[0].bench,
        "bench_digest": scores[0].bench_digest,
        "rules": asdict(scores[0].rules),
        "compared": [asdict(one) for one in compared],
    }
    return json.dumps(tree, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def items_jsonl(judged: Sequence[Judged]) -> str:
    """Return what became of each item, a line each."""
    return "".join(json.dumps(_item(one), ensure_ascii=False) + "\n" for one in judged)


def headline(scores: Sequence[Score]) -> str:
    """Return the paper's table: accuracy of each task in per cent, and the mean of tasks."""
    names = list(dict.fromkeys(task.name for score in scores for task in score.tasks))
    lines = [["model", *map(short_name, names), "Avg"]]
    for score in scores:
        of = {task.name: task for task in score.tasks}
        cells = [percent(of[name].accuracy) if name in of else NONE for name in names]
        lines.append([score.name, *cells, percent(score.macro.accuracy)])
    return markdown_table(lines)


def score_markdown(score: Score) -> str:
    """Return what a person reads first."""
    parts = [
        f"# {score.name} on {score.bench}",
        headline([score]),
        "Accuracy in per cent; Avg is the mean of tasks.",
        "## By task",
        markdown_table([list(TASK_COLUMNS), *(task_cells(one) for one in all_figures(score))]),
        *_about_masks(score),
        *_calibrated(score),
        "## What there was",
        markdown_table([["what", "number"], *([what, f"{n:,}"] for what, n in counted(score))]),
        *_faults(score),
        *(f"Note: {note}." for note in score.notes),
        rules_words(score),
    ]
    return "\n\n".join(parts) + "\n"


def comparison_markdown(scores: Sequence[Score], compared: Sequence[Compared]) -> str:
    """Return two scores side by side, and what of their difference is no chance."""
    first, second = (score.name for score in scores)
    parts = [
        f"# {second} against {first} on {scores[0].bench}",
        headline(scores),
        "## Paired",
        markdown_table([comparison_columns(first, second), *map(comparison_cells, compared)]),
        COMPARISON_WORDS,
    ]
    return "\n\n".join(parts) + "\n"


COMPARISON_WORDS = (
    "McNemar's exact test splits the items that only one of the two has right, as if items were "
    "independent; differences (second less first) have 95 % intervals and a two-sided p from "
    "scenes drawn again with all their items (no p below ten scenes). Tasks are not corrected for "
    "being several."
)


def comparison_columns(first: str, second: str) -> list[str]:
    """Return the heads of the columns of `comparison_cells`."""
    return [
        "task",
        "items",
        f"right: {first} alone",
        f"right: {second} alone",
        "McNemar p",
        "accuracy, points",
        "p",
        "IoU",
        "p",
        "grounded, points",
        "p",
    ]


def comparison_cells(one: Compared) -> list[str]:
    """Return one line of the comparison."""
    return [
        one.name,
        f"{one.items:,}",
        f"{one.first_alone:,}" if one.mcnemar_p is not None else NONE,
        f"{one.second_alone:,}" if one.mcnemar_p is not None else NONE,
        p_text(one.mcnemar_p),
        *_difference(one.accuracy, 100, 1),
        *_difference(one.item_iou, 1, 3),
        *_difference(one.grounded, 100, 1),
    ]


def all_figures(score: Score) -> list[Figures]:
    """Return the figures of tasks, of all items, and of the mean of tasks."""
    return [*score.tasks, score.all, score.macro, *([score.referring] if score.referring else [])]


def task_cells(one: Figures) -> list[str]:
    """Return one line of the table of tasks, in the order of `TASK_COLUMNS`."""
    return [
        one.name,
        f"{one.items:,}",
        f"{one.right:,}",
        percent(one.accuracy),
        _bounds(one.accuracy, 100, 1),
        NONE if one.chance is None else f"{100 * one.chance:.1f}",
        percent(one.grounded),
        decimal(one.item_iou),
        _bounds(one.item_iou, 1, 3),
        decimal(one.step_iou),
        decimal(one.cumulative_iou),
        decimal(one.item_boundary_f),
        f"{one.masks:,}",
        f"{one.missing_masks:,}",
        f"{one.extra_masks:,}",
    ]


def counted(score: Score) -> Iterator[tuple[str, int]]:
    """Yield what became of items, lines and rows, each with its number."""
    yield "items", score.all.items
    for status, number in sorted(score.statuses.items()):
        yield f"items: {status}", number
    for how, number in sorted(score.found.items()):
        yield f"answer found: {how}", number
    for kind, number in sorted(score.faults.items()):
        yield f"faulty lines: {kind}", number
    if score.elsewhere:
        yield "lines of items that are not scored now", score.elsewhere
    for reason, number in sorted(score.left_out.items()):
        yield f"rows left out: {reason}", number


def rules_words(score: Score) -> str:
    """Return what the figures rest on, in words."""
    rules = score.rules
    return (
        f"Intervals: 95 %, {rules.resamples:,} times scenes drawn again with all their items "
        f"(seed {rules.seed}). Grounded: right, and IoU at least {rules.grounded_iou:g}. Boundary "
        f"F: within {100 * rules.boundary_tolerance:g} % of the diagonal. IoU is the mean over "
        "items of the mean over their true masks, cIoU all shared pixels over all pixels of "
        "either; a missing mask counts 0."
    )


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table; its first row are the heads, numbers stand to the right."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    head, *body = (f"| {' | '.join(row)} |" for row in cells)
    return "\n".join([head, f"|---|{'---:|' * (len(rows[0]) - 1)}", *body])


def percent(estimate: Estimate | None) -> str:
    """Return a share as "73.2"."""
    return NONE if estimate is None else f"{100 * estimate.value:.1f}"


def decimal(estimate: Estimate | None) -> str:
    """Return a figure as "0.628"."""
    return NONE if estimate is None else f"{estimate.value:.3f}"


def p_text(p: float | None) -> str:
    """Return a p value with the digits that say something."""
    if p is None:
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def correlation_cells(score: Score) -> list[list[str]]:
    """Return how IoU lies with right and wrong answers, of all and of each task, with heads."""
    rows = [["items", "right", "wrong", "IoU right", "IoU wrong", "Pearson r", "p"]]
    for name, one in score.right_and_wrong.items():
        means = [NONE if iou is None else f"{iou:.3f}" for iou in (one.iou_right, one.iou_wrong)]
        r = NONE if one.r is None else f"{one.r:.3f}"
        rows.append([name, f"{one.right:,}", f"{one.wrong:,}", *means, r, p_text(one.p)])
    return rows


def calibration_cells(score: Score) -> list[list[str]]:
    """Return the reliability bins with heads; none where no confidence is given."""
    if score.calibration is None:
        return []
    rows = [["confidence", "items", "mean confidence", "accuracy"]]
    for one in score.calibration.bins:
        told = [f"{one.confidence:.3f}", f"{one.accuracy:.3f}"] if one.items else [NONE, NONE]
        rows.append([f"{one.low:g} to {one.high:g}", f"{one.items:,}", *told])
    return rows


def _about_masks(score: Score) -> Iterator[str]:
    if score.right_and_wrong:
        yield "## Masks of right and wrong answers"
        yield markdown_table(correlation_cells(score))
    if score.referring:
        yield (
            f"Referring segmentation, {score.referring.items:,} items: "
            f"cIoU {decimal(score.referring.cumulative_iou)}, "
            f"gIoU {decimal(score.referring.item_iou)}."
        )


def _calibrated(score: Score) -> Iterator[str]:
    if score.calibration is not None:
        yield "## Calibration"
        yield (
            f"Expected calibration error {score.calibration.error:.3f} over "
            f"{score.calibration.items:,} answers with a confidence."
        )
        yield markdown_table(calibration_cells(score))


def _faults(score: Score) -> Iterator[str]:
    if score.fault_lines:
        yield "## Faulty lines"
        told = [
            f"- line {fault.line}: {fault.kind.value}: {fault.detail}"
            for fault in score.fault_lines[:FAULTS_TOLD]
        ]
        more = len(score.fault_lines) - FAULTS_TOLD
        yield "\n".join([*told, *([f"- and {more:,} more, in bench.json"] if more > 0 else [])])


def _bounds(estimate: Estimate | None, scale: float, digits: int) -> str:
    if estimate is None:
        return NONE
    return f"{scale * estimate.low:.{digits}f} to {scale * estimate.high:.{digits}f}"


def _difference(difference: Difference | None, scale: float, digits: int) -> tuple[str, str]:
    if difference is None:
        return NONE, NONE
    value = f"{scale * difference.estimate.value:+.{digits}f}"
    bounds = _bounds(difference.estimate, scale, digits)
    return f"{value} ({bounds})", p_text(difference.p)


def _item(one: Judged) -> Mapping[str, object]:
    return {
        "sample_id": one.item.item_id,
        "task": one.item.task,
        "scene_id": one.item.scene_id,
        "status": one.status.value,
        "said": one.said,
        "due": one.item.letter or one.item.answer,
        "found": one.how.value,
        "right": one.right,
        "iou": one.iou,
        "ious": [step.iou for step in one.steps],
        "boundary_f": one.boundary_f,
        "missing_masks": one.num_missing,
        "extra_masks": one.num_extra,
        "confidence": one.confidence,
    }
