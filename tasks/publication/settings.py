"""What has to hold of a dataset before it is published; none of it changes what is in it."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator

from schemas.form import as_form

BENCHES = "benches"


class GateSettings(BaseModel):
    """The limits of the gates; a limit that is null reports the number and decides nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    verify: Literal["all", "off"] | PositiveInt = Field(
        default=4,
        description="Samples of each new or changed shard that are proved again: a number, all "
        "(half as much work again as all of a build by rules), or off.",
    )
    shared_images: int | None = Field(
        default=0, ge=0, description="Images whose very bytes are in two splits, at most."
    )
    overlapping_footprints: int | None = Field(
        default=0, ge=0, description="Scenes that overlap a scene of another split, at most."
    )
    benches: tuple[Path, ...] = Field(
        default=(),
        description="Folders of datasets that models are measured on: the training split may share "
        "no image and no ground with them.",
    )
    least: int = Field(
        default=100, ge=1, description="Of fewer scenes, samples or answers a share is reported."
    )
    scenes_refused: float | None = Field(
        default=0.5, ge=0, le=1, description="Share of a source's scenes that may be refused."
    )
    samples_refused: float | None = Field(
        default=0.9, ge=0, le=1, description="Share of a stage's samples that may be refused."
    )
    commonest_answer: float | None = Field(
        default=0.95, ge=0, le=1, description="Share of a task's commonest closed answer, at most."
    )
    commonest_class: float | None = Field(
        default=None, ge=0, le=1, description="Share of a source's commonest class, at most."
    )

    @field_validator(BENCHES)
    @classmethod
    def _absolute(cls, benches: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(folder.resolve() for folder in benches)

    @property
    def most_proved(self) -> int | None:
        """How many samples of a shard are proved; None for all."""
        return self.verify if isinstance(self.verify, int) else None
