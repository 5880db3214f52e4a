"""What a model is made of, and the numbers that the method leaves open.

Where paper and released code differ, the paper's value is the default and `RELEASED` holds the
code's.
"""

from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig

from terrascope_model.feedback import Feedback
from terrascope_model.sensors import Sensors

RELEASED: dict[str, Any] = {
    "max_region_tokens": 8,  # set in every training set, and hard-coded at inference
    "bce_weight": 2.0,
    "dice_weight": 0.5,
    "loss_points": 12_544,  # of a mask, where it is least sure
}


@strict
class TerraScopeConfig(PreTrainedConfig):
    """A vision-language model, a ground model, and how they are joined.

    Attributes:
        vlm_config: InternVL of transformers.
        ground_config: SAM 2 of transformers, or `SegmentAnythingConfig`.
        seg_token_id: The token whose hidden state asks for a mask.
        region_token_id: The placeholder that a masked visual token takes the place of.
        max_region_tokens: Visual tokens that a mask gives at most (paper: 128).
        more_than: Part of a visual token's ground that has to be masked (paper: 0.5).
        multimask: Whether three masks are made, and the one of highest predicted IoU is taken.
        bce_weight: Of the masks' cross-entropy (paper: 0.5 of the sum of both mask losses).
        dice_weight: Of the masks' Dice loss.
        loss_points: Points at which the mask losses are taken; 0 for every pixel.
        exposure: Share of the steps that training feeds from the predicted mask, not the annotated.
        feedback: What is put in after a [SEG]: the mask's visual "tokens" (paper), its facts as
            text ("measure"), "both" or "none".
        sensors: Whose tokens they are where optical and radar picture show one place: those that
            the question chooses ("adaptive", the paper's), both, or the one's that is shown.
    """

    model_type = "terrascope"
    sub_configs: ClassVar[dict[str, Any]] = {"vlm_config": AutoConfig, "ground_config": AutoConfig}

    vlm_config: dict[str, Any] | PreTrainedConfig | None = None
    ground_config: dict[str, Any] | PreTrainedConfig | None = None
    seg_token_id: int = 0
    region_token_id: int = 0
    max_region_tokens: int = 128
    more_than: float = 0.5
    multimask: bool = True
    bce_weight: float = 0.5
    dice_weight: float = 0.5
    loss_points: int = 0
    exposure: float = 0.0
    feedback: Feedback = "tokens"
    sensors: Sensors = "adaptive"

    def __post_init__(self, **kwargs: Any) -> None:
        """Make the parts' configurations of what was saved, or of nothing."""
        self.vlm_config = _configured(self.vlm_config, "internvl")
        self.ground_config = _configured(self.ground_config, "sam2")
        super().__post_init__(**kwargs)


def _configured(
    config: dict[str, Any] | PreTrainedConfig | None, model_type: str
) -> PreTrainedConfig:
    if isinstance(config, PreTrainedConfig):
        return config
    return AutoConfig.for_model(**{"model_type": model_type, **(config or {})})
