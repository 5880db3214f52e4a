"""The forms in which a program may be asked, so that a question means what its program measures.

A program proves its own value, not that a question means it. English can be read too many ways to
compare the two word by word; so a question is accepted only in a form that is written down here for
programs of that shape, with the program's own classes, distances, places and images in its slots.
Each form allows some words for others; what is none of them is refused, with a question that would
do.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.program import (
    All,
    And,
    Any_,
    Area,
    ArgMax,
    Border,
    BorderLength,
    ClassMask,
    Compare,
    Count,
    Distance,
    Div,
    Exists,
    Instances,
    Majority,
    Minus,
    NamedNumber,
    Near,
    Nearest,
    Number,
    Or,
    Part,
    Share,
    Sub,
    Valid,
)
from templates.part_names import has_name

_SHARE = (
    r"(?:(?:what|which) (?:share|percentage|proportion|fraction|portion|part)|what percent|"
    r"how much)"
)

_COVER = r"(?:cover|make up|take up|occupy)"
_COVERS = r"(?:covers?|makes? up|takes? up|occupy|occupies)"
_COVERED = r"(?:covered by |made up of |taken up by |occupied by |under )?"
LIES = r"(?:lies|lie|is|are|is found|are found|is located|are located)"
WITHIN = (
    r"(?:within {D} of|no more than {D} (?:away )?from|at most {D} (?:away )?from|{D} or less from)"
)
_MORE = r"(?:more(?: ground| area| land)?|(?:a )?larger (?:area|share)(?: of W)?|more of W)"
_LESS = r"(?:less(?: ground| area| land)?|(?:a )?smaller (?:area|share)(?: of W)?|less of W)"
_DO = r"(?:does|do)"
_THERE = r"(?:are there|can be seen|are visible)"
_BE = r"(?:is|are|was|were)"
_SPAN = r"(?:from {I} to {J}|between {I} and {J})"
_GREW, _SHRANK = "grow|expand|increase", "shrink|decline|decrease"
_LIST = r"[:,] {L}"
_PLAIN_SLOT = re.compile(r"\{([A-Z])\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What may stand in a question's slots, in which patterns, and a question that would do.

    `slots` are by letter: mask expressions for classes, metres, numbers, cells, dates or names.
    """

    patterns: tuple[str, ...]
    example: str
    slots: Mapping[str, Any] = field(default_factory=dict)


