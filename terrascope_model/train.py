"""Learn in two stages: first what a name looks like, then to reason with masks.

Stage 1 learns "Please segment the …" on every class of every scene (paper, section 3.4), stage 2
the traces. Each is resumed from its last checkpoint where one is, to the same end as undisturbed.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import Trainer, TrainerState, TrainingArguments

from terrascope_model.data import Batches, Mixture, Referring, Rows, Samples, Traces
from terrascope_model.model import TerraScopeModel
from terrascope_model.presets import tiny
from terrascope_model.processor import Encoded, TerraScopeProcessor

STATE = "trainer_state.json"
LOSSES = ("language_loss", "bce_loss", "dice_loss")


class TrainingStopped(RuntimeError):
    """Training cannot go on; the last checkpoint is as it was."""


class TrainSettings(BaseModel):
    """How a model is trained; the defaults are those of `tiny`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: Literal["tiny"] = Field(default="tiny", description="Which model.")
    seed: int = Field(default=0, ge=0, description="Of the first weights and of what is drawn.")
    stage1_steps: int = Field(default=400, ge=0, description="Steps on named classes.")
    stage2_steps: int = Field(default=120, ge=0, description="Steps on traces.")
    batch_size: int = Field(default=16, ge=1, description="Samples a step and process.")
    learning_rate: float = Field(default=1e-3, gt=0, description="Its highest, of both stages.")
    warmup_share: float = Field(
        default=0.1, ge=0, lt=1, description="Of a stage's steps, until it is reached."
    )
    weight_decay: float = Field(default=0.01, ge=0, description="Of AdamW.")
    exposure: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of a trace's steps that are fed the predicted mask's region.",
    )
    save_steps: int = Field(default=100, ge=1, description="Steps between checkpoints.")
    workers: int = Field(default=0, ge=0, description="Processes that read samples, a process.")
    tier_weights: dict[str, float] = Field(default={}, description="How often a tier comes.")
    source_weights: dict[str, float] = Field(default={}, description="How often a source comes.")
    task_weights: dict[str, float] = Field(default={}, description="How often a task comes.")

    @property
    def mixture(self) -> Mixture:
        """The weights of samples."""
        return Mixture(tier=self.tier_weights, source=self.source_weights, task=self.task_weights)


class _Trainer(Trainer):
    """Batches of our drawing, each loss logged, and an end where a loss is none."""

    def __init__(
        self, settings: TrainSettings, processor: TerraScopeProcessor, **options: Any
    ) -> None:
        super().__init__(**options)
        self._settings, self._processor = settings, processor
        self._sums = dict.fromkeys(LOSSES, 0.0)
        self._summed = 0

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return an epoch's batches, split over processes by accelerate."""
        samples = self.train_dataset
        assert isinstance(samples, Samples)
        loader = DataLoader(
            samples,
            batch_sampler=Batches(
                samples,
                self._settings.batch_size,
                num_batches=self.args.max_steps * self.args.world_size,
                seed=self._settings.seed,
            ),
            collate_fn=self._collated,
            num_workers=self._settings.workers,
            persistent_workers=self._settings.workers > 0,
        )
        return self.accelerator.prepare(loader)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Return the loss of a batch; TrainingStopped names the batch where it is none."""
        sample_ids = inputs.pop("sample_ids")
        output = model(**inputs)
        loss = output["loss"]
        if not bool(torch.isfinite(loss)):
            raise TrainingStopped(
                f"step {self.state.global_step + 1}: the loss is {float(loss.detach())} on "
                f"{', '.join(sample_ids)}; the last checkpoint in {self.args.output_dir} is kept. "
                "Lower learning_rate, or leave the samples out"
            )
        for name in LOSSES:
            self._sums[name] += float(output[name].detach())
        self._summed += 1
        return (loss, output) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log each loss's mean since the last time beside the sum's."""
        if self._summed and "loss" in logs:
            logs |= {name: total / self._summed for name, total in self._sums.items()}
            self._sums = dict.fromkeys(LOSSES, 0.0)
            self._summed = 0
        super().log(logs, start_time)

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: nn.Module | None = None
    ) -> None:
        self.load_weights(Path(resume_from_checkpoint))

    def load_weights(self, checkpoint: Path) -> None:
        """Load weights as they were saved.

        Saving gives the parts of InternVL the names of its published files; the base class looks
        for them under the names that they have in memory, and goes on without what it misses.
        """
        assert self.model is not None
        saved = TerraScopeModel.from_pretrained(checkpoint)
        self.model.load_state_dict(saved.state_dict())

    def _collated(self, encoded: Sequence[Encoded]) -> dict[str, Any]:
        batch = self._processor.collate(encoded)
        return {**batch, "sample_ids": [sample.sample_id for sample in encoded]}


