"""Words whose sense hangs on what stands beside them: "near 5 %", "upper left borders the water".

The lexicon gives a phrase one symbol; here it gets another where its neighbours ask for that.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from templates.claim.measures import Amount
from templates.claim.rewrite import Rewrite, rewritten
from templates.claim.tokens import Symbol, merged

_Sense = Callable[[Sequence[Symbol]], list[Symbol]]


def with_senses(symbols: list[Symbol]) -> list[Symbol]:
    """Return symbols of which each stands for what it means where it stands."""
    for pattern, sense in _SENSES:
        symbols = rewritten(symbols, pattern, _of_parts(sense))
    return symbols


def _of_parts(sense: _Sense) -> Rewrite:
    """Return a rewriting that gives `sense` the symbols of a match."""
    return lambda symbols, match: sense(symbols[match.start() : match.end()])


def _place_and_verb(parts: Sequence[Symbol]) -> list[Symbol]:
    """Read "the trees at lower left border the water": the last word of the place is a verb."""
    place, verb = parts[-1], parts[-1].word.rpartition(" ")[2]
    if verb not in ("border", "borders"):
        return list(parts)
    cut = place.end - len(verb)
    alone = "P" if " " in place.word.rpartition(" ")[0] else "p"
    where = replace(
        place, symbol=alone, end=cut - 1, word=place.word.removesuffix(f" {verb}").strip()
    )
    return [*parts[:-1], where, Symbol("J", cut, place.end, None, verb)]


def _about(parts: Sequence[Symbol]) -> list[Symbol]:
    """Read "close to 7 %" as about, "close to a large lake" as near."""
    near, amount = parts
    said = amount.payload
    if isinstance(said, Amount) and said.word not in ("", "all"):
        return list(parts)
    return [replace(near, symbol="~"), amount]


def _covers(parts: Sequence[Symbol]) -> list[Symbol]:
    """Read "stretches across a quarter of the image" as covers."""
    return [merged("C", parts, None)]


def _mixed_number(parts: Sequence[Symbol]) -> list[Symbol]:
    """Read "two and a half" before "times" or a unit as 2.5."""
    whole, _, part = parts
    if not isinstance(whole.payload, float) or not isinstance(part.payload, Amount):
        return list(parts)
    if not part.payload.fraction:
        return list(parts)
    return [merged("9", parts, whole.payload + part.payload.value / 100)]


def _goes_on(parts: Sequence[Symbol]) -> list[Symbol]:
    """Read "water, though surrounded by trees, covers": what has no subject is no clause."""
    return [replace(parts[0], symbol=",")]


def _nor(parts: Sequence[Symbol]) -> list[Symbol]:
    """Read "nor are there any trees" as a "no" of its own."""
    joint = parts[0]
    return [replace(joint, symbol="N"), *parts[1:]] if joint.word == "nor" else list(parts)


def _likewise(parts: Sequence[Symbol]) -> list[Symbol]:
    """Read "as does the water", "nor do the trees" as the same said of another class."""
    if parts[0].word not in ("as", "nor", "neither"):
        return list(parts)
    return [merged("&", parts, None)]


def _together(parts: Sequence[Symbol]) -> list[Symbol]:
    """Leave "all" and "alike" out of "water, trees and grass all border the crops"."""
    return [] if parts[0].word in ("all", "alike") else list(parts)


def _one_of_list(parts: Sequence[Symbol]) -> list[Symbol]:
    """Read "the crops as well as the trees" as a list."""
    lists = parts[0].word in ("as well as", "along with", "together with")
    return [replace(parts[0], symbol="+")] if lists else list(parts)


def _nowhere(parts: Sequence[Symbol]) -> list[Symbol]:
    """Read "nowhere does the forest touch the water" as "no"."""
    return [replace(parts[0], symbol="N")]


def _as_clause(parts: Sequence[Symbol]) -> list[Symbol]:
    """Read "as water covers most of the image, ..." as a clause."""
    return [replace(parts[0], symbol=";")] if parts[0].word == "as" else list(parts)


_ENDS = r"(?=(?:zo)?X(?:[,+]X)*(?:[,;]|$))"
_SENSES: tuple[tuple[re.Pattern[str], _Sense], ...] = (
    (re.compile(r"(?<=X)i?P(?=[XN@])"), _place_and_verb),
    (re.compile(r"(?<=X)[Qu](?=[Jgnr]|$|[,;])"), _together),
    (re.compile(r"n(?=9[%1]|Q)(?:9|Q)"), _about),
    (re.compile(r"[Ls]+x(?=[~<>On]*[Q9])"), _covers),
    (re.compile(r"9\+Q(?=[*1])"), _mixed_number),
    (re.compile(r";(?=[gJLCrns])"), _goes_on),
    (re.compile(rf"[i+N]b{_ENDS}"), _likewise),
    (re.compile(r"(?:(?<=X)|(?<=X,))w(?=X)"), _one_of_list),
    (re.compile(r"E(?=bX)"), _nowhere),
    (re.compile(r"(?:(?<=,)|^)i(?=X[bCMJLgHhF])"), _as_clause),
    (re.compile(r"\+[bv]"), _nor),
)
