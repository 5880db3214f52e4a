"""Gates as rows of a table: in the report, the terminal, the Prefect UI and on the page of why."""

from collections.abc import Iterable

from tasks.counts_table import CountsTable
from tasks.manifest import GateResult
from tasks.publication.settings import BENCHES

TITLE = "Publication: what has to hold before a version is published"
_WAYS = {
    "overlapping_footprints": "or allow so many with gates.overlapping_footprints, which the "
    "manifest and the card then tell",
    BENCHES: f"or leave the bench out of gates.{BENCHES}",
}
COLUMNS = ("gate", "what", "found", "limit", "holds")


def gate_row(gate: GateResult) -> tuple[str, str, str, str, str]:
    """Return a gate as `COLUMNS` has it; without a limit it is only reported."""
    limit = "" if gate.limit is None else _number(gate.limit)
    holds = "" if gate.limit is None else ("yes" if gate.holds else "no")
    return gate.gate, gate.subject, _number(gate.found), limit, holds


def gate_table(gates: Iterable[GateResult]) -> CountsTable:
    """Return gates as a table of a page."""
    return CountsTable(title=TITLE, columns=COLUMNS, rows=tuple(map(gate_row, gates)))


def gate_line(gate: GateResult, *, by_place: bool) -> str:
    """Return a gate that does not hold as one line, with what can be done.

    `by_place` says whether the splits are drawn by place already.
    """
    what = f"{gate.gate}: {gate.subject}: {_number(gate.found)}"
    where = f" ({gate.examples[0]})" if gate.examples else ""
    limit = "" if gate.limit is None else _number(gate.limit)
    ways = ["mend the data"]
    if gate.setting == "overlapping_footprints" and not by_place:
        ways.append("split by place (split: place)")
    if gate.setting:
        ways.append(_WAYS.get(gate.setting, f"or set gates.{gate.setting}"))
    return f"{what}, limit {limit}{where}; {', '.join(ways)}"


def _number(value: float) -> str:
    """Return a count as it is, a share with three digits."""
    return f"{value:,.0f}" if value == round(value) else f"{value:.3g}"