def forms_of(program: Any) -> Iterator[Form]:
    """Yield the forms in which a program may be asked, the plainest first."""
    match program:
        case Share():
            yield from _of_share(program)
        case Area(of=ClassMask() | Instances() as a):
            yield Form(
                patterns=(
                    r"(?:what is (?:total )?area of|how large is(?: (?:total )?area of)?) {A}",
                    rf"(?:what|how large|how much) (?:area|ground|land) {_DO} {{A}} {_COVER}",
                    rf"how many hectares {_DO} {{A}} {_COVER}",
                ),
                example="What is the area of {A}",
                slots={"A": a},
            )
        case Area(of=Near(of=a, to=b, distance_m=d)):
            yield Form(
                patterns=(
                    rf"(?:what is area of|how large is(?: area of)?) {{A}} (?:that {LIES} )?"
                    rf"{WITHIN} {{B}}",
                ),
                example="How large is the area of {A} within {D} of {B}",
                slots={"A": a, "B": b, "D": d},
            )
        case Area(of=Minus(a=ClassMask() as a, b=ClassMask() as b)) if _is_again(a, b):
            yield _change(a, b)
        case Count(of=Instances() as a):
            yield Form(
                patterns=(
                    rf"how many {{A}} {_THERE}",
                    rf"how many {{A}} {_DO} W (?:show|contain)",
                ),
                example="How many {A} are there",
                slots={"A": a},
            )
        case Count(of=ClassMask() as a):
            yield Form(
                patterns=(
                    rf"how many (?:separate )?(?:areas|patches|pieces) of {{A}} {_THERE}",
                    r"into how many separate (?:areas|patches|pieces) {BE} {A} divided",
                ),
                example="How many separate areas of {A} are there",
                slots={"A": a},
            )
        case BorderLength(a=a, b=b):
            yield from _either_way(
                (
                    r"(?:how long is|what is length of) (?:common )?(?:border|boundary) "
                    r"(?:between {A} and {B}|"
                    r"that {A} and {B} share|shared by {A} and {B})",
                    r"what length of (?:border|boundary) do {A} and {B} share",
                ),
                "How long is the border between {A} and {B}",
                a,
                b,
            )
        case Distance(a=a, b=b):
            yield from _either_way(
                (
                    rf"how far {_BE} {{A}} from {{B}}(?:,? at (?:their )?closest)?",
                    r"how far apart are {A} and {B}(?:,? at (?:their )?closest)?",
                    r"what is (?:shortest |smallest )?distance (?:between {A} and {B}|"
                    r"from {A} to {B})",
                ),
                "What is the shortest distance between {A} and {B}",
                a,
                b,
            )
        case Exists() | Border() | Compare():
            yield from _of_test(program)
        case All(of=(a, b)):
            yield from _joined(a, b, "and")
        case Any_(of=(a, b)):
            yield from _joined(a, b, "or")
        case ArgMax() | Nearest() | Majority():
            yield from _of_names(program)
        case Div(a=Area(of=a), b=Area(of=b)):
            yield Form(
                patterns=(
                    r"(?:what is|how large is) area of {A}(?: as (?:a )?percentage of|"
                    r" as (?:a )?share of| in percent of) (?:that|area) of {B}",
                ),
                example="What is the area of {A} as a percentage of the area of {B}",
                slots={"A": a, "B": b},
            )
        case Sub(a=Area(of=a), b=Area(of=b)):
            yield from _difference(a, b)


def _of_share(program: Share) -> Iterator[Form]:
    match program:
        case Share(of=ClassMask() | Instances() as a, within=Valid()):
            yield Form(
                patterns=(
                    rf"{_SHARE} of W {_BE} {_COVERED}{{A}}",
                    rf"{_SHARE} of W {_DO} {{A}} {_COVER}",
                ),
                example="What share of W is covered by {A}",
                slots={"A": a},
            )
        case Share(of=Near(of=a, to=b, distance_m=d), within=whole) if whole == a:
            yield Form(
                patterns=(rf"{_SHARE} of {{A}} {LIES} {WITHIN} {{B}}",),
                example="What share of {A} lies within {D} of {B}",
                slots={"A": a, "B": b, "D": d},
            )
        case Share(of=Near(of=a, to=b, distance_m=d), within=Valid()):
            yield Form(
                patterns=(rf"{_SHARE} of W {_BE} {_COVERED}{{A}} (?:that {LIES} )?{WITHIN} {{B}}",),
                example="What share of W is covered by {A} that lies within {D} of {B}",
                slots={"A": a, "B": b, "D": d},
            )
        case Share(of=part, within=whole) if (found := cut_to(part)) and found[0] == whole:
            yield Form(
                patterns=(rf"{_SHARE} of {{A}} {LIES} in {{P}}(?: of W)?",),
                example="What share of {A} lies in the {P} of W",
                slots={"A": whole, "P": found[1]},
            )
        case Share(of=part, within=within) if (
            (found := cut_to(part))
            and (held := cut_to(within))
            and isinstance(held[0], Valid)
            and held[1] == found[1]
        ):
            yield from _of_part(found[0], found[1])
        case Share(of=ClassMask() as a, within=within) if (held := cut_to(within)) and isinstance(
            held[0], Valid
        ):
            yield from _of_part(a, held[1])
        case Share(of=And(a=ClassMask() as a, b=ClassMask() as b), within=whole) if (
            whole in (a, b) and a.date != b.date
        ):
            a, b = (a, b) if whole == a else (b, a)
            onward = a.date < b.date
            first, last = ("I", "J") if onward else ("J", "I")
            turned = (
                "became|had become|has become|turned into|was|were|is|are" if onward else "was|were"
            )
            yield Form(
                patterns=(
                    rf"{_SHARE} of {{A}} in {{{first}}} (?:{turned}) {{B}} "
                    rf"{'(?:in|by)' if onward else 'in'} {{{last}}}",
                ),
                example=f"What share of {{A}} in {{{first}}} was {{B}} in {{{last}}}",
                slots={"A": a, "B": b, "I": min(a.date, b.date), "J": max(a.date, b.date)},
            )


