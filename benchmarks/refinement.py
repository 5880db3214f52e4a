"""Refinement on annotations that were damaged on purpose; how fast it is, and an annotator.

The classes of a dataset's training scenes are taken as the truth, damaged, and refined with what
the dataset's annotator predicted (it learnt from undamaged annotations, out of fold). Damage:
class maps moved by 1 to 3 pixels, one class grown by as much into its neighbours, and a tenth of
all connected regions given to another class of the scene. Printed is the mean IoU with the truth:
damaged, and by the three policies of refinement; then of the masks above the floor alone.

    .venv/bin/python benchmarks/refinement.py DATASET [--scenes 200] [--classes]
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from scipy import ndimage

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from masks.metrics import intersection, iou  # noqa: E402
from masks.rle import decode, encode  # noqa: E402
from masks.shared import shared_regions  # noqa: E402
from tasks.annotation.settings import RefineSettings  # noqa: E402
from terrascope_model.annotate import asked_classes  # noqa: E402
from terrascope_model.answer import Answerer  # noqa: E402

NONE = -1
IdsHW = NDArray[np.int16]
MaskHW = NDArray[np.bool_]
Damage = Callable[[IdsHW, np.random.Generator], IdsHW]


@dataclass(frozen=True, slots=True)
class Truth:
    """The classes of a scene's layer, and what was predicted of them."""

    source: str
    ids_HW: IdsHW
    names: list[str]
    predicted: list[MaskHW]


def moved(pixels: int) -> Damage:
    """Return a damage that moves a map in a direction drawn at random; the edge is repeated."""

    def damage(ids_HW: IdsHW, rng: np.random.Generator) -> IdsHW:
        down, right = rng.choice([(1, 0), (-1, 0), (0, 1), (0, -1)])
        padded = np.pad(ids_HW, pixels, mode="edge")
        height, width = ids_HW.shape
        top, left = pixels * (1 + down), pixels * (1 + right)
        return padded[top : top + height, left : left + width]

    return damage


def grown(pixels: int) -> Damage:
    """Return a damage in which one class, drawn at random, grows into its neighbours."""

    def damage(ids_HW: IdsHW, rng: np.random.Generator) -> IdsHW:
        ids = np.unique(ids_HW[ids_HW != NONE])
        chosen = rng.choice(ids)
        grown_HW = ndimage.binary_dilation(
            ids_HW == chosen, np.ones((3, 3), dtype=np.bool_), iterations=pixels
        )
        return np.where(grown_HW & (ids_HW != NONE), chosen, ids_HW)

    return damage


def relabelled(share: float) -> Damage:
    """Return a damage that gives a share of all regions to another class of the scene."""

    def damage(ids_HW: IdsHW, rng: np.random.Generator) -> IdsHW:
        out_HW = ids_HW.copy()
        ids = np.unique(ids_HW[ids_HW != NONE])
        for number in ids:
            regions_HW, count = ndimage.label(ids_HW == number, np.ones((3, 3)))
            others = ids[ids != number]
            for region in np.flatnonzero(rng.random(count) < share) + 1:
                if len(others):
                    out_HW[regions_HW == region] = rng.choice(others)
        return out_HW

    return damage


DAMAGES: dict[str, Damage] = {
    "none": lambda ids_HW, _: ids_HW,
    **{f"moved by {n} px": moved(n) for n in (1, 2, 3)},
    **{f"one class grown by {n} px": grown(n) for n in (1, 2, 3)},
    "10 % of regions relabelled": relabelled(0.1),
}


