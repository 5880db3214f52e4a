"""What a program comes to: a number with its interval, a yes or no, a name; or nothing safe."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in `unit` ("m2", "m", "share", "count", ""), and its interval [low, high].

    The interval is that of one-pixel erosion and dilation of every mask; a count's is [n, n].
    """

    value: float
    unit: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Truth:
    """A yes or no that holds with its margin."""

    value: bool


@dataclass(frozen=True, slots=True)
class Name:
    """A class, date, case or cell by name; a cell is named "cell 0" to "cell 8"."""

    value: str


Value = Quantity | Truth | Name


class Undefined(Exception):
    """The program has no safe answer on this evidence; the message says which rule it fails.

    `rule` is a short stable key, such as "border_in_between", under which it is counted.
    """

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule = rule
        self.detail = detail
