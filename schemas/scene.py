"""A scene: one place, one or more images on one grid, its label layers and its objects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schemas.mask import Invalid, Origin
from schemas.rejection import Reason, Refusal
from schemas.taxonomy import Taxonomy

INVALID_ID = 255  # nodata or ignore in a label layer
BACKGROUND_ID = 254  # valid, and none of the layer's classes

SarRendering = Literal["vv_vh", "vh_vv_mean"]  # how the names of radar's renderings begin


class Modality(StrEnum):
    """What kind of sensor an image comes from."""

    OPTICAL = "optical"
    SAR = "sar"


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneImage:
    """One rendered image: encoded 8-bit RGB (PNG or JPEG), and how it was made.

    `role` is "single", "pre", "post" or "sequence"; `date_index` says which date of the scene's
    label layers it shows; `date` is ISO (YYYY-MM-DD) or "" where unknown; `rendering` names
    channels and stretch; `path` is relative to the archive, "/"-separated; `cloudy` is true where
    the archive flags cloud or shadow.
    """

    role: str
    modality: Modality
    rendering: str
    date: str
    date_index: int
    encoded: bytes
    path: str
    cloudy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The pixel grid that all images, layers and objects of a scene share.

    `pixel_size_m` is (x, y) metres per pixel at the scene's latitude, None where unknown.
    `bounds_lonlat` is (west, south, east, north) in WGS84 degrees, None where unknown.
    """

    height: int
    width: int
    pixel_size_m: tuple[float, float] | None
    bounds_lonlat: tuple[float, float, float, float] | None
    north_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelLayer:
    """One label map at one date.

    `ids_HW` is uint8: index into the taxonomy's classes, `BACKGROUND_ID`, or `INVALID_ID`.
    """

    layer: str
    date_index: int
    product: str
    taxonomy: Taxonomy
    ids_HW: NDArray[np.uint8]
    invalid: Invalid
    origin: Origin = Origin.ANNOTATED

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in id order."""
        return self.taxonomy.names


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One object at one date, such as a building; objects may overlap.

    `counts` is the compressed COCO RLE of its (H, W) mask on the scene's grid.
    """

    instance_id: str
    layer: str
    label: str
    date_index: int
    attribute: str
    counts: bytes
    origin: Origin = Origin.ANNOTATED


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of the archive that a scene was read from: relative path and SHA-256 (hex)."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveCaption:
    """A caption that the archive itself gives; kept beside the scene, never trusted."""

    writer: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRef:
    """A scene that an archive lists, before it is read.

    `place` is the patch, tile or location, from which alone `bucket` follows; `locality` the ground
    around it, from which alone a split that is drawn by place follows: a tile or event whose scenes
    may overlap or touch each other. Archives that show the same event name it alike. `files` are
    the paths (relative to the archive root) that its content depends on; `facts` are small strings
    that the reader needs again, such as a metadata row.
    """

    source: str
    scene_id: str
    split: str
    place: str
    bucket: str
    locality: str
    files: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One place with all that can be asked about it."""

    ref: SceneRef
    licence: str
    grid: Grid
    images: tuple[SceneImage, ...]
    layers: tuple[LabelLayer, ...]
    instances: tuple[Instance, ...] = ()
    captions: tuple[ArchiveCaption, ...] = ()
    files: tuple[SourceFile, ...] = ()


class Unlabelled(Refusal):
    """Raised on a scene of which no label says anything (NO_LABEL), and all else is there.

    Its layers say of no pixel what it is; an annotator may.
    """

    def __init__(self, detail: str, scene: Scene) -> None:
        self.scene = scene
        super().__init__(Reason.NO_LABEL, detail)


def unknown_layer(layer: str, date_index: int, taxonomy: Taxonomy, grid: Grid) -> LabelLayer:
    """Return a label layer of which no pixel is known."""
    return LabelLayer(
        layer=layer,
        date_index=date_index,
        product="",
        taxonomy=taxonomy,
        ids_HW=np.full((grid.height, grid.width), INVALID_ID, np.uint8),
        invalid=Invalid.UNKNOWN,
        origin=Origin.PREDICTED,
    )
