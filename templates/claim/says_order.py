"""What a sentence says of order: the largest, the next, more, as much, twice."""

from itertools import pairwise

from templates.claim.found import Found
from templates.claim.measures import MOST, Amount
from templates.claim.read import Kind, Read
from templates.claim.says_place import in_place
from templates.claim.says_relation import pair


def largest(found: Found) -> list[Read] | None:
    """The classes are, or the one class is, the largest of the picture or of a place."""
    places = found.places()
    if places:
        return [
            found.read(Kind.LARGEST_IN, a=found.classes(), place=place, loose=not found.front)
            for place in places
        ]
    return [found.read(Kind.LARGEST, a=found.classes())]


def dominated(found: Found) -> list[Read] | None:
    """Read "dominated by cropland" as said of the picture, unless another thing stands before."""
    return None if found.before in ("X", "I", "u", "N", "P") else largest(found)


def dominating(found: Found) -> list[Read] | None:
    """Read "Dominating the scene is cropland"."""
    return largest(found) if found.before in ("", ",", ";") else []


def mainly(found: Found) -> list[Read] | None:
    """Read "mostly cropland" as more than half, "mainly cropland" as the largest share."""
    if found.before in ("X", "I", "u", "N", "P") and not found.has("p"):
        return None
    if found.part("k").word != "mostly":
        return largest(found)
    if found.places():
        return in_place(Kind.COVERS_PLACE)(found)
    return [found.read(Kind.SHARE, a=found.classes(), amount=MOST, loose=len(found.classes()) > 1)]


def attributive(found: Found) -> list[Read] | None:
    """Read "the dominant cropland" as dominant; "the largest water body" is a part of its class."""
    return largest(found) if found.part("d").payload == "dominant" else []


def dominated_in_turn(found: Found) -> list[Read] | None:
    """Read "... is dominated by trees, the south by water": said on of another place."""
    if found.part("by").word != "by" or found.before not in (",", "+", ";"):
        return None
    return largest(found)


def ranked(found: Found) -> list[Read] | None:
    """Read "The second largest class", "the smallest class"."""
    word = found.part("r").payload
    classes = found.classes()
    if len(classes) > 1:
        return []
    if word == "smallest":
        return [found.read(Kind.SMALLEST, a=classes)]
    return [found.read(Kind.RANK, a=classes, rank={"second": 2, "third": 3}[str(word)])]


def ranked_after(found: Found) -> list[Read] | None:
    """Read "Grass, the second largest class after crops": of the crops there are more."""
    if not found.part("r").word.endswith(("after", "behind")):
        return None
    larger = [
        found.read(Kind.MORE, a=(first,), b=found.classes()) for first in found.classes("first")
    ]
    return [*(ranked(found) or ()), *larger]


def in_order(found: Found) -> list[Read] | None:
    """Read "In descending order, crops, trees and water": the largest, then each the next."""
    classes = found.classes()
    if len(classes) < 2:
        return None
    return [
        found.read(Kind.LARGEST, a=classes[:1]),
        *(
            found.read(Kind.NEXT, a=(previous,), b=(meaning,))
            for previous, meaning in pairwise(classes)
        ),
    ]


def followed(found: Found) -> list[Read] | None:
    """Read "Cropland, followed by trees and water": each is the next after the one before it."""
    previous = found.classes("a")[-1]
    reads = []
    for meaning in found.classes():
        reads.append(found.read(Kind.NEXT, a=(previous,), b=(meaning,)))
        previous = meaning
    return reads


def more(found: Found) -> list[Read] | None:
    """Read "More cropland than water", and with "less" the other way round."""
    a, b = found.classes("a"), found.classes("b")
    if found.match.group()[0] in "lq" and found.before not in ("", "v", "b", "w", ",", ";", "+"):
        return []  # "crops need more water than trees"
    sign = found.part("r")
    if sign.symbol == "q" or sign.word.endswith(" by"):
        a, b = b, a  # "is outweighed by"
    return [found.read(Kind.MORE, a=a, b=b)]


def as_much(found: Found) -> list[Read] | None:
    """Read "As much cropland as water", "cropland and water are equally common"."""
    if found.has("b"):
        return [found.read(Kind.AS_MUCH, a=found.classes("a"), b=found.classes("b"))]
    return pair(found, Kind.AS_MUCH)


def times(found: Found) -> list[Read] | None:
    """Read "Twice as much cropland as water"."""
    return [
        found.read(Kind.TIMES, a=found.classes("a"), b=found.classes("b"), amount=found.amount("k"))
    ]


def part_of_other(found: Found) -> list[Read] | None:
    """Read "Water covers a third of the area of the trees": a part of it, not of the picture."""
    amount = found.amount("k")
    if not amount.fraction or amount.side:
        return []
    times_as_much = Amount(value=amount.value / 100, unit="times")
    return [
        found.read(Kind.TIMES, a=found.classes("a"), b=found.classes("b"), amount=times_as_much)
    ]
