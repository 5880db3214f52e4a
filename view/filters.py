"""What of a dataset is shown: read from an address, checked, and turned into SQL with values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from schemas.verdict import Verdict
from view.asked import BadFilter, check_listed, once, page_number, trimmed, words_of
from view.index import Index

_PLAIN = ("source", "tier", "task", "split", "form", "letter")  # columns compared as they are
_IN_LIST = {"class": "classes", "verdict": "verdicts"}


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the map in WGS84 degrees; a scene lies in it by its middle."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def read(cls, text: str) -> "Box":
        """Return the box of "W,S,E,N"; BadFilter if it is none."""
        try:
            box = cls(*(float(part) for part in text.split(",")))
        except (ValueError, TypeError) as error:
            raise BadFilter(f"box={text!r} is not WEST,SOUTH,EAST,NORTH in degrees") from error
        inside = -180 <= box.west < box.east <= 180 and -90 <= box.south < box.north <= 90
        if not inside:  # nor is what is not a number
            raise BadFilter(
                f"box={text!r}: west must be under east, within 180 degrees, and south under "
                "north, within 90"
            )
        return box

    def __str__(self) -> str:
        return ",".join(f"{edge:.7g}" for edge in (self.west, self.south, self.east, self.north))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is asked for; what is empty asks for all. `class_` stands as "class" in an address.

    Of several classes or verdicts a sample has them all.
    """

    source: str = ""
    tier: str = ""
    task: str = ""
    class_: tuple[str, ...] = ()
    split: str = ""
    verdict: tuple[str, ...] = ()
    form: str = ""
    letter: str = ""
    answer: str = ""
    scene: str = ""
    q: str = ""
    box: Box | None = None

    @property
    def given(self) -> tuple[tuple[str, str], ...]:
        """What is asked for, each with its name in an address."""
        named = ((field.name.rstrip("_"), getattr(self, field.name)) for field in fields(self))
        return tuple(
            (name, str(one))
            for name, value in named
            for one in (value if isinstance(value, tuple) else (value,))
            if one
        )

    def address(self) -> str:
        """Return "?..." with what is asked for, "" where that is nothing."""
        return f"?{urlencode(self.given)}" if self.given else ""

    def but(self, **changed: object) -> "Filters":
        """Return these filters with some changed."""
        return replace(self, **changed)  # type: ignore[arg-type]

    def narrowed(self, name: str, value: str) -> "Filters":
        """Return the filters that leave what has a value as well; `name` is that of an address."""
        if name not in _IN_LIST:
            return self.but(**{name: value})
        field = "class_" if name == "class" else name
        return self.but(**{field: tuple(dict.fromkeys((*getattr(self, field), value)))})

    def where(self) -> tuple[str, list[object]]:
        """Return an SQL condition on `sample` and its values."""
        parts = ["true"]
        values: list[object] = []
        for name, value in self.given:
            if name in _PLAIN:
                parts.append(f"{name} = ?")
            elif name in _IN_LIST:
                parts.append(f"list_contains({_IN_LIST[name]}, ?)")
            elif name in ("scene", "answer"):
                parts.append(f"{'scene_id' if name == 'scene' else name} = ?")
            else:
                continue
            values.append(value)
        for word in words_of(self.q):
            parts.append("contains(searched, ?)")
            values.append(word)
        if self.box is not None:
            parts.append(
                "(west + east) / 2 between ? and ? and (south + north) / 2 between ? and ?"
            )
            values += [self.box.west, self.box.east, self.box.south, self.box.north]
        return " and ".join(parts), values


def allowed(index: Index) -> dict[str, list[str]]:
    """Return the values that each filter of a closed list may have, as far as shards are read."""
    files = index.manifest.files
    values = {
        "source": sorted({file.source for file in files}),
        "tier": sorted({file.tier for file in files}),
        "split": sorted({file.split for file in files}),
        "verdict": [verdict.value for verdict in Verdict],
        "form": ["choice", "open"],
        "letter": sorted(r[0] for r in index.rows("select distinct letter from sample") if r[0]),
    }
    values["task"] = [r[0] for r in index.rows("select distinct task from sample order by 1")]
    classes = index.rows("select distinct unnest(classes) as class from sample order by 1")
    values["class"] = [row[0] for row in classes]
    return values


def read_filters(
    given: Sequence[tuple[str, str]], values: Mapping[str, Sequence[str]]
) -> tuple[Filters, int]:
    """Return the filters and the page number of an address.

    Raises:
        BadFilter: for a name that is no filter, a value that is not among `values`, a page that is
            no number, or a name given twice but class and verdict.
    """
    names = [field.name.rstrip("_") for field in fields(Filters)]
    several = {name: [trimmed(n, v) for n, v in given if n == name] for name in _IN_LIST}
    asked = once([pair for pair in given if pair[0] not in _IN_LIST], names)
    page, box = (asked.pop(name, "") for name in ("page", "box"))
    for name, value in (*asked.items(), *((n, v) for n in several for v in several[n])):
        if name in values:
            check_listed(name, value, values[name], "no shard has been read yet")
    classes, verdicts = (tuple(dict.fromkeys(v for v in several[n] if v)) for n in _IN_LIST)
    seen = Box.read(box) if box else None
    return Filters(**asked, class_=classes, verdict=verdicts, box=seen), page_number(page)
