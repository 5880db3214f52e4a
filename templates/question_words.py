"""What a question must say of the operations, numbers and distances of its program.

Every check looks both ways: what the program does must be said, and nothing else may be asked.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from schemas.program import ClassMask, Instances, Majority, Minus, Near, Number, Share, Valid
from schemas.trace import M2_PER_HA
from schemas.value import Name, Quantity, Truth, Value
from templates.claim.measures import FRACTIONS, NUMBER_WORDS
from templates.named import dates_of, labels_of, nodes

Said = tuple[float, str]  # a number and its unit, "" for none

# what a question must say, by the operation that its program is; one word of the pattern is enough
SAYS: Mapping[str, str] = {
    "share": r"percent|per cent|%|share|fraction|proportion|part\b|how much",
    "div": r"percent|per cent|%|share|fraction|proportion|part\b|ratio|times\b|how much",
    "area": r"area\b|large|size\b|hectares?\b|square|how much|extent",
    "count": r"how many|number|count",
    "border_length": r"border|boundary|edge",
    "distance": r"distance|how far|apart\b|separat|how close|how near",
    "add": r"together|total|sum\b|combined|and\b",
    "sub": r"differ|more\b|less\b|larger|smaller|exceed|gain|los[ts]|chang|grew|shr[aiu]nk",
    "mul": r"times\b|product|twice|double",
    "exists": r"is there|are there|was there|were there|any\b|exist|contain|present|found|occur|"
    r"lies?\b|has\b|have\b",
    "border": r"border|adjacent|touch|next to|adjoin|boundary|beside|neighbou?r",
    "compare": r"more\b|less\b|larger|smaller|bigger|greater|fewer|longer|shorter|higher|lower|"
    r"far?ther|further|nearer|closer|exceed|than\b|over\b|above|under\b|below|at least|at most|"
    r"half|outnumber|outweigh|surpass|gr[eo]w|shr[aiu]nk|increas|decreas|expand|declin|gain|los[te]",
    "cell": r"where|which part|which corner|location|located|which direction|in which",
    "argmax": r"which|what",
    "rank": r"which|what",
    "first": r"first|earliest",
    "nearest": r"nearest|nearer|closest|closer|shortest|shorter",
    "majority": r"half|most\b|majority|domina|mainly",
}
_INNER = {  # within a comparison, where size is what is meant unless something else is said
    "count": r"number|count|how many|patch|areas\b|pieces|parts\b|fewer|outnumber|separate",
    "border_length": r"border|boundary|edge",
    "distance": r"distance|far|clos|near|apart\b",
}
_RANKED = ("compare", "argmax", "rank")
_IS_IT = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b", re.IGNORECASE
)
_HOW = re.compile(r"\b(?:how|what|which|where|when)\b|\bis it\b.* or ", re.IGNORECASE)
_HOW_FIRST = re.compile(
    r"\bhow\b|\bwhat\b|\bwhere\b|(?:^|[;:]\s*|\b(?:in|of|to|with|by|from|on)\s+)which\b",
    re.IGNORECASE,
)
_SHARE_WORDS = r"percent|per cent|%|share|fraction|proportion"
_COUNTED = (
    r"patch|number of|how many(?! (?:%|percent|per cent|ha\b|hectares|square|k?m\b|met|kilo|times))"
)
_OF_IMAGE = (
    r"(?:share|percent(?:age)?|per cent|%|fraction|proportion|what part|an? (?:half|third|quarter)|"
    r"than half|much)\s+of\s+(?:the\s+)?(?:whole\s+|entire\s+|labell?ed\s+(?:area|part)\s+of\s+"
    r"(?:the\s+)?)?(?:images?|scene|picture)\b"
)
_IMAGE = r"images?\b|scene|picture|total|whole|overall|entire|labell?ed|ground|land\b"
_EXCLUDES = (
    r"exclud|outside|beyond|except|other than|apart from|leaving out|more than|far?ther than|"
    r"further than|over\b|away from"
)
_BEYOND = r"(?<!no )(?:more|further|far?ther|greater) than |over |beyond |outside |at least "
GAIN = r"gain|new\b|newly|appear|gr[eo]w|increas|expan|becam|becom|turned into|convert|taken"
LOSS = r"los[ts]|lose|disappear|shr[aiu]nk|decreas|declin|gone\b|clear|remov|gave way|give way"

_UNITS: Mapping[str, Said] = {
    r"%|percent|per cent": (0.01, "share"),
    r"ha\b|hectares?": (M2_PER_HA, "m2"),
    r"km²|km2\b|square kilomet(?:re|er)s?|sq\.? ?km": (1e6, "m2"),
    r"m²|m2\b|square met(?:re|er)s?|sq\.? ?m\b": (1.0, "m2"),
    r"km\b|kilomet(?:re|er)s?": (1000.0, "m"),
    r"m\b|met(?:re|er)s?": (1.0, "m"),
}
_DIGITS = r"(?<![\w.])\d[\d,]*(?:\.\d+)?"
_WORDS = "|".join(sorted((word for word in NUMBER_WORDS), key=len, reverse=True))
_SAID = re.compile(
    rf"(?P<number>{_DIGITS})(?:[\s-]*(?:{'|'.join(f'({unit})' for unit in _UNITS)}))?",
    re.IGNORECASE,
)
_SAID_IN_WORDS = re.compile(
    rf"\b(?P<number>{_WORDS})\b(?:[\s-]*(?:{'|'.join(f'({unit})' for unit in _UNITS)}))?",
    re.IGNORECASE,
)
_MULTIPLES = {"twice": 2.0, "double": 2.0, "half": 0.5, "triple": 3.0, "quarter": 0.25}


def says(words: str, text: str) -> bool:
    """Return whether a text holds a word that begins as one of a pattern does."""
    return re.search(rf"(?<![^\W\d_])(?:{words})", text, re.IGNORECASE) is not None


def asks_yes_no(question: str) -> bool:
    """Return whether a question asks for yes or no, by its form."""
    is_it = _IS_IT.search(question)
    if is_it is None or _HOW_FIRST.search(question):
        return False
    return re.search(r", which\b", question[: is_it.start()]) is None


def numbers_said(text: str) -> list[tuple[str, Said]]:
    """Return the numbers in digits, as they are written, and what they are."""
    return [(found[0].strip(), _read(found)) for found in _SAID.finditer(text)]


def word_faults(question: str, program: Any, value: Value) -> Iterator[str]:
    """Yield where a question asks for another thing than its program's operations come to."""
    yield from _form_faults(question, value)
    yield from _operation_faults(question, program)
    yield from _whole_faults(question, program)
    yield from _number_faults(question, program)
    yield from _near_faults(question, program)


