"""Folds: who annotates which place, and what each annotator is trained on.

The places of training scenes are split by their id; the annotator of a fold learns on the captions
of the others, so that how well it agrees with an annotation is no memory of it. Neighbouring places
may be in two folds: whole granules are too few in a small archive.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from threading import Lock

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.prediction import fold_of
from schemas.tier import Tier
from tasks.annotation.settings import AnnotatorSettings
from tasks.atomic import place_text
from tasks.config import MODEL_WEIGHTS, BuildConfig, ConfigError
from tasks.digest import digest_of
from tasks.granules import GranuleId
from tasks.ledger import Ledger, sha256_of
from tasks.manifest import DataFile, Manifest, read_manifest, utc_now, write_manifest
from tasks.shards import Provenance, write_shard
from tasks.stage_names import ANNOTATOR, CAP_COT, INGEST
from tasks.training import REPORT_NAME, learn, num_gpus

VERSION = 1
_NOTE = "key.txt"  # in a fold's folder: the key of what it learns
_ON_GPUS = Lock()  # one fold at a time
LEARNT_SPLITS = ("train", "validation")  # the second to see how well it segments


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotator:
    """A trained annotator.

    Attributes:
        model: Its folder.
        digest: Names its weights.
        names: The classes that its training asked for; None where that is not known.
    """

    model: Path
    digest: str
    names: frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One annotator's number and folder."""

    number: int
    folder: Path

    @property
    def dataset(self) -> Path:
        """The captions that it learns on."""
        return self.folder / "captions"

    @property
    def model(self) -> Path:
        """What it is trained to."""
        return self.folder / "model"


def folds_of(config: BuildConfig, granules: Sequence[GranuleId]) -> list[Fold]:
    """Return the folds of a build, each with a dataset of the captions that it learns on.

    What is kept of a fold is begun anew where anything that decides it has changed. ConfigError
    where a fold has nothing to learn.
    """
    ledger = Ledger(config.out)
    key = fold_key(config, ledger, granules)
    folds = [fold_in(ledger, number) for number in range(config.annotator.folds)]
    for fold in folds:
        if not _is_of(fold, key):
            (fold.folder / _NOTE).unlink(missing_ok=True)  # what is half removed is of no key
            rmtree(fold.folder, ignore_errors=True)
            _write_dataset(config, ledger, granules, fold)
            place_text(fold.folder / _NOTE, key)
    return folds


def fold_in(ledger: Ledger, number: int) -> Fold:
    """Return a fold by its number, whether there is anything of it or not."""
    return Fold(number=number, folder=ledger.path(ANNOTATOR, f"fold-{number}", ""))


def is_fitted(fold: Fold, key: str) -> bool:
    """Return whether a fold's annotator has been trained to its end on what the key names."""
    return _is_of(fold, key) and (fold.model / REPORT_NAME).exists()


def _is_of(fold: Fold, key: str) -> bool:
    note = fold.folder / _NOTE
    return note.is_file() and note.read_text(encoding="utf-8") == key


def fit(fold: Fold, settings: AnnotatorSettings) -> Iterator[str]:
    """Train a fold's annotator, or go on where that ended; yield what is said meanwhile.

    Folds learn side by side and share the cores; with GPUs, one after the other on all of them.
    TrainingFailed where it does not come to its end.
    """
    if (fold.model / REPORT_NAME).exists():
        return
    training = settings.training
    tried = {file.split for file in read_manifest(fold.dataset).files}
    if training.eval_split not in tried:  # a small archive may have no such scenes
        training = training.model_copy(update={"eval_split": "none"})
    gpus = num_gpus()
    threads = None if gpus else max(1, (os.cpu_count() or 1) // settings.folds)
    with _ON_GPUS if gpus else nullcontext():
        for line in learn(fold.dataset, fold.model, training, threads=threads):
            yield f"fold {fold.number}  {line}"


def annotator_in(folder: Path) -> Annotator:
    """Return a trained annotator; FileNotFoundError where the folder holds none."""
    report = folder / REPORT_NAME
    names = None
    if report.is_file():
        names = frozenset(json.loads(report.read_text(encoding="utf-8")).get("names", ())) or None
    return Annotator(model=folder, digest=sha256_of(folder / MODEL_WEIGHTS), names=names)


def _write_dataset(
    config: BuildConfig, ledger: Ledger, granules: Sequence[GranuleId], fold: Fold
) -> None:
    files = []
    provenance = Provenance(config_digest=config.content_digest, stages="{}")
    for granule in granules:
        if granule.split not in LEARNT_SPLITS:
            continue
        scenes = pq.read_table(ledger.path(INGEST, granule.name, ".parquet"))
        captions = pq.read_table(ledger.path(CAP_COT, granule.name, ".parquet"))
        learnt = captions.filter(
            pc.is_in(captions["scene_id"], _learnt(scenes, granule, fold, config.annotator.folds))
        )
        if not learnt.num_rows:
            continue
        path = fold.dataset / "data" / Tier.CAP / f"{granule.name}.parquet"
        shard = write_shard(path, scenes, learnt, provenance)
        files.append(
            DataFile(
                path=path.relative_to(fold.dataset).as_posix(),
                sha256=shard.sha256,
                rows=shard.rows,
                bytes=shard.bytes,
                tier=Tier.CAP.value,
                source=granule.source,
                split=granule.split,
                bucket=granule.bucket,
            )
        )
    if not any(file.split == LEARNT_SPLITS[0] for file in files):
        raise ConfigError(
            f"annotator: fold {fold.number} has no caption to learn from, for all training scenes "
            f"that have one lie at places of that fold; give more places, other "
            f"annotator.folds than {config.annotator.folds}, or a trained model (kind folder)"
        )
    write_manifest(
        fold.dataset,
        Manifest(
            dataset=f"captions for the annotator of fold {fold.number}",
            files=tuple(files),
            counts=(),
            config=config.model_dump(mode="json", exclude={"workers", "out"}),
            config_digest=config.content_digest,
            seed=config.seed,
            commit="",
            stages={ANNOTATOR: VERSION},
            created=utc_now(),
        ),
    )


def _learnt(scenes: pa.Table, granule: GranuleId, fold: Fold, folds: int) -> pa.Array:
    """Return the ids of a granule's scenes that a fold's annotator learns on, or is tried on."""
    rows = zip(scenes["scene_id"].to_pylist(), scenes["place"].to_pylist(), strict=True)
    return pa.array(
        [
            scene_id
            for scene_id, place in rows
            if granule.split != "train" or fold_of(place, folds) != fold.number
        ],
        pa.string(),
    )


def fold_key(config: BuildConfig, ledger: Ledger, granules: Sequence[GranuleId]) -> str:
    """Return the key of all folds; the captions of all granules are made."""
    inputs = []
    for granule in granules:
        for stage in (INGEST, CAP_COT):
            record = ledger.load(stage, granule.name)
            assert record is not None, f"stage {stage} has not run for {granule.name}"
            inputs.append(record.outputs[0].sha256)
    content = config.annotator.model_dump(mode="json", include={"kind", "training", "folds"})
    parts = {"stage": VERSION, "inputs": inputs, "annotator": content}
    if start := config.annotator.training.start:
        parts["start"] = sha256_of(Path(start) / MODEL_WEIGHTS)
    return digest_of(parts)
