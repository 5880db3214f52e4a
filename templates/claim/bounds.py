"""The bounds of docs/claims.md on numbers: which values prove an amount, and which refute it."""

from collections.abc import Iterable, Mapping

from schemas.verdict import Verdict
from templates.claim.measures import Amount

ROUNDING = 1e-9  # a value on its bound is within it

# row -> (from, to) proved and (from, to) not false, in percent
WORDS: Mapping[str, tuple[float, float, float, float]] = {
    "all": (97, 100, 90, 100),
    "nearly all": (80, 100, 65, 100),
    "most": (50 + 2 * ROUNDING, 100, 45, 100),
    "large": (20, 100, 8, 100),
    "moderate": (10, 50, 5, 65),
    "small": (0, 15, 0, 30),
    "tiny": (0, 5, 0, 15),
}
# row -> proved from, false up to
COUNT_WORDS: Mapping[str, tuple[int, int]] = {"few": (2, 1), "many": (4, 2)}

# unit -> tolerance as a part of the value, and in units; as written, and with "about"
EXACT: Mapping[str, tuple[float, float]] = {
    "%": (0.10, 2.0),
    "px": (0.02, 0.0),
    "m2": (0.10, 0.0),
    "m": (0.15, 0.0),
    "count": (0.0, 0.0),
    "times": (0.15, 0.0),
}
ABOUT: Mapping[str, tuple[float, float]] = {
    **EXACT,
    "%": (0.15, 3.0),
    "px": (0.10, 0.0),
    "m2": (0.15, 0.0),
    "count": (0.15, 0.0),
}
BEYOND = 0.10  # of a bound that is written, how far on its wrong side a value is false
BEYOND_POINTS = 2.0  # the same for percent, if that is more


def settled(verdicts: Iterable[Verdict]) -> Verdict:
    """Return what holds for every reading; unproved where they differ or there is none."""
    found = set(verdicts)
    return found.pop() if len(found) == 1 else Verdict.UNPROVED


def amount_verdict(amount: Amount, value: float) -> Verdict:
    """Return whether a value, in the amount's unit, is what is said."""
    if amount.word:
        return _word_verdict(amount, value)
    if amount.side == "-":
        return _range_verdict(amount, value)
    if amount.side:
        sign = 1 if amount.side == ">" else -1
        short = sign * (amount.value - value)
        return _graded(short, 0.0, _beyond(amount, amount.value))
    about = amount.about or amount.fraction
    part, least = (ABOUT if about else EXACT)[amount.unit]
    tolerance = max(part * abs(value), least)
    return _graded(abs(amount.value - value), tolerance, 2 * tolerance)


def exceeds(amount: Amount, value: float) -> bool:
    """Return whether what is said is more than a value, so that no part of it can be that."""
    if amount.word:
        return amount.unit == "%" and WORDS[amount.word][2] > value
    return amount.side != "<" and amount.value > value


def _word_verdict(amount: Amount, value: float) -> Verdict:
    if amount.unit == "count":
        enough, too_few = COUNT_WORDS[amount.word]
        if value >= enough:
            return Verdict.PROVED
        return Verdict.FALSE if value <= too_few else Verdict.UNPROVED
    low, high, false_under, false_over = WORDS[amount.word]
    if low - ROUNDING <= value <= high + ROUNDING:
        return Verdict.UNPROVED if amount.denies_only else Verdict.PROVED
    if value < false_under - ROUNDING or value > false_over + ROUNDING:
        return Verdict.UNPROVED if amount.proves_only else Verdict.FALSE
    return Verdict.UNPROVED


def _range_verdict(amount: Amount, value: float) -> Verdict:
    outside = max(amount.value - value, value - amount.upper)
    nearer = amount.value if value < amount.value else amount.upper
    return _graded(outside, 0.0, _beyond(amount, nearer))


def _beyond(amount: Amount, bound: float) -> float:
    return max(BEYOND * bound, BEYOND_POINTS if amount.unit == "%" else 0.0)


def _graded(off: float, proved_to: float, false_over: float) -> Verdict:
    if off <= proved_to + ROUNDING:
        return Verdict.PROVED
    return Verdict.FALSE if off > false_over + ROUNDING else Verdict.UNPROVED
