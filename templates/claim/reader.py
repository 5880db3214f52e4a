"""A sentence into claims: its symbols are put together, then matched by frames, left to right."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from templates.claim.chunks import chunked, meanings_of
from templates.claim.classes import Classes, Meaning, Thing, objects_of
from templates.claim.clauses import denied, joins_list, narrows
from templates.claim.cues import CONTENT
from templates.claim.dates import Dates, dated
from templates.claim.ellipsis import said_again
from templates.claim.facts import FactWord
from templates.claim.found import Found, Frame
from templates.claim.frames import FRAMES_BY_SYMBOL
from templates.claim.groups import (
    PRONOUN,
    Antecedent,
    grouped,
    listed,
    with_pronouns,
    without_supposed,
)
from templates.claim.images import with_dates
from templates.claim.lexicon import lexicon
from templates.claim.measures import Amount
from templates.claim.read import Kind, Read
from templates.claim.senses import with_senses
from templates.claim.tokens import Symbol, code_of, scan

MAX_CHARACTERS = 3000  # of a sentence that is read; no person writes a longer one


@dataclass(frozen=True, slots=True)
class ReadSentence:
    """The claims of a sentence, its words of content that none accounts for, its classes."""

    reads: tuple[Read, ...]
    left_over: tuple[str, ...]
    named: Antecedent


def read_sentence(
    sentence: str, classes: Classes, dates: Dates, antecedent: Antecedent = ()
) -> ReadSentence:
    """Read the claims of one sentence about a scene with these classes.

    `antecedent` is the class that the sentence before named, if it named exactly one.
    """
    if len(sentence) > MAX_CHARACTERS:
        return ReadSentence((), (sentence,), ())
    symbols = scan(sentence, lexicon(classes))
    symbols = with_dates(sentence, symbols, len(dates.of_images))
    symbols = without_supposed(symbols, asked=sentence.rstrip().endswith("?"))
    symbols = with_senses(symbols)
    date_of = dated(symbols, dates)
    alone = tuple(_single(symbols))
    symbols = with_pronouns(chunked(symbols), antecedent)
    symbols = without_auxiliaries(grouped(symbols))
    reader = _Reader(symbols, date_of, objects_of(classes))
    reader.run()
    reads = (*reader.reads, *_presence(symbols, reader.quiet, date_of), *alone)
    left = tuple(
        sentence[symbol.start : symbol.end]
        for number, symbol in enumerate(reader.symbols)
        if (symbol.symbol in CONTENT and id(symbol) not in reader.accounted)
        or id(symbol) in reader.unheard
    )
    named = {meaning for s in symbols if s.symbol == "X" for meaning in meanings_of(s)}
    return ReadSentence(reads, left, tuple(named) if len(named) == 1 else ())


_AUXILIARY = re.compile(r"b+(?=[cCmMgGJjkLnrsHhUFKED2yv=lq*VO])")


def without_auxiliaries(symbols: Sequence[Symbol]) -> list[Symbol]:
    """Leave out "is" and "has" before another verb."""
    code = code_of(symbols)
    dropped = {at for match in _AUXILIARY.finditer(code) for at in range(*match.span())}
    kept = []
    for at, symbol in enumerate(symbols):
        if at - 1 in dropped:
            symbol.word = f"{symbols[at - 1].word} {symbol.word}"
        if at not in dropped:
            kept.append(symbol)
    return kept


def _presence(
    symbols: Sequence[Symbol], quiet: set[int], date_of: dict[int, int | None]
) -> Iterator[Read]:
    """Yield that every class is there that a sentence names, unless it is said not to be."""
    for group in symbols:
        for symbol in group.leaves:
            if symbol.symbol == "X" and symbol.word != PRONOUN and id(group) not in quiet:
                for meaning in meanings_of(symbol):
                    yield Read(
                        kind=Kind.PRESENT,
                        start=symbol.start,
                        end=symbol.end,
                        a=(meaning,),
                        date=date_of.get(symbol.start),
                    )


def _single(symbols: Sequence[Symbol]) -> Iterator[Read]:
    """Yield what a word claims on its own: a thing, a sensor, a colour, a date."""
    for symbol in symbols:
        start, end = symbol.start, symbol.end
        if symbol.symbol == "I" and isinstance(symbol.payload, Thing):
            yield Read(kind=Kind.THING, start=start, end=end, thing=symbol.payload)
        elif symbol.symbol == "Z" and isinstance(symbol.payload, FactWord):
            yield Read(kind=Kind.FACT, start=start, end=end, fact=symbol.payload)


_VERBS = frozenset("CLKkMsJgGnrHhUF2yD=lq*fO")
_TAIL = re.compile(
    r"(?:[QAd](?=[,;+)(wPfL]|$)|#(?=[A,;+()w]|$)|[KkL]*P(?!b?[cmvVM]|,?[bv]*X|iX)|[Lb]*K)"
)
_DENIED = re.compile(r"b?N[JLEP?]")  # "... and does not border the trees"
_MENTION = re.compile(r"(?:(?:^|[,;+])i?|[(vwLPo]|(?:^|[^i+])b)$")
_FURTHER = re.compile(r"[,;+P]*")
_RELATED = re.compile(r"[JjgGnrF=*lq]")
_SUBJECT_VERBS = frozenset("CbeLMDJgGFf2ylq=*")
_PARTICIPLE = re.compile(r"\w+ing\b|(?:\w+ed\b|found|spread|visible|seen|adjacent|next)")


@dataclass
class _Reader:
    """Walks through the symbols of one sentence and collects claims.

    `subject` is the class whose verb came last, which a further verb without a subject goes on
    with: "water covers 5 % and borders the trees". `last` is the class that came last, to which an
    amount or a place may be added: "... is the largest class, with 43 %".
    """

    symbols: list[Symbol]
    date_of: dict[int, int | None]
    objects: Meaning | None
    reads: list[Read] = field(default_factory=list)
    accounted: set[int] = field(default_factory=set)
    quiet: set[int] = field(default_factory=set)
    unheard: set[int] = field(default_factory=set)  # classes of which more is said than is read
    subject: Symbol | None = None
    last: Symbol | None = None
    front: Symbol | None = None
    said: list[Symbol] = field(default_factory=list)  # the last claim that began with its subject
    narrowed: bool = False  # the subject is only a part of its class
    ended: int = -1  # where the last match ended
    related: bool = False  # it was of two classes
    fresh: bool = True  # right after a match, or where a clause begins

    def run(self) -> None:
        """Read the whole sentence."""
        at = 0
        while at < len(self.symbols):
            at = self._step(at)

    def _step(self, at: int) -> int:
        """Read what begins at a place; return where to go on."""
        if (again := said_again(self.symbols, at, self.said)) is not None:
            self.symbols[:] = again
        code = code_of(self.symbols)
        if code[at] == ";":
            self.subject = self.last = self.front = None
            self.narrowed = False
        end = self._match(at, code)
        if end is None and self._goes_on(at, code):
            end = self._match_with_subject(at)
        if end is None:
            self._pass(at, code)
            end = at + 1
        return end

    def _pass(self, at: int, code: str) -> None:
        """Go past a symbol with which no frame begins; some are claims on their own."""
        symbol = self.symbols[at]
        if code[at] in "ZI":
            self.accounted.add(id(symbol))
        if code[at] == "I":
            self.subject = self.last = None
        elif code[at] == "X":
            self.subject, self.last = None, symbol
            if not self._only_mentioned(at, code):
                self.unheard.add(id(symbol))
            if denied(code, at) or code[at - 1 : at] == "&":
                self.quiet.add(id(symbol))
        elif code[at] == "P" and code[at - 1 : at] in ("", ",", ";", "+") and not self.last:
            self.front = symbol
        self.fresh = code[at] in ",+(;w"

    def _only_mentioned(self, at: int, code: str) -> bool:
        """Return whether a class that no frame takes up is only said to be there.

        After a relation it may be of that: "water borders the crops and, in the east, the trees".
        """
        if self.ended == at:
            return True  # a frame has looked ahead at it
        if self.related and _FURTHER.fullmatch(code, self.ended, at):
            return False
        return _MENTION.search(code, 0, at) is not None

    def _match(self, at: int, code: str, *, narrowed: bool = False) -> int | None:
        """Take the first frame that fits at a place; return where it ends."""
        if denied(code, at) and code[at] not in "NT":
            return None  # "not all of the image is cropland"
        if code[at] == "P" and self.fresh and code[at - 1 : at] not in ("", *",;+w(b"):
            return None  # a place right after a claim belongs to it
        owned = code[at - 1 : at] in ("o", "i") and self.symbols[at].word != PRONOUN
        for frame in FRAMES_BY_SYMBOL.get(code[at], ()):
            match = frame.pattern.match(code, at)
            if match is None:
                continue
            if owned and match.group()[1:2] in _SUBJECT_VERBS:
                continue  # of "the land north of the water covers" it is not the subject
            date = self.date_of.get(self.symbols[at].start)
            found = Found(match, self.symbols, date, self.front, self.objects, narrowed)
            reads = frame.build(found)
            if reads is None:
                continue
            self._take(frame, match, reads)
            self.ended = match.end()
            self.related = _RELATED.search(match.group()) is not None
            return match.end()
        return None

    def _take(self, frame: Frame, match: re.Match[str], reads: list[Read]) -> None:
        self.reads.extend(reads)
        symbols = self.symbols[match.start() : match.end()]
        if reads:
            self.accounted.update(id(symbol) for symbol in symbols)
        if match.group()[0] == "P" and match.group()[-1] != "X":
            self.front = symbols[0]
        classes = [
            symbol for symbol in symbols if symbol.symbol == "X" and symbol.start < symbol.end
        ]
        if symbols[0].symbol == "X":
            self.said = symbols
        for name in frame.quiet:
            if match.groupdict().get(name):
                self.quiet.add(id(self.symbols[match.start(name)]))
        if classes:
            self.last = classes[-1]
            head = symbols[0].symbol
            whole = head == "X"
            own = (
                whole or (head in "Q#P" and symbols[-1].symbol in "XP") or match.group()[:2] == "D,"
            )
            before = self.subject
            self.subject = classes[0] if own else None
            if before and own and joins_list(match):
                self.subject = listed([before, classes[0]])
            self.narrowed = not whole or narrows(match.group(), symbols)
        self.fresh = True

    def _goes_on(self, at: int, code: str) -> bool:
        """Return whether a verb, an amount or a place can go on with a class named before."""
        if not self.fresh:
            return False
        if (code[at] in _VERBS or _DENIED.match(code, at)) and self._subject_of(at) is not None:
            return True
        if self.last is None or _TAIL.match(code, at) is None:
            return False
        amount = self.symbols[at].payload
        # "... completely" says how, not how much of the picture
        return not (isinstance(amount, Amount) and amount.word)

    def _match_with_subject(self, at: int) -> int | None:
        verb = self.symbols[at].symbol in _VERBS or self.symbols[at].symbol in "bN"
        subject = (self._subject_of(at) if verb else None) or self.last
        assert subject is not None
        here = self.symbols[at]
        repeated = Symbol("X", here.start, here.start, subject.payload, PRONOUN)
        self.symbols.insert(at, repeated)
        kept, last = self.subject, self.last
        end = self._match(at, code_of(self.symbols), narrowed=self.narrowed)
        if end is None or end == at + 1:
            self.symbols.pop(at)
            return None
        self.subject = kept or subject
        self.last = self.last or last
        return end

    def _subject_of(self, at: int) -> Symbol | None:
        """Return the class that a verb without a subject speaks of, if any.

        A participle may follow any class: "dominated by cropland, covering 62 %".
        """
        symbol = self.symbols[at]
        if self.subject is None and (symbol.symbol == "f" or _PARTICIPLE.match(symbol.word)):
            return self.last
        return self.subject
