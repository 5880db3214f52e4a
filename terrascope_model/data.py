"""Shards of a dataset as samples to learn from, straight from Parquet.

A dataset here knows every item by number and reads it with its row group, of which the last few are
kept; `Batches` draws an epoch's batches of numbers: some row groups at a time, their items shuffled
and batched by length, so that a batch is even and its items lie near each other. Both are known
from seed and epoch alone, so that training goes on in mid-epoch without reading what is done. A
number has the epoch in it, for what is drawn anew in each.
"""

import io
import json
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from torch.utils.data import Dataset, Sampler

from masks.rle import decode
from schemas.trace import SEG
from terrascope_model.processor import Encoded, TerraScopeProcessor
from terrascope_model.sample import STRAIGHT, Picture, Sample, StepMask, Turn

KEPT_GROUPS = 16  # row groups whose items are mixed, and that each worker keeps in memory
_INDEX = ("source", "split", "tier", "task", "question", "trace", "image_info")
_ROW = ("sample_id", "images", "image_info", "question", "options", "trace", "masks")
_SCENE = ("scene_id", "images", "image_info", "grid", "scene_masks", "words")
_IMAGE_CHARACTERS = 256  # that an image counts as, of the length of a text


class DataError(ValueError):
    """A dataset that cannot be learnt from; it names the file and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """How often a sample comes in an epoch: the product of its weights, 1 where none is given."""

    tier: Mapping[str, float] = field(default_factory=dict)
    source: Mapping[str, float] = field(default_factory=dict)
    task: Mapping[str, float] = field(default_factory=dict)

    def weight(self, row: Mapping[str, Any]) -> float:
        """Return how often a row comes in an epoch on average."""
        return (
            self.tier.get(row["tier"], 1.0)
            * self.source.get(row["source"], 1.0)
            * self.task.get(row["task"], 1.0)
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row lies: in which row group of which file."""

    file: int
    group: int
    row: int


class Rows:
    """The shards of a dataset, and the row groups that were read last."""

    def __init__(self, dataset: Path, columns: Sequence[str]) -> None:
        self.dataset = dataset
        self.files = sorted((dataset / "data").glob("*/*.parquet"))
        self._columns = list(columns)
        self._kept: OrderedDict[tuple[int, int], pa.Table] = OrderedDict()
        self._picture = lru_cache(maxsize=None)(_picture)

    def index(self, split: str, columns: Sequence[str]) -> Iterator[tuple[Place, dict[str, Any]]]:
        """Yield the rows of a split; DataError where there are none or a shard cannot be read."""
        found = False
        for number, path in enumerate(self.files):
            with _opened(path) as file:
                for group in range(file.num_row_groups):
                    rows = _read(path, file, group, columns).to_pylist()
                    for at, row in enumerate(rows):
                        if row["split"] == split:
                            found = True
                            yield Place(number, group, at), row
        if not found:
            raise DataError(
                f"{self.dataset} has no rows of the split {split!r} under data/*/*.parquet; "
                "`terrascope build` makes them"
            )

    def read(self, place: Place) -> dict[str, Any]:
        """Return a row."""
        key = (place.file, place.group)
        if key not in self._kept:
            path = self.files[place.file]
            with _opened(path) as file:
                self._kept[key] = _read(path, file, place.group, self._columns)
            if len(self._kept) > KEPT_GROUPS:
                self._kept.popitem(last=False)
                self._picture.cache_clear()
        self._kept.move_to_end(key)
        return self._kept[key].slice(place.row, 1).to_pylist()[0]

    def pictures(self, row: Mapping[str, Any]) -> tuple[Picture, ...]:
        """Return a row's images, each decoded once however many rows carry it."""
        return tuple(
            self._picture(image["bytes"], info["modality"], info["date_index"])
            for image, info in zip(row["images"], row["image_info"], strict=True)
        )