def _form_faults(question: str, value: Value) -> Iterator[str]:
    if isinstance(value, Truth) and not asks_yes_no(question):
        yield "the program says yes or no, and the question asks for something else"
    if isinstance(value, Quantity | Name) and not _HOW.search(question):
        yield "the question asks for yes or no, and the program gives something else"
    if isinstance(value, Quantity):
        asks_share = says(_SHARE_WORDS, question) and not numbers_said(question)
        if asks_share and value.unit not in ("share", ""):
            yield "the question asks for a share, and the program gives none"
        if value.unit == "share" and says(r"how many|how far|hectares|square|distance", question):
            yield "the program gives a share, and the question asks for another amount"


def _operation_faults(question: str, program: Any) -> Iterator[str]:
    ops = {node.op for node in nodes(program)}
    for op in dict.fromkeys(_operations(program)):
        if op == "not":
            yield "the program holds 'not': ask it the other way round"
        elif not says(SAYS[op], question):
            yield f"the program is {op}(...), of which the question does not ask"
    if ops & {*_RANKED}:
        areas = [node for node in nodes(program) if node.op == "count" and _is_class(node.of)]
        for op in ("count", "border_length", "distance"):
            is_due = bool(areas) if op == "count" else op in ops
            if is_due and not says(_INNER[op], question):
                yield f"the program compares by {op}(...), and the question does not say so"
    if says(_COUNTED, question) and "count" not in ops:
        yield "the question asks for a number of things, which the program does not count"
    if says(SAYS["border"], question) and not ops & {"border", "border_length"}:
        yield "the question speaks of borders, which the program does not look at"
    if says(r"how far|distance", question) and not ops & {"distance", "nearest", "near"}:
        yield "the question speaks of a distance, which the program does not measure"
    if getattr(program, "op", "") == "any" and not says(r"or\b|either|any\b", question):
        yield "the program asks whether any of its parts holds, and the question does not say 'or'"
    if getattr(program, "op", "") == "all" and not says(r"and\b|both|all\b|each|also", question):
        yield "the program asks whether all its parts hold, and the question does not say 'and'"


