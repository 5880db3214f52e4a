"""Numbers of worded answers, read back without the code that worded them, and exact ones told."""

import math
import re

_UNITS = {  # wording -> (unit of the program language, its size in that unit)
    "": ("count", 1.0),
    "%": ("share", 0.01),
    "ha": ("m2", 10_000.0),
    "km²": ("m2", 1_000_000.0),
    "m²": ("m2", 1.0),
    "km": ("m", 1000.0),
    "m": ("m", 1.0),
}
_WORDED = re.compile(r"(-?\d{1,3}(?:,\d{3})+|-?\d+)(\.\d+)? ?(%|ha|km²|m²|km|m|)")
_DIGITS = 2  # an answer is rounded to two significant digits


def read_quantity(text: str) -> tuple[float, str] | None:
    """Return (number, unit) of "1,200 m" or "71 ha", in m2, m, share or count; None if neither."""
    match = _WORDED.fullmatch(text)
    if match is None:
        return None
    unit, size = _UNITS[match[3]]
    return float(match[1].replace(",", "") + (match[2] or "")) * size, unit


def exactly(amount: float, like: str) -> str:
    """Return an amount in m2, m, share or count to six digits, in the unit of an answer like it."""
    match = _WORDED.fullmatch(like)
    assert match is not None, f"{like!r} is no number with a unit"
    number = float(f"{amount / _UNITS[match[3]][1]:.6g}")
    return f"{int(number) if number.is_integer() else number:,} {match[3]}".strip()


def rounds_to(value: float, unit: str, text: str) -> bool:
    """Return whether `text` says `value`: counts exactly, else within half its second digit."""
    read = read_quantity(text)
    if read is None or read[1] != unit:
        return False
    if unit == "count" or value == 0:
        return read[0] == value
    step = 10.0 ** (math.floor(math.log10(abs(value))) + 1 - _DIGITS)
    return abs(read[0] - value) <= step / 2 * (1 + 1e-9)
