"""Two versions side by side: what differs between them, sought once and kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from threading import Lock

from tasks.comparing.compare import Change, Comparison, Fate, compare
from tasks.comparing.page import ChangeView, change_view, comparison_tables
from tasks.counts_table import CountsTable
from tasks.readable import program_text
from tasks.rows import Row
from view.asked import Paging, check_listed, once, page_number

PAGE = 30
_NAMES = ("fate", "cause", "source", "tier", "task")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesPage:
    """A page of samples that differ, of those that an address asks for."""

    comparison: Comparison
    tables: tuple[CountsTable, ...]
    fates: dict[str, int]
    asked: dict[str, str]
    values: dict[str, list[str]]
    changes: tuple[Change, ...]
    paging: Paging


@dataclass(frozen=True, slots=True)
class Differing:
    """A field that two versions of a sample do not share, as each has it."""

    name: str
    then: str
    now: str


class Compared:
    """The comparison of two datasets, made when it is first asked for."""

    def __init__(self, then: Path, now: Path) -> None:
        self._folders = then, now
        self._lock = Lock()

    @cached_property
    def _found(self) -> Comparison:
        return compare(*self._folders)

    @cached_property
    def _by_id(self) -> dict[str, Change]:
        return {change.sample.sample_id: change for change in self._found.changes}

    def page(self, given: Sequence[tuple[str, str]]) -> ChangesPage:
        """Return the changes that an address asks for.

        Raises:
            BadFilter: as for samples.
            UserError: where one of the two cannot be compared.
        """
        with self._lock:
            found = self._found
        asked = once(given, _NAMES)
        number = page_number(asked.pop("page", ""))
        values = {name: sorted({_told(one, name) for one in found.changes}) for name in _NAMES}
        for name, value in asked.items():
            check_listed(name, value, values[name], "nothing differs")
        changes = [
            one
            for one in found.changes
            if all(_told(one, name) == value for name, value in asked.items())
        ]
        paging = Paging(page=number, found=len(changes), size=PAGE, asked=tuple(asked.items()))
        return ChangesPage(
            comparison=found,
            tables=tuple(comparison_tables(found)),
            fates={fate: sum(one.fate is fate for one in found.changes) for fate in Fate},
            asked=asked,
            values=values,
            changes=tuple(changes[paging.start : paging.start + PAGE]),
            paging=paging,
        )

    def change(self, sample_id: str) -> tuple[ChangeView, list[Differing]] | None:
        """Return one sample that differs as both have it, None where it does not differ.

        RowError where a row of it cannot be read.
        """
        with self._lock:
            one = self._by_id.get(sample_id)
        if one is None:
            return None
        view = change_view(one, *self._folders)
        rows = [shown.row for shown in view.rows]
        return view, [*_differing(*rows)] if len(rows) > 1 else []


def _told(change: Change, name: str) -> str:
    if name == "fate":
        return change.fate.value
    if name == "cause":
        return f"{change.cause.kind.value}: {change.cause.words}"
    return str(getattr(change.sample, name))


def _differing(then: Row, now: Row) -> Iterator[Differing]:
    pairs = zip(_said(then), _said(now), strict=True)
    for (name, before), (_, after) in pairs:
        if before != after:
            yield Differing(name, before, after)
    for number, steps in enumerate(zip_longest(then.steps, now.steps), start=1):
        before, after = ("(no such step)" if one is None else one.text for one in steps)
        if before != after:
            yield Differing(f"step {number}", before, after)
    masks = zip_longest(then.masks, now.masks)
    for number, (was, is_) in enumerate(masks, start=1):
        if was != is_:
            told = ("(none)" if m is None else f"{m.label}, {m.origin.value}" for m in (was, is_))
            yield Differing(f"mask {number}", *told)


def _said(row: Row) -> Iterator[tuple[str, str]]:
    yield "question", row.question
    yield "options", " / ".join(row.options)
    yield "answer", row.answer.text
    yield "program", program_text(row.program, row.grid.north_up)
    yield "template", f"{row.provenance.template} version {row.provenance.template_version}"
    yield "configuration", row.provenance.config_digest
    yield "files", "\n".join(f"{file.path} {file.sha256[:12]}" for file in row.provenance.files)