class Samples(Dataset[Encoded]):
    """Items to learn from, by number; the epoch is the number divided by how many there are.

    Attributes:
        rows: Where they are read from.
        lengths: About how long the text of each is.
        groups: For each the number of its row group.
        weights: How often each comes in an epoch.
    """

    def __init__(self, rows: Rows, processor: TerraScopeProcessor) -> None:
        self.rows, self._processor = rows, processor
        self.lengths: list[int] = []
        self.groups: list[int] = []
        self.weights: list[float] = []
        self._numbers: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, number: int) -> Encoded:
        epoch, at = divmod(number, len(self))
        return self._processor.encode(self.sample(at, epoch), self.turn(at, epoch))

    @abstractmethod
    def sample(self, number: int, epoch: int = 0) -> Sample:
        """Return an item; DataError where it cannot be read."""

    def turn(self, number: int, epoch: int) -> Turn:
        """Return how an item is turned in an epoch."""
        return STRAIGHT

    def _add(self, place: Place, length: int, weight: float) -> None:
        key = (place.file, place.group)
        self.groups.append(self._numbers.setdefault(key, len(self._numbers)))
        self.lengths.append(length)
        self.weights.append(weight)


class Traces(Samples):
    """The questions and captions of a split, with their traces."""

    def __init__(
        self,
        dataset: Path,
        processor: TerraScopeProcessor,
        *,
        split: str = "train",
        mixture: Mixture | None = None,
    ) -> None:
        """Read the index; DataError where there are no rows, or a shard cannot be read."""
        super().__init__(Rows(dataset, _ROW), processor)
        self._places: list[Place] = []
        for place, row in self.rows.index(split, _INDEX):
            self._places.append(place)
            images = _IMAGE_CHARACTERS * len(row["image_info"])
            length = len(row["question"]) + len(row["trace"]) + images
            self._add(place, length, (mixture or Mixture()).weight(row))

    def sample(self, number: int, epoch: int = 0) -> Sample:
        """Return a row; DataError where it cannot be read."""
        place = self._places[number]
        row = self.rows.read(place)
        with _telling(self.rows.files[place.file], row["sample_id"]):
            masks = tuple(
                StepMask(
                    picture=mask["image_index"],
                    mask_HW=decode(mask["counts"].encode("ascii"), tuple(mask["size"])),
                )
                for mask in row["masks"]
            )
            return Sample(
                sample_id=row["sample_id"],
                pictures=self.rows.pictures(row),
                question=row["question"],
                options=tuple(row["options"]),
                trace=row["trace"],
                masks=masks,
            )


@dataclass(frozen=True, slots=True)
class _Shown:
    """A picture of a row, and the classes that lie on it: places among its masks, and phrases."""

    place: Place
    picture: int
    classes: tuple[tuple[int, str], ...]


class Referring(Samples):
    """Every picture of every scene, with some of its classes to segment.

    "Please segment the water." The first stage learns on these. Which classes are asked for, at
    most four, is drawn anew in each epoch, and so is how the picture is turned and mirrored. (In
    the paper it is one class at a time; several make more of an image that has to be looked at
    anyway.)
    """

    def __init__(
        self,
        dataset: Path,
        processor: TerraScopeProcessor,
        *,
        split: str = "train",
        at_once: int = 4,
        turned: bool = True,
        seed: int = 0,
    ) -> None:
        """Read the index; DataError where there are no rows, or a shard cannot be read."""
        super().__init__(Rows(dataset, _SCENE), processor)
        self._at_once, self._turned, self._seed = at_once, turned, seed
        self._shown: list[_Shown] = []
        seen: set[tuple[str, str, int]] = set()
        columns = ("scene_id", "split", "image_info", "scene_masks", "words")
        for place, row in self.rows.index(split, columns):
            for picture, info in enumerate(row["image_info"]):
                key = (row["scene_id"], info["modality"], info["date_index"])
                classes = _classes(row, info["date_index"])
                if classes and key not in seen:
                    seen.add(key)
                    self._shown.append(_Shown(place, picture, classes))
                    self._add(place, len(classes), 1.0)

    def sample(self, number: int, epoch: int = 0) -> Sample:
        """Return a picture with classes to segment; DataError where it cannot be read."""
        shown = self._shown[number]
        row = self.rows.read(shown.place)
        random = np.random.default_rng((self._seed, epoch, number))
        asked = [shown.classes[at] for at in random.permutation(len(shown.classes))]
        asked = asked[: self._at_once]
        with _telling(self.rows.files[shown.place.file], row["scene_id"]):
            size_HW = (row["grid"]["height"], row["grid"]["width"])
            masks = [
                decode(row["scene_masks"][at]["counts"].encode("ascii"), size_HW) for at, _ in asked
            ]
            return Sample(
                sample_id=row["scene_id"],
                pictures=(self.rows.pictures(row)[shown.picture],),
                question=f"Please segment the {listed([phrase for _, phrase in asked])}.",
                trace=" ".join(f"I mark {phrase} {SEG}." for _, phrase in asked),
                masks=tuple(StepMask(picture=0, mask_HW=mask) for mask in masks),
            )

    def turn(self, number: int, epoch: int) -> Turn:
        """Return how an item is turned in an epoch."""
        if not self._turned:
            return STRAIGHT
        quarters, mirrored = (
            np.random.default_rng((self._seed, epoch, number, 1)).integers((4, 2)).tolist()
        )
        return Turn(quarters, bool(mirrored))


