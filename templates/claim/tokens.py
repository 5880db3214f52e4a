"""A sentence as symbols: one pass over its words with the tree of phrases."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from templates.claim.facts import MONTHS, FactWord
from templates.claim.lexicon import ARTICLES, Entry, Node, Payload

# words, numbers with thousands separated, ISO dates, marks
_WORD = re.compile(
    r"(?P<iso>\d{4}-\d{2}-\d{2})(?!\d)"
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"|(?P<word>k?m2\b|[^\W\d_]+(?:['’][^\W\d_]+)*)"
    r"|(?P<mark>[^\s\w])"
)
_LIST_MARK = re.compile(r"\s*(?:\d{1,2}[.)]|[-*•])\s+")  # "2. Water covers ..."
SEG = re.compile(r"\[SEG(?: \d+)?\]")
_MARKS = {
    **dict.fromkeys("([", "("),
    **dict.fromkeys(")]", ")"),
    **dict.fromkeys(",:", ","),
    ";": ";",
    "%": "%",
    "&": "+",
    "/": "+",
}
_DASHES = "-–—−‐‑"
_SILENT = ".!?\"'“”‘’*"
MONTH = "0"  # a symbol that never leaves `templates.claim.chunks`


@dataclass(slots=True)
class Symbol:
    """A piece of a sentence: text[start:end], what it stands for, and the words as matched."""

    symbol: str
    start: int
    end: int
    payload: Payload = None
    word: str = ""
    after_article: bool = False
    parts: "tuple[Symbol, ...]" = ()  # what it was put together from, without carriers

    @property
    def leaves(self) -> "Iterator[Symbol]":
        """The symbols as they were read, whatever was put together since."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves


def scan(sentence: str, root: Node) -> list[Symbol]:
    """Return the symbols of a sentence in order, without carriers; [SEG] marks are passed over."""
    text = SEG.sub(lambda mark: " " * len(mark.group()), sentence)
    listed = _LIST_MARK.match(text)
    words = list(_WORD.finditer(text, listed.end() if listed else 0))
    lowered = [_lower(match) for match in words]
    symbols: list[Symbol] = []
    index = 0
    while index < len(words):
        entry, following = _longest(lowered, index, root)
        if entry is None or words[index].lastgroup != "word" or _is_month(words, index):
            entry, following = _single(words, index), index + 1
        if entry.symbol == "." or entry.symbol == "":
            index = following
            continue
        start, end = words[index].start(), words[following - 1].end()
        prior = lowered[index - 1] if index else ""
        symbols.append(
            Symbol(
                entry.symbol,
                start,
                end,
                entry.payload,
                " ".join(lowered[index:following]),
                prior in ARTICLES,
            )
        )
        index = following
    return symbols


def _lower(match: re.Match[str]) -> str:
    word = match.group().lower().replace("’", "'")
    return word.removesuffix("'s")


def _longest(words: Sequence[str], index: int, root: Node) -> tuple[Entry | None, int]:
    """Return the entry of the longest phrase that begins at a word, and where it ends."""
    found: tuple[Entry | None, int] = (None, index + 1)
    node = root.following.get(words[index])
    at = index + 1
    while node is not None:
        if node.entry is not None:
            found = (node.entry, at)
        while at < len(words) and (words[at] in ARTICLES or words[at] in _DASHES):
            at += 1
        if at >= len(words):
            break
        node = node.following.get(words[at])
        at += 1
    return found


def _single(words: Sequence[re.Match[str]], index: int) -> Entry:
    """Return the entry of a number, a mark, or a word that no phrase begins with."""
    text, group = words[index].group(), words[index].lastgroup
    if group == "iso":
        return Entry("Z", FactWord("date", text))
    if group == "number":
        return Entry("9", float(text.replace(",", "")))
    if group == "mark":
        return _mark(words, index, text)
    if _is_month(words, index):
        return Entry(MONTH, float(MONTHS.index(text.lower()) + 1))
    return Entry("u")


def _is_month(words: Sequence[re.Match[str]], index: int) -> bool:
    """Tell the month of May from what may be, and March from a march."""
    text = words[index].group()
    return text[0].isupper() and text.lower() in MONTHS and (index > 0 or len(text) > 5)


def _mark(words: Sequence[re.Match[str]], index: int, text: str) -> Entry:
    """A dash joins words, makes a range of two numbers, or sets off a part of the sentence."""
    if text in _DASHES:
        before, after = words[index - 1] if index else None, words[index + 1 : index + 2]
        if before and after and before.lastgroup == after[0].lastgroup == "number":
            return Entry("-")
        joined = before and after and before.end() == after[0].start() - 1
        return Entry("." if joined else ",")
    if text in _SILENT:
        return Entry(".")
    return Entry(_MARKS.get(text, "u"))


def code_of(symbols: Sequence[Symbol]) -> str:
    """Return the symbols as a string, one character each."""
    return "".join(symbol.symbol for symbol in symbols)


def merged(symbol: str, parts: Sequence[Symbol], payload: Payload, word: str = "") -> Symbol:
    """Return one symbol for several that follow one another."""
    return Symbol(
        symbol, parts[0].start, parts[-1].end, payload, word or parts[0].word, False, tuple(parts)
    )
