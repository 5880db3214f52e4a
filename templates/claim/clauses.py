"""What a match tells of its clause: denied, of a part of a class only, or the end of a list."""

import re
from collections.abc import Sequence

from templates.claim.tokens import Symbol

_APPOSED = re.compile(r"X[,(w]*[QA]\)?")
# relations that narrow what they follow, unless "is" stands before: "the trees next to the water"
_NARROWING = frozenset("JnrgGL")
_HELPED = r"(?:is|are|was|were|be|been|being|has|have|had|do|does|did|remains?|becomes?) "
_FINITE = re.compile(rf"{_HELPED}|(?:borders?|touch(?:es)?|adjoins?|surrounds?|encloses?|lies?)\b")


def joins_list(match: re.Match[str]) -> bool:
    """Return whether a class with its amount ends a list: "crops (61 %) and trees (21 %)"."""
    and_before = match.string[: match.start()].endswith("+")
    return and_before and _APPOSED.fullmatch(match.group()) is not None


def denied(code: str, at: int) -> bool:
    """Return whether "no" or "not" stands before a symbol."""
    while at and code[at - 1] in "bovi":
        at -= 1
    return code[at - 1 : at] == "N"


def narrows(code: str, symbols: Sequence[Symbol]) -> bool:
    """Return whether a match says which part of a class is meant, and not what the class does."""
    if code in ("XP", "X,P", "XwP"):
        return True
    relation = next((symbol for symbol in symbols if symbol.symbol in _NARROWING), None)
    return relation is not None and _FINITE.match(relation.word) is None
