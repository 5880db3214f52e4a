"""Two models on the same items: exact McNemar test, and differences with scenes drawn again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from tasks.scoring.judged import Judged
from tasks.scoring.ratios import Estimate, Floats, Redrawn, estimated, mean_of_known
from tasks.scoring.score import ALL, MACRO, REFERRING, RULES, Rules, grouped, redrawn_of

MIN_SCENES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How much more the second has than the first.

    `p` is two-sided, of the redrawn scenes; None where these are fewer than `MIN_SCENES`, of which
    draws say little.
    """

    estimate: Estimate
    p: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two models on some items; `mcnemar_p` is None of the mean of tasks."""

    name: str
    items: int
    first_alone: int  # right, where the second is wrong
    second_alone: int
    mcnemar_p: float | None
    accuracy: Difference | None
    item_iou: Difference | None
    grounded: Difference | None


def mcnemar_p(first_alone: int, second_alone: int) -> float:
    """Return the exact two-sided p of as uneven a split of the items that only one has right."""
    differing = first_alone + second_alone
    if not differing:
        return 1.0
    return float(binomtest(min(first_alone, second_alone), differing, 0.5).pvalue)


def compare(
    first: Sequence[Judged], second: Sequence[Judged], rules: Rules = RULES
) -> tuple[Compared, ...]:
    """Compare task by task, over all items, and as the mean of tasks.

    Both are of the same items in the same order, and the same scenes are drawn for both.
    """
    assert [one.item for one in first] == [one.item for one in second], "not of the same items"
    before, after = grouped(first), grouped(second)
    drawn = redrawn_of(first, before, rules), redrawn_of(second, after, rules)
    tasks = [name for name in before if name not in (ALL, REFERRING)]
    each = [_compared(name, before[name], after[name], *drawn) for name in [*tasks, ALL]]
    return (*each, _macro(tasks, len(first), *drawn))


def _compared(
    name: str, first: Sequence[Judged], second: Sequence[Judged], then: Redrawn, now: Redrawn
) -> Compared:
    pairs = [(one.right, other.right) for one, other in zip(first, second, strict=True)]
    alone = pairs.count((True, False)), pairs.count((False, True))
    return Compared(
        name=name,
        items=len(pairs),
        first_alone=alone[0],
        second_alone=alone[1],
        mcnemar_p=mcnemar_p(*alone),
        accuracy=_difference(then, now, [f"accuracy {name}"]),
        item_iou=_difference(then, now, [f"item_iou {name}"]),
        grounded=_difference(then, now, [f"grounded {name}"]),
    )


def _macro(tasks: Sequence[str], items: int, then: Redrawn, now: Redrawn) -> Compared:
    named = {
        measure: _difference(then, now, [f"{measure} {task}" for task in tasks])
        for measure in ("accuracy", "item_iou", "grounded")
    }
    return Compared(name=MACRO, items=items, first_alone=0, second_alone=0, mcnemar_p=None, **named)


def _difference(then: Redrawn, now: Redrawn, names: Sequence[str]) -> Difference | None:
    at = [then.names.index(name) for name in names]
    at = [place for place in at if not np.isnan(then.all_R[place])]
    if not at:
        return None
    value = float((now.all_R[at] - then.all_R[at]).mean())
    drawn_B = mean_of_known(now.drawn_BR[:, at] - then.drawn_BR[:, at])
    enough = then.scenes_R[at].max() >= MIN_SCENES
    return Difference(estimate=estimated(value, drawn_B), p=_two_sided(drawn_B) if enough else None)


def _two_sided(drawn_B: Floats) -> float:
    """Return twice the smaller share of draws on either side of 0, itself counted in."""
    known = drawn_B[~np.isnan(drawn_B)]
    tail = min(np.count_nonzero(known <= 0), np.count_nonzero(known >= 0))
    return float(min(1.0, 2 * (tail + 1) / (known.size + 1)))
