"""What a person sees of a stage while it is trained: a line each time that losses are logged."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class StageLines(TrainerCallback):
    """Says step, losses and seconds, as in "stage1 20/400  loss 3.21 …  14 s"."""

    def __init__(self, stage: str, say: Callable[[str], None]) -> None:
        self._stage, self._say = stage, say
        self._began = monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Let steps with a checkpoint be logged, so that each mean is of the steps since one."""
        ends = state.global_step >= state.max_steps
        control.should_log |= ends or state.global_step % int(args.save_steps) == 0

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Say what was logged, if it is losses."""
        if logs and "loss" in logs:
            losses = "  ".join(
                f"{name.removesuffix('_loss')} {value:.3f}"
                for name, value in logs.items()
                if name.endswith("loss")
            )
            took_s = monotonic() - self._began
            self._say(
                f"{self._stage} {state.global_step}/{state.max_steps}  {losses}  {took_s:.0f} s"
            )
