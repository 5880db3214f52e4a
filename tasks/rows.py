"""Read rows of a shard back as closed records, strictly: what a shard may not hold is an error."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from schemas.mask import Evidence, LayerInfo, Origin, SceneMask
from schemas.verdict import Verdict
from tasks.errors import UserError
from tasks.shards import CODED_SCHEMA, IMAGE_BYTES

_SCENE_PARTS = ("grid", "scene_masks", "layers")


class RowError(UserError):
    """A row, or a whole shard, that does not hold what its schema promises."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RowImage(_Record):
    """One carried image: the encoded file and its path in the archive."""

    bytes: bytes
    path: str


class RowImageInfo(_Record):
    """How one carried image was made, and which date of the scene's masks it shows."""

    role: str
    modality: str
    rendering: str
    date: str
    date_index: int
    cloudy: bool


class RowGrid(_Record):
    """The pixel grid of a scene; sizes in metres per pixel, bounds in WGS84 degrees."""

    height: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=1)]
    pixel_size_x_m: float | None
    pixel_size_y_m: float | None
    west: float | None
    south: float | None
    east: float | None
    north: float | None
    north_up: bool


class RowAnswer(_Record):
    """The answer; `value`, `low` and `high` are None where it is not a number."""

    text: str
    letter: str
    value: float | None
    unit: str
    low: float | None
    high: float | None


class RowStep(_Record):
    """One reasoning step; `mask_index` is -1 where it has no mask."""

    text: str
    mask_index: int
    image_index: int
    verdict: Verdict


class RowMask(_Record):
    """The mask of a step: COCO RLE of size (height, width), and the expression that it is."""

    label: str
    image_index: int
    size: tuple[int, int]
    counts: str
    origin: Origin
    iou: float
    program: str


class RowSpan(_Record):
    """Where a measured fact stands in the trace, [start, end) in characters."""

    start: int
    end: int


class RowClaim(_Record):
    """What a writer's sentence claims, [start, end) in characters of the trace."""

    start: int
    end: int
    kind: str
    verdict: Verdict
    detail: str


class RowPremise(_Record):
    """What a verdict rests on: a measured number, its program as JSON, and its wording."""

    name: str
    program: str
    value: str


class RowJudged(_Record):
    """What a second model thinks of a question; marks from 1 to 5."""

    naturalness: Annotated[int, Field(ge=1, le=5)]
    difficulty: Annotated[int, Field(ge=1, le=5)]
    needs_image: bool


class RowCaption(_Record):
    """A caption that the archive itself gives."""

    writer: str
    text: str


class RowFile(_Record):
    """One file that the scene was read from."""

    path: str
    sha256: str


class RowProvenance(_Record):
    """What the row was made from and by."""

    files: tuple[RowFile, ...]
    template: str
    template_version: int
    seed: int
    writer: str
    config_digest: str
    stages: str


class Row(_Record):
    """One sample as it stands in a shard, its scene's masks as `evidence`."""

    sample_id: str
    scene_id: str
    source: str
    split: str
    place: str
    licence: str
    tier: str
    task: str
    form: str
    classes: tuple[str, ...]
    images: tuple[RowImage, ...]
    image_info: tuple[RowImageInfo, ...]
    grid: RowGrid
    question: str
    title: str
    options: tuple[str, ...]
    answer: RowAnswer
    steps: tuple[RowStep, ...]
    trace: str
    fact_spans: tuple[RowSpan, ...]
    claims: tuple[RowClaim, ...]
    masks: tuple[RowMask, ...]
    evidence: Evidence
    words: str
    program: str
    rule: str
    premises: tuple[RowPremise, ...]
    judged: RowJudged | None
    archive_captions: tuple[RowCaption, ...]
    provenance: RowProvenance


_SCENE_MASKS: TypeAdapter[tuple[SceneMask, ...]] = TypeAdapter(tuple[SceneMask, ...])
_LAYERS: TypeAdapter[tuple[LayerInfo, ...]] = TypeAdapter(tuple[LayerInfo, ...])


