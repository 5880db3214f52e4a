"""The rule-based writer: captions in plain English from the measured facts, without any model.

It writes the reply that a model is asked for, marks and all, and its reply goes the same way:
parsed, every claim checked, refused if one is false. Which of several wordings it takes is drawn
from the scene's seed, so the same scene gives the same words.
"""

from collections.abc import Iterator, Sequence
from random import Random

from schemas.scene import Modality
from schemas.taxonomy import LandClass
from schemas.trace import caption_trace, quantity_text
from templates.caption_facts import CaptionFacts, RegionFacts
from templates.caption_fields import whole_words
from templates.ground import Ground
from templates.phrases import be, capital, it

MOST_BORDERS = 3  # sentences on what borders what
MOST_NAMED = 4  # classes that a caption gives a share of
CLEARLY = 1.1  # an order is told where it is clearer than its bound (docs/claims.md)


# what a building in a state is or has, of one and of several (schemas.taxonomy.XBD_DAMAGE)
PREDICATES = {
    "no-damage": ("is undamaged", "are undamaged"),
    "minor-damage": ("has minor damage", "have minor damage"),
    "major-damage": ("has major damage", "have major damage"),
    "destroyed": ("is destroyed", "are destroyed"),
}


def write_reply(facts: CaptionFacts, ground: Ground, rng: Random) -> str:
    """Return the raw reply: `<think>` with [SEG n] marks, then `<caption>`."""
    dates = sorted({measured.region.date_index for measured in facts.regions})
    thoughts: list[str] = []
    caption: list[str] = []
    for date in dates:
        shown = [measured for measured in facts.regions if measured.region.date_index == date]
        objects = [measured for measured in shown if measured.region.counted]
        cover = [measured for measured in shown if not measured.region.counted]
        writer = _Writer(facts, ground, rng, date)
        thoughts += [*writer.objects(objects), *writer.cover(cover)]
        caption += [*writer.objects_caption(objects), *writer.cover_caption(cover)]
    return caption_trace(" ".join(thoughts), " ".join(caption))


