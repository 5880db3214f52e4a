"""Time a step of our training loop beside a bare loop: forward, backward, clipping, optimizer.

On one thread, both go over the same batches of traces, encoded before, with a model of their own
from the same seed, in turn; what our loop does besides (finite losses, means of each, logs, curves)
is what the ratio shows. The losses of both are asserted to be the same. Reading samples is the
matter of `loader.py`.

    .venv/bin/python benchmarks/train_loop.py [--data DATASET] [--steps 20] [--repeats 3]
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import Any

import torch
from transformers import (
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from planet_dataset import given_or_built  # noqa: E402

from terrascope_model.batches import Batches  # noqa: E402
from terrascope_model.data import Traces  # noqa: E402
from terrascope_model.presets import tiny_model, tiny_processor  # noqa: E402
from terrascope_model.processor import TerraScopeProcessor  # noqa: E402
from terrascope_model.recipe import texts_of  # noqa: E402
from terrascope_model.settings import TrainSettings  # noqa: E402
from terrascope_model.stage import arguments  # noqa: E402
from terrascope_model.trainer import StageTrainer  # noqa: E402

AIM = 1.05
WARM_STEPS = 3  # not counted: the first ones allocate
Batch = dict[str, Any]


class FedTrainer(StageTrainer):
    """Our loop over batches that lie ready."""

    batches: list[Batch]

    def get_train_dataloader(self) -> Any:
        """Return the batches, each a new dictionary: the loop takes things out of it."""
        return _Ready(self.batches)


class _Ready:
    def __init__(self, batches: list[Batch]) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        return (dict(batch) for batch in self._batches)


class Clock(TrainerCallback):
    """Notes when each step ends."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Note the time."""
        self.ends.append(perf_counter())


def main() -> None:
    """Run both loops in turn, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with given_or_built(given.data, 24) as dataset:
        processor = tiny_processor(texts_of(dataset))
        batches = encoded(dataset, processor, given.batch_size, given.steps)
    bare: list[float] = []
    ours: list[float] = []
    for _ in range(given.repeats):
        times, due = bare_steps(processor, batches, given.batch_size)
        bare += times
        times, found = our_steps(processor, batches, given.batch_size)
        ours += times
        assert abs(found - due) < 1e-3 * due, (found, due)
    print(f"bare loop  {1000 * median(bare):.1f} ms a step of {given.batch_size} samples")
    print(f"our loop   {1000 * median(ours):.1f} ms")
    print(f"ratio      {median(ours) / median(bare):.3f} (aim: at most {AIM})")
    print(f"load       {os.getloadavg()[0]:.1f}")


def encoded(
    dataset: Path, processor: TerraScopeProcessor, batch_size: int, steps: int
) -> list[Batch]:
    """Return so many batches of traces, as the trainer collates them."""
    traces = Traces(dataset, processor)
    batches = []
    for numbers in Batches(traces, batch_size, num_batches=steps):
        samples = [traces[number] for number in numbers]
        batch = processor.collate(samples)
        batches.append({**batch, "sample_ids": [sample.sample_id for sample in samples]})
    return batches


def bare_steps(
    processor: TerraScopeProcessor, batches: list[Batch], batch_size: int
) -> tuple[list[float], float]:
    """Return the seconds of each step but the first ones, and the mean loss."""
    with tempfile.TemporaryDirectory() as folder:
        made = arguments("stage2", Path(folder), len(batches), settings_of(batches, batch_size))
    model = tiny_model(processor, seed=0)
    model.to(made.device).train()  # type: ignore[arg-type]
    optimizer = torch.optim.AdamW(
        model.parameters(), made.learning_rate, (made.adam_beta1, made.adam_beta2),
        weight_decay=made.weight_decay, fused=True,
    )  # fmt: skip
    half = len(batches)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(step, half, made))
    ends, losses = [perf_counter()], []
    for batch in batches:
        output = model(**{name: part for name, part in batch.items() if name != "sample_ids"})
        output.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(float(output.loss.detach()))
        ends.append(perf_counter())
    return between(ends), mean(losses)


def rate_at(step: int, steps: int, made: TrainingArguments) -> float:
    """Return the share of the highest learning rate at a step: linear, then half a cosine."""
    warm = int(made.warmup_steps)
    if step < warm:
        return step / max(1, warm)
    turned = torch.pi * torch.tensor((step - warm) / max(1, steps - warm))
    return float(0.5 * (1 + torch.cos(turned)))


def our_steps(
    processor: TerraScopeProcessor, batches: list[Batch], batch_size: int
) -> tuple[list[float], float]:
    """Return the seconds of each step but the first ones, and the mean loss."""
    settings, clock = settings_of(batches, batch_size), Clock()
    with tempfile.TemporaryDirectory() as folder:
        made = arguments("stage2", Path(folder), len(batches), settings)
        made.logging_steps = len(batches)
        model = tiny_model(processor, seed=0)
        trainer = FedTrainer(settings, processor, model=model, args=made)
        trainer.remove_callback(PrinterCallback)
        trainer.batches = batches
        trainer.add_callback(clock)
        began = perf_counter()
        trainer.train()
        logged = trainer.state.log_history[0]
    return between([began, *clock.ends]), float(logged["loss"])


def settings_of(batches: list[Batch], batch_size: int) -> TrainSettings:
    """Return settings under which nothing is saved in between."""
    return TrainSettings(batch_size=batch_size, stage2_steps=len(batches), save_steps=10**6)


def between(ends: list[float]) -> list[float]:
    """Return the seconds between times, without those of the first steps."""
    return [end - begin for begin, end in pairwise(ends)][WARM_STEPS:]


if __name__ == "__main__":
    main()
