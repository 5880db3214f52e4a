"""Samples to learn from, of a dataset's shards.

A dataset here knows every item by number and reads it with its row group; `Batches` draws an
epoch's batches of numbers: some row groups at a time, their items shuffled and batched by length,
so that a batch is even and its items lie near each other. Both are known from seed and epoch
alone, so that training goes on in mid-epoch without reading what is done. A number has the epoch in
it, for what is drawn anew in each.
"""

import json
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from masks.rle import area_px, decode
from schemas.sensors import segmented_picture
from schemas.trace import SEG
from terrascope_model.feedback import puts_facts
from terrascope_model.files import DataError
from terrascope_model.naming import AT_ONCE, segment_question, segment_trace
from terrascope_model.processor import Encoded, TerraScopeProcessor
from terrascope_model.sample import STRAIGHT, Sample, StepMask, Turn
from terrascope_model.sensors import num_fed, seen_by
from terrascope_model.shards import Place, Rows

_INDEX = ("source", "split", "tier", "task", "question", "options", "trace", "image_info")
_ROW = ("sample_id", "images", "image_info", "question", "options", "trace", "masks")
_SCENE = ("scene_id", "images", "image_info", "grid", "scene_masks", "words")
OTHERS = "*"  # among weights: all that are not named
_IMAGE_CHARACTERS = 256  # that an image counts as, of the length of a text
_FACTS_TOKENS = 256  # at most, of what is measured on a mask
_FRAME_TOKENS = 64  # at most, of turns, lines and the marks around an image


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """How often a sample comes beside others: the product of its weights, 1 where none is given.

    The weight of "*" is that of all that are not named.
    """

    tier: Mapping[str, float] = field(default_factory=dict)
    source: Mapping[str, float] = field(default_factory=dict)
    task: Mapping[str, float] = field(default_factory=dict)
    modality: Mapping[str, float] = field(default_factory=dict)

    def weight_of_picture(self, source: str, modality: str) -> float:
        """Return how often a class of a picture comes beside those of others."""
        return _weight(self.source, source) * _weight(self.modality, modality)

    def weight(self, row: Mapping[str, Any]) -> float:
        """Return how often a row comes beside others."""
        return (
            _weight(self.tier, row["tier"])
            * _weight(self.source, row["source"])
            * _weight(self.task, row["task"])
        )


def _weight(weights: Mapping[str, float], name: str) -> float:
    return weights.get(name, weights.get(OTHERS, 1.0))


