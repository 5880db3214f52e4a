"""What pronouns stand for, which clauses are only supposed, and lists as one symbol.

"Cropland, trees and water" becomes one class symbol with three meanings, unless what follows says
something of the last one only: in "water borders trees and crops cover 5 %" the crops are the
subject of the second verb.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from templates.claim.chunks import meanings_of, places_of
from templates.claim.classes import Meaning
from templates.claim.tokens import Symbol, code_of, merged

Antecedent = tuple[Meaning, ...]  # of the sentence before, where it names one class

_MANY = frozenset(("they", "them", "their", "these areas", "those areas", "these patches"))
_RELATIVE = frozenset(("which",))
_CLAUSE_END = ",;"
_SUPPOSED = "!"
_REJECTED = frozenset(("rather than", "instead of", "as opposed to"))  # what follows is not so


# "apart from cropland, trees are the largest class" is not about all of the picture
_SAVE = frozenset(
    (
        "except",
        "except for",
        "other than",
        "besides",
        "aside from",
        "apart from",
        "excluding",
        "leaving aside",
    )
)


def with_pronouns(symbols: Sequence[Symbol], antecedent: Antecedent) -> list[Symbol]:
    """Put a class for every pronoun: one named before it, else the one of the sentence before.

    "Which" after a class is that class, "they" after a list are all of it. Where a sentence has
    named two classes "it" may be either, which are then two readings of one meaning; where it may
    be one of more, or nothing, it becomes an unknown word.
    """
    done: list[Symbol] = []
    named: list[Meaning] = []  # in this sentence, the latest last
    for at, symbol in enumerate(symbols):
        if symbol.symbol == "X":
            named.extend(meanings_of(symbol))
        elif symbol.symbol == "I":
            named.append(_SOMETHING)  # "the lake ... it" may be the lake
        elif symbol.symbol == "@":
            meant = _meant(symbol.word, done, named, antecedent)
            kind = "X" if meant else "u"
            symbol = Symbol(kind, symbol.start, symbol.end, meant or None, PRONOUN)
        elif _is_the_two(symbols, at) and (meant := _both(named)):
            symbol = Symbol("X", symbol.start, symbol.end, meant, PRONOUN)
        done.append(symbol)
    return done


PRONOUN = "pronoun"  # the word of a symbol that was one
_SOMETHING = Meaning("", ())
_OBJECT = re.compile(r"(?P<x>X?)[bLN]*[JgGnr][iw]?\Z")  # a class does not border itself
_LISTED = re.compile(r"X(?:[,+]+X)+[^X]*\Z")


def _meant(
    word: str, before: Sequence[Symbol], named: Sequence[Meaning], antecedent: Antecedent
) -> Antecedent:
    distinct = tuple(dict.fromkeys(named))
    code = code_of(before)
    listed = _LISTED.search(code)
    if word in _RELATIVE and code.rstrip(",+obL")[-1:] == "X":
        return () if listed else distinct[-1:]
    if word in _MANY and listed and _SOMETHING not in distinct:
        start = listed.start()
        members = [meaning for s in before[start:] if s.symbol == "X" for meaning in meanings_of(s)]
        return tuple(dict.fromkeys(members))
    if not distinct:
        return antecedent if len(antecedent) == 1 else ()
    if len(distinct) == 1 and distinct[0] is not _SOMETHING:
        return distinct
    if len(distinct) == 2 and (verb := _OBJECT.search(code)):
        subject = before[verb.start("x")].payload if verb["x"] else distinct[0]
        return tuple(meaning for meaning in distinct if meaning not in (subject, _SOMETHING))[-1:]
    if len(distinct) == 2 and distinct[0].layer == distinct[1].layer:
        return (_either(*distinct),)
    return ()


def _is_the_two(symbols: Sequence[Symbol], at: int) -> bool:
    """Return whether "the two" may stand for two classes: "the two lie 900 m apart"."""
    symbol = symbols[at]
    follows = code_of(symbols[at + 1 : at + 2])
    two = symbol.symbol == "#" and symbol.word == "two" and next(symbol.leaves).after_article
    return two and follows in tuple("bLJjdn")


def _both(named: Sequence[Meaning]) -> Antecedent:
    """Return the two classes that a sentence has named; none where there are more or fewer."""
    distinct = tuple(dict.fromkeys(named))
    return distinct if len(distinct) == 2 and _SOMETHING not in distinct else ()


def _either(a: Meaning, b: Meaning) -> Meaning:
    """Return two classes as the two readings of one word."""
    return replace(a, sets=(a.sets[0], b.sets[0]), kind=a.kind or b.kind)


def without_supposed(symbols: Sequence[Symbol], *, asked: bool) -> list[Symbol]:
    """Make unknown words of every clause that only supposes, and of all if it is a question."""
    done = list(symbols)
    code = code_of(symbols)
    asked = asked or any(symbol.word in _SAVE for symbol in symbols)
    start = 0
    for end in [*(at for at, symbol in enumerate(code) if symbol in _CLAUSE_END), len(code)]:
        supposed = [at for at in range(start, end) if code[at] == _SUPPOSED]
        if asked or supposed:
            rejected = not asked and all(symbols[at].word in _REJECTED for at in supposed)
            for at in range(supposed[0] if rejected else start, end):
                done[at] = Symbol("u", symbols[at].start, symbols[at].end)
        start = end + 1
    return done


_CLASSES = re.compile(r"X(?:,?\+X|,X)+")
_PLACES = re.compile(r"P(?:[,+i]+P)+")
_CONTRARY = frozenset(("but", "yet"))  # they part what they stand between
_TAKERS = frozenset("JgGnrmcVvMfFt=*CQAwoiNLKka")  # what a list of classes may be the object of
_CLASS_VERBS = re.compile(r"b?[CcLkMmJjgGnrHhUFKED2yls=OVNE*]|b[PQ#T]")
_PLACE_VERBS = re.compile(r"b?[cmvVM]|X|b[XQ]")
_PARTICIPLE = re.compile(
    r".*ing$|located|situated|found|concentrated|spread|scattered|seen|visible"
)


def grouped(symbols: Sequence[Symbol]) -> list[Symbol]:
    """Put lists of classes and of places together."""
    done = _grouped(symbols, _CLASSES, "X", _CLASS_VERBS)
    return _grouped(done, _PLACES, "P", _PLACE_VERBS)


def _grouped(
    symbols: Sequence[Symbol], pattern: re.Pattern[str], kind: str, verbs: re.Pattern[str]
) -> list[Symbol]:
    code = "".join(
        "@" if s.word == PRONOUN else "." if s.word in _CONTRARY else s.symbol for s in symbols
    )
    done: list[Symbol] = []
    at = 0
    for match in pattern.finditer(code):
        members = [place for place in range(match.start(), match.end()) if code[place] == kind]
        stop = match.end()
        if _last_goes_on(symbols, code, match, verbs, kind):
            members, stop = members[:-1], members[-2] + 1
        done.extend(symbols[at : match.start()])
        done.append(_group([symbols[place] for place in members], symbols[members[0] : stop], kind))
        at = stop
    return [*done, *symbols[at:]]


def _last_goes_on(
    symbols: Sequence[Symbol],
    code: str,
    match: re.Match[str],
    verbs: re.Pattern[str],
    kind: str,
) -> bool:
    """Return whether the last of a list is the subject of what follows, and not of the list."""
    before = code[: match.start()].rstrip("b")[-1:]
    taken = before in _TAKERS if kind == "X" else before not in ("", ",", ";")
    follows = verbs.match(code, match.end())
    if follows and kind == "X" and "+" not in match.group():
        return True  # "in contrast to the cropland, water lies in the north"
    if not (taken and before and follows):
        return False
    joint = next(symbols[at].word for at in reversed(range(match.end())) if code[at] in "+,")
    if before == "N" and (joint == "nor" or follows.group().strip("b") in ("", "L")):
        return False  # "no snow or wetland is visible"
    return kind == "P" or not _PARTICIPLE.fullmatch(symbols[match.end()].word)


def listed(classes: Sequence[Symbol]) -> Symbol:
    """Return several class symbols as one."""
    return merged("X", classes, tuple(m for symbol in classes for m in meanings_of(symbol)), "list")


def _group(members: Sequence[Symbol], parts: Sequence[Symbol], kind: str) -> Symbol:
    if len(members) == 1:
        return members[0]
    if kind == "X":
        return replace(listed(members), parts=tuple(parts), end=parts[-1].end)
    return merged(kind, parts, tuple(p for member in members for p in places_of(member)), "list")
