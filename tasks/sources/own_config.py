"""`dataset.yaml`: what a folder of your own rasters says about itself."""

import datetime
import math
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from rasterio.crs import CRS

from schemas.scene import Modality
from schemas.taxonomy import Common, LandClass, Taxonomy

CONFIG_FILE = "dataset.yaml"
MAX_CLASSES = 200  # ids are 8 bits, and the two highest mean background and invalid
SAFE_NAME = re.compile(r"[A-Za-z0-9._-]+")
# the only form of a CRS that is looked up: PROJ and GDAL take paths and URLs for names, too
CRS_NAME = re.compile(
    r"(EPSG|ESRI|OGC):[A-Z0-9]{1,9}|urn:(x-)?ogc:def:crs:[A-Z0-9_]{1,9}:[0-9.]{0,9}:[A-Z0-9]{1,9}",
    re.IGNORECASE | re.ASCII,
)

SplitName = Literal["train", "validation", "test"]
Code = int | str
SafeName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FilePattern(_Strict):
    """Files by name: `{scene}` and `{date}` stand for a part of it, `*` for anything.

    `date` is for files whose names hold none.
    """

    pattern: str = Field(min_length=1)
    date: datetime.date | None = None

    @field_validator("pattern")
    @classmethod
    def _inside(cls, pattern: str) -> str:
        if pattern.startswith(("/", "~")) or ".." in pattern.split("/") or "\\" in pattern:
            raise ValueError(
                f"{pattern!r}: expected a name inside the folder, with / between parts"
            )
        return pattern


class ImageFiles(FilePattern):
    """Images of one sensor.

    `bands` count from 1: three for a colour picture, one for a grey one, two (VV, VH) for SAR.
    `stretch` is "as_is" (8-bit values), "percentile", or two limits; left out, 8-bit values stay
    as they are and others get percentiles. Two SAR bands have limits of their own. `frame` counts
    from 0 the dates of a .npy of four axes.
    """

    modality: Modality = Modality.OPTICAL
    bands: tuple[int, ...] | None = None
    stretch: Literal["as_is", "percentile"] | tuple[float, float] | None = None
    frame: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        due = (1, 2, 3) if self.modality is Modality.SAR else (1, 3)
        if self.bands is not None and (len(self.bands) not in due or min(self.bands) < 1):
            raise ValueError(f"bands {self.bands}: expected {due} bands, counted from 1")
        if self.bands is not None and len(self.bands) == 2 and self.stretch not in (None, "as_is"):
            raise ValueError(
                f"stretch {self.stretch}: two SAR bands have fixed limits; leave it out"
            )
        if isinstance(self.stretch, tuple) and self.stretch[0] >= self.stretch[1]:
            raise ValueError(f"stretch {self.stretch}: expected low below high")
        return self


class ClassEntry(_Strict):
    """One class: its code in the label file, its name, and its words in a sentence."""

    code: Code
    name: str = Field(min_length=1)
    phrase: str = ""
    singular: str = ""
    plural: bool = False
    countable: bool = False
    common: Common = Common.OTHER

    def land_class(self) -> LandClass:
        """Return the class as a taxonomy holds it; the phrase defaults to the name."""
        return LandClass(
            name=self.name,
            phrase=self.phrase or self.name[:1].lower() + self.name[1:],
            common=self.common,
            plural=self.plural,
            countable=self.countable,
            singular=self.singular,
        )