class Items(Dataset[Encoded]):
    """Items to learn from, by number; the epoch is the number divided by how many there are.

    Attributes:
        lengths: About how long the text of each is.
        groups: For each the number of its row group.
        weights: How often each comes in an epoch.
        too_long: Ids of samples that are left out, for they have more tokens than are taken.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """The classes that are asked for by their names, in alphabetical order."""
        return ()

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.groups: list[int] = []
        self.weights: list[float] = []
        self.too_long: list[str] = []

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, number: int) -> Encoded:
        epoch, at = divmod(number, len(self))
        return self.encoded(at, epoch)

    @abstractmethod
    def encoded(self, number: int, epoch: int) -> Encoded:
        """Return an item as tensors; DataError where it cannot be read."""


class Samples(Items):
    """Samples of a dataset.

    Attributes:
        rows: Where they are read from.
    """

    def __init__(self, rows: Rows, processor: TerraScopeProcessor, max_length: int) -> None:
        super().__init__()
        self.rows, self._processor, self._max_length = rows, processor, max_length
        self._numbers: dict[tuple[int, int], int] = {}

    def encoded(self, number: int, epoch: int) -> Encoded:
        """Return a sample as tensors; DataError where it cannot be read."""
        return self._processor.encode(self.sample(number, epoch), self.turn(number, epoch))

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

    def _fits(self, texts: Sequence[str], num_pictures: int, longest: Callable[[], Sample]) -> bool:
        """Return whether a sample is short enough; one that is not is noted.

        No token is shorter than a byte, so that most are known to fit without being read.
        """
        processor = self._processor
        tiles = num_pictures if num_pictures > 1 else processor.image_processor.max_patches + 1
        facts = _FACTS_TOKENS if puts_facts(processor.feedback) else 0
        num_segments = sum(text.count(SEG) for text in texts)
        most = processor.max_region_tokens
        at_most = (
            sum(len(text.encode()) for text in (*texts, processor.system_prompt))
            + tiles * processor.token_side**2
            + num_segments * (num_fed(processor.sensors, most, has_sar=True) + facts)
            + _FRAME_TOKENS * (1 + num_pictures)
        )
        if not self._max_length or at_most <= self._max_length:
            return True
        sample = longest()
        fits = len(processor.encode(sample).ids_T) <= self._max_length
        if not fits:
            self.too_long.append(sample.sample_id)
        return fits

    def _require(self, split: str) -> None:
        if not len(self):
            raise DataError(
                f"{self.rows.dataset}: none of the {len(self.too_long)} samples of the split "
                f"{split!r} has at most {self._max_length} tokens; raise max_length"
            )


class Traces(Samples):
    """The questions and captions of a split, with their traces."""

    def __init__(
        self,
        dataset: Path,
        processor: TerraScopeProcessor,
        *,
        split: str = "train",
        mixture: Mixture | None = None,
        max_length: int = 0,
        marked: bool = True,
    ) -> None:
        """Read the index; traces that are not `marked` have no [SEG].

        DataError where there is nothing to learn, or a shard cannot be read.
        """
        super().__init__(_rows(dataset, _ROW, processor), processor, max_length)
        self._marked = marked
        self._places: list[Place] = []
        for place, row in self.rows.index(split, _INDEX):
            texts = (row["question"], *row["options"], row["trace"])
            num_pictures = len(row["image_info"])
            if self._fits(texts, num_pictures, partial(self._read, place)):
                self._places.append(place)
                images = _IMAGE_CHARACTERS * num_pictures
                length = len(row["question"]) + len(row["trace"]) + images
                self._add(place, length, (mixture or Mixture()).weight(row))
        self._require(split)

    def sample(self, number: int, epoch: int = 0) -> Sample:
        """Return a row; DataError where it cannot be read."""
        return self._read(self._places[number])

    def _read(self, place: Place) -> Sample:
        row = self.rows.read(place)
        with _telling(self.rows.files[place.file], row["sample_id"]):
            masks = tuple(
                StepMask(
                    picture=segmented_picture(row["image_info"], mask["image_index"]),
                    mask_HW=decode(mask["counts"].encode("ascii"), tuple(mask["size"])),
                )
                for mask in row["masks"]
            )
            sample = Sample(
                sample_id=row["sample_id"],
                pictures=self.rows.pictures(row),
                question=row["question"],
                options=tuple(row["options"]),
                trace=row["trace"] if self._marked else row["trace"].replace(f" {SEG}", ""),
                masks=masks if self._marked else (),
            )
            return seen_by(sample, self._processor.sensors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture of a scene, and the classes that lie on it: places among its masks, and phrases."""

    place: Place
    picture: int
    source: str
    modality: str
    classes: tuple[tuple[int, str], ...]


