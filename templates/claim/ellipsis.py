"""What is said again in fewer words: "..., as do the crops", "... but not the water".

The reader keeps the last claim that began with its subject; here its words are put where a sentence
leaves them out.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from templates.claim.groups import PRONOUN
from templates.claim.tokens import Symbol, code_of

_LIKEWISE = re.compile(r"&(?P<x>X)")
_BUT_NOT = re.compile(r"N[io]?(?P<x>X)(?=[,;+]|$)")
_BORDERS = re.compile(r"XL?J[iw]?X")


def said_again(symbols: Sequence[Symbol], at: int, said: Sequence[Symbol]) -> list[Symbol] | None:
    """Return the symbols with the words that are left out at a place; None where none are."""
    code = code_of(symbols)
    if match := _LIKEWISE.match(code, at):
        subject = symbols[match.start("x")]
        words = [subject, *_repeated(said[1:], subject.end)]
    elif (match := _BUT_NOT.match(code, at)) and code[at - 1 : at] in (",", "+"):
        if not _BORDERS.fullmatch(code_of(said)):
            return None
        no, other = symbols[at], symbols[match.start("x")]
        words = [
            *_repeated(said[:1], no.start),
            no,
            *_repeated([s for s in said if s.symbol == "J"], no.end),
            other,
        ]
    else:
        return None
    return [*symbols[:at], *words, *symbols[match.end() :]] if said else None


def _repeated(symbols: Sequence[Symbol], at: int) -> list[Symbol]:
    """Return symbols as said again, without words of their own, at a place of the sentence."""
    return [
        replace(s, start=at, end=at, parts=(), word=PRONOUN if s.symbol == "X" else s.word)
        for s in symbols
    ]