def _is_again(a: Any, b: Any) -> bool:
    """Return whether two masks are those of one class at two dates."""
    masks = isinstance(a, ClassMask) and isinstance(b, ClassMask)
    return masks and (a.layer, a.label) == (b.layer, b.label) and a.date != b.date


def _of_part(a: Any, cells: frozenset[int]) -> Iterator[Form]:
    yield Form(
        patterns=(
            rf"{_SHARE} of {{P}}(?: of W)? {_BE} {_COVERED}{{A}}",
            rf"{_SHARE} of {{P}}(?: of W)? {_DO} {{A}} {_COVER}",
        ),
        example="What share of the {P} of W is covered by {A}",
        slots={"A": a, "P": cells},
    )


def _change(a: ClassMask, b: ClassMask) -> Form:
    gained = a.date > b.date
    did = "gain" if gained else "lose"
    return Form(
        patterns=(
            rf"(?:how much|what area of)(?: new)?(?: ground| land| area)? did {{A}} {did} {_SPAN}",
            rf"what area did {{A}} {did} {_SPAN}",
            rf"how many hectares(?: of ground| of land)? did {{A}} {did} {_SPAN}",
        ),
        example=f"How much ground did {{A}} {did} from {{I}} to {{J}}",
        slots={"A": a, "I": min(a.date, b.date), "J": max(a.date, b.date)},
    )


def _difference(a: Any, b: Any) -> Iterator[Form]:
    by = r"by how (?:much|many (?:hectares|square metres|m²))"
    if _is_again(a, b):
        grew = _GREW if a.date > b.date else _SHRANK
        yield Form(
            patterns=(rf"{by} (?:did|does|do) (?:area of )?{{A}} (?:{grew}) {_SPAN}",),
            example=f"By how much did the area of {{A}} {grew.split('|')[0]} from {{I}} to {{J}}",
            slots={"A": a, "I": min(a.date, b.date), "J": max(a.date, b.date)},
        )
        return
    yield Form(
        patterns=(
            rf"{by} {_BE} (?:area of )?{{A}} larger than (?:that of |area of )?{{B}}",
            rf"{by} {_DO} (?:area of )?{{A}} exceed (?:that of |area of )?{{B}}",
        ),
        example="By how much is the area of {A} larger than that of {B}",
        slots={"A": a, "B": b},
    )


def _of_test(program: Exists | Border | Compare) -> Iterator[Form]:
    match program:
        case Exists(of=ClassMask() | Instances() as a):
            yield Form(
                patterns=(
                    r"(?:is|are) there (?:any )?{A}",
                    rf"{_DO} W (?:contain|show) (?:any )?{{A}}",
                    r"(?:is|are) (?:any )?{A} (?:visible|present)",
                ),
                example="Is there any {A}",
                slots={"A": a},
            )
        case Exists(of=Near(of=a, to=b, distance_m=d)):
            yield Form(
                patterns=(
                    rf"(?:is|are) there (?:any )?{{A}} {WITHIN} {{B}}",
                    rf"{_DO} any {{A}} lie {WITHIN} {{B}}",
                ),
                example="Is there any {A} within {D} of {B}",
                slots={"A": a, "B": b, "D": d},
            )
        case Exists(of=part) if found := cut_to(part):
            yield Form(
                patterns=(r"(?:is|are) there (?:any )?{A} in {P}(?: of W)?",),
                example="Is there any {A} in the {P} of W",
                slots={"A": found[0], "P": found[1]},
            )
        case Border(a=a, b=b):
            yield from _either_way(
                (
                    rf"{_DO} {{A}} (?:border|touch|adjoin|meet|lie (?:directly )?next to|"
                    r"share (?:a )?border with) {B}",
                    rf"{_DO} {{A}} and {{B}} (?:touch|meet|share (?:a )?border)",
                    rf"{_BE} {{A}} (?:adjacent to|next to|in contact with) {{B}}",
                    r"are {A} and {B} (?:adjacent|neighbours|next to each other)",
                ),
                "Does {A} border {B}",
                a,
                b,
            )
        case Compare():
            yield from _of_comparison(program)


