"""What one person finds of one item of a bench."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Reason = Literal[
    "wrong mask", "wrong answer", "unclear question", "two right answers", "bad picture"
]
REASONS: tuple[Reason, ...] = (
    "wrong mask",
    "wrong answer",
    "unclear question",
    "two right answers",
    "bad picture",
)


class Opinion(BaseModel):
    """What is said of an item: accepted, rejected for a reason, or another letter is right.

    `wrong_masks` are numbers of masks among those of the item's steps, whatever else is said.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    verdict: Literal["accept", "reject", "correct"]
    reason: Reason | None = None
    letter: Annotated[str, Field(pattern="^[A-Z]$")] | None = None
    wrong_masks: tuple[Annotated[int, Field(ge=0)], ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.reason is not None) != (self.verdict == "reject"):
            raise ValueError("a reason goes with reject, and reject with a reason")
        if (self.letter is not None) != (self.verdict == "correct"):
            raise ValueError("a letter goes with correct, and correct with a letter")
        if len(set(self.wrong_masks)) != len(self.wrong_masks):
            raise ValueError("a mask is named twice")
        return self

    @property
    def said(self) -> str:
        """What agreement is counted on: "accept", "reject" or "correct B"."""
        return f"{self.verdict} {self.letter}" if self.letter else self.verdict


class Verdict(Opinion):
    """An opinion as it is kept: of which item, as what it was shown, and when (UTC)."""

    item: str
    shown: str
    at: str
