"""Labelled sentences about small scenes drawn as text, and the scenes as both grounds see them.

A scene's map has one character a block of `block_px` pixels; `legend` names each character's class,
null where nothing is labelled. Scenes of buildings give their boxes instead (docs/claims.md is what
the sentences are labelled by).
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from masks.measured import Measured
from masks.reference_scene import ReferenceScene
from masks.rle import encode
from schemas.mask import Evidence, Invalid, LayerInfo
from schemas.scene import (
    BACKGROUND_ID,
    INVALID_ID,
    Grid,
    Instance,
    LabelLayer,
    Modality,
    Scene,
    SceneRef,
)
from schemas.taxonomy import (
    BIGEARTHNET_19,
    CHATEARTHNET_11,
    XBD_DAMAGE,
    XBD_FOOTPRINT,
    XBD_UNCLASSIFIED,
)
from schemas.verdict import Verdict
from tasks.proof_ground import ReferenceGround
from tasks.scene_table import read_words, scene_masks
from templates.captioned import CaptionedScene
from templates.ground import Metadata
from templates.view import ImageInfo, View

HERE = Path(__file__).parent
CORPORA = ("captions", "kinds", "fresh", "blind")
TAXONOMIES = {"chatearthnet": CHATEARTHNET_11, "bigearthnet": BIGEARTHNET_19}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A sentence about a scene, the verdict that its author gave it, and why."""

    scene: str
    sentence: str
    verdict: Verdict
    kinds: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Grounds:
    """One scene, measured by the production kernels and by the plain reference."""

    captioned: CaptionedScene
    reference: ReferenceGround


def labelled(corpus: str) -> list[Labelled]:
    """Return the sentences of a corpus."""
    lines = (HERE / f"{corpus}.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        Labelled(
            scene=row["scene"],
            sentence=row["sentence"],
            verdict=Verdict(row["verdict"]),
            kinds=tuple(row["kinds"]),
            why=row.get("why", ""),
        )
        for row in map(json.loads, filter(str.strip, lines))
    ]


@cache
def scenes(corpus: str) -> dict[str, dict[str, Any]]:
    """Return the drawn scenes of a corpus by name."""
    return json.loads((HERE / f"scenes_{corpus}.json").read_text(encoding="utf-8"))


def grounds_of(drawn: dict[str, Any]) -> Grounds:
    """Return both grounds of a drawn scene."""
    layers, instances = _xbd(drawn) if drawn["classes"] == "xbd" else (_land(drawn), [])
    height, width = layers[0].ids_HW.shape
    size_m = drawn.get("pixel_size_m")
    evidence = Evidence(
        size_HW=(height, width),
        pixel_size_m=None if size_m is None else (float(size_m[0]), float(size_m[1])),
        north_up=drawn["north_up"],
        layers=tuple(
            LayerInfo(
                layer=layer.layer,
                date_index=layer.date_index,
                product=layer.product,
                invalid=layer.invalid,
                classes=layer.classes,
            )
            for layer in layers
        ),
        masks=scene_masks(_scene(layers, instances)),
    )
    words = json.dumps(
        {
            layer.layer: {land.name: asdict(land) for land in layer.taxonomy.classes}
            for layer in layers
        }
    )
    view, metadata = _view(drawn), _metadata(drawn)
    return Grounds(
        CaptionedScene(
            measured=Measured(evidence), words=read_words(words), view=view, metadata=metadata
        ),
        ReferenceGround(ReferenceScene(evidence), words, view, metadata),
    )


def _scene(layers: list[LabelLayer], instances: list[Instance]) -> Scene:
    height, width = layers[0].ids_HW.shape
    return Scene(
        ref=SceneRef(
            source="drawn", scene_id="", split="", place="", bucket="", locality="", files=()
        ),
        licence="CC0",
        grid=Grid(height=height, width=width, pixel_size_m=None, bounds_lonlat=None, north_up=True),
        images=(),
        layers=tuple(layers),
        instances=tuple(instances),
    )


def _land(drawn: dict[str, Any]) -> list[LabelLayer]:
    taxonomy = TAXONOMIES[drawn["classes"]]
    ids = {
        char: INVALID_ID if name is None else taxonomy.names.index(name)
        for char, name in drawn["legend"].items()
    }
    return [
        LabelLayer(
            layer="land_cover",
            date_index=date_index,
            product="drawn",
            taxonomy=taxonomy,
            ids_HW=np.kron(
                np.array([[ids[char] for char in row] for row in rows], dtype=np.uint8),
                np.ones((drawn["block_px"], drawn["block_px"]), dtype=np.uint8),
            ),
            invalid=Invalid.OTHER if drawn["fully_labelled"] else Invalid.UNKNOWN,
        )
        for date_index, rows in enumerate(drawn["maps"])
    ]


def _xbd(drawn: dict[str, Any]) -> tuple[list[LabelLayer], list[Instance]]:
    """Draw buildings as `tasks.sources.xbd_masks` does: a higher level covers a lower one."""
    size_HW = tuple(drawn["size_px"])
    footprints = [np.full(size_HW, BACKGROUND_ID, dtype=np.uint8) for _ in range(2)]
    damage_HW = np.full(size_HW, BACKGROUND_ID, dtype=np.uint8)
    levels = (XBD_UNCLASSIFIED, *XBD_DAMAGE.names)
    values = {XBD_UNCLASSIFIED: INVALID_ID, **{n: i for i, n in enumerate(XBD_DAMAGE.names)}}
    instances = []
    for thing in sorted(
        drawn["objects"], key=lambda thing: levels.index(thing["state"] or levels[1])
    ):
        date, state = thing["date"], thing["state"] or ""
        top, left, bottom, right = thing["box_px"]
        box = slice(top, bottom), slice(left, right)
        footprints[date][box] = 0
        mask_HW = np.zeros(size_HW, dtype=np.bool_)
        mask_HW[box] = True
        if date == 1:
            damage_HW[box] = values[state]
        instances.append(
            Instance(
                instance_id=str(thing["id"]),
                layer="footprint",
                label="building",
                date_index=date,
                attribute=state if date == 1 else "",
                counts=encode(mask_HW),
            )
        )
    unclassified = any(thing["state"] == XBD_UNCLASSIFIED for thing in drawn["objects"])
    layers = [
        LabelLayer(
            layer=layer,
            date_index=date,
            product="xbd",
            taxonomy=taxonomy,
            ids_HW=ids_HW,
            invalid=invalid,
        )
        for layer, date, taxonomy, ids_HW, invalid in (
            ("footprint", 0, XBD_FOOTPRINT, footprints[0], Invalid.OTHER),
            ("footprint", 1, XBD_FOOTPRINT, footprints[1], Invalid.OTHER),
            (
                "damage",
                1,
                XBD_DAMAGE,
                damage_HW,
                Invalid.FORBIDS if unclassified else Invalid.OTHER,
            ),
        )
    ]
    return layers, instances


def _view(drawn: dict[str, Any]) -> View:
    return View(
        images=tuple(
            ImageInfo(
                index=place,
                role="single",
                modality=Modality(image["modality"]),
                rendering="drawn",
                date_index=image["date_index"],
                cloudy=False,
            )
            for place, image in enumerate(drawn["images"])
        )
    )


def _metadata(drawn: dict[str, Any]) -> Metadata:
    return Metadata(
        sensors=tuple(image.get("sensor") or "" for image in drawn["images"]),
        dates=tuple(date or "" for date in drawn["dates"]),
        lon_lat=None,
        disaster=drawn.get("disaster") or "",
    )
