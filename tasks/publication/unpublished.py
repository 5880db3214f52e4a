"""What is said of a dataset whose gates do not all hold."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tasks.errors import UserError
from tasks.manifest import GateResult
from tasks.publication.shown import gate_line, gate_table
from tasks.shown import PAGES, write_page

UNPUBLISHED_NAME = "report/unpublished.html"


class Unpublished(UserError):
    """The gates do not all hold: what was published stays; the message names each, with numbers."""


def refuse(dataset: Path, judged: Sequence[GateResult], *, by_place: bool) -> NoReturn:
    """Write the page of the gates, and raise Unpublished.

    `by_place` says whether the splits are drawn by place.
    """
    failed = [gate for gate in judged if not gate.holds]
    lines = [gate_line(gate, by_place=by_place) for gate in failed]
    page = dataset / UNPUBLISHED_NAME
    write_page(
        page,
        PAGES / "unpublished.html",
        dataset=dataset.resolve().name,
        failed=failed,
        lines=lines,
        tables=[gate_table(judged)],
    )
    count = f"{len(failed)} of {len(judged)} gates do not hold"
    raise Unpublished("\n".join([f"not published: {count}; see {page}", *lines]))
