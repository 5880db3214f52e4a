"""One stage of training: from its last checkpoint, if there is one, to its last step."""

import json
import math
import sys
from pathlib import Path

import torch
from accelerate import PartialState
from transformers import PrinterCallback, TrainerState, TrainingArguments

from terrascope_model.data import Items
from terrascope_model.model import TerraScopeModel
from terrascope_model.processor import TerraScopeProcessor
from terrascope_model.settings import TrainSettings
from terrascope_model.sharding import share_out
from terrascope_model.stage_lines import StageLines
from terrascope_model.trained_parts import STAGES, checkpoint_layers, compile_layers
from terrascope_model.trainer import LOSSES, StageTrainer

STATE = "trainer_state.json"

Losses = list[dict[str, float]]  # as logged, with their step


def run_stage(
    stage: str,
    model: TerraScopeModel,
    processor: TerraScopeProcessor,
    samples: Items,
    out: Path,
    steps: int,
    settings: TrainSettings,
) -> Losses:
    """Train so many steps on samples; return the losses logged.

    Goes on from the last checkpoint of the stage where there is one.
    """
    folder = out / stage
    checkpoint = last_checkpoint(folder)
    if checkpoint:
        state = TrainerState.load_from_json(str(checkpoint / STATE))
        if state.global_step >= steps:  # a stage that is done would take one more step
            return _losses(state)
    if settings.gradient_checkpointing:
        checkpoint_layers(model)
    if settings.compiled:
        compile_layers(model)
    if settings.sharded:
        share_out(model)
    trainer = StageTrainer(
        settings,
        processor,
        model=model,
        args=arguments(stage, folder, steps, settings),
        train_dataset=samples,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(StageLines(stage, say))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return _losses(trainer.state)


def arguments(stage: str, folder: Path, steps: int, settings: TrainSettings) -> TrainingArguments:
    """Return the settings in the words of transformers."""
    first = stage == STAGES[0]
    made = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulated,
        learning_rate=settings.learning_rate if first else settings.stage2_learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(settings.warmup_share * steps),
        weight_decay=settings.weight_decay,
        adam_beta2=0.98,
        max_grad_norm=1.0,
        bf16=settings.precision == "bf16",
        logging_steps=min(20, steps),
        logging_nan_inf_filter=False,
        save_steps=settings.save_steps,
        report_to=["tensorboard"],
        seed=settings.seed,
        remove_unused_columns=False,
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
        ddp_find_unused_parameters=True,  # one mask of several is learnt from
    )
    made._n_gpu = min(1, made.n_gpu)  # several GPUs are several processes, never DataParallel
    return made


def last_checkpoint(folder: Path) -> Path | None:
    """Return the last checkpoint that is whole; its state is written last."""
    whole = [path for path in folder.glob("checkpoint-*") if _is_whole(path)]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _is_whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / STATE).read_bytes())
    except (FileNotFoundError, ValueError):
        return False  # cut off before its state was written, or in the midst of that
    return True


def say(line: str) -> None:
    """Print a line, once however many processes there are."""
    if PartialState().is_main_process:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _losses(state: TrainerState) -> Losses:
    return [entry for entry in state.log_history if LOSSES[0] in entry]
