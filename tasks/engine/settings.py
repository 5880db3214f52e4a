"""Which engine works through granules, and where it is."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.form import as_form


class EngineSettings(BaseModel):
    """Worker processes of this machine, or a cluster; it never changes the result."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    kind: Literal["processes", "dask", "ray"] = Field(
        default="processes", description="Processes of this machine, or a cluster."
    )
    address: str = Field(
        default="",
        description="Of a cluster: tcp://HOST:8786 (Dask), HOST:6379 or auto (Ray).",
    )

    @model_validator(mode="after")
    def _has_address(self) -> "EngineSettings":
        if (self.kind == "processes") == bool(self.address):
            raise ValueError("dask and ray need an address, processes have none")
        return self
