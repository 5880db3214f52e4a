"""Predictions on disk while a model is asked: each is kept, and a killed run goes on."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from tasks.files_digest import files_digest
from tasks.scoring.bench import Bench
from tasks.scoring.controls import Control
from tasks.scoring.item import BenchItem
from tasks.scoring.prediction import Header, Prediction

# weights, sizes, words, and how pictures are shown
_DECIDING = ("*.safetensors", "config.json", "processor_config.json", "tokenizer*.json")


def header_of(
    bench: Bench, model: str, settings: str, control: Control, model_digest: str = ""
) -> Header:
    """Return what heads the predictions of one run, named by its control too."""
    if control != "none":
        model, settings = f"{model}, {control}", f"{settings}; control: {control}"
    return Header(model=model, model_digest=model_digest, bench=bench.digest, asked=settings)


def folder_digest(model: Path) -> str:
    """Return the digest of the files in a model's folder that its answers rest on.

    Notes of its training are none of them.
    """
    found = [path.name for pattern in _DECIDING for path in model.glob(pattern)]
    return files_digest(model, found)


def still_to_ask(path: Path, header: Header, items: Iterable[BenchItem]) -> list[BenchItem]:
    """Return the items that a file of the same run does not answer yet.

    What there is of another run is removed; so are errors, which are tried again, and a last line
    that a killed run left unfinished.
    """
    kept = _kept(path, header)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(header.model_dump_json() + "\n")
        file.writelines(line + "\n" for line in kept.values())
    os.replace(temporary, path)
    return [item for item in items if item.item_id not in kept]


def append(path: Path, predictions: Iterable[Prediction]) -> None:
    """Add predictions to a run's file as they come; each is on disk before the next is asked."""
    with path.open("a", encoding="utf-8", newline="\n") as file:
        for prediction in predictions:
            file.write(prediction.model_dump_json(exclude_defaults=True) + "\n")
            file.flush()


def _kept(path: Path, header: Header) -> dict[str, str]:
    if not path.is_file():
        return {}
    first, *lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    if first != header.model_dump_json():
        return {}
    kept = {}
    for line in lines:
        try:
            tree = json.loads(line)
        except ValueError:
            continue
        if not tree.get("error"):
            kept[tree["sample_id"]] = line
    return kept
