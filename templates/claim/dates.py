"""Which date a part of a sentence speaks of."""

from collections.abc import Sequence
from dataclasses import dataclass

from templates.claim.facts import FactWord
from templates.claim.tokens import Symbol


@dataclass(frozen=True, slots=True)
class Dates:
    """The date index of each carried image, and all date indices that are carried, in order."""

    of_images: tuple[int, ...]
    iso: tuple[str, ...] = ()  # by date index, "" where unknown

    @property
    def carried(self) -> tuple[int, ...]:
        """Every date once, in order of time."""
        return tuple(sorted(set(self.of_images)))

    def index(self, payload: object) -> int | None:
        """Return the date index of an image's number, a place among the dates, or a date."""
        if isinstance(payload, FactWord):
            fitting = [
                index
                for index in self.carried
                if index < len(self.iso) and fits(payload.value, self.iso[index])
            ]
            return fitting[0] if len(fitting) == 1 else None
        if isinstance(payload, str):
            return self.of_images[int(payload) - 1]
        if isinstance(payload, float):
            place = int(payload)
            if len(self.carried) > 1 and -1 <= place < len(self.carried):
                return self.carried[place]
        return None


def fits(asked: str, iso: str) -> bool:
    """Return whether an ISO date is one that is asked for; "2018--" and "-06-" ask for less."""
    wanted, known = asked.split("-"), iso.split("-")
    return len(known) == 3 and all(not w or w == k for w, k in zip(wanted, known, strict=True))


def _is_date(symbol: Symbol) -> bool:
    fact = symbol.payload
    return symbol.symbol == "Y" or (isinstance(fact, FactWord) and fact.kind == "date")


def dated(symbols: Sequence[Symbol], dates: Dates) -> dict[int, int | None]:
    """Return the date that each symbol speaks of, by where it starts.

    A clause without a date has that of the clause before; before the first date in a sentence it
    has the first, where that is the only one. Two dates in one clause say nothing of its claims.
    """
    clauses: list[list[Symbol]] = [[]]
    for symbol in symbols:
        clauses[-1].append(symbol)
        if symbol.symbol in ",;":
            clauses.append([])
    spoken = [
        {dates.index(symbol.payload) for symbol in clause if _is_date(symbol)} - {None}
        for clause in clauses
    ]
    everywhere = set().union(*spoken)
    current = next(iter(everywhere)) if len(everywhere) == 1 else None
    date_of: dict[int, int | None] = {}
    for clause, said in zip(clauses, spoken, strict=True):
        if said:
            current = next(iter(said)) if len(said) == 1 else None
        for symbol in clause:
            date_of[symbol.start] = current
    return date_of
