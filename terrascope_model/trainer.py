"""The loop of one stage: batches of our drawing, each loss logged, and an end where one is none."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from accelerate.data_loader import prepare_data_loader
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.utils.data import DataLoader
from transformers import Trainer
from transformers.trainer_utils import rotate_checkpoints

from terrascope_model.batch import IGNORED
from terrascope_model.batches import Batches
from terrascope_model.data import Items
from terrascope_model.lexicon import PROMPT_WEIGHT
from terrascope_model.model import TerraScopeModel
from terrascope_model.placed import writing
from terrascope_model.processor import Encoded, TerraScopeProcessor
from terrascope_model.settings import TrainSettings

LOSSES = ("language_loss", "bce_loss", "dice_loss", "prompt_loss")
WEIGHTS = "trained.safetensors"  # of a checkpoint: what the stage trains, by name
_OF_MASKS = ("ground.", "lexicon.")  # in the names of parameters
OPTIMIZER = "optimizer.pt"  # with the schedule
KEPT = 2  # checkpoints of a stage


class TrainingStopped(RuntimeError):
    """Training cannot go on; the last checkpoint is as it was."""


class StageTrainer(Trainer):
    """Trains what a stage trains, alone or as one of several processes.

    Several processes learn what one would learn from all their batches together: each loss counts
    by the tokens and masks that it is a mean of, and those logged are of all.
    """

    def __init__(
        self,
        settings: TrainSettings,
        processor: TerraScopeProcessor,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if settings.sharded:  # gradients are brought together where weights are shared out already
            self.accelerator.prepare_model = partial(
                self.accelerator.prepare_model, evaluation_mode=True
            )
        self._settings, self._processor = settings, processor
        self._sums_K = torch.zeros(len(LOSSES), device=self.args.device)
        self._summed_K = torch.zeros_like(self._sums_K)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return this process's part of the batches of all steps."""
        samples = self.train_dataset
        assert isinstance(samples, Items)
        loader = DataLoader(
            samples,
            batch_sampler=Batches(
                samples,
                self._settings.batch_size,
                num_batches=self.args.max_steps * self._settings.accumulated,
                seed=self._settings.seed,
                rank=self.args.process_index,
                ranks=self.args.world_size,
            ),
            collate_fn=self._collated,
            num_workers=self._settings.workers,
            persistent_workers=self._settings.workers > 0,
            pin_memory=torch.cuda.is_available(),
        )
        return prepare_data_loader(
            loader, self.args.device, num_processes=1, process_index=0, put_on_device=True
        )

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Return the optimizer, with a rate of its own for what reads and writes words."""
        optimizer = super().create_optimizer(model)
        found = model or self.model
        assert found is not None
        words = {p for name, p in found.named_parameters() if "vlm." in name}
        for group in list(optimizer.param_groups):
            own = [p for p in group["params"] if p in words]
            group["params"] = [p for p in group["params"] if p not in words]
            if own:
                rate = group["lr"] * self._settings.language_rate
                optimizer.add_param_group({**group, "params": own, "lr": rate})
        return optimizer

    def training_step(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """Return the loss of a pass; TrainingStopped where memory is short for it."""
        try:
            return super().training_step(model, inputs, num_items_in_batch)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise TrainingStopped(
                f"step {self.state.global_step + 1}: out of memory ({_first_line(error)}); lower "
                "batch_size (and raise accumulated as much), max_tiles or max_length, set "
                "gradient_checkpointing or precision bf16, or share the weights out over several "
                f"GPUs with sharded. The last checkpoint in {self.args.output_dir} is kept"
            ) from error

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Return the loss of a batch; TrainingStopped names the batch where it is none."""
        sample_ids = inputs.pop("sample_ids")
        lexicon = self._bare(model).lexicon
        if lexicon is not None:
            lexicon.at(self.state.global_step, self.state.max_steps)
        output = model(**inputs)
        losses_K = torch.stack([output[name] for name in LOSSES])
        if self.args.world_size > 1:
            losses_K = losses_K * self._shares(inputs)
        config = self._bare(model).config
        weights_K = losses_K.new_tensor([1.0, config.bce_weight, config.dice_weight, PROMPT_WEIGHT])
        loss = (weights_K * losses_K).sum()
        self._stop_unless_finite(output["loss"].detach(), sample_ids)
        self._sums_K += losses_K.detach()
        read = float(lexicon is None or not lexicon.alone)  # else only masks have losses
        self._summed_K += self._summed_K.new_tensor([read, 1.0, 1.0, read])
        return (loss, output) if return_outputs else loss

    def _clip_grad_norm(self, model: nn.Module) -> Tensor:
        """Clip what masks are made of apart from the rest, whose gradients are of another size."""
        trained = [(name, p) for name, p in model.named_parameters() if p.grad is not None]
        parts = (
            [p for name, p in trained if any(part in name for part in _OF_MASKS)],
            [p for name, p in trained if not any(part in name for part in _OF_MASKS)],
        )
        norms = [
            self.accelerator.clip_grad_norm_(part, self.args.max_grad_norm)
            for part in parts
            if part
        ]
        return torch.stack([cast(Tensor, norm) for norm in norms]).norm()

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log each loss's mean of the steps since the last time that have it, and the sum's."""
        if self._summed_K.any() and "loss" in logs:
            means_K = self._sums_K / self._summed_K.clamp(min=1)  # 0 where no step had it
            means_K = self.accelerator.reduce(means_K, reduction="mean")
            logs |= dict(zip(LOSSES, means_K.tolist(), strict=True))
            self._sums_K.zero_()
            self._summed_K.zero_()
        super().log(logs, start_time)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Save what is trained, whole, however it lies in the processes; one of them writes."""
        options = StateDictOptions(
            full_state_dict=True, cpu_offload=True, ignore_frozen_params=True
        )
        assert self.model is not None
        trained = get_model_state_dict(self.model, options=options)
        if self.args.should_save:
            names = {name for name, p in self.model.named_parameters() if p.requires_grad}
            folder = Path(output_dir or str(self.args.output_dir))
            folder.mkdir(parents=True, exist_ok=True)
            weights = {name: cast(Tensor, trained[name]).contiguous() for name in names}
            with writing(folder / WEIGHTS):
                save_file(weights, folder / WEIGHTS)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Save a checkpoint, and keep the last ones by their steps: clocks may be set back."""
        super()._save_checkpoint(model, trial)
        if self.args.should_save:
            rotate_checkpoints(str(self.args.output_dir), save_total_limit=KEPT)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        assert self.model is not None
        assert self.lr_scheduler is not None
        options = StateDictOptions(full_state_dict=True, cpu_offload=True)
        state = get_optimizer_state_dict(self.model, self._bare_optimizer(), options=options)
        if self.args.should_save:
            kept = {"optimizer": state, "schedule": self.lr_scheduler.state_dict()}
            with writing(Path(output_dir) / OPTIMIZER):
                torch.save(kept, Path(output_dir) / OPTIMIZER)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        assert self.model is not None
        assert self.lr_scheduler is not None
        saved = torch.load(Path(checkpoint) / OPTIMIZER, weights_only=True)
        # not strict: what no loss reaches has no state
        options = StateDictOptions(full_state_dict=True, strict=False)
        set_optimizer_state_dict(
            self.model, self._bare_optimizer(), saved["optimizer"], options=options
        )
        self.lr_scheduler.load_state_dict(saved["schedule"])

    def _bare_optimizer(self) -> torch.optim.Optimizer:
        return cast(torch.optim.Optimizer, getattr(self.optimizer, "optimizer", self.optimizer))

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: nn.Module | None = None
    ) -> None:
        found = model or self.model
        assert found is not None
        load_trained(found, Path(resume_from_checkpoint))

    def _shares(self, inputs: Mapping[str, Any]) -> Tensor:
        """Return how many times the mean number of tokens and masks this process has, a loss."""
        words = inputs["labels_BT"][:, 1:].ne(IGNORED).sum()
        masks = words.new_tensor(len(inputs["segments"]))
        counts_K = torch.stack([words, masks, masks, masks]).to(torch.float32)
        return counts_K / self.accelerator.reduce(counts_K, reduction="mean").clamp(min=1e-9)

    def _stop_unless_finite(self, loss: Tensor, sample_ids: Sequence[str]) -> None:
        """Stop every process where one has no loss."""
        broken = torch.isfinite(loss).logical_not().to(torch.float32)
        if not bool(self.accelerator.reduce(broken, reduction="sum")):
            return
        told = f"{float(loss)} on {', '.join(sample_ids)}" if bool(broken) else ""
        if self.args.world_size > 1:
            every: list[str] = [""] * self.args.world_size
            torch.distributed.all_gather_object(every, told)
            told = "; ".join(filter(None, every))
        raise TrainingStopped(
            f"step {self.state.global_step + 1}: the loss is {told}; the last checkpoint in "
            f"{self.args.output_dir} is kept. Lower learning_rate, or leave the samples out"
        )

    def _bare(self, model: nn.Module) -> TerraScopeModel:
        return cast(TerraScopeModel, self.accelerator.unwrap_model(model))

    def _collated(self, encoded: Sequence[Encoded]) -> dict[str, Any]:
        batch = self._processor.collate(encoded)
        return {**batch, "sample_ids": [sample.sample_id for sample in encoded]}


def load_trained(model: nn.Module, checkpoint: Path) -> None:
    """Put a checkpoint's weights into a model whose parts are set as they were trained.

    A lexicon is left where it is, if the model has none. TrainingStopped where the model trains
    other parts.
    """
    weights = load_file(checkpoint / WEIGHTS)
    if getattr(model, "lexicon", None) is None:
        weights = {name: w for name, w in weights.items() if not name.startswith("lexicon.")}
    due = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    if differing := due ^ weights.keys():
        raise TrainingStopped(
            f"{checkpoint / WEIGHTS} is of another model: {len(differing)} of {len(due)} weights "
            f"differ, {min(differing)} among them; train into another folder"
        )
    options = StateDictOptions(full_state_dict=True, strict=False)
    set_model_state_dict(model, {**weights}, options=options)


def out_of_memory(error: RuntimeError) -> bool:
    """Return whether an error says that a GPU, or this machine, has no memory left."""
    said = str(error)
    return isinstance(error, torch.OutOfMemoryError) or (
        "out of memory" in said or "can't allocate memory" in said
    )


def _first_line(error: RuntimeError) -> str:
    return str(error).strip().partition("\n")[0]
