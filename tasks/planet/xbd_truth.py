"""What is known of an xBD scene, to check answers against.

Beyond the keys of `truth.py` (`class_pixels` are those of the post target, drawn for tier3 too):

- `buildings`: all that are labelled; `by_level`: by their label, un-classified ones apart.
- `world_level`: uid -> level in the world, of un-classified ones too.
- `cut_by_edge`: uids of polygons that leave the image; `overlapping`: pairs of uids.
- `area_m2`: of the union of all polygons inside the image (`building`), and of each level's.
- `pre_pixels`: class pixels of the pre target.
- `split`, `disaster`, `kind`, `dates` (pre, post).
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from shapely import STRtree, unary_union
from shapely.geometry import box

from tasks.planet.events import LEVELS
from tasks.planet.truth import Json, class_pixels
from tasks.planet.xbd_labels import Label, target

LABELS = (*LEVELS, "un-classified")


def label_truth(
    labels: Sequence[Label],
    world_levels: Mapping[str, str],
    pixel_m: tuple[float, float],
    size_px: int,
) -> dict[str, Json]:
    """Return what is known from the labels of a scene of size_px x size_px pixels."""
    by_level = Counter(label.level for label in labels)
    raster_HW = target(labels, size_px, post=True)
    return {
        "size": [size_px, size_px],
        "pixel_size_m": list(pixel_m),
        "buildings": len(labels),
        "by_level": {level: by_level[level] for level in LABELS},
        "world_level": dict(world_levels),
        "cut_by_edge": [label.uid for label in labels if label.footprint.cut],
        "overlapping": _overlapping(labels),
        "area_m2": _areas(labels, pixel_m, size_px),
        "class_pixels": class_pixels(raster_HW),
        "valid_pixels": raster_HW.size,
        "pre_pixels": class_pixels(target(labels, size_px, post=False)),
    }


def _overlapping(labels: Sequence[Label]) -> list[list[str]]:
    shapes = [label.footprint.polygon for label in labels]
    near = sorted((int(a), int(b)) for a, b in STRtree(shapes).query(shapes, "intersects").T)
    return [
        [labels[a].uid, labels[b].uid]
        for a, b in near
        if a < b and shapes[a].intersection(shapes[b]).area > 0
    ]


def _areas(labels: Sequence[Label], pixel_m: tuple[float, float], size_px: int) -> dict[str, float]:
    frame, pixel_m2 = box(0, 0, size_px, size_px), pixel_m[0] * pixel_m[1]
    areas = {}
    for name in ("building", *LABELS):
        chosen = [x.footprint.polygon for x in labels if name in ("building", x.level)]
        areas[name] = round(unary_union(chosen).intersection(frame).area * pixel_m2, 3)
    return areas