class _Writer:
    """The sentences on one date of a scene."""

    def __init__(self, facts: CaptionFacts, ground: Ground, rng: Random, date: int) -> None:
        self._ground = ground
        self._rng = rng
        self._whole = whole_words(facts)
        self._lead = ground.view.lead(date)
        self._date = date

    def objects(self, shown: Sequence[RegionFacts]) -> Iterator[str]:
        """Yield a sentence for each group of objects."""
        for measured in shown:
            yield self._say(f"I mark {_the_objects(measured)} [SEG {measured.region.number}].")

    def cover(self, shown: Sequence[RegionFacts]) -> Iterator[str]:
        """Yield a sentence for each class, then how they lie to each other, then their order."""
        for place, measured in enumerate(shown):
            yield self._say(self._class(place, measured))
        yield from map(self._say, self._neighbours(shown))
        if len(shown) > 1 and (order := _order(shown)):
            yield self._say(order)

    def objects_caption(self, shown: Sequence[RegionFacts]) -> Iterator[str]:
        """Yield what stands there at this date."""
        if not shown:
            return
        if states := self._states(shown):
            yield capital(f"{self._when()}{states}.")
            return
        first = shown[0]
        one = first.count == 1 if first.region.land.singular else not first.region.land.plural
        verb = "is" if one else "are"
        things = _listed([_objects(measured) for measured in shown])
        yield f"{capital(self._when())}there {verb} {things}."

    def _states(self, shown: Sequence[RegionFacts]) -> str:
        """Return how many of the buildings are in which state, "" where that is not all known."""
        told = [(m.count or 0, PREDICATES.get(m.region.label)) for m in shown]
        if not all(count and predicate for count, predicate in told):
            return ""
        total = sum(count for count, _ in told)
        (count, first), *others = [(count, predicate or ("", "")) for count, predicate in told]
        if not others:
            everything = "both" if total == 2 else f"all {total:,}"
            return (
                f"the one building {first[0]}"
                if total == 1
                else f"{everything} buildings {first[1]}"
            )
        rest = [f"{_number(n)} {one if n == 1 else many}" for n, (one, many) in others]
        verb = first[0] if count == 1 else first[1]
        return _listed([f"{_number(count)} of the {total:,} buildings {verb}", *rest])

    def cover_caption(self, shown: Sequence[RegionFacts]) -> Iterator[str]:
        """Yield what the picture is made up of, where the largest lie, and what is small."""
        if not shown:
            return
        named, rest = shown[:MOST_NAMED], shown[MOST_NAMED:]
        shares = [f"{m.region.land.phrase}{_in_brackets(m)}" for m in named]
        yield capital(f"{self._when()}{self._picture()} shows {_listed(shares)}.")
        placed = [measured for measured in named if measured.place][:2]
        for measured in placed:
            land = measured.region.land
            verb = "lie" if land.plural else "lies"
            yield capital(f"{self._when()}{land.phrase} {verb} mainly in the {measured.place}.")
        largest = max((m.share or 0.0 for m in rest), default=0.0)
        if rest and 0 < largest < 0.05:
            names = _listed([measured.region.land.phrase for measured in rest])
            each = "each " if len(rest) > 1 else ""
            verb = "cover" if len(rest) > 1 or rest[0].region.land.plural else "covers"
            yield capital(f"{self._when()}{names} {each}{verb} less than 5 % of {self._whole}.")

    def _say(self, sentence: str) -> str:
        return f"{self._lead}{capital(sentence)}"

    def _class(self, place: int, measured: RegionFacts) -> str:
        """Return the sentence that marks a class and says how much there is of it and where."""
        land, mark = measured.region.land, f"[SEG {measured.region.number}]"
        start = "I begin with" if place == 0 else self._rng.choice(("next I mark", "I then mark"))
        much = _amount(measured, self._whole)
        where = self._where(measured)
        wordings = [f"{start} {land.phrase} {mark}: {it(land)} {_verb(land)} {much}{where}."]
        if place:
            wordings.append(f"{land.phrase} {mark} {_verb(land)} {much}{where}.")
        if measured.place:
            lies = "lie" if land.plural else "lies"
            wordings.append(
                f"mainly in the {measured.place} {lies} {land.phrase} {mark}, "
                f"which {_verb(land)} {much}."
            )
        return self._rng.choice(wordings)

    def _where(self, measured: RegionFacts) -> str:
        land = measured.region.land
        if measured.place:
            return f" and {'lie' if land.plural else 'lies'} mainly in the {measured.place}"
        return f" and {be(land)} spread across the image" if measured.spread else ""

    def _neighbours(self, shown: Sequence[RegionFacts]) -> Iterator[str]:
        """Yield which classes border one another, each pair once, and one distance."""
        by_number = {measured.region.number: measured.region.land for measured in shown}
        told = 0
        for measured in shown:
            later = [n for n in measured.borders if n > measured.region.number]
            if not later or told == MOST_BORDERS:
                continue
            told += 1
            verb = "border" if measured.region.land.plural else "borders"
            others = _listed([by_number[number].phrase for number in later[:3]])
            yield f"{measured.region.land.phrase} {verb} {others}."
        apart = [
            (measured.region.land, by_number[number], metres)
            for measured in shown
            for number, metres in measured.distances_m.items()
            if number > measured.region.number
        ]
        if apart:
            a, b, metres = self._rng.choice(apart)
            verb = "lie" if a.plural else "lies"
            yield f"{a.phrase} {verb} {quantity_text(metres, 'm')} from {b.phrase}."

    def _when(self) -> str:
        """Return how a caption says which date it speaks of, "" where there is one."""
        if self._ground.view.num_dates == 1:
            return ""
        if self._ground.view.num_dates == 2 and self._ground.metadata.disaster:
            when = "before" if self._date == 0 else "after"
            return f"{when} the {self._ground.metadata.disaster}, "
        return f"in image {self._ground.view.image_of_date(self._date) + 1}, "

    def _picture(self) -> str:
        kinds = {image.modality for image in self._ground.view.images}
        if self._ground.view.num_dates > 1:
            return "the scene"
        if len(kinds) > 1:
            return "the scene, seen by an optical and a radar sensor,"
        sensor = self._ground.metadata.sensors[0]
        kind = "radar" if kinds == {Modality.SAR} else "optical"
        return f"the {kind} image of {sensor}" if sensor else f"the {kind} image"


def _verb(land: LandClass) -> str:
    """Return a verb of covering; "tree cover covers" is nothing to read."""
    verb = "make up" if land.phrase.endswith("cover") else "cover"
    if land.plural:
        return verb
    return "makes up" if verb == "make up" else "covers"


def _amount(measured: RegionFacts, whole: str) -> str:
    if measured.share is None:
        return f"{measured.px:,} pixels"
    share = f"{quantity_text(measured.share, 'share')} of {whole}"
    if measured.area_m2 is None:
        return share
    return f"{share} ({quantity_text(measured.area_m2, 'm2')})"


def _in_brackets(measured: RegionFacts) -> str:
    return "" if measured.share is None else f" ({quantity_text(measured.share, 'share')})"


def _number(count: int) -> str:
    return "one" if count == 1 else f"{count:,}"


def _objects(measured: RegionFacts) -> str:
    """Return "one destroyed building", "12 destroyed buildings" or what has no number."""
    land, count = measured.region.land, measured.count
    if count is None or not land.singular:
        return land.phrase
    return f"one {land.singular}" if count == 1 else f"{count:,} {land.phrase}"


def _the_objects(measured: RegionFacts) -> str:
    counted = measured.count is not None and measured.region.land.singular
    return f"the {_objects(measured)}" if counted else measured.region.land.phrase


def _order(shown: Sequence[RegionFacts]) -> str:
    """Return which classes are the largest, "" where that is not clear."""
    first, second, *others = shown
    if first.share is None or not _clearly(first, second):
        return ""
    line = f"{first.region.land.phrase} {be(first.region.land)} the largest class"
    if not others or _clearly(second, others[0]):
        line += f", followed by {second.region.land.phrase}"
    return f"{line}."


def _clearly(larger: RegionFacts, smaller: RegionFacts) -> bool:
    return larger.px > CLEARLY * smaller.px


def _listed(parts: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
