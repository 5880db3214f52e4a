"""Tests of claims on presence, shares, areas and counts; docs/claims.md gives the bounds."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from schemas.program import Any_, Exists, Instances
from schemas.value import Truth, Undefined
from schemas.verdict import Verdict
from templates.claim.areas import (
    Area,
    cells,
    fully_labelled,
    in_states_layer,
    layer_dates,
    layer_info,
    num_by_class,
    percent,
    px,
    readings,
)
from templates.claim.bounds import amount_verdict, exceeds, settled
from templates.claim.classes import Meaning
from templates.claim.measures import Amount
from templates.claim.read import Read
from templates.ground import Ground

Tested = tuple[Verdict, str]  # with what was measured, in short
Test = Callable[[Read, Ground], Tested]

LEAST_PX = (9, 18)  # of an area that counts: docs/program.md's floor, and twice that
UNCLASSIFIED = ("un-classified", "")  # objects of which no state is known

UNDECIDED: Tested = (Verdict.UNPROVED, "cannot be measured here")


def over_readings(tested: Iterator[Tested]) -> Tested:
    """Return the verdict that holds in every reading, with what was measured in the first."""
    found = list(tested)
    if not found:
        return UNDECIDED
    details = list(dict.fromkeys(detail for _, detail in found))
    return settled(verdict for verdict, _ in found), " or ".join(details[:2])


def present(read: Read, ground: Ground) -> Tested:
    """Test that each reading of the class has a pixel that survives erosion."""
    return over_readings(_present(area, ground) for area in readings(read.a, read.date, ground))


def absent(read: Read, ground: Ground) -> Tested:
    """Test that no reading of the class has a pixel."""
    verdict, detail = present(read, ground)
    opposite = {Verdict.PROVED: Verdict.FALSE, Verdict.FALSE: Verdict.PROVED}
    return opposite.get(verdict, verdict), detail


def _present(area: Area, ground: Ground) -> Tested:
    if not area.names:
        closed = fully_labelled(ground, area)
        return (Verdict.FALSE if closed else Verdict.UNPROVED), "no such class"
    leaves = area.leaves
    if area.objects and not area.states:
        leaves = (Instances(layer=area.layer, label=area.names[0], date=area.date),)
    program = Exists(of=leaves[0])
    try:
        value = ground.value(
            program if len(leaves) == 1 else Any_(of=tuple(Exists(of=leaf) for leaf in leaves))
        )
    except Undefined as outcome:
        return Verdict.UNPROVED, outcome.rule
    assert isinstance(value, Truth)
    return (Verdict.PROVED if value.value else Verdict.FALSE), "there" if value.value else "none"


def thing(read: Read, ground: Ground) -> Tested:
    """Test a thing that no class is: false where its classes are not there, or pixels too large."""
    assert read.thing is not None
    if read.thing.size_m and ground.pixel_size_m is not None:
        pixel_m = min(ground.pixel_size_m)
        if read.thing.size_m < pixel_m:
            return Verdict.FALSE, f"smaller than a pixel of {pixel_m:g} m"
    if read.thing.inside is None:
        return Verdict.UNPROVED, "no class shows it"
    areas = list(readings((read.thing.inside,), read.date, ground))
    if areas and all(_present(area, ground)[0] is Verdict.FALSE for area in areas):
        return Verdict.FALSE, "its class is not there"
    return Verdict.UNPROVED, "no class is it alone"


def share(read: Read, ground: Ground) -> Tested:
    """Test a share in percent; beside a place it may be of that place."""
    assert read.amount is not None
    of_picture = over_readings(_share(read, area, ground) for area in _loosely(read, ground))
    if read.place is None or of_picture[0] is Verdict.UNPROVED:
        return of_picture
    place = read.place.core
    of_place = over_readings(
        _share_of_cells(read.amount, area, place, ground) for area in _loosely(read, ground)
    )
    if read.placed and of_picture[0] is Verdict.PROVED:
        return of_picture
    return settled((of_picture[0], of_place[0])), f"{of_picture[1]}; {of_place[1]} of the place"


def _loosely(read: Read, ground: Ground) -> Iterator[Area]:
    """Yield the classes together, and where the words allow it the first alone."""
    yield from readings(read.a, read.date, ground)
    if read.loose:
        yield from readings(read.a[:1], read.date, ground)


def _share(read: Read, area: Area, ground: Ground) -> Tested:
    measured = percent(ground, area)
    if measured is None:
        return UNDECIDED
    return _amount_of(read, measured), f"{measured:.1f} %"


def _amount_of(read: Read, measured: float) -> Verdict:
    """Return the verdict on an amount; of a part of the class only too much can be false."""
    assert read.amount is not None
    verdict = amount_verdict(read.amount, measured)
    if read.part and verdict is Verdict.FALSE and not exceeds(read.amount, measured):
        return Verdict.UNPROVED
    return verdict


def _share_of_cells(amount: Amount, area: Area, place: tuple[int, ...], ground: Ground) -> Tested:
    held, valid = cells(ground, area), ground.cells_px(area.valid)
    whole_px = sum(valid[cell] for cell in place)
    if not whole_px:
        return UNDECIDED
    measured = 100 * sum(held[cell] for cell in place) / whole_px
    return amount_verdict(amount, measured), f"{measured:.1f} %"


def area(read: Read, ground: Ground) -> Tested:
    """Test pixels or square metres; without a known pixel size no area is true."""
    assert read.amount is not None
    amount = read.amount
    if amount.unit == "m2" and ground.pixel_size_m is None:
        return Verdict.FALSE, "the pixel size is unknown"
    x_m, y_m = ground.pixel_size_m or (1.0, 1.0)
    pixel = x_m * y_m if amount.unit == "m2" else 1.0

    def tested(of: Area) -> Tested:
        measured = px(ground, of) * pixel
        return _amount_of(read, measured), f"{measured:.0f} {amount.unit}"

    found = over_readings(tested(of) for of in _loosely(read, ground))
    if read.place is not None and not read.placed and found[0] is Verdict.FALSE:
        return Verdict.UNPROVED, found[1]  # it may be the area inside the place
    return found


def count(read: Read, ground: Ground) -> Tested:
    """Test how many objects or separate areas there are; not in a place."""
    assert read.amount is not None
    if read.place is not None:
        return Verdict.UNPROVED, "a number in a place"
    amount = read.amount

    def tested(of: Area) -> Tested:
        if not of.objects:
            return _count_areas(amount, of, ground)
        leaf = Instances(layer=of.layer, label=of.names[0], date=of.date)
        number = ground.num_objects(leaf)
        return amount_verdict(amount, number), f"{number}"

    return over_readings(tested(of) for of in readings(read.a, read.date, ground))


def _count_areas(amount: Amount, area: Area, ground: Ground) -> Tested:
    """Test a number of areas against the count at either floor; one off is not surely wrong."""
    if area.expr is None:
        return UNDECIDED
    sizes_px = ground.areas_px(area.expr)
    numbers = [sum(size_px >= least_px for size_px in sizes_px) for least_px in LEAST_PX]
    detail = " or ".join(f"{number}" for number in dict.fromkeys(numbers)) + " areas"
    verdicts = {amount_verdict(amount, number) for number in numbers}
    if Verdict.PROVED in verdicts:
        return Verdict.PROVED, detail
    written = not amount.word and not amount.side and not amount.about
    one_off = written and any(abs(amount.value - number) <= 1 for number in numbers)
    if verdicts != {Verdict.FALSE} or one_off or not fully_labelled(ground, area):
        return Verdict.UNPROVED, detail
    return Verdict.FALSE, detail


def state(read: Read, ground: Ground) -> Tested:
    """Test how many objects are in a state at the last date, by number or as a share of all."""
    assert read.amount is not None
    if read.place is not None:
        return Verdict.UNPROVED, "a number in a place"
    amount = read.amount
    meaning = in_states_layer(replace(read.a[0], states=read.states), ground)
    dates = layer_dates(ground, meaning.layer)
    if not dates or read.date not in (None, dates[-1]) or not _has_states(read, ground):
        return UNDECIDED
    known, total, unknown = _by_state(read, meaning, ground, dates[-1])
    if total == unknown and total:
        return UNDECIDED
    numbers = dict.fromkeys((known, known + unknown))
    if amount.unit == "count":
        verdict = settled(amount_verdict(amount, n) for n in numbers)
    elif total:
        verdict = settled(amount_verdict(amount, 100 * n / total) for n in numbers)
    else:
        return UNDECIDED
    return verdict, f"{known} of {total}"


def _by_state(read: Read, meaning: Meaning, ground: Ground, date: int) -> tuple[int, int, int]:
    """Return the objects in the states that are spoken of, all of them, those of no known state."""
    if not meaning.states:
        info = layer_info(ground, meaning.layer, date)
        in_states = replace(info, classes=read.states)
        return num_by_class(ground, in_states), num_by_class(ground, info), 0
    label = meaning.sets[0][0]

    def number(attribute: str | None) -> int:
        return ground.num_objects(
            Instances(layer=meaning.layer, label=label, date=date, attribute=attribute)
        )

    known = sum(number(one) for one in read.states)
    return known, number(None), sum(number(one) for one in UNCLASSIFIED)


def _has_states(read: Read, ground: Ground) -> bool:
    named = {name for classes in ground.words.values() for name in classes}
    return set(read.states) <= named
