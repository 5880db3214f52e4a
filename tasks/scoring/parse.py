r"""Which option a reply chooses: one stated rule, for every model alike.

1. What counts is inside the last `<answer>`; without one, what follows the last `</think>`; without
   one, all of the reply. A thought that was never closed holds no answer.
2. A leading letter: alone, before one of `. ) ] : , ;`, or before its own option's text. A capital
   that no word is made of may stand before anything else ("B 35 %").
3. Else the whole text of an option, word for word but for case, quotes and a full stop; or such a
   text with more behind a stop or comma ("Yes, they touch").
4. Else the first capital letter that stands alone (the paper's `\b[A-D]\b`), of those that are
   offered. "A" before a lower-case word is an article, unless "answer", "option", "choice" or
   "letter" leads to it, or a verb or "because" follows.
5. Else a small letter that "answer", "option", "choice" or "letter" leads to.
6. Else there is no answer, and the item counts as wrong.

The first letter counts, whatever is said of it: "B or C" is B, and so is "not B but C".
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from string import ascii_uppercase

from schemas.trace import ANSWER_CLOSE, ANSWER_OPEN, THINK_CLOSE, THINK_OPEN
from tasks.answer_text import read_quantity

_QUOTES = " \t\r\n\"'`*“”‘’"
_CUE = r"(?:answer|option|choice|letter)\b(?:\s+(?:is|was|would\s+be))?\s*[:=]?\s*[(\[\"'`*]*"
_LEADING = re.compile(r"\W*([A-Za-z])(?![\w'’])(.*)", re.DOTALL)
_STOPPED = re.compile(r"[\"'`*\s]*[.)\]:,;*](?!\w)")
_CAPITAL = re.compile(r"(?<![\w.°'’/-])([A-Z])(?![\w'’°/-]|\.\w)")
_BEFORE_A = re.compile(_CUE + r"$", re.IGNORECASE)
_AFTER_A = re.compile(
    r"\s+(?:is|was|because|since|as|seems|looks|fits|matches|would|should|must|and|or)\b"
)
_LOWER_WORD = re.compile(r"\s+[a-z]")
_SMALL = re.compile(r"\b" + _CUE + r"([a-z])(?=[\"'`*]*(?:[.)\]:,;]|\s*$))", re.IGNORECASE)
_OPEN_LETTER = re.compile(r"^[A-Z][.)] ")


class How(StrEnum):
    """How an answer was found."""

    LEADING_LETTER = "leading letter"
    OPTION_TEXT = "text of an option"
    FIRST_LETTER = "first letter that stands alone"
    SMALL_LETTER = "small letter after a cue"
    WORDS = "words"  # of an open question
    NOT_AT_ALL = "not at all"


@dataclass(frozen=True, slots=True)
class Choice:
    """The option that a reply chooses, by its place; None where it chooses none."""

    option: int | None
    how: How


NO_CHOICE = Choice(None, How.NOT_AT_ALL)


def answer_part(reply: str) -> str:
    """Return the part of a reply that its answer is read from, "" where there is none."""
    _, opened, rest = reply.rpartition(ANSWER_OPEN)
    if opened:
        return rest.partition(ANSWER_CLOSE)[0].strip()
    before, closed, after = reply.rpartition(THINK_CLOSE)
    if closed:
        return after.strip()
    return "" if THINK_OPEN in before + after else reply.strip()


def choose(said: str, options: Sequence[str]) -> Choice:
    """Return the option that the answering part of a reply chooses."""
    letters = ascii_uppercase[: len(options)]
    rules = (
        (How.LEADING_LETTER, _leading(said, options)),
        (How.OPTION_TEXT, _option_text(said, options)),
        (How.FIRST_LETTER, _first_capital(said, letters)),
        (How.SMALL_LETTER, _small(said, letters)),
    )
    found = (Choice(option, how) for how, option in rules if option is not None)
    return next(found, NO_CHOICE)


def says(said: str, answer: str) -> bool:
    """Return whether the answering part of a reply is an open question's answer.

    Word for word, but for a leading letter, case, room, quotes and a full stop; a number may be
    written with or without its thousands' commas, and in another unit of the same kind.
    """
    words, due = _OPEN_LETTER.sub("", said.strip(_QUOTES)), answer
    if _plain(words) == _plain(due):
        return True
    read, true = read_quantity(words.strip(_QUOTES).removesuffix(".")), read_quantity(due)
    if read is None or true is None:
        return False
    return read[1] == true[1] and math.isclose(read[0], true[0])  # 0.07 ha is 700.0000000000001 m²


def _leading(said: str, options: Sequence[str]) -> int | None:
    match = _LEADING.match(said)
    if match is None:
        return None
    option = ascii_uppercase.find(match[1].upper())
    if not 0 <= option < len(options):
        return None
    rest = match[2]
    alone = not rest.strip(_QUOTES + ".)]>")
    certain = match[1].isupper() and match[1] not in "AI" and not rest.startswith((".", "-", "/"))
    named = _plain(rest).startswith(_plain(options[option])) and bool(_plain(options[option]))
    return option if alone or _STOPPED.match(rest) or named or certain else None


def _option_text(said: str, options: Sequence[str]) -> int | None:
    words = _plain(said)
    for option, text in enumerate(options):
        if words == _plain(text):
            return option
    begun = [
        option
        for option, text in enumerate(options)
        if _plain(text) and re.match(re.escape(_plain(text)) + r"[.,;:!](?!\w)", words)
    ]
    return begun[0] if len(begun) == 1 else None


def _first_capital(said: str, letters: str) -> int | None:
    for match in _CAPITAL.finditer(said):
        if match[1] in letters and not _is_article(said, match):
            return letters.index(match[1])
    return None


def _is_article(said: str, match: re.Match[str]) -> bool:
    if match[1] != "A" or not _LOWER_WORD.match(said, match.end()):
        return False
    return not (_BEFORE_A.search(said[: match.start()]) or _AFTER_A.match(said, match.end()))


def _small(said: str, letters: str) -> int | None:
    for match in _SMALL.finditer(said):
        if match[1].upper() in letters:
            return letters.index(match[1].upper())
    return None


def _plain(words: str) -> str:
    return " ".join(words.strip(_QUOTES).removesuffix(".").casefold().split())