class LabelFiles(_Strict):
    """One label layer: rasters with codes, or polygons in any CRS.

    Codes in `ignore`, and a raster's nodata, carry no label; codes in `background` are labelled
    and none of the classes. `under_ignored` says whether a class may lie under ignored pixels.
    Rasters: `band` counts from 1. Polygons: `column` holds the code (left out, all polygons are
    the one class), `table` names the layer of the file, `uncovered` says what pixels under no
    polygon are, `objects` makes each polygon an object to count, `id_column` names it.
    """

    name: SafeName
    product: str = Field(min_length=1)
    kind: Literal["raster", "vector"] = "raster"
    files: tuple[FilePattern, ...] = Field(min_length=1)
    classes: tuple[ClassEntry, ...] = Field(min_length=1, max_length=MAX_CLASSES)
    ignore: tuple[Code, ...] = ()
    background: tuple[Code, ...] = ()
    under_ignored: Literal["unknown", "other"] = "unknown"
    band: int = Field(default=1, ge=1)
    column: str = ""
    table: str = ""
    uncovered: Literal["background", "unknown"] = "background"
    objects: bool = False
    id_column: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        codes = [*(entry.code for entry in self.classes), *self.ignore, *self.background]
        names = [entry.name for entry in self.classes]
        for what, values in (("code", [str(code) for code in codes]), ("class", names)):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"layer {self.name}: {what} {', '.join(twice)} stands twice")
        if self.kind == "vector" and not self.column and len(self.classes) > 1:
            raise ValueError(f"layer {self.name}: several classes need the column of their code")
        if self.kind == "raster" and (self.objects or self.column or self.table):
            raise ValueError(f"layer {self.name}: objects, column and table are for kind: vector")
        return self

    @property
    def taxonomy(self) -> Taxonomy:
        """The layer's class table, in the order written."""
        return Taxonomy(self.name, tuple(entry.land_class() for entry in self.classes))


class OwnGrid(_Strict):
    """Where images without a CRS of their own lie (PNG, .npy): outer edges in CRS units.

    Either `crs` with `bounds` (left, bottom, right, top), or `geojson`: a file by pattern whose
    polygon is the image's outline, with its CRS named as sentinelhub and eo-learn do.
    """

    crs: str = ""
    bounds: tuple[float, float, float, float] | None = None
    geojson: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if bool(self.geojson) == bool(self.crs and self.bounds):
            raise ValueError("grid: expected either geojson, or crs and bounds")
        if self.bounds is not None and not is_box(self.bounds):
            raise ValueError(f"grid: bounds {self.bounds}, expected left, bottom, right, top")
        if self.crs:
            try:
                crs_by_name(self.crs)
            except ValueError as error:
                raise ValueError(f"grid: crs {error}") from error
        return self


class OwnDataset(_Strict):
    """The whole file. `split` is one name, or a name pattern of scenes for each split.

    `buckets` is how many granules each split has, fixed so that a new scene moves no other:
    choose about one for 256 scenes.
    """

    name: SafeName
    licence: str = Field(min_length=1)
    images: tuple[ImageFiles, ...] = Field(min_length=1)
    layers: tuple[LabelFiles, ...] = Field(min_length=1)
    split: SplitName | dict[SplitName, str] = "train"
    grid: OwnGrid | None = None
    buckets: int = Field(default=16, ge=1, le=100_000)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [layer.name for layer in self.layers]
        if len(set(names)) < len(names):
            raise ValueError(f"layers {', '.join(names)}: a name stands twice; give it more files")
        return self


def crs_by_name(name: str) -> CRS:
    """Return the CRS of a registry's name, such as EPSG:32633; nothing is opened or fetched.

    Raises:
        ValueError: for anything but such a name (a path, a URL, WKT), or one that is not known.
    """
    if not CRS_NAME.fullmatch(name):
        raise ValueError(f"{name!r}: expected a name such as EPSG:32633 or OGC:CRS84")
    try:
        return CRS.from_user_input(name)
    except ValueError as error:  # CRSError, or a code that is no number
        raise ValueError(f"{name!r}: {error}") from error


def is_box(bounds: tuple[float, float, float, float]) -> bool:
    """Return whether (left, bottom, right, top) has a finite width and height above zero."""
    left, bottom, right, top = bounds
    return 0 < right - left < math.inf and 0 < top - bottom < math.inf


def load_config(root: Path) -> OwnDataset:
    """Return the description in a folder.

    Raises:
        ValueError: no such file, not YAML, or a key or value that is not expected, naming it.
    """
    path = root / CONFIG_FILE
    if not path.is_file():
        raise ValueError(f"{root} is no dataset of your own: looked for {CONFIG_FILE}")
    return parse_config(path.read_bytes(), str(path))


@lru_cache(maxsize=32)
def parse_config(content: bytes, name: str) -> OwnDataset:
    """Parse the bytes of a `dataset.yaml`; raises ValueError naming what is wrong."""
    try:
        return OwnDataset.model_validate(yaml.safe_load(content))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"{name}: not YAML: {error}") from error
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in fault['loc']) or 'file'}: {fault['msg']}"
            for fault in error.errors()
        ]
        raise ValueError(f"{name}: {'; '.join(lines)}") from error
