"""The quarantine: scenes and samples that were refused, with reasons, as counts and as a list."""

from collections.abc import Sequence
from dataclasses import dataclass

from view.asked import Paging, check_listed, once, page_number, words_of
from view.index import Index

PAGE = 50
_CLOSED = ("source", "stage", "reason")
_NAMES = (*_CLOSED, "q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One refusal as it is stored; `scene` is its scene, "" where that has no samples."""

    sample_id: str
    source: str
    stage: str
    reason: str
    detail: str
    scene: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPage:
    """A page of refusals; `reasons` counts them all, (source, stage, reason, number)."""

    asked: dict[str, str]
    values: dict[str, list[str]]
    reasons: tuple[tuple[str, str, str, int], ...]
    rows: tuple[Refused, ...]
    paging: Paging


def refused_page(index: Index, given: Sequence[tuple[str, str]]) -> RefusedPage:
    """Return the refusals that an address asks for; BadFilter as for samples."""
    asked = once(given, _NAMES)
    page = page_number(asked.pop("page", ""))
    values = {name: _values(index, name) for name in _CLOSED}
    for name in _CLOSED:
        check_listed(name, asked.get(name, ""), values[name], "nothing was refused")
    where = " and ".join(["true", *(f"{name} = ?" for name in _CLOSED if name in asked)])
    bound = [asked[name] for name in _CLOSED if name in asked]
    for word in words_of(asked.get("q", "")):
        where += " and contains(lower(sample_id || ' ' || detail), ?)"
        bound.append(word)
    found = index.number(f"select count(*) from refused where {where}", bound)
    paging = Paging(page=page, found=found, size=PAGE, asked=tuple(asked.items()))
    rows = index.rows(
        f"select sample_id, source, stage, reason, detail from refused where {where} "
        "order by source, stage, reason, sample_id limit ? offset ?",
        [*bound, PAGE, paging.start],
    )
    scenes = _scenes(index, [row[-1] for row in rows])
    reasons = index.rows(
        "select source, stage, reason, count(*) from refused group by all order by 4 desc, 1, 2, 3"
    )
    return RefusedPage(
        asked=asked,
        values=values,
        reasons=tuple((source, stage, reason, number) for source, stage, reason, number in reasons),
        rows=tuple(
            Refused(**dict(zip(Refused.__slots__, (*row, scene), strict=True)))
            for row, scene in zip(rows, scenes, strict=True)
        ),
        paging=paging,
    )


def _scenes(index: Index, details: Sequence[str]) -> list[str]:
    """Return the scene that each detail begins with, "" where none does that has samples."""
    begun = [detail.partition(": ")[0] for detail in details]
    sql = "select distinct scene_id from sample where list_contains(?, scene_id)"
    known = {row[0] for row in index.rows(sql, [begun])}
    return [name if name in known else "" for name in begun]


def _values(index: Index, name: str) -> list[str]:
    assert name in _CLOSED
    return [row[0] for row in index.rows(f"select distinct {name} from refused order by 1")]
