"""Tests of claims on order: the largest, the next, the smallest class, more, as much, twice."""

from collections.abc import Iterator
from itertools import product

from schemas.verdict import Verdict
from templates.claim.areas import Area, percent, readings, rivals
from templates.claim.bounds import amount_verdict
from templates.claim.classes import Meaning
from templates.claim.read import Kind, Read
from templates.claim.tests import UNDECIDED, Tested, over_readings
from templates.ground import Ground

CLEARLY = 1.1  # times as much is clearly more
ALIKE, UNLIKE = 0.15, 0.30  # of the larger: two shares that are as much, and that are not


def largest(read: Read, ground: Ground) -> Tested:
    """Test that no other class or kind has a larger share than any of the classes named."""

    def tested(date: int | None) -> Iterator[Tested]:
        for own in product(*(list(readings((m,), date, ground)) for m in read.a)):
            if own and len({area.date for area in own}) == 1:
                yield _largest(own, ground)

    return over_readings(tested(read.date))


def _largest(own: tuple[Area, ...], ground: Ground) -> Tested:
    if any(area.objects for area in own):
        return UNDECIDED
    named = {name for area in own for name in area.names}
    together = Area(own[0].layer, tuple(named), own[0].date, all(area.kind for area in own))
    shares = [percent(ground, area) or 0.0 for area in own]
    others = [percent(ground, area) or 0.0 for area in rivals(ground, together)]
    return ranked_first(shares, others)


def ranked_first(shares: list[float], others: list[float]) -> Tested:
    """Return whether all `shares` are at least as large as each of `others`."""
    most = max(others, default=0.0)
    detail = f"{max(shares):.1f} %, another {most:.1f} %"
    if most <= min(shares) and max(shares) > 0:
        return Verdict.PROVED, detail
    return (Verdict.FALSE if most > CLEARLY * max(shares) else Verdict.UNPROVED), detail


def rank(read: Read, ground: Ground) -> Tested:
    """Test that a class has a place among all, the largest being the first."""
    return over_readings(
        _in_rank(area, read.rank, ground) for area in readings(read.a, read.date, ground)
    )


def next_after(read: Read, ground: Ground) -> Tested:
    """Test that the class `b` comes next after `a`."""

    def tested() -> Iterator[Tested]:
        for a, b in pairs(read, ground):
            above = percent(ground, a) or 0.0
            larger = sum((percent(ground, rival) or 0.0) > above for rival in rivals(ground, a))
            yield _in_rank(b, larger + 2, ground)

    return over_readings(tested())


def _in_rank(area: Area, place: int, ground: Ground) -> Tested:
    if area.objects:
        return UNDECIDED
    own = percent(ground, area) or 0.0
    others = [percent(ground, rival) or 0.0 for rival in rivals(ground, area)]
    there = sum(other > own for other in others) + 1
    ordered = sorted([own, *others], reverse=True)
    due = ordered[place - 1] if place <= len(ordered) else 0.0
    detail = f"place {there}, {own:.1f} %"
    if there == place and own > 0:
        return Verdict.PROVED, detail
    return (Verdict.FALSE if max(own, due) > CLEARLY * min(own, due) else Verdict.UNPROVED), detail


def smallest(read: Read, ground: Ground) -> Tested:
    """Test that a class has the smallest share of all that are there."""

    def tested(area: Area) -> Tested:
        own = percent(ground, area) or 0.0
        others = [share for r in rivals(ground, area) if (share := percent(ground, r) or 0.0) > 0]
        if area.objects or own == 0.0:
            return UNDECIDED
        least = min(others, default=own)
        detail = f"{own:.1f} %, another {least:.1f} %"
        if own <= least:
            return Verdict.PROVED, detail
        return (Verdict.FALSE if least < own / CLEARLY else Verdict.UNPROVED), detail

    return over_readings(tested(area) for area in readings(read.a, read.date, ground))


def compare(read: Read, ground: Ground) -> Tested:
    """Test more, as much, or a multiple of one class against another."""

    def tested() -> Iterator[Tested]:
        for a, b in pairs(read, ground):
            first, second = percent(ground, a), percent(ground, b)
            if first is None or second is None or set(a.names) & set(b.names):
                yield UNDECIDED
            else:
                yield _compared(read, first, second), f"{first:.1f} % and {second:.1f} %"

    return over_readings(tested())


def _compared(read: Read, first: float, second: float) -> Verdict:
    if read.kind is Kind.MORE:
        if first > second:
            return Verdict.PROVED
        return Verdict.FALSE if second > CLEARLY * first else Verdict.UNPROVED
    if read.kind is Kind.AS_MUCH:
        apart, larger = abs(first - second), max(first, second)
        if apart <= ALIKE * larger:
            return Verdict.PROVED
        return Verdict.FALSE if apart > UNLIKE * larger else Verdict.UNPROVED
    assert read.amount is not None
    return amount_verdict(read.amount, first / second) if second else Verdict.UNPROVED


def pairs(read: Read, ground: Ground) -> Iterator[tuple[Area, Area]]:
    """Yield every reading of two groups at one date; of several classes each, and all together."""
    for a, b in product(_alone_or_together(read.a), _alone_or_together(read.b)):
        for first, second in product(
            list(readings(a, read.date, ground)), list(readings(b, read.date, ground))
        ):
            if (first.layer, first.date) == (second.layer, second.date):
                yield first, second


def _alone_or_together(group: tuple[Meaning, ...]) -> Iterator[tuple[Meaning, ...]]:
    yield group
    if len(group) > 1:
        yield from ((meaning,) for meaning in group)
