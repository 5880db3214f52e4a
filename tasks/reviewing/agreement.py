"""How far reviewers agree: share of pairs, and Krippendorff's alpha for names.

A unit is what some reviewers said of one item; those who said nothing of it are missing from it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

Unit = Sequence[str]


def percent_agreement(units: Iterable[Unit]) -> float | None:
    """Return the share of pairs of verdicts on one item that are equal, None without a pair."""
    agreed = pairs = 0
    for unit in units:
        pairs += _pairs(len(unit))
        agreed += sum(map(_pairs, Counter(unit).values()))
    return agreed / pairs if pairs else None


def alpha(units: Iterable[Unit]) -> float | None:
    """Return Krippendorff's nominal alpha; None where all that was said is the same word, or none.

    1 is full agreement, 0 what chance comes to (Krippendorff, Computing Krippendorff's
    Alpha-Reliability, 2011, C).
    """
    counted = [Counter(unit) for unit in units if len(unit) > 1]
    in_all: Counter[str] = sum(counted, Counter())
    expected = _unlike(in_all)
    if not expected:
        return None
    observed = sum(_unlike(unit) / (unit.total() - 1) for unit in counted)
    return 1 - (in_all.total() - 1) * observed / expected


def _pairs(number: int) -> int:
    return number * (number - 1) // 2


def _unlike(counts: Counter[str]) -> int:
    """Return how many ordered pairs there are of two that differ."""
    return counts.total() ** 2 - sum(count**2 for count in counts.values())
