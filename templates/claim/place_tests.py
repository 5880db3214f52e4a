"""Tests of claims on places: docs/claims.md, "Place"."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from schemas.verdict import Verdict
from templates.claim.areas import Area, cells, fully_labelled, px, readings, rivals
from templates.claim.order import ranked_first
from templates.claim.places import Place
from templates.claim.read import Read
from templates.claim.tests import UNDECIDED, Test, Tested, over_readings
from templates.ground import Ground


@dataclass(frozen=True, slots=True)
class InPlace:
    """A class beside a place, in percent.

    `core` and `reach` are the class's shares of the labelled pixels there, `held` the part of the
    class that lies in the reach, `picture` its share of the whole picture. `surely_held` is `held`,
    but of the core where the reach is the whole picture, of which nothing could lie outside.
    """

    core: float
    reach: float
    held: float
    surely_held: float
    picture: float
    there: bool


def measure(area: Area, place: Place, ground: Ground) -> InPlace | None:
    """Measure a class at a place; None where the core has no labelled pixel."""
    own, valid = cells(ground, area), ground.cells_px(area.valid)
    core_px, reach_px = (sum(valid[c] for c in part) for part in (place.core, place.reach))
    if not core_px:
        return None
    total = sum(own)
    in_core, in_reach = (sum(own[cell] for cell in part) for part in (place.core, place.reach))
    surely = in_core if len(place.reach) == len(own) else in_reach
    return InPlace(
        core=100 * in_core / core_px,
        reach=100 * in_reach / reach_px,
        held=100 * in_reach / total if total else 0.0,
        surely_held=100 * surely / total if total else 0.0,
        picture=100 * total / sum(valid),
        there=total > 0,
    )


def at_place(rule: Callable[[InPlace], Verdict]) -> Test:
    """Return a test that applies a rule to every reading; compass words need a known north."""

    def test(read: Read, ground: Ground) -> Tested:
        assert read.place is not None
        if read.place.compass and not ground.north_up:
            return Verdict.UNPROVED, "north is not known"
        place = read.place
        return over_readings(
            _at(area, place, rule, ground) for area in readings(read.a, read.date, ground)
        )

    return test


def _at(area: Area, place: Place, rule: Callable[[InPlace], Verdict], ground: Ground) -> Tested:
    measured = measure(area, place, ground)
    if measured is None:
        return UNDECIDED
    detail = (
        f"{measured.core:.1f} % of the place, {measured.reach:.1f} % of its surroundings, "
        f"{measured.held:.0f} % of the class there"
    )
    if not measured.there and not fully_labelled(ground, area):
        return Verdict.UNPROVED, detail
    return rule(measured), detail


def _graded(*, proved: bool, false: bool) -> Verdict:
    if proved:
        return Verdict.PROVED
    return Verdict.FALSE if false else Verdict.UNPROVED


def _lies_in(m: InPlace) -> Verdict:
    # a class that is rare everywhere is still there: most of it must be elsewhere, too
    return _graded(
        proved=m.core >= 5 or (m.there and m.surely_held >= 50), false=m.reach < 1 and m.held < 10
    )


def _lies_mainly_in(m: InPlace) -> Verdict:
    return _graded(
        proved=m.there and m.surely_held >= 60 and m.core > m.picture,
        false=m.held < 35 or m.core < 1,
    )


def _covers(m: InPlace) -> Verdict:
    return _graded(proved=m.core >= 50, false=m.reach < 25)


def _lies_only_in(m: InPlace) -> Verdict:
    return _graded(proved=m.there and m.surely_held >= 98, false=m.there and m.held < 85)


def _is_not_in(m: InPlace) -> Verdict:
    return _graded(proved=m.core < 0.5, false=m.core > 3)


lies_in = at_place(_lies_in)
lies_mainly_in = at_place(_lies_mainly_in)
covers = at_place(_covers)
lies_only_in = at_place(_lies_only_in)
is_not_in = at_place(_is_not_in)

SPREAD_FROM, NOT_SPREAD_UP_TO = 5, 2  # cells


def spread(read: Read, ground: Ground) -> Tested:
    """Test in how many cells a class has pixels."""

    def tested(area: Area) -> Tested:
        if not px(ground, area) and not fully_labelled(ground, area):
            return UNDECIDED
        number = sum(held > 0 for held in cells(ground, area))
        verdict = _graded(proved=number >= SPREAD_FROM, false=number <= NOT_SPREAD_UP_TO)
        return verdict, f"in {number} of 9 cells"

    return over_readings(tested(area) for area in readings(read.a, read.date, ground))


def largest_in(read: Read, ground: Ground) -> Tested:
    """Test that a class has the largest share of a place's core; false only in its reach, too."""
    assert read.place is not None
    place = read.place
    if place.compass and not ground.north_up:
        return Verdict.UNPROVED, "north is not known"

    def tested() -> Iterator[Tested]:
        for area in readings(read.a, read.date, ground):
            if area.objects:
                yield UNDECIDED
                continue
            own = cells(ground, area)
            others = [cells(ground, rival) for rival in rivals(ground, area)]
            core, reach = (
                ranked_first([_sum(own, part)], [_sum(other, part) for other in others])
                for part in (place.core, place.reach)
            )
            false = core[0] is reach[0] is Verdict.FALSE
            proved = core[0] is Verdict.PROVED
            shares = f"{_sum(own, place.core):.0f} pixels of the place"
            yield _graded(proved=proved, false=false), shares

    return over_readings(tested())


def _sum(held: tuple[int, ...], part: tuple[int, ...]) -> float:
    return float(sum(held[cell] for cell in part))
