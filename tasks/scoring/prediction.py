"""The file of predictions: JSON lines, one an item; a line with a fault is counted, not fatal.

    {"format": "terrascope-predictions", "version": 1, "model": "mine"}
    {"sample_id": "0f3a...", "text": "<think>...</think><answer>B. 35 %</answer>",
     "masks": [{"label": "water", "image_index": 0, "size": [256, 256], "counts": "..."}],
     "confidence": 0.8}

The first line may be left out. A line has `text` (the raw reply), or `answer` (a letter, or words),
or both; then `answer` counts.
`masks` are COCO run-length codes, compressed or as a list, in the order of the reasoning; `label`
and `image_index` (from 0) may be left out. `confidence`, 0 to 1, is how sure the model is of its
answer. A line with `error` says that the run failed on this item.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from masks.rle import decode, encode
from schemas.parquet import SCHEMA_VERSION
from tasks.errors import UserError
from tasks.scoring.item import BenchItem

FORMAT: Literal["terrascope-predictions"] = "terrascope-predictions"
VERSION = 1
MAX_FAULTS_TOLD = 3  # of one line


class FaultKind(StrEnum):
    """What is wrong with a line."""

    NOT_JSON = "not JSON"
    NOT_A_NUMBER = "NaN or infinite"
    NOT_A_PREDICTION = "not a prediction"
    UNKNOWN_ID = "unknown id"
    DUPLICATE_ID = "id given before"
    MASK_SIZE = "mask of another size"
    MASK_CODE = "invalid run-length code"
    MASK_PICTURE = "mask on a picture that is not there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A line that cannot be used; `sample_id` is "" where it could not be read."""

    line: int
    kind: FaultKind
    sample_id: str
    detail: str


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Header(_Record):
    """The first line: who predicted, and of which bench; two files of equal headers are one run."""

    format: Literal["terrascope-predictions"] = FORMAT
    version: int = VERSION
    model: str = ""
    model_digest: str = ""  # of what it answers by; "" where that cannot be seen
    bench: str = ""  # digest of the dataset, or of the bench's file
    schema_version: int = SCHEMA_VERSION
    asked: str = ""  # prompt, settings and control, in words


class PredictedMask(_Record):
    """A predicted mask as it stands in the file."""

    label: str | None = None
    image_index: Annotated[int, Field(ge=0)] | None = None
    size: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]
    counts: str | list[Annotated[int, Field(ge=0)]]

    def code(self) -> bytes:
        """Return compressed counts; ValueError where they are malformed or of another size."""
        if isinstance(self.counts, str):
            code = self.counts.encode("ascii")
            decode(code, self.size)
            return code
        height, width = self.size
        if sum(self.counts) != height * width:
            raise ValueError(
                f"runs of {sum(self.counts)} pixels in all do not fit {height} x {width}"
            )
        values = np.arange(len(self.counts)) % 2 == 1
        pixels = np.repeat(values, self.counts)
        return encode(np.ascontiguousarray(pixels.reshape(width, height).T))


class Prediction(_Record):
    """What a model made of one item."""

    sample_id: str
    text: str = ""
    answer: str | None = None
    masks: tuple[PredictedMask, ...] = ()
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """All that a file of predictions holds.

    Attributes:
        name: Of the model, or of the file.
        by_id: The usable lines.
        faults: The others, in order.
        elsewhere: Lines of items that the bench has but that are not scored now.
        notes: What a reader of the figures should know.
    """

    name: str
    by_id: Mapping[str, Prediction]
    faults: tuple[Fault, ...] = ()
    elsewhere: int = 0
    notes: tuple[str, ...] = ()

    @property
    def faulty_ids(self) -> frozenset[str]:
        """The items of which there are only lines with faults."""
        return frozenset(fault.sample_id for fault in self.faults) - self.by_id.keys()


def read_predictions(
    path: Path,
    items: Mapping[str, BenchItem],
    others: Collection[str] = (),
    bench_digest: str = "",
) -> Predictions:
    """Read a file of predictions for some items; `others` are ids that are not scored now.

    UserError where it cannot be read, is of another version, or tells of no item at all.
    """
    header, reader = None, _Reader(items, others)
    for place, (number, line) in enumerate(_lines(path)):
        if place == 0 and (header := _header(path, line)) is not None:
            continue
        reader.take(number, line)
    _check_any(path, reader)
    return Predictions(
        name=(header.model if header else "") or path.stem,
        by_id=reader.by_id,
        faults=tuple(reader.faults),
        elsewhere=reader.elsewhere,
        notes=tuple(_notes(header, bench_digest)),
    )