def main() -> None:
    """Damage, refine, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--classes", action="store_true", help="Print every class as well.")
    given = parser.parse_args()
    truths = list(read(given.dataset, given.scenes))
    print(f"{len(truths)} scenes, {sum(len(t.names) for t in truths)} classes of them")
    for what in ("all", "above the floor"):
        print(f"{what:<28} damaged    paper  checked  regions  classes")
        for name, damage in DAMAGES.items():
            rows = [t for t in tried(truths, damage) if what == "all" or t.taken]
            print(f"{name:<28}", told(rows))
            if given.classes:
                by_class: dict[str, list[Tried]] = defaultdict(list)
                for row in rows:
                    by_class[f"{row.source} {row.name}"].append(row)
                for label, of_class in sorted(by_class.items()):
                    print(f"  {label[:60]:<60}", told(of_class))
    refining_speed(truths)
    annotating_speed(given.dataset)


def read(dataset: Path, most: int) -> Iterator[Truth]:
    """Yield layers of training scenes whose classes do not overlap and were all predicted."""
    number = 0
    for path in sorted((dataset / ".work" / "annotate").glob("*-train-*.parquet")):
        predicted: dict[tuple[str, str, int], dict[str, str]] = defaultdict(dict)
        for row in pq.read_table(path).to_pylist():
            key = (row["scene_id"], row["layer"], row["date_index"])
            predicted[key][row["label"]] = row["counts"]
        scenes = pq.read_table(
            dataset / ".work" / "ingest" / path.name,
            columns=["scene_id", "source", "grid", "scene_masks"],
        ).to_pylist()
        for scene in scenes:
            for (scene_id, layer, date), counts in predicted.items():
                if scene_id != scene["scene_id"] or layer != "land_cover":
                    continue
                truth = _truth(scene, layer, date, counts)
                if truth is not None and number < most:
                    number += 1
                    yield truth


def _truth(scene: dict[str, object], layer: str, date: int, counts: dict[str, str]) -> Truth | None:
    grid = scene["grid"]
    assert isinstance(grid, dict)
    size_HW = (grid["height"], grid["width"])
    ids_HW = np.full(size_HW, NONE, np.int16)
    names: list[str] = []
    masks = scene["scene_masks"]
    assert isinstance(masks, list)
    for mask in masks:
        if (mask["kind"], mask["layer"], mask["date_index"]) == ("class", layer, date):
            if not counts.get(mask["label"]):
                return None
            ids_HW[decode(mask["counts"].encode(), size_HW)] = len(names)
            names.append(mask["label"])
    found = [decode(counts[name].encode(), size_HW) for name in names]
    return Truth(str(scene["source"]), ids_HW, names, found)


@dataclass(frozen=True, slots=True)
class Tried:
    """A damaged class: its IoU with the truth, that by each policy, and if the floor is reached."""

    source: str
    name: str
    ious: tuple[float, float, float, float]
    taken: bool


def told(rows: list[Tried]) -> str:
    """Return the means of some classes, in the order of the heading."""
    if not rows:
        return "none"
    means = np.mean([row.ious for row in rows], axis=0)
    return " ".join(f"{mean:8.3f}" for mean in means) + f" {len(rows):8}"


def tried(truths: list[Truth], damage: Damage) -> Iterator[Tried]:
    """Yield what becomes of every class of every scene, damaged and refined."""
    rng, settings = np.random.default_rng(0), RefineSettings()
    for truth in truths:
        damaged_HW = damage(truth.ids_HW, rng)
        for number, name in enumerate(truth.names):
            true_HW, found_HW = truth.ids_HW == number, truth.predicted[number]
            annotated_HW = damaged_HW == number
            taken = settings.takes(iou(annotated_HW, found_HW))
            before = iou(annotated_HW, true_HW)
            pixels = iou(intersection(annotated_HW, found_HW), true_HW)
            regions = iou(shared_regions(annotated_HW, found_HW), true_HW) if taken else before
            ious = (before, pixels, pixels if taken else before, regions)
            yield Tried(truth.source, name, ious, taken)


def refining_speed(truths: list[Truth]) -> None:
    """Print how many masks a second one core decodes, compares, intersects and encodes."""
    stored = [
        (encode(truth.ids_HW == number), encode(truth.predicted[number]), truth.ids_HW.shape)
        for truth in truths
        for number in range(len(truth.names))
    ]
    begun = perf_counter()
    for annotated, predicted, size_HW in stored:
        annotated_HW, found_HW = decode(annotated, size_HW), decode(predicted, size_HW)
        if iou(annotated_HW, found_HW) >= 0:
            encode(annotated_HW & found_HW)
    print(f"refined  {len(stored) / (perf_counter() - begun):,.0f} masks/s on one core")


def annotating_speed(dataset: Path) -> None:
    """Print how many classes a second the annotator of the first fold segments, 16 at once or 1."""
    answerer = Answerer.from_pretrained(dataset / ".work" / "annotator" / "fold-0" / "model")
    path = next(iter(sorted((dataset / ".work" / "ingest").glob("chatearthnet-train-*.parquet"))))
    asked = [
        one
        for row in pq.read_table(path).slice(0, 32).to_pylist()
        for one in asked_classes(row, "vv_vh")
    ][:64]
    rates = {}
    for at_once in (16, 1, 16, 1):  # the first round warms up
        begun = perf_counter()
        for first in range(0, len(asked), at_once):
            some = asked[first : first + at_once]
            pictures = [one.picture for one in some if one.picture is not None]
            answerer.segment(pictures, [one.phrase for one in some])
        rates[at_once] = len(asked) / (perf_counter() - begun)
    print(
        f"annotated {rates[16]:.1f} classes/s with 16 at once, {rates[1]:.1f} one by one "
        f"({rates[16] / rates[1]:.2f} times), {torch.get_num_threads()} threads"
    )


if __name__ == "__main__":
    main()
