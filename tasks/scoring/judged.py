"""One item judged: whether the answer is right, and how each true mask was met."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from string import ascii_uppercase

from masks.metrics import boundary_f, overlap
from masks.rle import area_px, decode
from tasks.scoring.item import BenchItem
from tasks.scoring.matching import Marked, match_masks
from tasks.scoring.parse import How, answer_part, choose, says
from tasks.scoring.prediction import Prediction, Predictions

# of the image's diagonal, rounded up: the width of Boundary IoU (Cheng et al., CVPR 2021); the
# boundary F of DAVIS (Perazzi et al., CVPR 2016) takes 0.008
BOUNDARY_TOLERANCE = 0.02


class Status(StrEnum):
    """What there is of an item; all but the first count as wrong, and are told apart."""

    ANSWERED = "answered"
    UNPARSABLE = "no answer found"  # in what was written
    MISSING = "missing"  # no line in the file
    FAULTY = "faulty line"
    ERROR = "error of the run"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepScore:
    """How one true mask was met; `predicted` is the place of the mask held against it, or None.

    A missing mask shares nothing: IoU and boundary F are 0, whatever the true one is.
    """

    iou: float
    boundary_f: float
    shared_px: int
    either_px: int
    predicted: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One item beside what a model made of it.

    Attributes:
        said: What the reply was read as: a letter, words, or "" where it has no answer.
        how: How that was found.
        steps: One of each true mask.
        num_extra: Predicted masks that no true one is held against.
    """

    item: BenchItem
    status: Status
    said: str
    how: How
    right: bool
    steps: tuple[StepScore, ...]
    num_extra: int
    confidence: float | None

    @property
    def iou(self) -> float | None:
        """The mean IoU of its true masks; None where it has none."""
        return sum(step.iou for step in self.steps) / len(self.steps) if self.steps else None

    @property
    def boundary_f(self) -> float | None:
        """The mean boundary F of its true masks; None where it has none."""
        if not self.steps:
            return None
        return sum(step.boundary_f for step in self.steps) / len(self.steps)

    @property
    def num_missing(self) -> int:
        """True masks without a predicted one."""
        return sum(step.predicted is None for step in self.steps)


def judge_all(
    items: Iterable[BenchItem],
    predictions: Predictions,
    tolerance: float = BOUNDARY_TOLERANCE,
) -> list[Judged]:
    """Judge every item, those without a usable prediction too."""
    faulty = predictions.faulty_ids
    return [
        judge(item, prediction, tolerance)
        if (prediction := predictions.by_id.get(item.item_id)) is not None
        else _judged(item, None, Status.FAULTY if item.item_id in faulty else Status.MISSING)
        for item in items
    ]


def judge(item: BenchItem, prediction: Prediction, tolerance: float = BOUNDARY_TOLERANCE) -> Judged:
    """Judge one item; `tolerance` of boundaries is a share of the image's diagonal."""
    if prediction.error:
        return _judged(item, prediction, Status.ERROR)
    steps = _steps(item, prediction, tolerance)
    num_extra = len(prediction.masks) - sum(step.predicted is not None for step in steps)
    extra = num_extra if item.masks else 0  # where no mask is true, none can be judged
    said, how, right = read_answer(item, prediction)
    silent = how is How.NOT_AT_ALL and item.wants_answer
    status = Status.UNPARSABLE if silent else Status.ANSWERED
    return Judged(
        item=item,
        status=status,
        said=said,
        how=how,
        right=right,
        steps=steps,
        num_extra=extra,
        confidence=prediction.confidence,
    )


def read_answer(item: BenchItem, prediction: Prediction) -> tuple[str, How, bool]:
    """Return what a prediction answers, how that was found, and whether it is right.

    Two options of equal words are equally right.
    """
    given = prediction.answer
    part = answer_part(prediction.text) if given is None else given.strip()
    if not item.options:
        how = How.WORDS if part else How.NOT_AT_ALL
        return part, how, bool(part) and says(part, item.answer)
    choice = choose(part, item.options)
    if choice.option is None:
        return "", choice.how, False
    right = item.options[choice.option] == item.options[item.due or 0]
    return ascii_uppercase[choice.option], choice.how, right


def tolerance_px(size_HW: tuple[int, int], tolerance: float) -> int:
    """Return a share of an image's diagonal in whole pixels, rounded up."""
    return math.ceil(tolerance * math.hypot(*size_HW))


def matched(item: BenchItem, prediction: Prediction) -> list[int | None]:
    """Return for each true mask of an item the place of the predicted one, or None."""
    seen_on = item.seen_on
    return match_masks(
        [Marked(mask.label, seen_on[mask.image_index]) for mask in item.masks],
        [
            Marked(mask.label, None if mask.image_index is None else seen_on[mask.image_index])
            for mask in prediction.masks
        ],
    )


def _steps(item: BenchItem, prediction: Prediction, tolerance: float) -> tuple[StepScore, ...]:
    if item.size_HW is None:
        return ()
    scores = []
    for mask, place in zip(item.masks, matched(item, prediction), strict=True):
        if place is None:
            scores.append(_missing(mask.counts))
            continue
        true_HW = decode(mask.counts, item.size_HW)
        predicted_HW = decode(prediction.masks[place].code(), item.size_HW)
        shared = overlap(true_HW, predicted_HW)
        same = shared.shared_px == shared.either_px
        edge_px = tolerance_px(item.size_HW, tolerance)
        score = StepScore(
            iou=shared.iou,
            boundary_f=1.0 if same else boundary_f(true_HW, predicted_HW, edge_px),
            shared_px=shared.shared_px,
            either_px=shared.either_px,
            predicted=place,
        )
        scores.append(score)
    return tuple(scores)


def _missing(counts: bytes) -> StepScore:
    return StepScore(
        iou=0.0, boundary_f=0.0, shared_px=0, either_px=area_px(counts), predicted=None
    )


def _judged(item: BenchItem, prediction: Prediction | None, status: Status) -> Judged:
    """Return the item as wrong, with all its masks missing."""
    return Judged(
        item=item,
        status=status,
        said="",
        how=How.NOT_AT_ALL,
        right=False,
        steps=tuple(_missing(mask.counts) for mask in item.masks),
        num_extra=0,
        confidence=None if prediction is None else prediction.confidence,
    )
