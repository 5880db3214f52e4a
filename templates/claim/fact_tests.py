"""Tests of claims on what is known beside the masks: sensors, dates, events, pixel size."""

from collections.abc import Callable, Mapping

from schemas.scene import Modality
from schemas.verdict import Verdict
from templates.claim.classes import split_words
from templates.claim.dates import fits
from templates.claim.facts import DISASTER_WORDS, SEASONS
from templates.claim.read import Read
from templates.claim.tests import Tested
from templates.ground import Ground

SAME_SIZE, OTHER_SIZE = 0.05, 0.10  # of the pixel size


def fact(read: Read, ground: Ground) -> Tested:
    """Test a claim of one word."""
    assert read.fact is not None
    return _TESTS[read.fact.kind](read.fact.value, ground)


def resolution(read: Read, ground: Ground) -> Tested:
    """Test a pixel size in metres."""
    assert read.amount is not None
    if ground.pixel_size_m is None:
        return Verdict.FALSE, "the pixel size is unknown"
    off = max(abs(read.amount.value - size_m) / size_m for size_m in ground.pixel_size_m)
    detail = f"{ground.pixel_size_m[0]:g} m x {ground.pixel_size_m[1]:g} m"
    if off <= SAME_SIZE:
        return Verdict.PROVED, detail
    nearest = min(abs(read.amount.value - size_m) / size_m for size_m in ground.pixel_size_m)
    return (Verdict.FALSE if nearest > OTHER_SIZE else Verdict.UNPROVED), detail


def _modality(value: str, ground: Ground) -> Tested:
    carried = {image.modality for image in ground.view.images}
    there = Modality(value) in carried
    return (Verdict.PROVED if there else Verdict.FALSE), " and ".join(sorted(carried))


def _sensor(value: str, ground: Ground) -> Tested:
    """A family without a number fits each of its sensors; one with a number only itself."""
    known = list(ground.metadata.sensors)
    family, _, number = value.partition("-")
    fitting = [name for name in known if name == value or name.partition("-")[0] == family]
    if fitting and (not number or value in fitting):
        return Verdict.PROVED, ", ".join(fitting)
    if family in fitting:
        return Verdict.UNPROVED, "which of its kind is not known"
    return _named(value, known)


def _named(value: str, known: list[str]) -> Tested:
    """Return whether a name is among those known; false only if all of them are known."""
    if value in known:
        return Verdict.PROVED, value
    if not known or not all(known):
        return Verdict.UNPROVED, "not known"
    return Verdict.FALSE, ", ".join(known)


def _colour(value: str, ground: Ground) -> Tested:
    if all(image.modality is Modality.SAR for image in ground.view.images):
        return Verdict.FALSE, "a radar image shows no colour"
    return Verdict.UNPROVED, "colours are not measured"


def _overlay(value: str, ground: Ground) -> Tested:
    return Verdict.FALSE, "nothing is drawn on the picture"


def _date(value: str, ground: Ground) -> Tested:
    """`value` is "year-month-day", each empty where it is not said."""
    found = [
        "match" if fits(value, iso) else "other" if iso else "" for iso in ground.metadata.dates
    ]
    verdict, _ = _named("match", found)
    return verdict, ", ".join(ground.metadata.dates)


def _season(value: str, ground: Ground) -> Tested:
    """The months of a season change by half a year across the equator."""
    months = [int(iso[5:7]) if iso else 0 for iso in ground.metadata.dates]
    north = [month in SEASONS[value] for month in months]
    south = [(month + 5) % 12 + 1 in SEASONS[value] for month in months if month]
    lon_lat = ground.metadata.lon_lat
    known = months and all(months)
    halves = {"north": any(north), "south": any(south)}
    if lon_lat is not None:
        halves = {"here": halves["north" if lon_lat[1] >= 0 else "south"]}
    if not known:
        return Verdict.UNPROVED, "no date"
    if all(halves.values()):
        return Verdict.PROVED, value
    return (Verdict.UNPROVED if any(halves.values()) else Verdict.FALSE), "another season"


def _disaster(value: str, ground: Ground) -> Tested:
    """Metadata name an event as one of the words for it, such as "flooding"."""
    event = ground.metadata.disaster.lower()
    known = next(
        (name for name, words in DISASTER_WORDS.items() if event in (name, *split_words(words))),
        event,
    )
    return _named(value, [known] if known else [])


_TESTS: Mapping[str, Callable[[str, Ground], Tested]] = {
    "modality": _modality,
    "sensor": _sensor,
    "colour": _colour,
    "overlay": _overlay,
    "date": _date,
    "season": _season,
    "disaster": _disaster,
}
