"""Learn in two stages: first what a name looks like, then to reason with masks.

Stage 1 learns "Please segment the …" on every class of every scene (paper, section 3.4), stage 2
the traces, and where `rehearsed` says so what stage 1 learnt in a share of its batches. Each is
resumed from its last checkpoint where one is, to the same end as undisturbed. A stage begins with
the model as it is made and what the stages before it have trained, so that a second start and an
undisturbed one go the same way.

`python -m terrascope_model.train` is for one process, and under `torchrun` for several.
"""

import fcntl
import json
import os
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn, cast

import torch
from accelerate import PartialState
from accelerate.utils import gather_object
from pydantic import ValidationError
from transformers.utils.logging import disable_progress_bar

from terrascope_model.card import write_card
from terrascope_model.data import Items, Mixture, Referring, Traces
from terrascope_model.evaluate import Named, evaluate, grouped
from terrascope_model.files import DataError, DatasetNote, noted
from terrascope_model.lexicon import Lexicon
from terrascope_model.model import TerraScopeModel
from terrascope_model.placed import place_json, writing
from terrascope_model.pretrained import WeightsError
from terrascope_model.processor import SampleError, TerraScopeProcessor
from terrascope_model.recipe import Recipe, recipe
from terrascope_model.settings import FAULT, TrainSettings
from terrascope_model.stage import Losses, last_checkpoint, run_stage, say
from terrascope_model.together import Together
from terrascope_model.trained_parts import STAGES, Lora, merge, new_token_ids, set_trained
from terrascope_model.trainer import LOSSES, TrainingStopped, load_trained

SETTINGS, REPORT = "settings.json", "training.json"  # of a folder: when it is begun, and when ended
SHOWN_IDS = 20  # of samples that are too long

TooLong = dict[str, int | list[str]]  # "samples", how many, and "first", their ids


def train(dataset: Path, out: Path, settings: TrainSettings) -> dict[str, Any]:
    """Train a model on a dataset, save it with its processor, and segment what it has not seen.

    Returns what `training.json` holds; where that is there already, nothing else is done.

    Raises:
        DataError: the dataset has nothing to train on, is not as it was written, or a row cannot
            be read.
        SampleError: a row cannot be made a text of.
        WeightsError: the weights are not those of the preset.
        OSError: a checkpoint or the model cannot be written.
        TrainingStopped: a loss is not a number, memory is short, or `out` was begun with other
            settings or another dataset; checkpoints are kept.
    """
    state = PartialState(cpu=not torch.cuda.is_available())
    note = noted(dataset, check_digests=settings.check_digests and state.is_local_main_process)
    made = recipe(dataset, settings)
    with claimed(out) if state.is_main_process else nullcontext():
        if state.is_main_process:
            begin(out, settings, note)
        state.wait_for_everyone()
        _check_alike(out, note)
        if (out / REPORT).exists():
            return json.loads((out / REPORT).read_text())
        curves, too_long, names = _learn(made, dataset, out, settings)
        model = made_so_far(made, out, None, settings)
        named = held_out(model.to(state.device), made.processor, dataset, settings, state)
        report = {
            "dataset": asdict(note),
            "losses": {
                f"{stage}/{name}": losses[-1][name]
                for stage, losses in curves.items()
                for name in ("loss", *LOSSES)
            },
            "iou": [asdict(group) for group in grouped(named)],
            "named": [asdict(one) for one in named],
            "names": names,
            "too_long": too_long,
            "curves": curves,
        }
        if state.is_main_process:
            with writing(out):
                model.save_pretrained(out)
                made.processor.save_pretrained(out)
            write_card(out, report, settings)
            place_json(out / REPORT, report)
        state.wait_for_everyone()
    return report


def _check_alike(out: Path, note: DatasetNote) -> None:
    """Raise TrainingStopped where nodes do not share `out`, or learn on other datasets."""
    if not (out / SETTINGS).exists():
        raise TrainingStopped(
            f"{out} on {socket.gethostname()} is not the folder that the first node trains into; "
            "it has to lie on storage that all nodes share under one path"
        )
    digests = sorted(set(gather_object([note.digest])))
    if len(digests) > 1:
        raise TrainingStopped(
            f"nodes have other versions of the dataset {note.name}: {', '.join(digests)}; give all "
            "the same"
        )


def _learn(
    made: Recipe, dataset: Path, out: Path, settings: TrainSettings
) -> tuple[dict[str, Losses], dict[str, TooLong], list[str]]:
    """Train stage after stage; return their losses, what they left out, and names asked for."""
    curves: dict[str, Losses] = {}
    names: set[str] = set()
    too_long: dict[str, TooLong] = {}
    for stage, steps in steps_of(settings).items():
        samples = samples_of(stage, dataset, made, settings)
        if samples.too_long:
            number, first = len(samples.too_long), samples.too_long[:SHOWN_IDS]
            too_long[stage] = {"samples": number, "first": first}
            say(f"{stage}  {number} samples are too long and left out: {', '.join(first)}")
        names.update(samples.names)
        model = made_so_far(made, out, stage, settings)
        if isinstance(samples, Referring) and settings.names_first and not settings.start:
            model.lexicon = Lexicon(samples.names, model.ground.prompt_width)
        curves[stage] = run_stage(stage, model, made.processor, samples, out, steps, settings)
    return curves, too_long, sorted(names)


@contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Hold a folder for one training; TrainingStopped where another is at work in it."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TrainingStopped(
                f"another training is at work in {out}; wait for it, or train into another folder"
            ) from error
        yield


def begin(out: Path, settings: TrainSettings, note: DatasetNote) -> None:
    """Note what a folder is trained with; TrainingStopped where it was something else before."""
    path = out / SETTINGS
    due = {"settings": settings.model_dump(mode="json"), "dataset": asdict(note)}
    if path.exists():
        was = json.loads(path.read_text())
        if was["dataset"]["digest"] != note.digest:
            raise TrainingStopped(
                f"{out} was begun on another dataset: {was['dataset']['name']} "
                f"{was['dataset']['digest']}, and this is {note.name} {note.digest}; go on with "
                "that one, or train into another folder"
            )
        names = due["settings"].keys() | was["settings"].keys()
        differing = sorted(n for n in names if due["settings"].get(n) != was["settings"].get(n))
        if differing:
            raise TrainingStopped(
                f"{out} was begun with other settings ({', '.join(differing)}); go on with those "
                f"of {path}, or train into another folder"
            )
    place_json(path, due)


def steps_of(settings: TrainSettings) -> dict[str, int]:
    """Return the stages that have steps, in order."""
    steps = (settings.stage1_steps, settings.stage2_steps)
    return {stage: number for stage, number in zip(STAGES, steps, strict=True) if number}


def samples_of(stage: str, dataset: Path, made: Recipe, settings: TrainSettings) -> Items:
    """Return what a stage learns on; DataError where there is nothing."""
    processor, max_length = made.processor, settings.max_length or made.num_positions
    mixture = Mixture(
        tier=settings.tier_weights,
        source=settings.source_weights,
        task=settings.task_weights,
        modality=settings.modality_weights,
    )

    def referring() -> Referring:
        return Referring(
            dataset,
            processor,
            seed=settings.seed,
            max_length=max_length,
            least_share=settings.least_share,
            mixture=mixture,
        )

    if stage == "stage1":
        return referring()
    traces = Traces(
        dataset, processor, mixture=mixture, max_length=max_length, marked=settings.marked
    )
    share = settings.rehearsed
    return Together(traces, referring(), share) if share else traces


def made_so_far(
    made: Recipe, out: Path, stage: str | None, settings: TrainSettings
) -> TerraScopeModel:
    """Return the model as a stage finds it, or as it is in the end.

    TrainingStopped where a checkpoint of a stage before is of another model.
    """
    model = made.make()
    dtype = model.dtype
    new_ids = new_token_ids(made.processor.tokenizer.get_vocab())
    for before in steps_of(settings):
        if before == stage:
            break
        checkpoint = last_checkpoint(out / before)
        assert checkpoint is not None, f"{before} ends with a checkpoint"
        _set_trained(model, before, settings, new_ids)
        load_trained(model, checkpoint)
        merge(model)
    if stage is None:
        cast(torch.nn.Module, model).to(dtype=dtype)
        return model
    _set_trained(model, stage, settings, new_ids)
    return model


def _set_trained(
    model: TerraScopeModel, stage: str, settings: TrainSettings, new_ids: list[int]
) -> None:
    lora = Lora(rank=settings.lora_rank, alpha=settings.lora_alpha, dropout=settings.lora_dropout)
    set_trained(
        model,
        stage,
        lora if settings.trained == "parts" else None,
        new_ids=new_ids,
        computed=torch.bfloat16 if settings.precision == "bf16" else torch.float32,
    )


def held_out(
    model: TerraScopeModel,
    processor: TerraScopeProcessor,
    dataset: Path,
    settings: TrainSettings,
    state: PartialState,
) -> list[Named]:
    """Return how well classes of held-out pictures are segmented, those of all processes."""
    if settings.eval_split == "none":
        return []
    asked = Referring(dataset, processor, split=settings.eval_split, turned=False)
    found = evaluate(
        model,
        processor,
        asked,
        learnt=Referring(dataset, processor, least_share=settings.least_share).names,
        num_pictures=settings.eval_pictures,
        batch_size=settings.batch_size,
        rank=state.process_index,
        ranks=state.num_processes,
    )
    for group in grouped(found := gather_object(found)):
        say(f"{settings.eval_split}  {group.name}: IoU {group.mean_iou:.3f} of {group.classes}")
    return found


def main() -> None:
    """Train as the command line says; what a person can put right is one line and status 2."""
    parser = ArgumentParser(prog="python -m terrascope_model.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder of the dataset.")
    parser.add_argument("--out", type=Path, required=True, help="Folder of the model.")
    parser.add_argument("--settings", default="{}", help="TrainSettings as JSON.")
    given = parser.parse_args()
    disable_progress_bar()  # each has a line of its own here
    try:
        train(given.data, given.out, TrainSettings.model_validate_json(given.settings))
    except (DataError, SampleError, WeightsError, TrainingStopped, ValidationError) as error:
        _give_up(str(error))
    except OSError as error:
        _give_up(f"{error}; checkpoints are kept: train again when that is mended")
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def _give_up(why: str) -> NoReturn:
    sys.stderr.write(f"{FAULT}{' '.join(why.split())}\n")
    sys.stderr.flush()
    os._exit(2)  # other processes may wait for this one for ever


if __name__ == "__main__":
    main()
