"""All figures of one set of predictions: by task, over all items, and as the mean of tasks."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.scoring.bench import Bench
from tasks.scoring.calibration import Calibration, calibration
from tasks.scoring.correlation import RightAndWrong, right_and_wrong
from tasks.scoring.judged import BOUNDARY_TOLERANCE, Judged, Status
from tasks.scoring.parse import How
from tasks.scoring.prediction import Fault, Predictions
from tasks.scoring.ratios import RESAMPLES, Estimate, Floats, Ratio, Redrawn, redraw
from tasks.scoring.tasks_named import in_paper_order

VERSION = 1
ALL, MACRO, REFERRING = "all", "mean of tasks", "please segment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the figures rest on.

    Attributes:
        grounded_iou: Least item IoU of a right answer that counts as grounded.
        boundary_tolerance: Of the boundary F, as a share of the image's diagonal.
        resamples: Times that scenes are drawn again.
        seed: Of these draws.
    """

    grounded_iou: float = 0.5
    boundary_tolerance: float = BOUNDARY_TOLERANCE
    resamples: int = RESAMPLES
    seed: int = 0


RULES = Rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of some items; those of masks are None where no item has one.

    Attributes:
        chance: Mean of 1 / options; None where a question is open.
        grounded: Right, and the item's IoU at least `Rules.grounded_iou`; of items with masks.
        item_iou: Mean over items of the mean over their masks; "gIoU" of referring items.
        step_iou: Mean over masks.
        cumulative_iou: All shared pixels over all pixels of either; "cIoU".
    """

    name: str
    items: int
    right: int
    chance: float | None
    masks: int
    missing_masks: int
    extra_masks: int
    accuracy: Estimate | None
    grounded: Estimate | None
    item_iou: Estimate | None
    step_iou: Estimate | None
    cumulative_iou: Estimate | None
    item_boundary_f: Estimate | None
    step_boundary_f: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Everything that is said of one set of predictions."""

    version: int
    name: str
    bench: str
    bench_digest: str
    rules: Rules
    tasks: tuple[Figures, ...]
    all: Figures
    macro: Figures
    referring: Figures | None
    right_and_wrong: Mapping[str, RightAndWrong]  # of items with masks and an answer, by task too
    calibration: Calibration | None
    statuses: Mapping[str, int]
    found: Mapping[str, int]  # how answers were found in replies
    faults: Mapping[str, int]  # of lines, by kind
    fault_lines: tuple[Fault, ...]
    missing_ids: tuple[str, ...]
    elsewhere: int
    left_out: Mapping[str, int]  # rows that the bench has and no question was made of
    notes: tuple[str, ...]


def score(
    bench: Bench, predictions: Predictions, judged: Sequence[Judged], rules: Rules = RULES
) -> Score:
    """Return all figures of judged items."""
    groups = grouped(judged)
    redrawn = redrawn_of(judged, groups, rules)
    tasks = tuple(_figures(name, groups[name], redrawn) for name in task_names(judged))
    answering = {name: [one for one in of if one.item.wants_answer] for name, of in groups.items()}
    masked = {name: [one for one in of if one.iou is not None] for name, of in answering.items()}
    sure = [one for one in answering[ALL] if one.confidence is not None]
    return Score(
        version=VERSION,
        name=predictions.name,
        bench=bench.name,
        bench_digest=bench.digest,
        rules=rules,
        tasks=tasks,
        all=_figures(ALL, groups[ALL], redrawn),
        macro=_macro(tasks, groups[ALL], redrawn),
        referring=_figures(REFERRING, groups[REFERRING], redrawn) if groups[REFERRING] else None,
        right_and_wrong={
            name: right_and_wrong([one.right for one in of], [one.iou or 0.0 for one in of])
            for name, of in masked.items()
            if of and name != REFERRING
        },
        calibration=calibration(
            [one.confidence or 0.0 for one in sure], [one.right for one in sure]
        ),
        statuses={status.value: n for status, n in Counter(one.status for one in judged).items()},
        found={how.value: n for how, n in Counter(_found(judged)).items()},
        faults={kind.value: n for kind, n in Counter(f.kind for f in predictions.faults).items()},
        fault_lines=predictions.faults,
        missing_ids=tuple(one.item.item_id for one in judged if one.status is Status.MISSING),
        elsewhere=predictions.elsewhere,
        left_out=dict(bench.left_out),
        notes=(*predictions.notes, *_notes(judged)),
    )


def task_names(judged: Sequence[Judged]) -> list[str]:
    """Return the tasks of judged items in the order of tables."""
    return in_paper_order({one.item.task for one in judged})


