"""Claims of one scene, drawn: a label layer a kind and date, and the objects on it.

How complete a layer is follows from its claims:

* A located claim lists all there is: the rest of the image is background.
* Region claims speak of their regions only. QFabric's eval files, which give polygons, ask of every
  annotated site, so the rest is background too. Train samples the sites and gives boxes: such a
  layer forbids count, share and absence. Damage is complete where every building that the scene
  locates has its level; the others are invalid, and forbid.
* A region of the layer that has no class at this date is invalid, and so are pixels that two
  classes claim. A region whose class is called unknown, or is given twice and differently, is
  invalid and forbids count, share and absence.

A layer of which less than half is valid says too little and is left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon

from masks.rle import encode_window
from schemas.mask import Invalid, Origin
from schemas.scene import BACKGROUND_ID, INVALID_ID, Instance, LabelLayer
from tasks.sources.polygons import Window, draw_polygon, paint
from tasks.sources.teochatlas_claims import Claim
from tasks.sources.teochatlas_classes import DAMAGE, FOOTPRINT, LAYER_KINDS, LayerKind

MIN_VALID_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """A shape with its pixels; `number` counts the scene's shapes in order of appearance."""

    number: int
    window: Window


Sites = dict[Polygon, _Site]
Labels = dict[Polygon, str]  # the class of each shape, "" where it is unknown or contradicted


def draw_claims(
    claims: Sequence[Claim], size_HW: tuple[int, int], product: str, where: str
) -> tuple[tuple[LabelLayer, ...], tuple[Instance, ...]]:
    """Return the layers and objects of a scene.

    Args:
        claims: of all the scene's records.
        size_HW: of its images, in pixels.
        product: the label product's name.
        where: the scene, named in refusals.

    Raises:
        Refusal: POLYGON_OUTSIDE.
    """
    shapes = (shape for claim in claims for shape in (*claim.shapes, *claim.objects))
    sites = _draw(shapes, size_HW, where)
    located = [claim for claim in claims if claim.kind is FOOTPRINT]
    layers: list[LabelLayer] = []
    objects: list[Instance] = []
    for kind in LAYER_KINDS:
        of_kind = [claim for claim in claims if claim.kind is kind]
        for date_index in sorted({claim.date_index for claim in of_kind}):
            layer = _layer(kind, date_index, of_kind, located, sites, size_HW, product)
            if (layer.ids_HW != INVALID_ID).mean() >= MIN_VALID_SHARE:
                layers.append(layer)
                at_date = [claim for claim in of_kind if claim.date_index == date_index]
                objects.extend(_objects(layer, _best(at_date), sites, size_HW))
    return tuple(layers), tuple(objects)


def _draw(shapes: Iterable[Polygon], size_HW: tuple[int, int], where: str) -> Sites:
    scale_xy = np.array(size_HW[::-1], dtype=np.float64)
    sites: Sites = {}
    for shape in shapes:
        if shape not in sites:
            pixels = shapely.transform(shape, lambda xy: xy * scale_xy)
            sites[shape] = _Site(number=len(sites), window=draw_polygon(pixels, size_HW, where))
    return sites


def _best(claims: list[Claim]) -> list[Claim]:
    """Return the claims to draw: where polygons list everything, boxes of the same add nothing."""
    outlined = any(claim.complete and claim.origin is Origin.ANNOTATED for claim in claims)
    return [c for c in claims if not (outlined and c.origin is Origin.BOX)]


def _layer(
    kind: LayerKind,
    date_index: int,
    of_kind: list[Claim],
    located: list[Claim],
    sites: Sites,
    size_HW: tuple[int, int],
    product: str,
) -> LabelLayer:
    claims = _best([claim for claim in of_kind if claim.date_index == date_index])
    labels = _labels((shape, claim.label) for claim in claims for shape in claim.shapes)
    regions = {shape for claim in of_kind if not claim.complete for shape in claim.shapes}
    unknown = [s for s in sites if not labels.get(s, "no") or s in regions - labels.keys()]
    ids_HW = _paint(kind, labels, unknown, sites, size_HW)
    boxed = any(claim.origin is Origin.BOX for claim in claims)
    complete = any(claim.complete for claim in claims)
    forbids = "" in labels.values() or (boxed and not complete)
    if kind is DAMAGE:
        forbids = "" in labels.values() or not _covers(labels, located, ids_HW, sites)
    partly = bool((ids_HW == INVALID_ID).any())
    return LabelLayer(
        layer=kind.layer,
        date_index=date_index,
        product=product,
        taxonomy=kind.taxonomy,
        ids_HW=ids_HW,
        invalid=Invalid.FORBIDS if forbids else Invalid.UNKNOWN if partly else Invalid.OTHER,
        origin=Origin.BOX if boxed else Origin.ANNOTATED,
    )


def _labels(said: Iterable[tuple[Polygon, str]]) -> Labels:
    """Return the class of every shape, "" where two claims differ."""
    labels: Labels = {}
    for shape, label in said:
        labels[shape] = label if labels.get(shape, label) == label else ""
    return labels


def _paint(
    kind: LayerKind, labels: Labels, unknown: list[Polygon], sites: Sites, size_HW: tuple[int, int]
) -> NDArray[np.uint8]:
    ids_HW = np.full(size_HW, BACKGROUND_ID, dtype=np.uint8)
    for shape in unknown:
        paint(ids_HW, sites[shape].window, INVALID_ID)
    num_classes_HW = np.zeros(size_HW, dtype=np.uint8)
    for value, name in enumerate(kind.taxonomy.names):
        class_HW = np.zeros(size_HW, dtype=np.uint8)
        for shape, label in labels.items():
            if label == name:
                paint(class_HW, sites[shape].window, 1)
        ids_HW[class_HW == 1] = value
        num_classes_HW += class_HW
    ids_HW[num_classes_HW > 1] = INVALID_ID
    return ids_HW


def _covers(labels: Labels, located: list[Claim], ids_HW: NDArray[np.uint8], sites: Sites) -> bool:
    """Mark located buildings without a level invalid; return whether there are none such.

    As many levels as buildings are due too: of two that overlap, one might hide the other's lack.
    """
    located = _best(located)
    covered = bool(located)
    for claim in located:
        for shape in claim.shapes:
            site = sites[shape].window
            height, width = site.mask_hw.shape
            part = ids_HW[site.top : site.top + height, site.left : site.left + width]
            lacking = site.mask_hw & (part == BACKGROUND_ID)
            part[lacking] = INVALID_ID
            covered &= not lacking.any()
    num_buildings = len({thing for claim in located for thing in claim.objects})
    return covered and len(labels) >= num_buildings


def _objects(
    layer: LabelLayer, claims: list[Claim], sites: Sites, size_HW: tuple[int, int]
) -> Iterator[Instance]:
    origins = {thing: claim.objects_origin for claim in claims for thing in claim.objects}
    labels = _labels((thing, claim.label) for claim in claims for thing in claim.objects)
    for thing, label in labels.items():
        if label:
            site = sites[thing]
            yield Instance(
                instance_id=f"region-{site.number:03d}",
                layer=layer.layer,
                label=label,
                date_index=layer.date_index,
                attribute="",
                counts=encode_window(
                    site.window.mask_hw, site.window.top, site.window.left, size_HW
                ),
                origin=origins[thing],
            )