def _of_comparison(program: Compare) -> Iterator[Form]:
    """Yield "X is more than Y" with X the larger, and "X is less than Y" with X the smaller."""
    big, small = (program.a, program.b) if program.relation == ">" else (program.b, program.a)
    match big, small:
        case Number(), Number():
            return
        case ((Share() | Area() | Count() | Distance() as measure), Number(value=v, unit=u)):
            yield from _bounded(measure, (v, u), more=True)
        case Number(value=v, unit=u), (Share() | Area() | Count() | Distance() as measure):
            yield from _bounded(measure, (v, u), more=False)
        case Count(of=Instances() as a), Count(of=Instances() as b):
            yield Form(
                patterns=(r"are there more {A} than {B}", r"do {A} outnumber {B}"),
                example="Are there more {A} than {B}",
                slots={"A": a, "B": b},
            )
            yield Form(
                patterns=(r"are there fewer {A} than {B}",),
                example="Are there fewer {A} than {B}",
                slots={"A": b, "B": a},
            )
        case (Share(of=a, within=Valid()), Share(of=b, within=Valid())) | (
            Area(of=a),
            Area(of=b),
        ) if isinstance(a, ClassMask | Instances) and isinstance(b, ClassMask | Instances):
            if _is_again(a, b):
                grew = _GREW if a.date > b.date else _SHRANK
                yield Form(
                    patterns=(rf"(?:did|does|do) (?:area of )?{{A}} (?:{grew}) {_SPAN}",),
                    example=f"Did {{A}} {grew.split('|')[0]} from {{I}} to {{J}}",
                    slots={"A": a, "I": min(a.date, b.date), "J": max(a.date, b.date)},
                )
            elif a.date == b.date:
                yield from _larger(a, b)


def _larger(a: Any, b: Any) -> Iterator[Form]:
    of_masks = isinstance(a, ClassMask) and isinstance(b, ClassMask)  # of objects it is a number
    for words, amount, verb, than in (
        (_MORE, "more", "larger|more extensive", {"A": a, "B": b}),
        (_LESS, "less", "smaller|less extensive", {"A": b, "B": a}),
    ):
        adjective = verb.split("|")[0]
        yield Form(
            patterns=(
                rf"{_DO} {{A}} {_COVER} {words} than {{B}}",
                rf"{_BE} {{A}} (?:{verb})(?: in area)? than {{B}}",
                rf"is area of {{A}} {adjective} than (?:that|area) of {{B}}",
                *((rf"is there {amount} {{A}} than {{B}}",) * of_masks),
            ),
            example=f"Is the area of {{A}} {adjective} than that of {{B}}",
            slots=than,
        )


