"""Whether a question has a form of its program, with the program's own things in its slots."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from masks.regions import leaves
from schemas.program import Area, BorderLength, Near, Share
from schemas.trace import quantity_text
from templates.named import is_union, means_exactly, phrase_of, plain
from templates.part_names import cells_named, part_name
from templates.question_forms import LIES, WITHIN, Form, cut_to, forms_of
from templates.several import listed
from templates.told import Told
from templates.view import View

_W = r"(?:whole |entire )?(?:labelled (?:area|part) of )?(?:image|scene|picture)"
_BE = r"(?:is|are|was|were)"
_PLACE = re.compile(r"\bW\b")
_MARKING = re.compile(
    r"(?:(?:first|then|next|now|finally|also|so|and),? )?(?:i|we|let me) "
    r"(?:then |next |now |also )?"
    r"(?:mark|segment|outline|find|locate|identify)(?: all| every| all of)?"
)
_SLOT = re.compile(r"\{([A-Z]\d?)\}")
_GROUPS = {
    "A": r"(?P<A{n}>[\w(][\w (),'-]*?)",
    "B": r"(?P<B{n}>[\w(][\w (),'-]*?)",
    "T": r"(?P<T{n}>[\w(][\w (),'-]*?)",
    "L": r"(?P<L{n}>[\w(][\w (),'-]*?)",
    "P": r"(?P<P{n}>[\w][\w -]*?)",
    "D": r"(?P<D{n}>[\d.,]+ ?[a-z]+)",
    "N": r"(?P<N{n}>[\d.,]+(?: ?(?:%|percent|ha|hectares|k?m²|m2|k?m|metres|meters))?(?= |$))",
    "I": r"image(?P<I{n}>\d+)",
    "J": r"image(?P<J{n}>\d+)",
}
_UNITS: Mapping[str, tuple[str, float]] = {
    "%": ("share", 0.01), "percent": ("share", 0.01), "ha": ("m2", 1e4), "hectares": ("m2", 1e4),
    "m²": ("m2", 1.0), "m2": ("m2", 1.0), "km²": ("m2", 1e6), "m": ("m", 1.0),
    "metres": ("m", 1.0), "meters": ("m", 1.0), "km": ("m", 1000.0), "": ("count", 1.0),
}  # fmt: skip


def form_fault(question: str, program: Any, told: Told, view: View) -> str:
    """Return "" where a question has a form of its program, else what would do."""
    forms = [form for form in forms_of(program) if _says_its_dates(form, program)]
    if not forms:
        return "no form of question is known for a program of this shape; ask something simpler"
    if any(_matches(question, form, program, told, view) for form in forms):
        return ""
    first = forms[0]
    return f"a question of this program could be: {example_of(first, program, told, view)!r}"


def _says_its_dates(form: Form, program: Any) -> bool:
    """Return whether a form has a slot for each image of a program that looks at several."""
    return len(_dates(program)) == 1 or {"I", "J"} <= form.slots.keys()


def names_mask(text: str, expr: Any, told: Told, view: View) -> bool:
    """Return whether a text ends with the name of a mask.

    That is a class, or several of one kind, perhaps within a part of the image or within a
    distance of another class; no other mask has a name.
    """
    return any(True for _ in _before_names(text, expr, told, view))


def marks_only(text: str, expr: Any, told: Told, view: View) -> bool:
    """Return whether a text says that a mask is marked, and nothing else."""
    found = _before_names(text, expr, told, view)
    return any(_MARKING.fullmatch(before.strip()) is not None for before in found)


def _before_names(text: str, expr: Any, told: Told, view: View) -> Iterator[str]:
    """Yield what stands before the name of a mask, for each way to read one at a text's end."""
    dates = _dates(expr)
    lead = view.lead(dates[0]) if len(dates) == 1 else ""  # where it stands, it says the image
    here = f" in image {view.image_of_date(dates[0]) + 1}" if lead else ""
    words = _normal(text.removeprefix(lead) + here, expr, view)
    if words is None:
        return
    starts = [0, *(space.end() for space in re.finditer(" ", words))]
    for form in _names_of(expr):
        for start in starts:
            if _in_form(words[start:], form, told, view):
                yield words[:start]


def _names_of(expr: Any) -> Iterator[Form]:
    if isinstance(expr, Near):
        slots = {"A": expr.of, "B": expr.to, "D": expr.distance_m}
        pattern = rf"{{A}} (?:that {LIES} )?{WITHIN} {{B}}"
        yield Form(patterns=(pattern,), example="", slots=slots)
    elif (held := cut_to(expr)) is not None:
        pattern = rf"{{A}} (?:that {LIES} )?in {{P}}(?: of W)?"
        yield Form(patterns=(pattern,), example="", slots={"A": held[0], "P": held[1]})
    elif is_union(expr):
        yield Form(patterns=("{A}",), example="", slots={"A": expr})


def example_of(form: Form, program: Any, told: Told, view: View) -> str:
    """Return a question in a form, with the program's own things in its slots."""
    filled = _SLOT.sub(lambda slot: _shown(slot[1], form.slots[slot[1]], told, view), form.example)
    dates = _dates(program)
    place = f"image {view.image_of_date(dates[0]) + 1}" if view.num_dates > 1 else "the image"
    where = "" if len(dates) > 1 or _PLACE.search(form.example) else f" in {place}"
    text = _PLACE.sub(place, filled)
    head, colon, names = text.partition(":")
    return f"{head}{where}{colon}{names}?"


