"""Whether an answer in somebody's words is the value of a program."""

import re

from schemas.trace import M2_PER_HA, round_significant, value_text
from schemas.value import Name, Quantity, Truth, Value

TOLERANCE = 0.05  # of the value: two significant digits, and what a table rounds
_NUMBER = re.compile(r"(?P<number>-?\d[\d,]*(?:\.\d+)?)\s*(?P<unit>[^\d\s.]*²?)[\s.]*")
_UNITS = {  # as written -> unit of the language and factor
    "%": ("share", 0.01),
    "percent": ("share", 0.01),
    "m²": ("m2", 1.0),
    "m2": ("m2", 1.0),
    "ha": ("m2", M2_PER_HA),
    "hectares": ("m2", M2_PER_HA),
    "km²": ("m2", 1e6),
    "m": ("m", 1.0),
    "metres": ("m", 1.0),
    "meters": ("m", 1.0),
    "km": ("m", 1000.0),
    "": ("count", 1.0),
}


def agrees(text: str, value: Value, north_up: bool) -> bool:
    """Return whether a written answer is the value.

    A number must be the value to two significant digits, or within 5 % of it and its interval; a
    count must be exact, whatever word follows it.
    """
    said = text.strip().rstrip(".").casefold()
    match value:
        case Truth():
            return re.split(r"[,;\s]", said, maxsplit=1)[0] == ("yes" if value.value else "no")
        case Name():
            return said.removeprefix("the ") == value_text(value, north_up).casefold()
        case Quantity():
            return _is_number(text.strip(), value)


def _is_number(text: str, value: Quantity) -> bool:
    found = _NUMBER.fullmatch(text)
    if value.unit == "count":
        counted = re.fullmatch(r"(\d[\d,]*)(?:\s+\D+)?", text.rstrip("."))
        return counted is not None and float(counted[1].replace(",", "")) == value.value
    if found is None or (unit := _UNITS.get(found["unit"].rstrip("."))) is None:
        return False
    name, factor = unit
    said = float(found["number"].replace(",", "")) * factor
    if name != value.unit:
        return False
    if round_significant(said) == round_significant(value.value):
        return True
    close = abs(said - value.value) <= TOLERANCE * abs(value.value)
    return close and value.low <= said <= value.high
