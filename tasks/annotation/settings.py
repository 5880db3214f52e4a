"""Who annotates, and what becomes of masks that annotation and prediction share: settings alone."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.form import as_form
from terrascope_model.settings import TrainSettings

Policy = Literal["checked", "regions", "paper"]


class AnnotatorSettings(BaseModel):
    """The annotator: none, one that is trained on the build's captions, or a trained model."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    kind: Literal["none", "train", "folder"] = Field(
        default="none",
        description="train: on the captions, out of fold; folder: a model trained elsewhere.",
    )
    model: str = Field(default="", description="Its folder, for the kind folder.")
    training: TrainSettings = Field(
        default=TrainSettings(), description="How it is trained; as of `terrascope train`."
    )
    folds: int = Field(
        default=2, ge=2, description="Each is annotated by a model that was trained on the others."
    )
    batch_size: int = Field(default=8, ge=1, description="Pictures that are asked about at once.")

    unlabelled: bool = Field(
        default=False,
        description="Let it mark training scenes that have no labels, which are refused otherwise.",
    )
    confidence_floor: float = Field(
        default=0.7,
        ge=0,
        le=1,
        description="Mean probability under which a class is not taken from it in such scenes.",
    )

    @model_validator(mode="after")
    def _named(self) -> Self:
        if (self.kind == "folder") != bool(self.model):
            raise ValueError("`model` names the annotator's folder, and goes with kind: folder")
        if self.unlabelled and self.kind == "none":
            raise ValueError("`unlabelled` scenes are marked by an annotator, and the kind is none")
        return self

    def content(self) -> dict[str, Any]:
        """Return what decides the predicted masks."""
        own = {"kind", "model"} if self.kind == "folder" else {"kind", "training", "folds"}
        if self.unlabelled:
            own |= {"unlabelled", "confidence_floor"}
        return self.model_dump(mode="json", include=own)


class RefineSettings(BaseModel):
    """When a step's mask becomes what annotation and prediction share."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    policy: Policy = Field(
        default="checked",
        description="checked: intersected above the floor, and only where the answer stays; "
        "regions: as well, but whole regions are kept or dropped; paper: always intersected.",
    )
    iou_floor: float = Field(
        default=0.7,
        ge=0,
        le=1,
        description="IoU of annotation and prediction under which the annotation stays.",
    )

    def takes(self, iou: float) -> bool:
        """Return whether an annotated mask gives way to what it shares with a predicted one."""
        return self.policy == "paper" or iou >= self.iou_floor
