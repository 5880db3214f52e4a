"""What a sequence of images tells: how the area at each stage develops from date to date."""

from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise

CLEARLY = 1.15  # an area that much larger than another one is larger in every reading of its edge
_STEADY = 3  # a stage that only grows, or only shrinks, counts as much as three other facts: rare


def told(areas_T: Sequence[float]) -> int:
    """Return how much the areas of one stage at T dates tell.

    When it is first seen, when it is largest, and whether it grew, shrank, or did both.
    """
    facts = int(areas_T[0] == 0 and any(areas_T))
    second, largest = sorted(areas_T)[-2:]
    facts += largest > CLEARLY * second
    rises = [after > CLEARLY * before for before, after in pairwise(areas_T)]
    falls = [before > CLEARLY * after for before, after in pairwise(areas_T)]
    if all(rises) or all(falls):
        return facts + _STEADY
    return facts + (any(rises) and any(falls))


def best_dates(stages_ST: Sequence[Sequence[str]], areas_S: Sequence[float], num: int) -> list[int]:
    """Return the `num` of T dates, in order, at which the stages of S sites tell most."""
    choices = combinations(range(len(stages_ST[0])), num)
    return list(max(choices, key=lambda dates: story(stages_ST, areas_S, dates)))


def story(
    stages_ST: Sequence[Sequence[str]], areas_S: Sequence[float], dates: Iterable[int]
) -> int:
    """Return how much all stages together tell over some of the dates."""
    chosen = list(dates)
    names = sorted({stages[k] for stages in stages_ST for k in chosen})
    return sum(
        told(
            [
                sum(area for stages, area in zip(stages_ST, areas_S, strict=True)
                    if stages[k] == name)
                for k in chosen
            ]
        )
        for name in names
    )  # fmt: skip
