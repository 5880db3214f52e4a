"""What has to hold of a dataset before it is published; none of it changes what is in it."""

from pydantic import BaseModel, ConfigDict, Field

from schemas.form import as_form


class GateSettings(BaseModel):
    """The limits of the gates; a limit that is null reports the number and decides nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    shared_images: int | None = Field(
        default=0, ge=0, description="Images whose very bytes are in two splits, at most."
    )
    overlapping_footprints: int | None = Field(
        default=0, ge=0, description="Scenes that overlap a scene of another split, at most."
    )
