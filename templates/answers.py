"""Whether an answer in somebody's words is the value of a program."""

import re

from schemas.trace import M2_PER_HA, round_significant, value_text
from schemas.value import Name, Quantity, Truth, Value
from templates.claim.measures import NUMBER_WORDS

TOLERANCE = 0.05  # of the value: two significant digits, and what a table rounds
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
_COUNT = re.compile(
    rf"(?P<number>{_DIGITS}|[a-z]+(?:[ -][a-z]+)?)(?:\s+(?P<things>[^\W\d][^\d]*))?"
)
_UNITS = {  # as written -> unit of the language and factor
    **dict.fromkeys(("%", "percent", "per cent"), ("share", 0.01)),
    **dict.fromkeys(
        ("m²", "m2", "m^2", "square metre", "square metres", "square meter", "square meters",
         "sq m"),
        ("m2", 1.0),
    ),
    **dict.fromkeys(("ha", "hectare", "hectares"), ("m2", M2_PER_HA)),
    **dict.fromkeys(
        ("km²", "km2", "square kilometre", "square kilometres", "square kilometer",
         "square kilometers", "sq km", "km^2"),
        ("m2", 1e6),
    ),
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), ("m", 1.0)),
    **dict.fromkeys(
        ("km", "kilometre", "kilometres", "kilometer", "kilometers"), ("m", 1000.0)
    ),
}  # fmt: skip
_NUMBER = re.compile(
    r"(?:(?:about|approximately|around|roughly|ca\.?|~|≈)\s*)?"
    rf"(?P<number>-?{_DIGITS}(?:\.\d+)?)[\s-]*"
    rf"(?P<unit>{'|'.join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))})"
    r"(?:\s+(?:of|from|between|apart)\b[^\d]*)?"
)


def agrees(text: str, value: Value, north_up: bool) -> bool:
    """Return whether a written answer is the value.

    A number must be the value to two significant digits, or within 5 % of it and its interval; a
    count must be exact, whatever word follows it.
    """
    said = " ".join(text.split()).rstrip(".").casefold()
    match value:
        case Truth():
            words = re.findall(r"\w+", said)
            due, other = ("yes", "no") if value.value else ("no", "yes")
            return words[:1] == [due] and words[1:2] != [other] and words[2:3] != [other]
        case Name():
            due = value_text(value, north_up).casefold()
            return _bare_name(said) == _bare_name(due)
        case Quantity(unit="count"):
            return _is_count(said, value)
        case Quantity():
            return _is_number(said, value)


def _bare_name(name: str) -> str:
    return re.sub(r"^(?:in |to )?the |[-\s]", "", name)


def _is_count(said: str, value: Quantity) -> bool:
    found = _COUNT.fullmatch(said)
    if found is None or (found["things"] or "") in _UNITS:
        return False
    number = found["number"].replace(",", "")
    if number.isdigit():
        return float(number) == value.value
    words = [number.replace("-", " "), number.split()[0]]
    return value.value in [NUMBER_WORDS[word] for word in words if word in NUMBER_WORDS][:1]


def _is_number(text: str, value: Quantity) -> bool:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return False
    name, factor = _UNITS[found["unit"]]
    said = float(found["number"].replace(",", "")) * factor
    if name != value.unit:
        return False
    if round_significant(said) == round_significant(value.value):
        return True
    close = abs(said - value.value) <= TOLERANCE * abs(value.value)
    return close and value.low <= said <= value.high
