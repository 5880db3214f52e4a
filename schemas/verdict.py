"""What the masks say of a written claim or sentence; docs/claims.md gives the bounds."""

from enum import StrEnum


class Verdict(StrEnum):
    """Three outcomes, never two: what cannot be decided is neither true nor false."""

    PROVED = "proved"
    UNPROVED = "unproved"
    FALSE = "false"
