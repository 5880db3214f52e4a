"""What a sentence says of places: where a class lies, mainly, only, nowhere, all over."""

from templates.claim.found import Build, Found
from templates.claim.measures import PART_OF
from templates.claim.places import Place
from templates.claim.read import Kind, Read


def in_place(kind: Kind) -> Build:
    """Return what claims `kind` of every class in every place."""

    def build(found: Found) -> list[Read] | None:
        return [
            found.read(kind, a=(meaning,), place=place)
            for meaning in found.classes()
            for place in found.places()
        ]

    return build


def in_places_together(kind: Kind) -> Build:
    """Return what claims `kind` of every class in all places taken together."""

    def build(found: Found) -> list[Read] | None:
        place = together(found.places())
        return [found.read(kind, a=(meaning,), place=place) for meaning in found.classes()]

    return build


def together(places: tuple[Place, ...]) -> Place:
    """Return several places as one."""
    cells = sorted({cell for place in places for cell in place.core})
    return Place(tuple(cells), any(place.compass for place in places))


def last_in_place(found: Found) -> list[Read] | None:
    """In "grass and trees in the north" only the trees are surely meant."""
    return [
        found.read(Kind.IN_PLACE, a=found.classes()[-1:], place=place) for place in found.places()
    ]


def fronted(found: Found) -> list[Read] | None:
    """Read "In the north there are trees": only where a clause begins with the place."""
    start = found.match.start()
    if found.before not in ("", ",", ";", "+", "w") or found.match.string[:start].endswith("+,"):
        return None  # of "borders trees and, in the north, water" the list goes on
    return in_place(Kind.IN_PLACE)(found)


def opening_place(kind: Kind) -> Build:
    """Read "Lying in the north, the trees ...": only where a clause begins so."""
    return lambda found: in_place(kind)(found) if found.before in ("", ";") else None


def spread(found: Found) -> list[Read] | None:
    """Each class lies all over the picture; what is spread "across the crops" is not they."""
    first = found.symbols[found.match.start()]
    if first.symbol == "s" and first.word.endswith(("across", "throughout", "all over")):
        return None
    return [found.read(Kind.SPREAD, a=(meaning,)) for meaning in found.classes()]


def part_of_class(found: Found) -> list[Read] | None:
    """Read "most of the cropland lies in the north": where it is, not how much it is."""
    word = found.amount().word
    if word not in ("", *PART_OF):
        return None  # a size stands before any class: "large areas of cropland"
    if word == "":
        return []
    kind = Kind.ONLY_IN if word == "all" else Kind.MAINLY_IN
    return in_places_together(kind)(found)


def absent(found: Found) -> list[Read] | None:
    """Read "No water", "water is absent", and in a place if one is named."""
    start = found.match.start()
    if start and found.symbols[start - 1].word == "where":
        return []  # "in the north, where there is no water": not of the whole picture
    places = found.places()
    if places:
        return [
            found.read(Kind.NOT_IN, a=(meaning,), place=place)
            for meaning in found.classes()
            for place in places
        ]
    return [found.read(Kind.ABSENT, a=(meaning,)) for meaning in found.classes()]