def _operations(program: Any) -> Iterator[str]:
    """Yield the operations that a question must speak of: the outermost, or what it joins."""
    op = getattr(program, "op", "")
    if op in ("all", "any"):
        for part in program.of:
            yield from _operations(part)
    elif op == "not":
        yield op
    elif op in SAYS:
        yield op


def _is_class(expr: Any) -> bool:
    """Return whether what is counted is areas of classes, not single objects."""
    return not isinstance(expr, Instances)


def _whole_faults(question: str, program: Any) -> Iterator[str]:
    """Yield where a share is of another whole than the question says."""
    for node in nodes(program):
        if not isinstance(node, Share):
            continue
        if labels_of(node.within):
            if says(_OF_IMAGE, question):
                yield "the question asks for a share of the image, and the program's is of a class"
        elif not isinstance(node.of, ClassMask | Instances | Valid) and not says(_IMAGE, question):
            yield "the program's share is of the image, and the question does not say so"


def _number_faults(question: str, program: Any) -> Iterator[str]:
    """Yield numbers of the program that are not said; those said and not there give it away."""
    due = constants_of(program)
    said = [number for _, number in numbers_said(question)]
    worded = [_read(found) for found in _SAID_IN_WORDS.finditer(question)]
    parts = [
        (share, "share") for words, share in FRACTIONS.items() if says(rf"{words}\b", question)
    ]
    multiples = [(n, "") for words, n in _MULTIPLES.items() if says(rf"{words}\b", question)]
    for number in due:
        if not any(same(number, other) for other in (*said, *worded, *parts, *multiples)):
            yield f"the question does not say the program's {_shown(number)}"
    majority = any(isinstance(node, Majority) for node in nodes(program))
    for words, times in _MULTIPLES.items():
        is_meant = majority or any(math.isclose(times, value) for value, _ in due)
        if says(rf"{words}\b", question) and not is_meant:
            yield f"the question says {words!r}, which the program does not"


def _near_faults(question: str, program: Any) -> Iterator[str]:
    """Yield where what is near is said to be far, or what is left out is not said to be."""
    within = [node for node in nodes(program) if isinstance(node, Near)]
    minuses = [node for node in nodes(program) if isinstance(node, Minus)]
    for node in minuses:
        a, b = dates_of(node.a), dates_of(node.b)
        if len(a) == len(b) == 1 and a != b:
            due = GAIN if max(a) > max(b) else LOSS
            if not says(due, question):
                said = "gained" if due is GAIN else "lost"
                yield f"the program looks at what was {said}, and the question does not say so"
        elif not says(_EXCLUDES, question):
            yield "the program leaves out a part, and the question does not say so"
    if within and not minuses:
        for found in _SAID.finditer(question):
            is_distance = any(same(_read(found), (n.distance_m, "m")) for n in within)
            if is_distance and re.search(
                rf"(?:{_BEYOND})(?:about )?$", question[: found.start()], re.I
            ):
                yield "the program looks at what is near, and the question at what is far"


def constants_of(program: Any) -> list[Said]:
    """Return the numbers that a program holds: bounds, factors and distances."""
    found: list[Said] = []
    for node in nodes(program):
        if isinstance(node, Near):
            found.append((node.distance_m, "m"))
        if isinstance(node, Number):
            found.append((node.value, "" if node.unit == "count" else node.unit))
    return list(dict.fromkeys(found))


def same(a: Said, b: Said) -> bool:
    """Return whether two numbers are one; a share may be written as one, without its sign."""
    units = {a[1], b[1]}
    return math.isclose(a[0], b[0], rel_tol=1e-9) and (len(units) == 1 or units == {"", "share"})


def _read(found: re.Match[str]) -> Said:
    text = found["number"].replace(",", "").lower()
    number = float(NUMBER_WORDS[text]) if text in NUMBER_WORDS else float(text)
    for at, (factor, unit) in enumerate(_UNITS.values(), start=2):
        if found[at]:
            return number * factor, unit
    return number, ""


def _shown(number: Said) -> str:
    value, unit = number
    return f"{100 * value:.10g} %" if unit == "share" else f"{value:.10g} {unit}".strip()
