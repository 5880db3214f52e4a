"""What there is how often, under the filters of the page: bars that lead to their samples."""

from collections.abc import Iterator
from dataclasses import dataclass

from view.filters import Filters
from view.index import Index
from view.wording import worded

MOST_BARS = 300  # of one chart
FIRST_BARS, FIRST_ANSWERS = 12, 6  # shown at once
_BY = {
    "source": "source",
    "split": "split",
    "tier": "tier",
    "task": "task",
    "class": "unnest(classes)",
    "verdict": "unnest(verdicts)",
    "form": "form",
    "letter": "letter",
}
_TITLES = {
    "class": "Class asked of",
    "verdict": "Verdicts that occur in a sample's steps and claims",
    "letter": "Letter of the answer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: how many, what part of the longest it is, and where its samples are."""

    label: str
    number: int
    share: float
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars under a title, `first` of them at once; `rest` says what is not drawn at all."""

    title: str
    bars: tuple[Bar, ...]
    first: int
    rest: str = ""


def charts(index: Index, filters: Filters) -> Iterator[Chart]:
    """Yield the counts of what the filters leave, by each thing there is to filter by."""
    where, values = filters.where()
    for name, column in _BY.items():
        rows = index.rows(
            f"select label, count(*) from (select {column} as label from sample where {where}) "
            "where label <> '' group by 1 order by 2 desc, 1",
            values,
        )
        if rows:
            yield _chart(_TITLES.get(name, name.capitalize()), rows, filters, name, FIRST_BARS)


def answer_charts(index: Index, filters: Filters) -> Iterator[Chart]:
    """Yield the answers of each task, captions aside, the most frequent first."""
    where, values = filters.where()
    rows = index.rows(
        f"select task, answer, count(*) from sample where {where} and tier <> 'cap' "
        "group by all order by 1, 3 desc, 2",
        values,
    )
    by_task: dict[str, list[tuple[str, int]]] = {}
    for task, answer, number in rows:
        by_task.setdefault(task, []).append((answer, number))
    for task, answers in by_task.items():
        title = worded(task, "task")
        yield _chart(title, answers, filters.but(task=task), "answer", FIRST_ANSWERS)


def _chart(
    title: str, rows: list[tuple[str, int]], filters: Filters, name: str, first: int
) -> Chart:
    longest = max(number for _, number in rows)
    rest = rows[MOST_BARS:]
    return Chart(
        title=title,
        bars=tuple(
            Bar(
                label=worded(label, name),
                number=number,
                share=number / longest,
                address=filters.narrowed(name, label).address(),
            )
            for label, number in rows[:MOST_BARS]
        ),
        first=first,
        rest=f"{len(rest):,} more, {sum(n for _, n in rest):,} samples" if rest else "",
    )
