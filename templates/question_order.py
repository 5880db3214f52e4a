"""Whether a question asks for the larger where its program does, and names what it ranks.

"More than" and "less than", "largest" and "smallest" turn an answer round, and so do names that
stand beside another class's mask.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from schemas.program import (
    ArgMax,
    ClassMask,
    Compare,
    First,
    Instances,
    Majority,
    Nearest,
    Number,
    Or,
    Part,
    Rank,
)
from templates.claim.classes import Classes, classes_of
from templates.named import dates_of, labels_of, mentions, named_classes, nodes
from templates.question_places import directions_of, directions_said, places_of
from templates.question_words import GAIN, LOSS, says
from templates.told import Told
from templates.view import View

_AT = re.compile(
    r"\bat (least|most)\b|\bno (more|less|fewer|far?ther|further) than\b", re.IGNORECASE
)
_MORE = (
    r"more\b|larger|greater|bigger|longer|higher|far?ther|further|exceed|outnumber|outweigh|over\b|"
    r"above|surpass|wider"
)
_LESS = (
    r"less\b|fewer|smaller|shorter|nearer|closer|under\b|below|"
    r"lower\b(?!-| (?:third|left|right|part|middle|corner|row))"
)
_MOST = (
    rf"most\b|largest|greatest|biggest|highest|longest|far?thest|furthest|dominat|predomina|"
    rf"dominant|majority|main|widest|{_MORE}"
)
_LEAST = rf"least\b|smallest|fewest|shortest|lowest|nearest|closest|{_LESS}"
_PIVOT = re.compile(r"\b(?:than|exceed\w*|outnumber\w*|outweigh\w*|surpass\w*)\b", re.IGNORECASE)
_ORDINALS = {"second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
_NEAR = r"nearest|nearer|closest|closer|shortest|shorter"
_FAR = r"far|less than half|under half|least"
_PLAIN_NAME = re.compile(r"[\w][\w ,()'/-]{0,80}")


def order_faults(question: str, program: Any, told: Told, view: View) -> Iterator[str]:
    """Yield where a question asks for another order, or names another thing, than its program."""
    compares = [node for node in nodes(program) if isinstance(node, Compare)]
    if len(compares) > 1:
        yield "the question holds several comparisons, of which one is enough"
    elif compares:
        yield from _compare_faults(question, compares[0], told, view)
    text = _AT.sub(" ", question)
    match program:
        case ArgMax():
            if not says(_MOST, text) or says(_LEAST, text):
                yield "the program gives the largest, and the question does not ask for it"
        case Rank():
            if not _says_place(text, program.place, len(program.of)):
                yield f"the program gives place {program.place}, which the question does not say"
        case Nearest():
            if says(_FAR, text):
                yield "the program gives the nearest, and the question does not ask for it"
        case Majority():
            if says(_LESS, text):
                yield "the program gives what covers more than half, and the question asks less"
    yield from name_faults(program, told, view)


def _compare_faults(question: str, node: Compare, told: Told, view: View) -> Iterator[str]:
    text = _bounds_in_words(question)
    grows = says(GAIN, text) and len(dates_of(node)) > 1
    shrinks = says(LOSS, text) and len(dates_of(node)) > 1
    more, less = says(_MORE, text), says(_LESS, text)
    big, small = (node.a, node.b) if node.relation == ">" else (node.b, node.a)
    if not more and not less and grows != shrinks and _one_date(big) and _one_date(small):
        if (max(dates_of(big)) > max(dates_of(small))) is not grows:
            yield (
                "the program asks whether it grew where the question asks whether it shrank, "
                "or the reverse"
            )
        return
    if more == less:
        yield "say once, with 'more' or 'less', which side the program takes as the larger"
        return
    first, second = (big, small) if more else (small, big)  # X is more than Y, X is less than Y
    if isinstance(first, Number):
        yield "the program compares the other way round than the question"
    if isinstance(first, Number) or isinstance(second, Number):
        return
    pivot = _PIVOT.search(text)
    if pivot is None:
        yield "say the comparison with 'than', the second thing after it"
    elif not _is_second(text[pivot.end() :], second, first, told, view):
        yield "the program compares the other way round than the question"


def _is_second(after: str, second: Any, first: Any, told: Told, view: View) -> bool:
    """Return whether what stands after "than" is the second thing, as far as they differ."""
    named = named_classes(after, classes_of(told.words))
    own, other = labels_of(second) - labels_of(first), labels_of(first) - labels_of(second)
    if own:
        return own <= named
    if other:
        return not other & named
    dates, others = dates_of(second), dates_of(first)
    if dates != others and view.num_dates > 1:
        said = {int(n) - 1 for n in re.findall(r"\d+", " ".join(re.findall(r"image \d+", after)))}
        return said == {view.image_of_date(date) for date in dates}
    cells = [directions_of(place) or set() for place in places_of(second)]
    if set(places_of(second)) != set(places_of(first)):
        return directions_said(after) == set().union(*cells)
    return True


def _bounds_in_words(question: str) -> str:
    """Return a question with "at least", "no less than" and the like as plain comparisons."""

    def plain(found: re.Match[str]) -> str:
        word = (found[1] or found[2]).lower()
        return "over" if word in ("least", "less", "fewer") else "under"

    return _AT.sub(plain, question)


def _one_date(expr: Any) -> bool:
    return len(dates_of(expr)) == 1


def _says_place(text: str, place: int, number: int) -> bool:
    ordinals = {n for word, n in _ORDINALS.items() if says(rf"{word}\b", text)}
    most, least = says(_MOST, text), says(_LEAST, text)
    if most == least:
        return False
    said = ordinals or {1}
    return said == {place if most else number + 1 - place}


def name_faults(program: Any, told: Told, view: View) -> Iterator[str]:
    """Yield names of a program that are not those of what they stand for."""
    match program:
        case ArgMax() | Rank():
            parts: list[tuple[str, Any]] = [(named.name, named.value) for named in program.of]
        case Nearest() | Majority():
            parts = [(named.name, named.mask) for named in program.of]
        case First():
            parts = [(named.name, named.test) for named in program.of]
        case _:
            return
    names = [name.casefold() for name, _ in parts]
    if len(set(names)) < len(names):
        yield f"the names {', '.join(names)} are not all different"
    if len({_shape(part) for _, part in parts}) > 1:
        yield "the program ranks things that are not measured alike"
    common = set.intersection(*(labels_of(part) for _, part in parts))
    if isinstance(program, First):
        dates = [max(dates_of(part), default=0) for _, part in parts]
        if dates != sorted(set(dates)):
            yield "what is first of all is asked of one image after the other"
    for name, part in parts:
        if not _PLAIN_NAME.fullmatch(name) or not _is_named(
            name, part, common, [p for _, p in parts], isinstance(program, First), told, view
        ):
            yield f"the name {name!r} is not that of what it stands for"


def _is_named(
    name: str,
    part: Any,
    common: set[str],
    parts: Sequence[Any],
    by_date: bool,
    told: Told,
    view: View,
) -> bool:
    """Return whether a name is that of the class, the image or the part that it stands for."""
    own = labels_of(part) - common
    if any(labels_of(other) - common for other in parts) and not by_date:
        return names_exactly(name, own, classes_of(told.words))
    if len({frozenset(dates_of(other)) for other in parts}) > 1:
        return name.casefold() in {
            f"image {view.image_of_date(date) + 1}"
            for date in ({max(dates_of(part))} if by_date else dates_of(part))
            if date in view.date_indices
        }
    due = [directions_of(place) for place in places_of(part)]
    return len(due) == 1 and due[0] is not None and directions_said(name) == due[0]


def names_exactly(name: str, labels: set[str], classes: Classes) -> bool:
    """Return whether a name names some classes, all of them and no other."""
    named = list(mentions(name, classes))
    return (
        bool(labels)
        and labels <= {label for mention in named for label in mention.names}
        and all(mention.names & labels for mention in named)
    )


def _shape(expr: Any) -> Any:
    """Return an expression without what its leaves are; parts that are put together are one."""
    if isinstance(expr, ClassMask | Instances):
        return "leaf"
    if isinstance(expr, Part):
        return ("part", _shape(expr.of))
    if isinstance(expr, Or) and _shape(expr.a) == _shape(expr.b):
        return _shape(expr.a)
    if isinstance(expr, tuple):
        return tuple(map(_shape, expr))
    if hasattr(expr, "model_fields_set"):
        return (type(expr).__name__, *(_shape(v) for k, v in vars(expr).items() if k != "date"))
    return expr
