"""What a sentence says of shares, areas, numbers of things, and of their states."""

from dataclasses import replace

from templates.claim.chunks import SIZES
from templates.claim.classes import Meaning
from templates.claim.facts import DAMAGED
from templates.claim.found import Found
from templates.claim.groups import PRONOUN
from templates.claim.measures import MOST, PART_OF, Amount
from templates.claim.read import Kind, Read
from templates.claim.says_place import together
from templates.claim.tokens import Symbol


def amount_of(found: Found) -> list[Read] | None:
    """Say how much of the picture the classes cover together."""
    if (
        found.after_part("x") == "b"
        and found.part("q").word in SIZES
        and _is_plural(found.part("x"))
    ):
        return []  # "the trees are large"
    return amounts(found, found.classes())


def _is_plural(symbol: Symbol) -> bool:
    return symbol.word.endswith("s") and not symbol.word.endswith("ss")


def amount_before(found: Found) -> list[Read] | None:
    """Read "43 % cropland", "a small area of water"; of a list it may be the first alone."""
    amount = found.amount()
    follows = found.after[:1]
    if not amount.word and follows not in ("", ",", ";", "+", ")", "(", "w", "P", "L", "f"):
        return []
    if amount.word in PART_OF and follows not in ("", ",", ";", "+", "(", "w", "f"):
        return []
    return amounts(found, found.classes(), loose=len(found.classes()) > 1)


def amounts_in_turn(found: Found) -> list[Read] | None:
    """Read "Cropland and trees cover 43 % and 20 %", each its own."""
    classes = found.classes()
    parts = found.symbols[found.match.start("q") : found.match.end("q")]
    amounts = [part.payload for part in parts if isinstance(part.payload, Amount)]
    if len(amounts) != len(classes):
        return None
    return [
        found.read(Kind.SHARE, a=(meaning,), amount=amount)
        for meaning, amount in zip(classes, amounts, strict=True)
    ]


def amounts_each(found: Found) -> list[Read] | None:
    """Read "Cropland and trees each cover 20 %"."""
    return [read for meaning in found.classes() for read in amounts(found, (meaning,)) or ()]


def amounts(found: Found, classes: tuple[Meaning, ...], *, loose: bool = False) -> list[Read]:
    """Return that the classes cover an amount together, and lie in the place if one is named."""
    amount = found.amount()
    if any(meaning.objects and not amount.unit == "%" for meaning in classes):
        return []
    if classes[0].states:
        return [found.read(Kind.STATE, a=classes, states=classes[0].states, amount=amount)]
    if any(meaning.layer != classes[0].layer for meaning in classes):
        return []
    kind = Kind.SHARE if amount.unit == "%" else Kind.AREA
    places = found.places()
    reads = [
        found.read(
            kind,
            a=classes,
            amount=amount,
            place=together(places) if places else None,
            loose=loose,
            placed=found.has("p") or _in_relative_clause(found),
            part=found.narrowed,
        )
    ]
    if found.has("p"):
        reads += [
            found.read(Kind.IN_PLACE, a=(meaning,), place=place)
            for meaning in classes
            for place in places
        ]
    return reads


def _in_relative_clause(found: Found) -> bool:
    """Return whether "which" stands for the class: what it covers is not of the place before."""
    head = found.part("x")
    return head.word == PRONOUN and head.start < head.end


def apposed_amount(found: Found) -> list[Read] | None:
    """Read "cropland, 64 %, and trees"; a word there ("cropland, all of it") says no amount."""
    return None if found.amount().word else amount_of(found)


def opening_amount(found: Found) -> list[Read] | None:
    """Read "With 62 %, cropland is the largest class"."""
    opens = found.before in ("", ";") and not found.amount().word
    return amount_of(found) if opens else None


def fronted_amount(found: Found) -> list[Read] | None:
    """Read "In the north there is a large area of water"."""
    if found.before not in ("", ",", ";", "+", "w") or found.amount().word in PART_OF:
        return None
    reads = amounts(found, found.classes())
    # a size is that of the class, a number may be that of the class in the place
    reads = [replace(read, placed=bool(found.amount().word)) for read in reads]
    return reads


def counted(found: Found) -> list[Read] | None:
    """Read "12 buildings", "three patches of forest"; in a place the number cannot be tested."""
    if len(found.classes()) > 1 and not found.has("o"):
        return None
    meaning, amount = found.classes()[0], found.amount("n")
    places = found.places()
    areas = _of_areas(found.part("x")) or _of_areas(found.part("n"))
    if not (places or meaning.objects or areas):
        return []
    kind = Kind.STATE if meaning.states else Kind.COUNT
    place = places[0] if places else None
    reads = [found.read(kind, a=(meaning,), states=meaning.states, amount=amount, place=place)]
    if found.has("p"):
        reads += [found.read(Kind.IN_PLACE, a=(meaning,), place=where) for where in places]
    return reads


def split_into(found: Found) -> list[Read] | None:
    """Read "The grassland consists of three patches"."""
    return counted(found) if _of_areas(found.part("n")) else None


# class words whose plural is several areas
_AREA_PLURALS = frozenset(
    "bodies areas body area wetland wetlands forest forests woodlands settlement settlements "
    "grasslands pastures units".split()
)


def _of_areas(symbol: Symbol) -> bool:
    return symbol.word == "areas" or symbol.word.split(" ")[-1] in _AREA_PLURALS


_NO_DAMAGE = ("no ", "without ", "free of ")  # said of everything, not of some buildings


def in_state(found: Found) -> list[Read] | None:
    """Read "12 of the 40 buildings are destroyed", "no building is damaged", "all are intact"."""
    objects = found.objects
    if found.has("x"):
        meaning = found.classes()[0]
        objects = meaning if meaning.objects else None
    if objects is None:
        return [] if found.has("x") else None
    payload = found.part("t").payload
    states = tuple(str(state) for state in payload) if isinstance(payload, tuple) else ()
    amount = Amount(unit="count", side=">", value=1.0)  # some
    if found.match.group() == "T" and found.part("t").word.startswith(_NO_DAMAGE):
        states, amount = DAMAGED, Amount(unit="count", value=0.0)
    objects = replace(objects, states=states)
    name = next((name for name in ("n", "adv") if found.has(name)), "")
    if name:
        sign = found.part(name)
        if sign.symbol == "N":
            amount = Amount(unit="count", value=0.0)
        elif sign.symbol == "K":
            amount = MOST
        elif isinstance(sign.payload, Amount):
            amount = sign.payload
    places = found.places() if found.has("p") else ()
    place = places[0] if places else None
    reads = [found.read(Kind.STATE, a=(objects,), states=states, amount=amount, place=place)]
    reads += [found.read(Kind.IN_PLACE, a=(objects,), place=where) for where in places]
    if found.has("of"):
        everything = replace(objects, states=())
        reads.append(found.read(Kind.COUNT, a=(everything,), amount=found.amount("of")))
    return reads


def resolution(found: Found) -> list[Read] | None:
    """Read "10 m resolution", "a resolution of 10 m"."""
    return [found.read(Kind.RESOLUTION, amount=found.amount("d"))]
