"""Amounts that a sentence can state, and the words and units for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["%", "px", "m2", "m", "count", "times"]
Side = Literal["", ">", "<", "-"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What is said of a value: a number, a bound, a range or a word.

    `value` is in `unit`; `side` is ">" for "at least", "<" for "at most", "-" for a range up to
    `upper`; `about` is true of "roughly"; `word` names a row of `templates.claim.bounds.WORDS`
    instead of a number, and is "" beside one. `fraction` marks "a third".
    """

    value: float = 0.0
    unit: Unit = "%"
    side: Side = ""
    upper: float = 0.0
    about: bool = False
    word: str = ""
    fraction: bool = False
    proves_only: bool = False  # of single patches: a small one proves nothing false
    denies_only: bool = False  # of single patches: a large one proves nothing true


# words for shares -> row of docs/claims.md; adjectives stand before a class or an area noun
SHARE_WORDS: Mapping[str, str] = {
    "all": "all, entirely, completely, fully, wholly, totally, all of, the entirety of, the whole "
    "of, the entire image, the whole image, the entire scene, the whole scene, the entire picture, "
    "the whole picture, the entire area, the whole area, exclusively of, every pixel",
    "nearly all": "nearly all, almost all, almost entirely, nearly entirely, almost completely, "
    "the vast majority, vast majority, the overwhelming majority, nearly completely, almost all "
    "of, nearly all of, almost the entire image, nearly the entire image, almost the whole image, "
    "nearly the whole image, almost the entire scene, nearly the entire scene, nearly the whole "
    "scene, almost the whole scene, almost everything, virtually all, almost exclusively",
    "most": "most, the majority, majority, most of, the majority of, a majority, the greater part, "
    "the larger part, the bulk, the greater part of, the larger part of, the best part of",
    "large": "large, significant, substantial, considerable, extensive, major, sizeable, sizable, "
    "vast, big, huge, a lot of, a large amount of",
    "moderate": "moderate, medium, moderately large, moderate sized",
    "small": "small, minor, limited, little, smaller amounts of, a little, modest, a bit of",
    "tiny": "very small, tiny, minimal, negligible, sliver, slivers, very little, a sliver of, "
    "very limited, very minor, minuscule, a very small, extremely small",
}

FRACTIONS: Mapping[str, float] = {
    "half": 1 / 2,
    "one half": 1 / 2,
    "a half": 1 / 2,
    "a third": 1 / 3,
    "one third": 1 / 3,
    "two thirds": 2 / 3,
    "a quarter": 1 / 4,
    "one quarter": 1 / 4,
    "a fourth": 1 / 4,
    "one fourth": 1 / 4,
    "three quarters": 3 / 4,
    "three fourths": 3 / 4,
    "a fifth": 1 / 5,
    "one fifth": 1 / 5,
    "two fifths": 2 / 5,
    "three fifths": 3 / 5,
    "four fifths": 4 / 5,
    "a sixth": 1 / 6,
    "one sixth": 1 / 6,
    "an eighth": 1 / 8,
    "one eighth": 1 / 8,
    "a tenth": 1 / 10,
    "one tenth": 1 / 10,
    "one in ten": 1 / 10,
    "nine tenths": 9 / 10,
}

# words for counts -> row of docs/claims.md
COUNT_WORDS: Mapping[str, str] = {
    "few": "a few, several, a handful of, a couple of, some few, a small number of",
    "many": "many, numerous, multiple, a large number of, a great many, lots of, dozens of, a "
    "great number of",
}
SINGLE = "a single, one single, just one, only one, single"

NUMBER_WORDS: dict[str, int] = {
    word: number
    for number, word in enumerate(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty".split(),
        start=1,
    )
}
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
for _ten, _word in enumerate(_TENS, start=2):
    _ONES = list(NUMBER_WORDS.items())[:9]
    NUMBER_WORDS |= {_word: 10 * _ten} | {f"{_word} {one}": 10 * _ten + n for one, n in _ONES}
NUMBER_WORDS |= {"hundred": 100, "a hundred": 100, "one hundred": 100}

# unit word -> unit and how many of it one is; international acre, mile and foot
UNITS: Mapping[str, tuple[Unit, float]] = {
    **dict.fromkeys(("m²", "sqm", "m2", "square metre", "square meter", "sq m"), ("m2", 1.0)),
    **dict.fromkeys(("ha", "hectare"), ("m2", 1e4)),
    **dict.fromkeys(
        ("km²", "sqkm", "km2", "square kilometre", "square kilometer", "sq km"), ("m2", 1e6)
    ),
    "acre": ("m2", 4046.8564224),
    **dict.fromkeys(("square mile", "sq mi", "sq mile"), ("m2", 2_589_988.110336)),
    **dict.fromkeys(("square foot", "square feet", "sq ft"), ("m2", 0.09290304)),
    **dict.fromkeys(("m", "metre", "meter"), ("m", 1.0)),
    **dict.fromkeys(("km", "kilometre", "kilometer"), ("m", 1000.0)),
    "cm": ("m", 0.01),
    **dict.fromkeys(("mile",), ("m", 1609.344)),
    **dict.fromkeys(("foot", "feet", "ft"), ("m", 0.3048)),
    **dict.fromkeys(("pixel", "px"), ("px", 1.0)),
}

# how a multiple goes on: "twice as large as", "three times the area of"
MULTIPLES: Mapping[str, float] = {
    "twice": 2.0,
    "double": 2.0,
    "triple": 3.0,
    "half": 1 / 2,
    "a third": 1 / 3,
    "one third": 1 / 3,
    "a quarter": 1 / 4,
    "one quarter": 1 / 4,
    "two thirds": 2 / 3,
    "three quarters": 3 / 4,
}
COMPLEMENTS = (
    "as large as, as much as, the area of, the size of, the extent of, as big as, as extensive as, "
    "as common as, the share of, the amount of, that of, larger than, as much, as great as, bigger "
    "than, more than, greater than, as many as, as widespread as, the area covered by, as large, "
    "more extensive than, more common than, as much of the image as, as much space as, "
    "as much area as, as much ground as, as large an area as"
)

# which class is largest -> how it may stand before the class's word
RANK_WORDS: Mapping[str, str] = {
    # "the dominant cropland" says itself that this is the main class
    "dominant": "dominant, predominant, main, chief, principal, primary, prime",
    # "the largest water body" is a part of the class
    "largest": "largest, most common, most extensive, biggest, most widespread, most abundant, "
    "most dominant, most prevalent, most frequent, greatest, most prominent, single largest, "
    "largest class, largest single class, most widely found, the most area, the most space, the "
    "most ground, the most land, ranks first, comes first, in first place, "
    "more than any other class, more than any other, larger than any other class, larger than any "
    "other",
    "second": "second largest, second most common, second most extensive, second biggest, second "
    "most widespread, second most abundant, second most dominant, second most prevalent, second "
    "most frequent, ranks second, comes second, in second place, second place",
    "third": "third largest, third most common, third most extensive, third biggest, third most "
    "widespread, third most abundant, third most dominant, third most prevalent, ranks third, "
    "comes third, in third place, third place",
    "smallest": "smallest, least common, least extensive, rarest, scarcest, least widespread, "
    "least abundant, least, least prevalent, least frequent, smallest class, least dominant",
}

MOST = Amount(word="most")
PART_OF = ("most", "nearly all", "all")  # words that may also be of the class: "most of the water"
