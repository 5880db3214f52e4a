"""What the page draws: places of bars in a frame of 0 to 1, drawn by the template as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.scoring.judged import Judged
from tasks.scoring.score import MACRO, Score
from tasks.scoring.tasks_named import short_name

NUM_BINS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyBar:
    """One task's accuracy with its interval and chance, as shares; chance is None where open."""

    name: str
    value: float
    low: float
    high: float
    chance: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Shares of right and of wrong items by IoU, each adding up to 1; `top` is the largest."""

    right: tuple[float, ...]
    wrong: tuple[float, ...]
    top: float


def accuracy_bars(score: Score) -> list[AccuracyBar]:
    """Return a bar for each task and for their mean."""
    return [
        AccuracyBar(
            name=one.name if one.name == MACRO else short_name(one.name),
            value=one.accuracy.value,
            low=one.accuracy.low,
            high=one.accuracy.high,
            chance=one.chance,
        )
        for one in (*score.tasks, score.macro)
        if one.accuracy is not None
    ]


def iou_histogram(judged: Sequence[Judged], num_bins: int = NUM_BINS) -> Histogram | None:
    """Return how IoU is spread over right and wrong items; None where there is no mask.

    An item that asks for a mask alone is neither.
    """
    answering = [one for one in judged if one.item.wants_answer]
    shares = []
    for right in (True, False):
        ious = [one.iou for one in answering if one.right is right and one.iou is not None]
        counts, _ = np.histogram(ious, bins=num_bins, range=(0.0, 1.0))
        shares.append(tuple(float(share) for share in counts / max(1, len(ious))))
    top = max(max(share) for share in shares)
    return Histogram(right=shares[0], wrong=shares[1], top=top) if top else None
