"""What an address asks for, checked: names and values that there are, and a page of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

MOST_SEARCHED = 200  # characters
_AROUND = ".,;:!?'\"()"  # marks that a copied sentence has around its words


class BadFilter(ValueError):
    """An address that asks for what there is not; the message says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """A page, numbered from 1, of a list of `found` things, `size` a page; `asked` names them."""

    page: int
    found: int
    size: int
    asked: tuple[tuple[str, str], ...]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.found // self.size))

    @property
    def start(self) -> int:
        """How many things come before the page."""
        return (self.page - 1) * self.size

    @property
    def before(self) -> str:
        """The address of the page before, "" of the first."""
        return self._address(self.page - 1) if self.page > 1 else ""

    @property
    def after(self) -> str:
        """The address of the page after, "" of the last."""
        return self._address(self.page + 1) if self.page < self.pages else ""

    def _address(self, page: int) -> str:
        return "?" + urlencode([*self.asked, ("page", page)])


def once(given: Sequence[tuple[str, str]], names: Sequence[str]) -> dict[str, str]:
    """Return what an address gives of `names` and "page"; BadFilter for others, and twice one."""
    asked: dict[str, str] = {}
    for name, value in given:
        if name not in (*names, "page"):
            raise BadFilter(f"{name!r} is no filter; there are {', '.join(sorted(names))}")
        if name in asked:
            raise BadFilter(f"{name} is given twice")
        asked[name] = trimmed(name, value)
    return {name: value for name, value in asked.items() if value}


def trimmed(name: str, value: str) -> str:
    """Return a value without space around it; BadFilter where it is longer than is read."""
    if len(value) > MOST_SEARCHED:
        raise BadFilter(f"{name} has {len(value)} characters; at most {MOST_SEARCHED} are read")
    return value.strip()


def words_of(searched: str) -> list[str]:
    """Return the words that are searched for, each to be found somewhere, in lower case."""
    return [word.strip(_AROUND) or word for word in searched.lower().split()]


def check_listed(name: str, value: str, values: Sequence[str], why_none: str) -> None:
    """Check that a value is one of a closed list; BadFilter tells the list, or why it is empty."""
    if value and value not in values:
        listed = ", ".join(values) or f"nothing: {why_none}"
        raise BadFilter(f"{name}={value!r} is not there; it may be {listed}")


def page_number(text: str) -> int:
    """Return a page number, 1 of ""; BadFilter where it is none."""
    if not text:
        return 1
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**8):
        raise BadFilter(f"page={text!r} is not a page; pages are numbered from 1")
    return int(text)