def train(dataset: Path, out: Path, settings: TrainSettings) -> dict[str, float]:
    """Train a model on a dataset and save it with its processor; return each stage's last losses.

    Raises:
        DataError: the dataset has nothing to train on, or a row cannot be read.
        TrainingStopped: a loss is not a number, or `out` was begun with other settings;
            checkpoints are kept.
    """
    model, processor = tiny(
        sorted(set(texts_of(dataset))), seed=settings.seed, exposure=settings.exposure
    )
    begin(out, settings)
    stages: dict[str, tuple[Callable[[], Samples], int]] = {
        "stage1": (
            lambda: Referring(dataset, processor, seed=settings.seed),
            settings.stage1_steps,
        ),
        "stage2": (
            lambda: Traces(dataset, processor, mixture=settings.mixture),
            settings.stage2_steps,
        ),
    }
    last: dict[str, float] = {}
    for stage, (samples, steps) in stages.items():
        if steps:
            logged = run_stage(model, processor, samples(), out / stage, steps, settings)
            last |= {f"{stage}/{name}": value for name, value in logged.items()}
    model.save_pretrained(out)
    processor.save_pretrained(out)
    (out / "training.json").write_text(json.dumps({"losses": last}, indent=1) + "\n")
    return last


def begin(out: Path, settings: TrainSettings) -> None:
    """Note what a folder is trained with; TrainingStopped where it was something else before."""
    noted = out / "settings.json"
    due = settings.model_dump(mode="json")
    if noted.exists():
        was = json.loads(noted.read_text())
        names = due.keys() | was.keys()
        differing = sorted(name for name in names if due.get(name) != was.get(name))
        if differing:
            raise TrainingStopped(
                f"{out} was begun with other settings ({', '.join(differing)}); go on with those "
                f"of {noted}, or train into another folder"
            )
    out.mkdir(parents=True, exist_ok=True)
    noted.write_text(json.dumps(due, indent=1) + "\n")


def run_stage(
    model: TerraScopeModel,
    processor: TerraScopeProcessor,
    samples: Samples,
    folder: Path,
    steps: int,
    settings: TrainSettings,
) -> Mapping[str, float]:
    """Train so many steps on samples; return the losses logged last.

    Goes on from the last checkpoint in `folder` where there is one.
    """
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(settings.warmup_share * steps),
        weight_decay=settings.weight_decay,
        adam_beta2=0.98,
        max_grad_norm=1.0,
        logging_steps=min(20, steps),
        save_steps=settings.save_steps,
        save_total_limit=2,
        report_to=["tensorboard"],
        seed=settings.seed,
        remove_unused_columns=False,
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
    )
    trainer = _Trainer(settings, processor, model=model, args=arguments, train_dataset=samples)
    checkpoint = last_checkpoint(folder)
    state = TrainerState.load_from_json(str(checkpoint / STATE)) if checkpoint else None
    if checkpoint and state and state.global_step >= steps:
        trainer.load_weights(checkpoint)  # a stage that is done would take one more step
    else:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        state = trainer.state
    logged = [entry for entry in state.log_history if "language_loss" in entry]
    return {name: logged[-1][name] for name in ("loss", *LOSSES)}


def last_checkpoint(folder: Path) -> Path | None:
    """Return the last checkpoint that is whole; its state is written last."""
    whole = [path for path in folder.glob("checkpoint-*") if (path / STATE).exists()]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def texts_of(dataset: Path) -> Iterator[str]:
    """Yield all that is asked and written in a dataset's training rows.

    DataError where there are none, or a shard cannot be read.
    """
    columns = ("question", "options", "trace", "split")
    for _, row in Rows(dataset, columns).index("train", columns):
        yield from (row["question"], row["trace"], *row["options"])
    yield "Please segment the"