class Referring(Samples):
    """Every picture of every scene, with some of its classes to segment.

    "Please segment the water." The first stage learns on these, and the second
    may rehearse them. Which classes are asked for is
    drawn anew in each epoch, from one to `at_once` of them, so that names are read from the
    question and not guessed from the picture; so is how the picture is turned and mirrored. (In the
    paper it is one class at a time. Several make more of an image that has to be looked at anyway,
    and masks of one image that differ by name alone are what a model that starts from nothing
    learns from.) A picture comes the more often the more classes it has, as it would one by one.

    Attributes:
        shown: The pictures, by number, with the classes that cover `least_share` of them.
    """

    def __init__(
        self,
        dataset: Path,
        processor: TerraScopeProcessor,
        *,
        split: str = "train",
        at_once: int = AT_ONCE,
        turned: bool = True,
        seed: int = 0,
        max_length: int = 0,
        least_share: float = 0.0,
        mixture: Mixture | None = None,
    ) -> None:
        """Read the index; DataError where there is nothing to learn, or a shard cannot be read."""
        super().__init__(_rows(dataset, _SCENE, processor), processor, max_length)
        self._at_once, self._turned, self._seed = at_once, turned, seed
        self.shown: list[Shown] = []
        seen: set[tuple[str, str, int]] = set()
        columns = ("scene_id", "source", "split", "image_info", "grid", "scene_masks", "words")
        for place, row in self.rows.index(split, columns):
            for picture, info in enumerate(row["image_info"]):
                key = (row["scene_id"], info["modality"], info["date_index"])
                classes = _classes(row, info["date_index"], least_share)
                if not classes or key in seen:
                    continue
                seen.add(key)
                shown = Shown(
                    place=place,
                    picture=picture,
                    source=row["source"],
                    modality=info["modality"],
                    classes=classes,
                )
                longest = sorted(classes, key=lambda named: -len(named[1]))[:at_once]
                phrases = [phrase for _, phrase in longest]
                texts = (segment_question(phrases), segment_trace(phrases))
                if self._fits(texts, 1, partial(self.ask, shown, longest)):
                    self.shown.append(shown)
                    weight = (mixture or Mixture()).weight_of_picture(shown.source, shown.modality)
                    self._add(place, _IMAGE_CHARACTERS, weight)  # the same for all: well mixed
        self._require(split)
        mean = np.mean([len(shown.classes) for shown in self.shown])
        self.weights = [
            weight * len(shown.classes) / float(mean)
            for weight, shown in zip(self.weights, self.shown, strict=True)
        ]

    def sample(self, number: int, epoch: int = 0) -> Sample:
        """Return a picture with classes to segment; DataError where it cannot be read."""
        shown = self.shown[number]
        random = np.random.default_rng((self._seed, epoch, number))
        asked = [shown.classes[at] for at in random.permutation(len(shown.classes))]
        return self.ask(shown, asked[: random.integers(self._at_once) + 1])

    def ask(self, shown: Shown, asked: Sequence[tuple[int, str]]) -> Sample:
        """Return a picture with these of its classes to segment; DataError as in `sample`."""
        row = self.rows.read(shown.place)
        with _telling(self.rows.files[shown.place.file], row["scene_id"]):
            size_HW = (row["grid"]["height"], row["grid"]["width"])
            masks = [
                decode(row["scene_masks"][at]["counts"].encode("ascii"), size_HW) for at, _ in asked
            ]
            return Sample(
                sample_id=row["scene_id"],
                pictures=(self.rows.pictures(row)[shown.picture],),
                question=segment_question([phrase for _, phrase in asked]),
                trace=segment_trace([phrase for _, phrase in asked]),
                masks=tuple(
                    StepMask(picture=0, mask_HW=mask, name=phrase)
                    for mask, (_, phrase) in zip(masks, asked, strict=True)
                ),
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The classes that are asked for by their names, in alphabetical order."""
        return tuple(sorted({phrase for shown in self.shown for _, phrase in shown.classes}))

    def turn(self, number: int, epoch: int) -> Turn:
        """Return how an item is turned in an epoch."""
        if not self._turned:
            return STRAIGHT
        quarters, mirrored = (
            np.random.default_rng((self._seed, epoch, number, 1)).integers((4, 2)).tolist()
        )
        return Turn(quarters, bool(mirrored))


def _rows(dataset: Path, columns: Sequence[str], processor: TerraScopeProcessor) -> Rows:
    """Return rows that keep as many pictures as there is room for what is prepared of them."""
    tile_px = processor.image_processor.size["height"]
    tiles = processor.image_processor.max_patches + 1
    return Rows(
        dataset,
        columns,
        picture_bytes=3 * 4 * (tiles * tile_px**2 + processor.ground_px**2),
        measured=puts_facts(processor.feedback),
    )


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


def _classes(
    row: Mapping[str, Any], date_index: int, least_share: float
) -> tuple[tuple[int, str], ...]:
    """Return the annotated class masks of a date, by place, and how each is called."""
    words = json.loads(row["words"])
    least_px = least_share * row["grid"]["height"] * row["grid"]["width"]
    return tuple(
        (number, words[mask["layer"]][mask["label"]]["phrase"])
        for number, mask in enumerate(row["scene_masks"])
        if (mask["kind"], mask["origin"], mask["date_index"]) == ("class", "annotated", date_index)
        and area_px(mask["counts"].encode("ascii")) >= least_px
    )