def _matches(question: str, form: Form, program: Any, told: Told, view: View) -> bool:
    text = _normal(question, program, view)
    if text is None:
        return False
    return _in_form(text, form, told, view)


def _in_form(text: str, form: Form, told: Told, view: View) -> bool:
    """Return whether a plain text has one of a form's patterns, slots and all."""
    for pattern in form.patterns:
        found = _compiled(pattern).fullmatch(text)
        if found is not None and all(
            _fits(name, words, form.slots, told, view)
            for name, words in found.groupdict().items()
            if words is not None
        ):
            return True
    return False


def _normal(question: str, program: Any, view: View) -> str | None:
    """Return a question without what carries no meaning; None if its images are not the program's.

    Articles go, and where the program looks at one date, so does the place that is asked of.
    """
    text = " ".join(question.rstrip("?").lower().split())
    text = re.sub(r"\b(?:the|a|an|its)\b ?", "", text)
    text = re.sub(r"\bimage (\d+)", r"image\1", text)
    text = re.sub(r"^(?:in percent|as (?:a )?percentage),? ", "", text)
    text = re.sub(
        r",? (?:in percent|as (?:a )?percentage|along pixel edges)(?:,(?= )|(?=$|:))", "", text
    )
    dates = _dates(program)
    if len(dates) == 1:
        own = f"image{view.image_of_date(dates[0]) + 1}" if view.num_dates > 1 else "image"
        said = set(re.findall(r"image\d+", text))
        if said != ({own} if view.num_dates > 1 else set()):
            return None
        text = text.replace(own, "image")
        text = re.sub(r"^(?:looking at|in|within|for) (?:image|scene|picture),? ", "", text)
        text = re.sub(r" (?:in|across|within) (?:image|scene|picture)(?=$|:|,| )", "", text)
    elif re.search(r"\b(?:image|scene|picture)\b", text):
        return None
    return text.strip()


def _dates(program: Any) -> list[int]:
    return sorted({leaf.date for leaf in leaves(program)})


def _compiled(pattern: str) -> re.Pattern[str]:
    def group(slot: re.Match[str]) -> str:
        letter, number = slot[1], slot[2]
        return _GROUPS[letter].replace("{n}", f"{number}_{slot.start()}")

    filled = re.sub(r"\{([A-Z])(\d?)\}", group, pattern.replace("{BE}", _BE))
    filled = _PLACE.sub(_W, filled)
    return re.compile(rf"^{filled}$")


def _fits(name: str, words: str, slots: Mapping[str, Any], told: Told, view: View) -> bool:
    """Return whether what stands in a slot is what the program has there."""
    slot = name.split("_")[0]
    due = slots[slot]
    match slot[0]:
        case "A" | "B" | "T":
            return means_exactly(words, due, told)
        case "D":
            return _is_amount(words, due, "m")
        case "N":
            value, unit = due
            return _is_amount(words, value, unit)
        case "P":
            return bool(cells_named(words, told.north_up) == due)
        case "I" | "J":
            return int(words) == view.image_of_date(due) + 1
        case "L":
            return _is_list(words, due, told)
    return False


def _is_amount(words: str, value: float, unit: str) -> bool:
    found = re.fullmatch(r"([\d.,]+) ?(.*)", words)
    known = _UNITS.get(found[2].strip()) if found else None
    if found is None or known is None or known[0] != (unit or "count"):
        return False
    try:
        said = float(found[1].replace(",", "")) * known[1]
    except ValueError:
        return False
    return math.isclose(said, value, rel_tol=1e-9)


def _is_list(words: str, program: Any, told: Told) -> bool:
    """Return whether a list names all names of a program, each that of what it stands for."""
    left = plain(words)
    for name in sorted((plain(named.name) for named in program.of), key=len, reverse=True):
        left, found = re.subn(rf"(?<!\w){re.escape(name)}(?!\w)", "#", left, count=1)
        if not found:
            return False
    if re.fullmatch(r"#(?: , #)*(?: ,)? (?:or|and) #", left) is None:
        return False
    return all(means_exactly(named.name, _named_mask(named), told) for named in program.of)


def _named_mask(named: Any) -> Any:
    """Return the mask that a name of a program must be that of."""
    inner = getattr(named, "mask", None)
    if inner is not None:
        return inner
    match named.value:
        case BorderLength(b=b):
            return b
        case Area(of=of) | Share(of=of):
            return of
    return named.value


def _shown(slot: str, due: Any, told: Told, view: View) -> str:
    match slot[0]:
        case "A" | "B" | "T":
            return phrase_of(due, told)
        case "D":
            return quantity_text(due, "m")
        case "N":
            return quantity_text(*due) if due[1] else f"{due[0]:g}"
        case "P":
            return part_name(due, told.north_up)
        case "I" | "J":
            return f"image {view.image_of_date(due) + 1}"
    return listed([named.name for named in due.of], "or")
