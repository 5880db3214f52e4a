"""Rewriting a list of symbols where their string matches a pattern."""

import re
from collections.abc import Callable, Sequence

from templates.claim.tokens import Symbol, code_of

Rewrite = Callable[[Sequence[Symbol], re.Match[str]], list[Symbol]]


def rewritten(symbols: list[Symbol], pattern: re.Pattern[str], rewrite: Rewrite) -> list[Symbol]:
    """Return the symbols with every match, left to right, put in other symbols by `rewrite`."""
    code = code_of(symbols)
    done: list[Symbol] = []
    at = 0
    for match in pattern.finditer(code):
        if match.end() == match.start():
            continue
        done.extend(symbols[at : match.start()])
        done.extend(rewrite(symbols, match))
        at = match.end()
    return done + symbols[at:] if at else symbols
