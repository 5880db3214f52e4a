"""Symbols put together: states, places, class words with their nouns; joints left out.

Each step rewrites the list of symbols; what it drops carries no content. After the last, the
sentence is ready for `templates.claim.frames`.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from templates.claim.amounts import with_amounts
from templates.claim.classes import Meaning
from templates.claim.measures import Amount
from templates.claim.places import Place
from templates.claim.rewrite import rewritten
from templates.claim.tokens import Symbol, code_of, merged

# size words say how large one thing is; beside several patches they do not say their sum
SIZES = frozenset(("large", "big", "huge", "vast", "small", "tiny", "very small", "minuscule"))
_ONE_AREA = frozenset(("area", "land", "surface", "space", "region", "zone", "section", "ground"))


def chunked(symbols: list[Symbol]) -> list[Symbol]:
    """Put amounts, states, places and area nouns together, and leave out what joins nothing."""
    symbols = rewritten(symbols, _STATED, _stated)
    symbols = with_amounts(symbols)
    symbols = rewritten(symbols, _ASIDE, lambda all_, m: [])
    symbols = rewritten(symbols, _OWN_PLACE, _own_place)
    symbols = _promoted_places(symbols)
    symbols = _sizes(symbols)
    return _without_joints(symbols)


_STATED = re.compile(r"TX")


def _stated(symbols: Sequence[Symbol], match: re.Match[str]) -> list[Symbol]:
    """Read "destroyed buildings" as the buildings in that state."""
    state, thing = symbols[match.start() : match.end()]
    meaning, states = thing.payload, state.payload
    if not isinstance(meaning, Meaning) or not meaning.objects or not isinstance(states, tuple):
        return [state, thing]
    named = tuple(str(name) for name in states)
    return [Symbol("X", state.start, thing.end, replace(meaning, states=named), thing.word)]


# facts as adjectives ("the radar image", "after the flood") join nothing; they are
# claims on their own, read before
_ASIDE = re.compile(r"a[iY]*Y[+iY]*Y|[iow]Z+(?!S)|Z+(?=S)|(?<=Q)Z+")
_OWN_PLACE = re.compile(r"@[Pp]")


def _own_place(symbols: Sequence[Symbol], match: re.Match[str]) -> list[Symbol]:
    """Read "its left side" as the picture's where one was named, else as some other thing's."""
    place = symbols[match.start() + 1]
    if "S" in code_of(symbols[: match.start()]):
        return [place]
    return [Symbol("u", place.start, place.end, None, place.word)]


_OF_OTHER = re.compile(r"o(?![SY]|z(?!u)|XM[Sz])")  # "the north of the region's capital"
_PLACE_WORD = re.compile(r"[Pp](?:[,+]*\+?[Pp])*")


def _promoted_places(symbols: list[Symbol]) -> list[Symbol]:
    """Make places of the words that may be one, and none of what lies north of something."""
    code = code_of(symbols)
    done = list(symbols)
    for match in _PLACE_WORD.finditer(code):
        first, stop = match.span()
        relative = _OF_OTHER.match(code, stop) is not None
        certain = any(symbols[at].symbol == "P" for at in range(first, stop))
        noun = symbols[stop - 1].word in _STANDING_ALONE
        spoken = code[first - 1 : first] in ("i", "n", "w", "J") or symbols[first].after_article
        is_place = certain or (noun and (spoken or code[stop : stop + 2] == "oS"))
        for at in range(first, stop):
            if symbols[at].symbol in "Pp":
                symbol = "u" if relative or not is_place else "P"
                done[at] = Symbol(
                    symbol,
                    symbols[at].start,
                    symbols[at].end,
                    symbols[at].payload,
                    symbols[at].word,
                )
    return done


_STANDING_ALONE = frozenset(("top", "bottom", "left", "right", "centre", "center", "middle"))


def _sizes(symbols: list[Symbol]) -> list[Symbol]:
    """Put area nouns to the class they are of, and say what a size word is the size of."""
    symbols = rewritten(symbols, _SIZED, _sized)
    symbols = rewritten(symbols, _NUMBERED, _numbered)
    return rewritten(symbols, _AREAS, _areas)


_NUMBERED = re.compile(r"#z(?!z*o?X)")


def _numbered(symbols: Sequence[Symbol], match: re.Match[str]) -> list[Symbol]:
    """Read "three patches" of a class that is named before."""
    number = symbols[match.start()]
    return [merged("#", symbols[match.start() : match.end()], number.payload, "areas")]


_SIZED = re.compile(r"Q(?P<z>z*)(?P<o>o?)(?P<x>X?)(?P<after>z*)")


def _sized(symbols: Sequence[Symbol], match: re.Match[str]) -> list[Symbol]:
    """Mark sizes of single patches: many small ones may be much, a large one may be little."""
    parts = list(symbols[match.start() : match.end()])
    size, nouns = parts[0], [part for part in parts if part.symbol == "z"]
    amount = size.payload
    if not isinstance(amount, Amount) or size.word.split(" ")[-1] not in SIZES or not match["x"]:
        return parts
    named = symbols[match.start("x")].word
    single = nouns[-1].word in _ONE_AREA if nouns else not named.endswith(("s", "body"))
    if not single:
        small = amount.word in ("small", "tiny")
        parts[0] = merged(
            "Q",
            [size],
            Amount(word=amount.word, proves_only=small, denies_only=not small),
            size.word,
        )
    return parts


_AREAS = re.compile(r"(?P<before>z+o)?X(?P<after>z*)")


def _areas(symbols: Sequence[Symbol], match: re.Match[str]) -> list[Symbol]:
    parts = symbols[match.start() : match.end()]
    at = next(number for number, part in enumerate(parts) if part.symbol == "X")
    if len(parts) == 1:
        return [_adjective(symbols, match.start())]
    joined = Symbol("X", parts[0].start, parts[-1].end, parts[at].payload, "areas")
    return [joined]


# words for a class that are adjectives: alone they say how something is, not that it is there
_ADJECTIVES = frozenset(
    "bare barren developed cultivated farmed wooded forested treed grassy shrubby urban "
    "agricultural arable vegetated snowy cropped urbanised urbanized builtup".split()
) | {"built up"}
_MEASURED = re.compile(r"[QKDmcV~#][bcVo]*\Z")


def _adjective(symbols: Sequence[Symbol], at: int) -> Symbol:
    """Return a class word, or an unknown word if it is an adjective that is not measured.

    "6 % of the image is developed" and "mainly urban" speak of classes, "the trees are bare" does
    not.
    """
    symbol = symbols[at]
    if symbol.word in _ADJECTIVES and not _MEASURED.search(code_of(symbols[:at]).replace("S", "")):
        return Symbol("u", symbol.start, symbol.end, None, symbol.word)
    return symbol


_JOINTS = re.compile(
    r"(?P<all>[xs]+[i>]?S)"  # across the picture
    r"|(?P<in_place>s[xi]*(?=P))"  # spread in a place: it lies there
    r"|(?P<s>[sx]{2,})"
    r"|(?P<of_which>[oi]@(?=[#Q]))"
    r"|(?P<for_part>(?<=Q)i(?=X))"  # "a small share for crops"
    r"|(?P<in_part>iQ)"  # "in half of the fields"
    r"|(?P<near>[Jn](?=P))"  # "along the northern edge"
    r"|(?P<drop>[oixw]*[iox](?=[PYZQA#dSs@]|$)|S|z|Y|[oi](?=[,;)]))"
)


def _joint(symbols: Sequence[Symbol], match: re.Match[str]) -> list[Symbol]:
    parts = symbols[match.start() : match.end()]
    if match["all"] or match["s"]:
        return [merged("s", parts, None)]
    if match["in_part"]:
        inside = parts[0].word in ("in", "on")
        return [Symbol("u" if inside else "Q", *_span(parts[1]), parts[1].payload, parts[1].word)]
    if match["for_part"]:
        return (
            [Symbol("o", *_span(parts[0]), None, "for")] if parts[0].word == "for" else list(parts)
        )
    if match["in_place"]:
        return [merged("L", parts, None, parts[0].word)]
    return []


def _span(symbol: Symbol) -> tuple[int, int]:
    return symbol.start, symbol.end


def _without_joints(symbols: list[Symbol]) -> list[Symbol]:
    """Leave out the picture and the small words before what needs none."""
    symbols = rewritten(symbols, _JOINTS, _joint)
    symbols = [_spread(symbol) for symbol in symbols]
    code = code_of(symbols)
    kept = [
        symbol
        for at, symbol in enumerate(symbols)
        if symbol.symbol != "o" or (at and _joins(code, at))
    ]
    return kept


def _joins(code: str, at: int) -> bool:
    """Return whether "of" at a place stands between two things, neither of them the picture."""
    return code[at - 1] in _BEFORE_OF and code[at + 1 : at + 2] in _AFTER_OF


_AFTER_OF = frozenset("X#TIu@")
_BEFORE_OF = frozenset("Q#ADyhHl*W=2TNCc?uXIPq")


def _spread(symbol: Symbol) -> Symbol:
    """Read "throughout" alone as throughout the picture."""
    if symbol.symbol != "x":
        return symbol
    return Symbol("s", symbol.start, symbol.end, None, symbol.word)


def places_of(symbol: Symbol) -> tuple[Place, ...]:
    """Return the places that a symbol "P" names."""
    payload = symbol.payload
    if isinstance(payload, Place):
        return (payload,)
    assert isinstance(payload, tuple)
    return tuple(place for place in payload if isinstance(place, Place))


def meanings_of(symbol: Symbol) -> tuple[Meaning, ...]:
    """Return the classes that a symbol "X" names."""
    payload = symbol.payload
    if isinstance(payload, Meaning):
        return (payload,)
    assert isinstance(payload, tuple)
    return tuple(meaning for meaning in payload if isinstance(meaning, Meaning))
