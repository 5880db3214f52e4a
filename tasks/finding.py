"""One rule that a sample breaks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that a sample breaks, with what was expected and what was found."""

    rule: str
    expected: str
    found: str
