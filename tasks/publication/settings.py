"""What has to hold of a dataset before it is published; none of it changes what is in it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from schemas.form import as_form


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

    @property
    def most_proved(self) -> int | None:
        """How many samples of a shard are proved; None for all."""
        return self.verify if isinstance(self.verify, int) else None
