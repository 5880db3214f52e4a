"""A table of counts on a page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsTable:
    """A table of counts: its heading, column names and rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]
