"""Selection: even out the answers within every task and class, over all granules at once.

A group is what `Draft.balance` names, within one source and split. Answers that are more frequent
than the rarest are thinned out, so that knowing the class does not tell the answer. Questions whose
options were picked among other scenes' answers have no group: what is thinned by answer would tell
which option is true. Groups in which some answer never occurs are thinned to a few items and evened
out together. A candidate is kept if the hash that its id is lies under its rate, so the choice
depends on no order and no other sample.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import mean

STABLE_STEP = 0.02  # a stored rate is used again unless it would move by more
CAP_OVER_MEAN = 1.0  # of a large answer set's counts, such as the cells of a grid
MAX_ONE_SIDED = 2.0  # items expected of each answer in a group that lacks another answer


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One answer within one group; `num_answers` is the size of its closed set, 0 for a large one.

    `task` names the wider group that one-sided groups are evened out in.
    """

    task: str
    group: str
    num_answers: int
    answer: str


Rates = dict[tuple[str, str], float]  # (group, answer) -> share kept


def keep_rates(counts: Mapping[Cell, int], stored: Mapping[tuple[str, str], float]) -> Rates:
    """Return the keep rate of every answer in every group, reusing stored rates that still fit."""
    groups: dict[str, dict[Cell, int]] = defaultdict(dict)
    for cell, count in counts.items():
        groups[cell.group][cell] = count
    rates: Rates = {}
    one_sided: dict[Cell, int] = {}
    for cells in groups.values():
        num_answers = next(iter(cells)).num_answers
        if num_answers == 0:
            rates |= _capped(cells)
        elif len(cells) == num_answers:
            rates |= _evened(cells)
        else:
            one_sided |= cells
    rates |= _evened_together(one_sided)
    return {key: stable(rate, stored.get(key)) for key, rate in sorted(rates.items())}


def is_kept(sample_id: str, rate: float) -> bool:
    """Return whether a sample's id, a hash in hex, lies under a rate."""
    return int(sample_id[:13], 16) < rate * 16**13


def _evened(cells: Mapping[Cell, int]) -> Rates:
    rarest = min(cells.values())
    return {(cell.group, cell.answer): rarest / count for cell, count in cells.items()}


def _capped(cells: Mapping[Cell, int]) -> Rates:
    cap = CAP_OVER_MEAN * mean(cells.values()) if len(cells) > 1 else MAX_ONE_SIDED
    return {(cell.group, cell.answer): min(1.0, cap / count) for cell, count in cells.items()}


def _evened_together(cells: Mapping[Cell, int]) -> Rates:
    """Thin one-sided groups to a few items, then even out the answers of each task among them."""
    thinned = {cell: min(1.0, MAX_ONE_SIDED / count) for cell, count in cells.items()}
    expected: dict[tuple[str, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for cell, rate in thinned.items():
        expected[cell.task, cell.num_answers][cell.answer] += rate * cells[cell]
    rates: Rates = {}
    for cell, rate in thinned.items():
        answers = expected[cell.task, cell.num_answers]
        rarest = min(answers.values()) if len(answers) == cell.num_answers else 0.0
        rates[cell.group, cell.answer] = rate * rarest / answers[cell.answer]
    return rates


def stable(rate: float, stored: float | None) -> float:
    """Return a stored rate where it still fits, else the new one; nothing stays of a rate of 0."""
    if not rate:
        return 0.0
    return stored if stored is not None and abs(rate - stored) <= STABLE_STEP else rate
