"""How a model is trained, in numbers; without torch, so that a command can check them at once."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.form import as_form

PresetName = Literal["tiny", "internvl3-1b", "internvl3-8b", "shape-8b"]

# The paper's numbers (sections 3.4 and 4.1, supplement Table B); LoRA and passes a step are the
# released code's, which the paper leaves open.
_LARGE: dict[str, Any] = {
    "trained": "parts",
    "stage1_steps": 15_000,
    "stage2_steps": 15_000,
    "batch_size": 2,
    "accumulated": 4,
    "learning_rate": 2e-5,
    "stage2_learning_rate": 4e-5,
    "language_rate": 1.0,
    "warmup_share": 0.3,
    "weight_decay": 0.0,
    "precision": "bf16",
    "gradient_checkpointing": True,
    "max_length": 8192,
    "save_steps": 1000,
    "workers": 4,
    "names_first": False,
    "rehearsed": 0.0,
    "least_share": 0.0,
    "modality_weights": {},
}
PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {},
    "internvl3-1b": _LARGE,
    "internvl3-8b": _LARGE,
    "shape-8b": _LARGE,
}
FAULT = "terrascope: "  # how the line begins that says why training ended
PRETRAINED = ("internvl3-1b", "internvl3-8b")  # of which weights are needed


class TrainSettings(BaseModel):
    """How a model is trained; the defaults are those of `tiny`, `PRESETS` has the others'."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    preset: PresetName = Field(default="tiny", description="Which model.")
    numbers: Literal["paper", "released"] = Field(
        default="paper", description="Whose loss weights and region size where the two differ."
    )
    weights_vlm: str = Field(
        default="", description="Folder or hub id of InternVL3's weights, for internvl3-*."
    )
    weights_ground: str = Field(
        default="", description="Folder or hub id of SAM 2's weights, for internvl3-*."
    )
    start: str = Field(
        default="",
        description="Folder of a trained model of the same preset, whose weights are gone on with.",
    )
    trained: Literal["all", "parts"] = Field(
        default="all",
        description="Everything but vision encoder and projector in stage 1, or what the paper "
        "trains in each stage, with LoRA.",
    )
    lora_rank: int = Field(default=128, ge=1, description="Of the language model's LoRA.")
    lora_alpha: int = Field(default=256, ge=1, description="LoRA's scale is this over the rank.")
    lora_dropout: float = Field(default=0.05, ge=0, lt=1, description="Before it.")
    seed: int = Field(default=0, ge=0, description="Of the first weights and of what is drawn.")
    stage1_steps: int = Field(default=800, ge=0, description="Steps on named classes.")
    stage2_steps: int = Field(default=300, ge=0, description="Steps on traces.")
    batch_size: int = Field(default=8, ge=1, description="Samples a pass and process.")
    accumulated: int = Field(default=1, ge=1, description="Passes a step.")
    learning_rate: float = Field(default=1e-3, gt=0, description="Its highest, of stage 1.")
    stage2_learning_rate: float = Field(default=4e-4, gt=0, description="Its highest, of stage 2.")
    language_rate: float = Field(
        default=3.0,
        gt=0,
        description="The learning rate of the vision-language model, times the others'.",
    )
    warmup_share: float = Field(
        default=0.1, ge=0, lt=1, description="Of a stage's steps, until it is reached."
    )
    weight_decay: float = Field(default=0.01, ge=0, description="Of AdamW.")
    rehearsed: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        description="Share of stage 2's samples that are those of stage 1, or masks are forgotten.",
    )
    exposure: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of a text's steps that are fed the predicted mask's tokens.",
    )
    feedback: Literal["tokens", "measure", "both", "none", "box", "random"] = Field(
        default="tokens",
        description="What follows a [SEG]: the mask's visual tokens, its facts as text, or both; "
        "to compare with, the tokens of its box, or random ones.",
    )
    sensors: Literal["adaptive", "concatenated", "optical", "sar"] = Field(
        default="adaptive",
        description="Where optical and radar picture show one place: whose visual tokens follow a "
        "[SEG], those that the question chooses or both; or which of the two is shown at all.",
    )
    marked: bool = Field(
        default=True,
        description="Whether traces mark what they are about; without, [SEG] are left out of them.",
    )
    precision: Literal["float32", "bf16"] = Field(
        default="float32", description="Of what is computed; what is trained is kept in float32."
    )
    gradient_checkpointing: bool = Field(
        default=False, description="Compute layers twice and keep only what is between them."
    )
    compiled: bool = Field(
        default=False,
        description="Compile the vision-language model's layers: a minute at first, and a faster "
        "step of a large model on a GPU.",
    )
    sharded: bool = Field(
        default=False, description="Share the weights out over the processes (FSDP)."
    )
    max_tiles: int = Field(default=12, ge=1, description="Tiles of an image, for internvl3-*.")
    max_length: int = Field(
        default=0, ge=0, description="Tokens of a sample at most; 0 for all that the model takes."
    )
    save_steps: int = Field(default=100, ge=1, description="Steps between checkpoints.")
    workers: int = Field(default=0, ge=0, description="Processes that read samples, a process.")
    names_first: bool = Field(
        default=True,
        description="Ask the mask decoder by a vector learnt for each name first, by [SEG] later; "
        "only where a model starts from nothing.",
    )
    least_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Of a picture that a class covers, to be asked for by its name.",
    )
    modality_weights: dict[str, float] = Field(
        default={"sar": 0.25}, description="How often a sensor's pictures come with named classes."
    )
    tier_weights: dict[str, float] = Field(
        default={}, description="How often a tier comes; '*' for those not named."
    )
    source_weights: dict[str, float] = Field(
        default={}, description="How often a source comes; as above."
    )
    task_weights: dict[str, float] = Field(
        default={}, description="How often a task comes; as above."
    )
    check_digests: bool = Field(
        default=True, description="Compare every shard with the manifest before training."
    )
    eval_split: Literal["validation", "test", "none"] = Field(
        default="validation", description="Whose named classes are segmented in the end."
    )
    eval_pictures: int = Field(default=128, ge=1, description="Pictures of it, at most.")

    @model_validator(mode="before")
    @classmethod
    def _of_preset(cls, given: Any) -> Any:
        """Lay what is given over the preset's numbers."""
        if isinstance(given, dict):
            return {**PRESETS.get(str(given.get("preset", "tiny")), {}), **given}
        return given

    @model_validator(mode="after")
    def _exposed_tokens(self) -> Self:
        """Refuse facts of one mask beside the tokens of another, and an exposure to nothing."""
        if self.exposure and self.feedback != "tokens":
            raise ValueError(
                f"exposure feeds the visual tokens of predicted masks, and feedback "
                f"{self.feedback!r} puts in facts of the annotated ones or nothing; set one of the "
                "two back"
            )
        return self

    @model_validator(mode="after")
    def _exposed_sensors(self) -> Self:
        """Refuse an exposure to regions of which each token comes twice."""
        if self.exposure and self.sensors == "concatenated":
            raise ValueError(
                "exposure feeds one sensor's tokens of a predicted mask, and sensors "
                "'concatenated' puts in both sensors'; set one of the two back"
            )
        return self

    @model_validator(mode="after")
    def _weights(self) -> Self:
        needed = self.preset in PRETRAINED
        for name in ("weights_vlm", "weights_ground"):
            if needed != bool(getattr(self, name)):
                fault = f"{self.preset} needs" if needed else f"{self.preset} has no use for"
                raise ValueError(f"{fault} {name}")
        return self