def grouped(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Return the items of every task, all, and those that ask for a mask alone."""
    groups: dict[str, list[Judged]] = {task: [] for task in task_names(judged)}
    for one in judged:
        groups[one.item.task].append(one)
    return {
        **groups,
        ALL: list(judged),
        REFERRING: [one for one in judged if one.item.refers and one.item.masks],
    }


def redrawn_of(
    judged: Sequence[Judged], groups: Mapping[str, Sequence[Judged]], rules: Rules
) -> Redrawn:
    """Return every measure of every group, with scenes drawn again."""
    measures = measured(judged, rules.grounded_iou)
    place = {one.item.item_id: number for number, one in enumerate(judged)}
    ratios = {}
    for name, members in groups.items():
        inside_N = np.zeros(len(judged))
        inside_N[[place[one.item.item_id] for one in members]] = 1
        for measure, ratio in measures.items():
            ratios[f"{measure} {name}"] = Ratio(ratio.above_N * inside_N, ratio.below_N * inside_N)
    return redraw([one.item.scene_id for one in judged], ratios, rules.seed, rules.resamples)


def measured(judged: Sequence[Judged], grounded_iou: float) -> dict[str, Ratio]:
    """Return what each measure sums over items, above and below the line."""
    wanted_N = _column(one.item.wants_answer for one in judged)
    right_N = _column(one.right for one in judged)
    masked_N = _column(bool(one.steps) for one in judged)
    steps_N = _column(len(one.steps) for one in judged)
    iou_N = _column(one.iou or 0.0 for one in judged)
    boundary_N = _column(one.boundary_f or 0.0 for one in judged)
    grounded_N = right_N * (iou_N >= grounded_iou)
    shared_N = _column(sum(step.shared_px for step in one.steps) for one in judged)
    either_N = _column(sum(step.either_px for step in one.steps) for one in judged)
    return {
        "accuracy": Ratio(right_N * wanted_N, wanted_N),
        "grounded": Ratio(grounded_N * masked_N * wanted_N, masked_N * wanted_N),
        "item_iou": Ratio(iou_N, masked_N),
        "step_iou": Ratio(iou_N * steps_N, steps_N),
        "cumulative_iou": Ratio(shared_N, either_N),
        "item_boundary_f": Ratio(boundary_N, masked_N),
        "step_boundary_f": Ratio(boundary_N * steps_N, steps_N),
    }


def _figures(name: str, members: Sequence[Judged], redrawn: Redrawn) -> Figures:
    options = [len(one.item.options) for one in members if one.item.wants_answer]
    chance = sum(1 / n for n in options) / len(options) if options and all(options) else None
    return _filled(name, members, chance, lambda measure: redrawn.estimate(f"{measure} {name}"))


def _macro(tasks: Sequence[Figures], members: Sequence[Judged], redrawn: Redrawn) -> Figures:
    known = [task.chance for task in tasks if task.chance is not None]
    chance = sum(known) / len(known) if known and len(known) == len(tasks) else None
    names = [task.name for task in tasks]
    return _filled(
        MACRO,
        members,
        chance,
        lambda measure: redrawn.mean([f"{measure} {name}" for name in names]),
    )


def _filled(
    name: str,
    members: Sequence[Judged],
    chance: float | None,
    find: Callable[[str], Estimate | None],
) -> Figures:
    return Figures(
        name=name,
        items=len(members),
        right=sum(one.right for one in members),
        chance=chance,
        masks=sum(len(one.steps) for one in members),
        missing_masks=sum(one.num_missing for one in members),
        extra_masks=sum(one.num_extra for one in members),
        accuracy=find("accuracy"),
        grounded=find("grounded"),
        item_iou=find("item_iou"),
        step_iou=find("step_iou"),
        cumulative_iou=find("cumulative_iou"),
        item_boundary_f=find("item_boundary_f"),
        step_boundary_f=find("step_boundary_f"),
    )


def _found(judged: Sequence[Judged]) -> Iterator[How]:
    return (one.how for one in judged if one.status in (Status.ANSWERED, Status.UNPARSABLE))


def _notes(judged: Sequence[Judged]) -> Iterator[str]:
    missing = sum(one.status is Status.MISSING for one in judged)
    if missing:
        yield (
            f"{missing:,} of {len(judged):,} items have no prediction and count as wrong: the "
            "figures are of a part"
        )


def _column(values: Iterable[float]) -> Floats:
    return np.array([float(value) for value in values])