class _Reader:
    def __init__(self, items: Mapping[str, BenchItem], others: Collection[str]) -> None:
        self.by_id: dict[str, Prediction] = {}
        self.faults: list[Fault] = []
        self.elsewhere = 0
        self._items, self._others = items, others

    def take(self, number: int, line: bytes) -> None:
        """Read one line, and keep it or what is wrong with it."""
        try:
            prediction = _parsed(line)
            sample_id = prediction.sample_id
            if sample_id not in self._items and sample_id in self._others:
                self.elsewhere += 1
                return
            self._check(prediction)
        except _Faulty as faulty:
            self.faults.append(
                Fault(
                    line=number,
                    kind=faulty.kind,
                    sample_id=faulty.sample_id,
                    detail=faulty.detail,
                )
            )
        else:
            self.by_id[sample_id] = prediction

    def _check(self, prediction: Prediction) -> None:
        sample_id = prediction.sample_id
        if sample_id not in self._items:
            raise _Faulty(FaultKind.UNKNOWN_ID, sample_id, f"the bench has no {sample_id!r}")
        if sample_id in self.by_id:
            raise _Faulty(FaultKind.DUPLICATE_ID, sample_id, "the first line with it counts")
        item = self._items[sample_id]
        for place, mask in enumerate(prediction.masks):
            _check_mask(item, place, mask)


class _Faulty(Exception):
    def __init__(self, kind: FaultKind, sample_id: str, detail: str) -> None:
        self.kind, self.sample_id, self.detail = kind, sample_id, detail
        super().__init__(detail)


def _check_mask(item: BenchItem, place: int, mask: PredictedMask) -> None:
    if item.size_HW is not None and mask.size != item.size_HW:
        detail = f"mask {place + 1} is {list(mask.size)}, the item's are {list(item.size_HW)}"
        raise _Faulty(FaultKind.MASK_SIZE, item.item_id, detail)
    if mask.image_index is not None and mask.image_index >= len(item.seen_on):
        detail = f"mask {place + 1} lies on image {mask.image_index} of {len(item.seen_on)}"
        raise _Faulty(FaultKind.MASK_PICTURE, item.item_id, detail)
    try:
        mask.code()
    except ValueError as error:
        detail = f"mask {place + 1}: {error}"
        raise _Faulty(FaultKind.MASK_CODE, item.item_id, detail) from error


def _parsed(line: bytes) -> Prediction:
    tree = _tree(line)
    told = tree.get("sample_id") if isinstance(tree, dict) else None
    sample_id = told if isinstance(told, str) else ""
    try:
        return Prediction.model_validate(tree)
    except ValidationError as error:
        detail = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'line'}: {fault['msg']}"
            for fault in error.errors()[:MAX_FAULTS_TOLD]
        )
        raise _Faulty(FaultKind.NOT_A_PREDICTION, sample_id, detail) from error


class _NotANumber(Exception):
    pass


def _refuse_constant(name: str) -> NoReturn:
    raise _NotANumber(name)


def _tree(line: bytes) -> Any:
    try:
        return json.loads(line, parse_constant=_refuse_constant)
    except _NotANumber as error:
        sample_id = _id_beside_nan(line)
        raise _Faulty(FaultKind.NOT_A_NUMBER, sample_id, f"{error} is no JSON number") from error
    except (ValueError, RecursionError) as error:
        raise _Faulty(FaultKind.NOT_JSON, "", str(error)) from error


def _id_beside_nan(line: bytes) -> str:
    tree = json.loads(line)
    told = tree.get("sample_id") if isinstance(tree, dict) else None
    return told if isinstance(told, str) else ""


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not empty, with their numbers from 1."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error


def _header(path: Path, line: bytes) -> Header | None:
    """Return the header if the line is one; UserError where it is of another version."""
    try:
        tree = json.loads(line)
    except ValueError:
        return None
    if not isinstance(tree, dict) or "format" not in tree:
        return None
    if tree["format"] != FORMAT or tree.get("version") != VERSION:
        raise UserError(
            f"{path} is of the format {tree['format']!r}, version {tree.get('version')!r}; this "
            f"program reads {FORMAT!r}, version {VERSION}"
        )
    try:
        header = Header.model_validate(tree)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise UserError(f"{path}, line 1: {where}: {fault['msg']}") from error
    if header.schema_version != SCHEMA_VERSION:
        raise UserError(
            f"{path} was made for a bench of schema version {header.schema_version}, this program "
            f"reads {SCHEMA_VERSION}: ids and masks may mean something else; predict again"
        )
    return header


def _check_any(path: Path, reader: _Reader) -> None:
    if reader.by_id:
        return
    if not reader.faults:
        raise UserError(
            f"{path} holds no prediction"
            + (f" of what is scored, {reader.elsewhere} of other items" * bool(reader.elsewhere))
        )
    first = reader.faults[0]
    raise UserError(
        f"none of the {len(reader.faults)} lines of {path} is a prediction for this bench; line "
        f"{first.line}: {first.kind.value}: {first.detail}"
    )


def _notes(header: Header | None, bench_digest: str) -> Iterator[str]:
    if header and header.asked:
        yield header.asked
    if header and header.bench and bench_digest and header.bench != bench_digest:
        yield "the predictions were made for another version of this bench"
