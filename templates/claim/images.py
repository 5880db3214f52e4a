"""Images, dates and the picture itself as one symbol each."""

import re
from collections.abc import Sequence

from templates.claim.classes import Thing
from templates.claim.facts import FactWord
from templates.claim.rewrite import rewritten
from templates.claim.tokens import MONTH, Symbol, merged
from templates.claim.words import SEEN_DOING

_YEAR = re.compile(r"(?:19|20)\d\d")


def with_dates(sentence: str, symbols: list[Symbol], num_images: int) -> list[Symbol]:
    """Put images and dates together, in a sentence of which `num_images` images are shown."""
    symbols = rewritten(symbols, _WHOLE, _whole_picture)
    symbols = rewritten(symbols, _IMAGE, lambda all_, m: _image(all_, m, num_images))
    symbols = rewritten(symbols, _NO_THING, lambda all_, m: _unseen(all_[slice(*m.span())]))
    symbols = rewritten(symbols, _REMARK, _remark)
    return rewritten(symbols, _DATE, lambda all_, m: _date(all_, m, sentence))


_WHOLE = re.compile(r"(?P<before>^|.)(?P<q>Q)(?P<after>b?[cXV]?)")
_PICTURES = ("image", "scene", "picture", "area")


def _whole_picture(symbols: Sequence[Symbol], match: re.Match[str]) -> list[Symbol]:
    """Read "the whole image" as all of it where something covers it, else as the picture."""
    parts = list(symbols[match.start() : match.end()])
    at = match.start("q") - match.start()
    if parts[at].word.split(" ")[-1] in _PICTURES:
        subject = match["before"] in ("", ",", ";") and match["after"][-1:] in ("c", "X", "V")
        if not subject and match["before"] not in ("C", "O"):
            parts[at] = merged("S", [parts[at]], None)
    return parts


_IMAGE = re.compile(r"i?S9|z9")


def _image(symbols: Sequence[Symbol], match: re.Match[str], num_images: int) -> list[Symbol]:
    """Read "image 2" as the second image that is carried, where there is one."""
    parts = symbols[match.start() : match.end()]
    if parts[0].symbol == "z":  # "Region 3" of a list of regions
        return [] if parts[0].word == "region" else list(parts)
    number = parts[-1].payload
    if isinstance(number, float) and number.is_integer() and 1 <= number <= num_images:
        return [merged("Y", parts, str(int(number)))]
    return [merged("u", parts, None)]


_NO_THING = re.compile(r"N[bov]*(?:[XI][,+]+)*I|I(?=b?(?:E|N[bkv]*L))")
_REMARK = re.compile(r"(?<![v#Qw9])I(?=(?P<does>u))|[iv][Q#9]*I(?:[,+]+[XI])*")


def _unseen(parts: Sequence[Symbol]) -> list[Symbol]:
    """Make unknown words of things that are not said to be there, as in "no road"."""
    return [
        Symbol("u", part.start, part.end, None, part.word) if part.symbol == "I" else part
        for part in parts
    ]


def _remark(symbols: Sequence[Symbol], match: re.Match[str]) -> list[Symbol]:
    """Take "cattle graze here" and "a habitat for birds" as remarks on life and use."""
    parts = list(symbols[match.start() : match.end()])
    small = any(isinstance(part.payload, Thing) and part.payload.size_m for part in parts)
    seen = parts[0].symbol == "v" and parts[0].word != "home to"
    if match["does"]:
        seen = symbols[match.end()].word in SEEN_DOING
    return _unseen(parts) if parts[0].word == "for" or (small and not seen) else parts


_DATE = re.compile(
    rf"(?P<day>9?){MONTH}(?P<a>9?)(?:,?(?P<b>9))?|a?9\+9(?![%1*9X])|a9\+9(?![%1*9])|i9(?![%1*9{MONTH}])|9(?=S)|Zo?9"
)


def _date(symbols: Sequence[Symbol], match: re.Match[str], sentence: str) -> list[Symbol]:
    """Read "June 2018", "12 June 2018" and "in 2018" as dates; the rest stays."""
    parts = list(symbols[match.start() : match.end()])
    numbers = [part for part in parts if part.symbol == "9"]
    years = [part for part in numbers if _YEAR.fullmatch(sentence[part.start : part.end])]
    months = [part for part in parts if part.symbol == MONTH]
    if not months and (not years or len(years) < len(numbers)):
        return parts
    if not months and len(years) == 2:  # "between 2016 and 2021"
        return [_dated(part, sentence[part.start : part.end]) for part in years]
    if not months and parts[0].symbol == "Z" and not _is_season(parts[0]):
        return parts
    year = sentence[years[0].start : years[0].end] if years else ""
    month = f"{_whole(months[0]):02d}" if months else ""
    days = [part for part in numbers if part not in years and 1 <= _whole(part) <= 31]
    day = f"{_whole(days[0]):02d}" if days and months else ""
    dated = [part for part in parts if part.symbol not in "Zo"]
    head = [part for part in parts if part.symbol == "Z"]
    return [*head, merged("Z", dated, FactWord("date", f"{year}-{month}-{day}"))]


def _dated(symbol: Symbol, year: str) -> Symbol:
    return merged("Z", [symbol], FactWord("date", f"{year}--"))


def _is_season(symbol: Symbol) -> bool:
    return isinstance(symbol.payload, FactWord) and symbol.payload.kind == "season"


def _whole(symbol: Symbol) -> int:
    return int(symbol.payload) if isinstance(symbol.payload, float) else 0
