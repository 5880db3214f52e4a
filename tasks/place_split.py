"""Splits drawn by place: every scene of a tile or event comes to the same one, for good."""

from hashlib import sha256
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.form import as_form

SPLITS = ("train", "validation", "test")
# of a thousand draws the one that comes nearest to the default shares, on xBD's 19 events and on
# BigEarthNet's 95 squares, with no overlap between splits; another one would move every scene
_DRAW = 630
_HASHED_BYTES = 8
_ROUNDING = 1e-6  # that shares written with decimals may miss one by


class SplitShares(BaseModel):
    """How likely a tile or event is to come to each split; together one.

    Of few of them, or of unlike sizes, the shares of scenes are others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    train: float = Field(default=0.8, ge=0, le=1, description="To learn from.")
    validation: float = Field(default=0.1, ge=0, le=1, description="To choose a model by.")
    test: float = Field(default=0.1, ge=0, le=1, description="Held out.")

    @model_validator(mode="after")
    def _are_one_together(self) -> Self:
        together = self.train + self.validation + self.test
        if abs(together - 1) > _ROUNDING:
            raise ValueError(f"train, validation and test are {together:g} together, expected 1")
        return self


def split_of(locality: str, shares: SplitShares) -> str:
    """Return the split of a locality: it follows from the name alone, whatever else there is.

    The seed has no part in it: who draws other questions keeps what is held out.
    """
    drawn = int.from_bytes(sha256(f"{_DRAW} {locality}".encode()).digest()[:_HASHED_BYTES])
    position = drawn / 2 ** (8 * _HASHED_BYTES)
    if position < shares.test:
        return "test"
    return "validation" if position < shares.test + shares.validation else "train"
