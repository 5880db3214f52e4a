"""Tests of claims on two classes: borders, surroundings, distances; and on change."""

import math
from collections.abc import Iterator

from schemas.program import Border, Distance, Instances, Minus
from schemas.value import Quantity, Truth, Undefined
from schemas.verdict import Verdict
from templates.claim.areas import Area, layer_dates, layer_info, percent, px, readings
from templates.claim.bounds import amount_verdict
from templates.claim.order import pairs
from templates.claim.read import Kind, Read
from templates.claim.tests import UNDECIDED, Tested, over_readings
from templates.ground import Ground

NEAR_PX = 10  # docs/program.md: at most this far apart, a distance has no safe value
NEAR, NOT_NEAR, FAR = 0.15, 0.40, 0.30  # of the picture's diagonal
ENCLOSED, NOT_ENCLOSED = 0.60, 0.25  # of the edges around a class


def border(read: Read, ground: Ground) -> Tested:
    """Test whether two classes border one another, or that they do not."""
    yes, no = Verdict.PROVED, Verdict.FALSE
    if read.kind is Kind.NO_BORDER:
        yes, no = no, yes

    def tested() -> Iterator[Tested]:
        for a, b in pairs(read, ground):
            touch = _touch(a, b, ground)
            if isinstance(touch, str):
                yield Verdict.UNPROVED, touch
            else:
                yield (yes if touch else no), "they touch" if touch else "they do not touch"

    return over_readings(tested())


def _touch(a: Area, b: Area, ground: Ground) -> bool | str:
    """Return what the border rule says, or the rule why it says nothing."""
    if a.expr is None or b.expr is None or set(a.names) & set(b.names):
        return "not two classes"
    try:
        value = ground.value(Border(a=a.expr, b=b.expr))
    except Undefined as outcome:
        return outcome.rule
    assert isinstance(value, Truth)
    return value.value


def surrounded(read: Read, ground: Ground) -> Tested:
    """Test what part of the edges around a class are with another."""

    def tested() -> Iterator[Tested]:
        for a in readings(read.a, read.date, ground):
            for b in readings(read.b, read.date, ground):
                if (a.layer, a.date) == (b.layer, b.date):
                    yield _surrounded(a, b, ground)

    return over_readings(tested())


def _surrounded(a: Area, b: Area, ground: Ground) -> Tested:
    if a.expr is None or b.expr is None or set(a.names) & set(b.names) or not px(ground, a):
        return UNDECIDED
    around = ground.edges_px(a.expr, Minus(a=a.valid, b=a.expr))
    shared = ground.edges_px(a.expr, b.expr)
    part = shared / around if around else 0.0
    if part >= ENCLOSED:
        return Verdict.PROVED, f"{100 * part:.0f} % of its border"
    return (Verdict.FALSE if part < NOT_ENCLOSED else Verdict.UNPROVED), (
        f"{100 * part:.0f} % of its border"
    )


def distance(read: Read, ground: Ground) -> Tested:
    """Test how far two classes lie from each other, in metres or in words."""
    if read.kind is Kind.DISTANCE and ground.pixel_size_m is None:
        return Verdict.FALSE, "the pixel size is unknown"

    def tested() -> Iterator[Tested]:
        for a, b in pairs(read, ground):
            yield _distance(read, a, b, ground)

    return over_readings(tested())


def _distance(read: Read, a: Area, b: Area, ground: Ground) -> Tested:
    if a.expr is None or b.expr is None or set(a.names) & set(b.names):
        return UNDECIDED
    try:
        value = ground.value(Distance(a=a.expr, b=b.expr))
    except Undefined as outcome:
        if touching := _touching(read, a, b, ground):
            return touching
        height, width = ground.size_HW
        close = outcome.rule == "too_near" and NEAR_PX <= NEAR * math.hypot(height, width)
        if read.kind is Kind.NEAR and close:
            return Verdict.PROVED, f"at most {NEAR_PX} pixels apart"
        return Verdict.UNPROVED, outcome.rule
    assert isinstance(value, Quantity)
    detail = f"{value.value:.0f} m"
    if read.kind is Kind.DISTANCE:
        assert read.amount is not None
        return amount_verdict(read.amount, value.value), detail
    part = value.value / _diagonal_m(ground)
    if read.kind is Kind.FAR:
        return (Verdict.PROVED if part > FAR else Verdict.UNPROVED), detail
    if part <= NEAR:
        return Verdict.PROVED, detail
    return (Verdict.FALSE if part > NOT_NEAR else Verdict.UNPROVED), detail


def _touching(read: Read, a: Area, b: Area, ground: Ground) -> Tested | None:
    """Return the verdict on classes that touch; None where they do not."""
    if not ground.edges_px(a.expr, b.expr) and _touch(a, b, ground) is not True:
        return None
    return (Verdict.PROVED if read.kind is Kind.NEAR else Verdict.FALSE), "they touch"


def _diagonal_m(ground: Ground) -> float:
    assert ground.pixel_size_m is not None  # a distance has been measured in metres
    height, width = ground.size_HW
    x_m, y_m = ground.pixel_size_m
    return math.hypot(width * x_m, height * y_m)


GREW_BY, SAME_WITHIN, NOT_SAME_FROM = 0.05, 0.02, 0.10  # of the value before


def change(read: Read, ground: Ground) -> Tested:
    """Test how a class's share, or the number of its objects, differs from first to last date."""
    if ground.view.num_dates < 2:
        return Verdict.FALSE, "there is one date"
    if read.kind is Kind.CHANGED:
        return UNDECIDED
    layer = read.a[0].layer
    dates = layer_dates(ground, layer)
    if len(dates) < 2:
        return UNDECIDED
    if len({layer_info(ground, layer, date).product for date in dates}) > 1:
        return Verdict.UNPROVED, "two label products"

    def tested() -> Iterator[Tested]:
        for old, new in zip(
            readings(read.a, dates[0], ground), readings(read.a, dates[-1], ground), strict=True
        ):
            before, after = _extent(old, ground), _extent(new, ground)
            yield _changed(read.kind, before, after), f"{before:.1f} before, {after:.1f} after"

    found = over_readings(tested())
    if read.a[0].objects and read.kind is Kind.SHRANK and found[0] is Verdict.FALSE:
        return Verdict.UNPROVED, found[1]  # a destroyed building is lost and still counted
    return found


def _extent(area: Area, ground: Ground) -> float:
    """Return the number of objects, or the share in percent."""
    if area.objects:
        from_class = area.names[0]
        return float(
            ground.num_objects(Instances(layer=area.layer, label=from_class, date=area.date))
        )
    return percent(ground, area) or 0.0


def _changed(kind: Kind, before: float, after: float) -> Verdict:
    if kind is Kind.SHRANK:
        before, after = -before, -after
    if kind in (Kind.GREW, Kind.SHRANK):
        if after > before and after - before > GREW_BY * abs(before):
            return Verdict.PROVED
        return Verdict.FALSE if after <= before else Verdict.UNPROVED
    moved = abs(after - before)
    if moved <= SAME_WITHIN * before:
        return Verdict.PROVED
    return Verdict.FALSE if moved > NOT_SAME_FROM * before else Verdict.UNPROVED