def _bounded(measure: Any, bound: tuple[float, str], *, more: bool) -> Iterator[Form]:
    than = "more than" if more else "less than"
    over = "(?:more than|over)" if more else "(?:less than|under)"
    match measure:
        case Share(of=ClassMask() | Instances() as a, within=Valid()):
            yield Form(
                patterns=(
                    rf"{_DO} {{A}} {_COVER} {over} {{N}}(?: of W)?",
                    rf"{_BE} {over} {{N}} of W {_COVERED}{{A}}",
                ),
                example=f"Does {{A}} cover {than} {{N}} of W",
                slots={"A": a, "N": bound},
            )
        case Share(of=Near(of=a, to=b, distance_m=d), within=whole) if whole == a:
            yield Form(
                patterns=(rf"{_DO} {over} {{N}} of {{A}} lie {WITHIN} {{B}}",),
                example=f"Does {than} {{N}} of {{A}} lie within {{D}} of {{B}}",
                slots={"A": a, "B": b, "D": d, "N": bound},
            )
        case Area(of=ClassMask() | Instances() as a):
            size = "larger than" if more else "smaller than"
            yield Form(
                patterns=(
                    rf"is area of {{A}} (?:{size}|{over}) {{N}}",
                    rf"{_DO} {{A}} {_COVER} {over} {{N}}",
                ),
                example=f"Is the area of {{A}} {size} {{N}}",
                slots={"A": a, "N": bound},
            )
        case Count(of=Instances() as a):
            number = "more than" if more else "fewer than"
            yield Form(
                patterns=(rf"are there {number} {{N}} {{A}}",),
                example=f"Are there {number} {{N}} {{A}}",
                slots={"A": a, "N": bound},
            )
        case Distance(a=a, b=b):
            yield from _either_way(
                (rf"{_BE} {{A}} {over} {{N}} (?:away )?from {{B}}",
                 rf"{_DO} {{A}} lie {over} {{N}} (?:away )?from {{B}}"),
                f"Is {{A}} {than} {{N}} away from {{B}}",
                a,
                b,
                {"N": bound},
            )  # fmt: skip


def _of_names(program: ArgMax | Nearest | Majority) -> Iterator[Form]:
    names = tuple(named.name for named in program.of)
    two = len(names) == 2  # of which one may be "more" than the other
    most = "(?:most|largest|more|larger)" if two else "(?:most|largest)"
    match program:
        case Nearest(to=target):
            near = "(?:nearer|closer|nearest|closest)" if two else "(?:nearest|closest)"
            patterns = (
                rf"which (?:lies|is|comes) {near} to {{T}}{_LIST}",
                rf"of {{L}}, which (?:lies|is|comes) {near} to {{T}}",
                *((r"which of {L} (?:lies|is|comes) (?:nearer|closer) to {T}",) * two),
            )
            example = "Which lies closest to {T}: {L}"
            yield Form(patterns=patterns, example=example, slots={"T": target, "L": program})
        case Majority(within=Valid()):
            yield Form(
                patterns=(rf"(?:which|what) {_COVERS} (?:more than half|most) of W{_LIST}",),
                example="Which covers more than half of W: {L}",
                slots={"L": program},
            )
        case Majority(within=within) if (held := cut_to(within)) and isinstance(held[0], Valid):
            yield Form(
                patterns=(
                    rf"(?:which|what) {_COVERS} (?:more than half|most) of {{P}}(?: of W)?{_LIST}",
                ),
                example="Which covers more than half of the {P} of W: {L}",
                slots={"P": held[1], "L": program},
            )
        case ArgMax() if turned := _borders_of_one(program):
            target, ranked = turned
            longer = "(?:longer|longest)" if two else "longest"
            line = "(?:border|boundary)"
            yield Form(
                patterns=(
                    rf"with which {_DO} {{T}} share {longer} {line}{_LIST}",
                    rf"which (?:has|shares) {longer} (?:common )?{line} with {{T}}{_LIST}",
                    *((rf"which of {{L}} (?:has|shares) longer {line} with {{T}}",) * two),
                ),
                example="With which does {T} share the longest border: {L}",
                slots={"T": target, "L": ranked},
            )
        case ArgMax() if all(
            isinstance(named.value, Area)
            or (isinstance(named.value, Share) and isinstance(named.value.within, Valid))
            for named in program.of
        ):
            yield Form(
                patterns=(
                    rf"which {_COVERS} {most}(?: ground| area| land| share)?(?: of W)?{_LIST}",
                    rf"which has {most} (?:area|share)(?: of W)?{_LIST}",
                    *((rf"which of {{L}} {_COVERS} {_MORE}(?: of W)?",) * two),
                ),
                example="Which covers the most ground: {L}",
                slots={"L": program},
            )


