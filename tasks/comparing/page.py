"""The page of a comparison: counts by cause, and a few samples of each, before and after."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from tasks.comparing.causes import Cause
from tasks.comparing.compare import BY, Change, Comparison, Fate
from tasks.counts_table import CountsTable
from tasks.lineage.graph import changes
from tasks.readable import OptionView, option_views
from tasks.rows import Row, read_rows
from tasks.shown import PAGES, Picture, picture_of_row, write_page

NUM_SHOWN = 12
PICTURES = 4  # of a sample at most


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """What is shown of a sample as one of the datasets has it."""

    row: Row
    head: str
    pictures: tuple[Picture, ...]
    options: tuple[OptionView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """One sample that differs, as both datasets have it, or one."""

    change: Change
    rows: tuple[RowView, ...]


def write_comparison(path: Path, found: Comparison, then: Path, now: Path) -> None:
    """Write one HTML file that needs nothing else; OSError if it cannot be written."""
    write_page(
        path,
        PAGES / "comparison.html",
        then=found.then,
        now=found.now,
        fates=[(fate.value, _number(found, fate)) for fate in Fate],
        same=found.same,
        withdrawn=found.withdrawn,
        tables=[*comparison_tables(found)],
        shown=[change_view(change, then, now) for change in shown(found.changes, NUM_SHOWN)],
    )


def shown(found: tuple[Change, ...], number: int) -> list[Change]:
    """Return a few changes: the causes take turns, the smallest ids of each first."""
    by_cause: dict[tuple[Fate, Cause], list[Change]] = {}
    for change in sorted(found, key=lambda one: one.sample.sample_id):
        by_cause.setdefault((change.fate, change.cause), []).append(change)
    turns = cycle(iter(by_cause[key]) for key in sorted(by_cause))
    most = min(number, len(found))
    drawn: list[Change] = []
    for turn in turns:
        if len(drawn) == most:
            break
        drawn += [one for one in [next(turn, None)] if one is not None]
    return drawn


def _number(found: Comparison, fate: Fate) -> int:
    return sum(change.fate is fate for change in found.changes)


def comparison_tables(found: Comparison) -> Iterator[CountsTable]:
    """Yield the counts of a comparison: by cause, what decides stages, by source, tier, task."""
    yield CountsTable(
        title="Samples by cause",
        columns=("fate", "cause", "what", "samples"),
        rows=tuple(
            (fate.value, cause.kind.value, cause.words, number)
            for (fate, cause), number in found.counts().most_common()
        ),
    )
    yield CountsTable(
        title="What decides a stage otherwise",
        columns=("stage", "what", "change"),
        rows=tuple(
            (stage, one.kind.value, str(one))
            for stage, differing in changes(found.now, found.then).items()
            for one in differing
        ),
    )
    for name in BY:
        counts = found.counts_by(name)
        yield CountsTable(
            title=f"By {name}",
            columns=(name, *(fate.value for fate in Fate)),
            rows=tuple(
                (value, *(counts[value, fate] for fate in Fate))
                for value in sorted({value for value, _ in counts})
            ),
        )


def change_view(change: Change, then: Path, now: Path) -> ChangeView:
    """Return what is shown of a change; RowError where a row of it cannot be read."""
    places = [(then, change.before, "before")] if change.before else []
    if change.fate is not Fate.REMOVED:
        places.append((now, change.sample.shard, "after"))
    id_ = change.sample.sample_id
    rows = [(read_rows(folder / shard, {id_})[id_], head) for folder, shard, head in places]
    return ChangeView(
        change=change,
        rows=tuple(
            RowView(
                row=row,
                head=head if len(rows) > 1 else "",
                pictures=tuple(
                    picture_of_row(row, number) for number in range(min(PICTURES, len(row.images)))
                ),
                options=option_views(row),
            )
            for row, head in rows
        ),
    )
