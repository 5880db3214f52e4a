"""A match of a pattern in a sentence, and what is made of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from templates.claim.chunks import meanings_of, places_of
from templates.claim.classes import Meaning
from templates.claim.measures import Amount
from templates.claim.places import Place
from templates.claim.read import Kind, Read
from templates.claim.tokens import Symbol


@dataclass(slots=True)
class Found:
    """A match: its symbols by the names of the pattern, the symbol before it, and the date."""

    match: re.Match[str]
    symbols: list[Symbol]
    date: int | None
    front: Symbol | None  # a place that the clause begins with
    objects: Meaning | None  # the objects of the scene, if it has some
    narrowed: bool = False  # the subject was narrowed: "the trees in the north"

    def has(self, name: str) -> bool:
        """Return whether a named part is there and not empty."""
        return bool(self.match.groupdict().get(name))

    def part(self, name: str) -> Symbol:
        """Return the symbol of a named part."""
        return self.symbols[self.match.start(name)]

    def classes(self, name: str = "x") -> tuple[Meaning, ...]:
        """Return the classes of a named part."""
        return meanings_of(self.part(name))

    def places(self) -> tuple[Place, ...]:
        """Return the places of the part `p`, or those that the clause begins with."""
        if self.has("p"):
            return places_of(self.part("p"))
        return places_of(self.front) if self.front is not None else ()

    def amount(self, name: str = "q") -> Amount:
        """Return the amount of a named part."""
        amount = self.part(name).payload
        assert isinstance(amount, Amount)
        return amount

    def after_part(self, name: str) -> str:
        """Return the symbol right after a named part, "" at the end."""
        end = self.match.end(name)
        return self.match.string[end : end + 1]

    @property
    def before(self) -> str:
        """The symbol before the match, "" at the beginning."""
        start = self.match.start()
        return self.match.string[start - 1] if start else ""

    @property
    def after(self) -> str:
        """What follows the match."""
        return self.match.string[self.match.end() :]

    def read(self, kind: Kind, **said: object) -> Read:
        """Return a claim that takes up the whole match."""
        start = self.symbols[self.match.start()].start
        end = self.symbols[self.match.end() - 1].end
        return Read(kind=kind, start=start, end=end, date=self.date, **said)  # type: ignore[arg-type]


Build = Callable[[Found], list[Read] | None]


@dataclass(frozen=True, slots=True)
class Frame:
    """A pattern, what it makes of a match, and whether it takes the presence of its classes away.

    `quiet` names the parts whose classes are not said to be there, as in "no water".
    """

    begins: str
    pattern: re.Pattern[str]
    build: Build
    quiet: str = ""


def frame(begins: str, pattern: str, build: Build, quiet: str = "") -> Frame:
    """Return a frame; a match begins with one of the symbols in `begins`."""
    return Frame(begins, re.compile(pattern), build, quiet)