def _joined(a: Any, b: Any, word: str) -> Iterator[Form]:
    """Yield the forms of two questions in one, the second with or without its first words."""
    for first in forms_of(a):
        for second in forms_of(b):
            if set(second.slots) - {"A", "B", "D", "N"} or "I" in first.slots:
                continue
            if any(len(name) > 1 for name in first.slots):  # two in one already
                continue
            pairs = [
                f"{one}{AND.format(word=word)}{other}"
                for one in first.patterns
                for other in _second(
                    second.patterns, one, first.slots.get("A") == second.slots.get("A")
                )
            ]
            slots = {**first.slots, **{f"{n}2": v for n, v in second.slots.items()}}
            yield Form(
                patterns=tuple(pairs),
                example=f"{first.example} {word} {_lower(_numbered(second.example))}",
                slots=slots,
            )


AND = r",? {word} (?:also |at the same time )?"


def _second(patterns: Sequence[str], first: str, same: bool) -> Iterator[str]:
    """Yield second patterns; where both begin with the same class, without these words as well."""
    opening = rf"{_DO} {{A}} "
    for pattern in patterns:
        yield _numbered(pattern)
        if same and all(_is_of_one(text, opening) for text in (first, pattern)):
            yield _numbered(pattern.removeprefix(opening))


def _is_of_one(pattern: str, opening: str) -> bool:
    return pattern.startswith(opening) and not pattern.startswith(f"{opening}and ")


def _numbered(pattern: str) -> str:
    return _PLAIN_SLOT.sub(lambda slot: f"{{{slot[1]}2}}", pattern)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _either_way(
    patterns: tuple[str, ...],
    example: str,
    a: Any,
    b: Any,
    more: Mapping[str, Any] | None = None,
) -> Iterator[Form]:
    """Yield a form for each order of two things that stand to one another alike."""
    if not all(isinstance(side, ClassMask | Instances) for side in (a, b)):
        return
    for first, second in ((a, b), (b, a)):
        slots = {"A": first, "B": second, **(more or {})}
        yield Form(patterns=patterns, example=example, slots=slots)


def _borders_of_one(program: ArgMax) -> tuple[Any, ArgMax] | None:
    """Return the one class whose borders are ranked, and these as borders of it; None if none is.

    What it borders is then `b` of each.
    """
    borders = [n.value for n in program.of if isinstance(n.value, BorderLength)]
    if len(borders) < len(program.of):
        return None
    if len({border.a for border in borders}) == 1:
        return borders[0].a, program
    if len({border.b for border in borders}) > 1:
        return None
    turned = [
        NamedNumber(name=named.name, value=BorderLength(a=border.b, b=border.a))
        for named, border in zip(program.of, borders, strict=True)
    ]
    return borders[0].b, ArgMax(of=tuple(turned))


def cut_to(expr: Any) -> tuple[Any, frozenset[int]] | None:
    """Return what is cut to a part of the image that has a name, and its cells; else None."""
    found = _cells_of(expr)
    return found if found is not None and has_name(found[1]) else None


def _cells_of(expr: Any) -> tuple[Any, frozenset[int]] | None:
    match expr:
        case Part(of=ClassMask() | Instances() | Valid() as of, cell=cell):
            return of, frozenset((cell,))
        case Or(a=a, b=b) if (left := _cells_of(a)) and (right := _cells_of(b)):
            return (left[0], left[1] | right[1]) if left[0] == right[0] else None
    return None
