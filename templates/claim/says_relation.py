"""What a sentence says of two classes, and of change from one date to another."""

from dataclasses import replace

from templates.claim.found import Build, Found
from templates.claim.read import Kind, Read


def each_pair(kind: Kind) -> Build:
    """Return what claims `kind` of every class of `a` with every class of `b`."""

    def build(found: Found) -> list[Read] | None:
        return [
            found.read(kind, a=(a,), b=(b,)) for a in found.classes("a") for b in found.classes("b")
        ]

    return build


def among(kind: Kind) -> Build:
    """Return what claims `kind` of two classes of one list: "water and trees are adjacent"."""
    return lambda found: pair(found, kind)


def pair(found: Found, kind: Kind) -> list[Read] | None:
    """Return what claims `kind` of the two classes of a list; nothing testable of more."""
    classes = found.classes()
    if len(classes) < 2:
        return None
    if len(classes) > 2:
        return []
    return [found.read(kind, a=classes[:1], b=classes[1:])]


def surrounded(found: Found) -> list[Read] | None:
    """Each class of `a` lies among those of `b` together."""
    return [
        found.read(Kind.SURROUNDED, a=(meaning,), b=found.classes("b"))
        for meaning in found.classes("a")
    ]


_OPENING = {"J": Kind.BORDER, "n": Kind.NEAR, "r": Kind.FAR}


def opening_relation(found: Found) -> list[Read] | None:
    """Read "Surrounded by crops, the grass ...": a relation before the class that it is of."""
    if found.before not in ("", ";"):
        return None
    sign = found.part("v").symbol
    return surrounded(found) if sign == "g" else each_pair(_OPENING[sign])(found)


def in_between(found: Found) -> list[Read] | None:
    """What lies between two classes, or parts them, cannot be tested."""
    return []


def apart(found: Found) -> list[Read] | None:
    """Read "Water lies 230 m from the trees", "the distance between water and trees is 230 m"."""
    amount = found.amount("d")
    if found.has("b"):
        a, b = found.classes("a"), found.classes("b")
    elif len(found.classes()) == 2:
        a, b = found.classes()[:1], found.classes()[1:]
    else:
        return None
    return [found.read(Kind.DISTANCE, a=(m,), b=(n,), amount=amount) for m in a for n in b]


def changed(found: Found) -> list[Read] | None:
    """Read "Water has shrunk", "the loss of trees", "no change in cropland"."""
    sign = found.part("v")
    if found.has("noun") and not sign.word.endswith((" in", " of", "change")):
        return None
    if sign.word.startswith(("is ", "are ")) and sign.symbol in "Hh":
        return []  # "is reduced" says how it is, not that it changed
    kind = {
        "H": Kind.GREW,
        "W": Kind.GREW,
        "l": Kind.GREW,
        "h": Kind.SHRANK,
        "q": Kind.SHRANK,
    }.get(sign.symbol, Kind.UNCHANGED)
    reads = [found.read(kind, a=(meaning,)) for meaning in found.classes()]
    if found.has("from") and len(found.classes()) == 1:
        for name, date in (("from", 0), ("to", -1)):
            read = found.read(Kind.SHARE, a=found.classes(), amount=found.amount(name))
            reads.append(replace(read, date=date))
    return reads


def change_alone(found: Found) -> list[Read] | None:
    """Change without saying which way."""
    return [found.read(Kind.CHANGED)]


def change_of_thing(found: Found) -> list[Read] | None:
    """Read "the city has expanded": no class is a city, but change has to have two dates."""
    if found.before != "I" or found.symbols[found.match.start()].word.startswith(("is ", "are ")):
        return None
    return change_alone(found)
