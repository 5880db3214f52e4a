"""What of a dataset is shown: read from an address, checked, and turned into SQL with values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from schemas.verdict import Verdict
from view.index import Index

MOST_SEARCHED = 200  # characters
_PLAIN = ("source", "tier", "task", "split", "form", "letter")  # columns compared as they are
_IN_LIST = {"class": "classes", "verdict": "verdicts"}


class BadFilter(ValueError):
    """An address that asks for what there is not; the message says what is allowed."""


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
    """What is asked for; "" and None ask for all. `class_` stands as "class" in an address."""

    source: str = ""
    tier: str = ""
    task: str = ""
    class_: str = ""
    split: str = ""
    verdict: str = ""
    form: str = ""
    letter: str = ""
    answer: str = ""
    scene: str = ""
    q: str = ""
    box: Box | None = None

    @property
    def given(self) -> dict[str, str]:
        """What is asked for, by the names of an address."""
        named = {field.name.rstrip("_"): getattr(self, field.name) for field in fields(self)}
        return {name: str(value) for name, value in named.items() if value}

    def address(self, **more: object) -> str:
        """Return "?..." with what is asked for and more, "" where that is nothing."""
        asked = {**self.given, **{name: str(value) for name, value in more.items() if value}}
        return f"?{urlencode(asked)}" if asked else ""

    def but(self, **changed: object) -> "Filters":
        """Return these filters with some changed."""
        return replace(self, **changed)  # type: ignore[arg-type]

    def where(self) -> tuple[str, list[object]]:
        """Return an SQL condition on `sample` and its values."""
        parts = ["true"]
        values: list[object] = []
        for name, value in self.given.items():
            if name in _PLAIN:
                parts.append(f"{name} = ?")
            elif name in _IN_LIST:
                parts.append(f"list_contains({_IN_LIST[name]}, ?)")
            elif name in ("scene", "answer"):
                parts.append(f"{'scene_id' if name == 'scene' else name} = ?")
            else:
                continue
            values.append(value)
        if self.q:
            parts.append("contains(searched, lower(?))")
            values.append(self.q)
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
            no number, or a name given twice.
    """
    names = [field.name.rstrip("_") for field in fields(Filters)]
    asked = once(given, [*names, "page"])
    page = page_number(asked.pop("page", ""))
    for name, value in asked.items():
        if value and name in values and value not in values[name]:
            raise BadFilter(f"{name}={value!r} is not there; it may be {_listed(values[name])}")
    box = asked.pop("box", "")
    text = {("class_" if name == "class" else name): value for name, value in asked.items()}
    return Filters(**text, box=Box.read(box) if box else None), page


def once(given: Sequence[tuple[str, str]], names: Sequence[str]) -> dict[str, str]:
    """Return an address's values by name; BadFilter for a name not among `names`, or twice."""
    asked: dict[str, str] = {}
    for name, value in given:
        if name not in names:
            raise BadFilter(f"{name!r} is no filter; there are {', '.join(sorted(names))}")
        if name in asked:
            raise BadFilter(f"{name} is given twice")
        if len(value) > MOST_SEARCHED:
            raise BadFilter(f"{name} has {len(value)} characters; at most {MOST_SEARCHED} are read")
        asked[name] = value.strip()
    return asked


def page_number(text: str) -> int:
    """Return a page number, 1 of ""; BadFilter where it is none."""
    if not text:
        return 1
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**8):
        raise BadFilter(f"page={text!r} is not a page; pages are numbered from 1")
    return int(text)


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values) or "nothing yet: no shard has been read"