class RowReader:
    """Reads the rows of one row group; rows of one scene share one `Evidence` object.

    They share it only where their stored masks, layers and grid are equal, so a change planted in
    one row is seen in that row.
    """

    def __init__(self, group: pa.Table) -> None:
        self._group = group
        self._evidence_row = -1
        self._evidence: Evidence | None = None

    def __len__(self) -> int:
        return int(self._group.num_rows)

    def sample_id(self, row: int) -> str:
        """Return the id of a row that may not be readable otherwise."""
        return str(self._group.column("sample_id")[row].as_py())

    def read(self, row: int) -> Row:
        """Return one row; RowError names the first fields that are not as they must be."""
        names = [name for name in self._group.column_names if name not in ("scene_masks", "layers")]
        values = self._group.select(names).slice(row, 1).to_pylist()[0]
        try:
            return Row.model_validate({**values, "evidence": self._evidence_of(row)})
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
                for fault in error.errors()[:3]
            )
            raise RowError(faults) from error

    def _evidence_of(self, row: int) -> Evidence:
        if self._evidence is None or not self._same_scene(row, self._evidence_row):
            self._evidence = self._decoded(row)
            self._evidence_row = row
        return self._evidence

    def _same_scene(self, row: int, other: int) -> bool:
        columns = [self._group.column(name) for name in _SCENE_PARTS]
        return all(column.slice(row, 1).equals(column.slice(other, 1)) for column in columns)

    def _decoded(self, row: int) -> Evidence:
        part = {name: self._group.column(name)[row].as_py() for name in _SCENE_PARTS}
        grid = RowGrid.model_validate(part["grid"])
        x_m, y_m = grid.pixel_size_x_m, grid.pixel_size_y_m
        return Evidence(
            size_HW=(grid.height, grid.width),
            pixel_size_m=None if x_m is None or y_m is None else (x_m, y_m),
            north_up=grid.north_up,
            layers=_LAYERS.validate_python(part["layers"]),
            masks=_SCENE_MASKS.validate_python(part["scene_masks"]),
        )


def open_shard(path: Path) -> pq.ParquetFile:
    """Open a shard and check its schema.

    Raises:
        RowError: if it cannot be read as Parquet or has other columns or types than this version.
    """
    try:
        # a row group's images stay a dictionary: one copy in memory, as in the file
        shard = pq.ParquetFile(path, read_dictionary=[IMAGE_BYTES])
    except (OSError, pa.ArrowException) as error:
        raise RowError(f"{path} cannot be read as Parquet: {error}") from error
    if not shard.schema_arrow.equals(CODED_SCHEMA):
        found = {field.name: field.type for field in shard.schema_arrow}
        due = {field.name: field.type for field in CODED_SCHEMA}
        differing = sorted(
            name for name in found.keys() | due.keys() if found.get(name) != due.get(name)
        )
        raise RowError(f"{path} has not the columns of this version; these differ: {differing}")
    return shard


def row_groups(shard: pq.ParquetFile) -> Iterator[RowReader]:
    """Yield the row groups of a shard one by one; RowError where one cannot be decoded."""
    for number in range(shard.num_row_groups):
        yield row_group(shard, number)


def row_group(shard: pq.ParquetFile, number: int) -> RowReader:
    """Read one row group; RowError where its bytes cannot be decoded."""
    try:
        return RowReader(shard.read_row_group(number))
    except (OSError, pa.ArrowException) as error:
        raise RowError(f"row group {number} cannot be decoded: {error}") from error


def read_rows(path: Path, wanted: set[str]) -> dict[str, Row]:
    """Return the rows of a shard with the wanted sample ids, by id; RowError as above."""
    shard = open_shard(path)
    rows: dict[str, Row] = {}
    for number in range(shard.num_row_groups):
        ids = shard.read_row_group(number, columns=["sample_id"]).column(0).to_pylist()
        places = {sample_id: at for at, sample_id in enumerate(ids) if sample_id in wanted}
        if places:
            reader = row_group(shard, number)
            rows |= {sample_id: reader.read(at) for sample_id, at in places.items()}
    return rows