def listed(phrases: Sequence[str]) -> str:
    """Return phrases in the words of a sentence, as in water, trees and crops."""
    if len(phrases) == 1:
        return phrases[0]
    return ", ".join(phrases[:-1]) + f" and {phrases[-1]}"


class Batches(Sampler[list[int]]):
    """So many batches of numbers, epoch after epoch, the same for the same seed."""

    def __init__(
        self, samples: Samples, batch_size: int, *, num_batches: int, seed: int = 0
    ) -> None:
        """DataError where no sample has a weight, or one has less than none."""
        if min(samples.weights) < 0 or not any(samples.weights):
            raise DataError(
                f"the weights of the samples lie between {min(samples.weights)} and "
                f"{max(samples.weights)}; none may be negative, and one has to be more than 0"
            )
        self._samples, self._batch_size, self._seed = samples, batch_size, seed
        self._num_batches = num_batches

    def __len__(self) -> int:
        return self._num_batches

    def __iter__(self) -> Iterator[list[int]]:
        endless = chain.from_iterable(self.epoch(number) for number in count())
        return islice(endless, self._num_batches)

    def epoch(self, number: int) -> list[list[int]]:
        """Return the batches of one epoch; the epoch is in the numbers."""
        random = np.random.default_rng((self._seed, number))
        samples = self._samples
        of_group: list[list[int]] = [[] for _ in range(max(samples.groups) + 1)]
        for at, (group, weight) in enumerate(zip(samples.groups, samples.weights, strict=True)):
            of_group[group] += [at] * (int(weight) + int(random.random() < weight % 1))
        drawn: list[list[int]] = []
        order = random.permutation(len(of_group))
        for begin in range(0, len(order), KEPT_GROUPS):
            mixed = [at for group in order[begin : begin + KEPT_GROUPS] for at in of_group[group]]
            mixed = [mixed[at] for at in random.permutation(len(mixed))]
            mixed.sort(key=samples.lengths.__getitem__)  # those of a length stay in random order
            cut = range(0, len(mixed), self._batch_size)
            batches = [mixed[at : at + self._batch_size] for at in cut]
            drawn += [batches[at] for at in random.permutation(len(batches))]
        return [[number * len(samples) + at for at in batch] for batch in drawn]


@contextmanager
def _telling(path: Path, sample_id: str) -> Iterator[None]:
    """Name file and sample where something in it cannot be read."""
    try:
        yield
    except (OSError, ValueError, IndexError) as error:
        raise DataError(
            f"{path}: {sample_id} cannot be read: {error}; `terrascope verify` tells what else "
            "differs"
        ) from error


def _classes(row: Mapping[str, Any], date_index: int) -> tuple[tuple[int, str], ...]:
    """Return the annotated class masks of a date, by place, and how each is called."""
    words = json.loads(row["words"])
    return tuple(
        (number, words[mask["layer"]][mask["label"]]["phrase"])
        for number, mask in enumerate(row["scene_masks"])
        if (mask["kind"], mask["origin"], mask["date_index"]) == ("class", "annotated", date_index)
    )


def _picture(encoded: bytes, modality: str, date_index: int) -> Picture:
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    return Picture(image=image, modality=modality, date_index=date_index)


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{path} cannot be read as Parquet: {error}; `terrascope verify` tells what differs"
        ) from error


def _read(path: Path, file: pq.ParquetFile, group: int, columns: Sequence[str]) -> pa.Table:
    try:
        return file.read_row_group(group, columns=list(columns))
    except (OSError, KeyError, pa.ArrowException) as error:
        raise DataError(
            f"{path}: row group {group} cannot be read: {error}; build the dataset again"
        ) from error
