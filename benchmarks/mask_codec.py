"""Time the mask kernels beside pycocotools, NumPy, SciPy and cc3d: python benchmarks/mask_codec.py.

The label maps have 8 classes and about 2 % invalid pixels; both sides of a line are measured in
turn, and the median of each is printed with their ratio. Results are asserted to be the same.
"""

from collections.abc import Callable, Iterator
from statistics import median
from time import perf_counter

import cc3d
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco
from scipy import ndimage

from masks.components import label_components
from masks.distance import min_distance_m
from masks.label_stats import label_stats, margin_counts
from masks.morphology import opening
from masks.rle import decode, paint
from schemas.scene import INVALID_ID

NUM_CLASSES = 8
SQUARE = np.ones((3, 3), dtype=np.bool_)
SMOOTH_PX = {"fields": 12.0, "patchwork": 4.0}  # blur of the noise that a map is drawn from
Line = tuple[str, Callable[[], object], Callable[[], object]]


def label_map(side_px: int, smooth_px: float) -> NDArray[np.uint8]:
    """Return a map of classes that are each largest where their own smooth noise is."""
    rng = np.random.default_rng([side_px, int(smooth_px)])
    noise = rng.standard_normal((NUM_CLASSES + 1, side_px, side_px))
    *fields, holes = (ndimage.gaussian_filter(layer, smooth_px) for layer in noise)
    ids_HW: NDArray[np.uint8] = np.argmax(fields, axis=0).astype(np.uint8)
    ids_HW[holes > np.quantile(holes, 0.98)] = INVALID_ID
    return ids_HW


def one_hot_codes(ids_HW: NDArray[np.uint8]) -> tuple[bytes, ...]:
    """Return each class's counts by pycocotools, the one-hot made the quickest way for it."""
    classes = np.arange(NUM_CLASSES, dtype=np.uint8)
    one_hot = np.equal(np.asfortranarray(ids_HW)[:, :, None], classes).view(np.uint8)
    return tuple(code["counts"] for code in coco.encode(np.asfortranarray(one_hot)))


def plain_stats(ids_HW: NDArray[np.uint8]) -> tuple[NDArray[np.int64], ...]:
    """Return pixels, boxes and both kinds of shared edges, by NumPy and SciPy."""
    area_px = np.bincount(ids_HW.ravel(), minlength=256)[:NUM_CLASSES]
    found = ndimage.find_objects(np.where(ids_HW == INVALID_ID, 0, ids_HW + 1), NUM_CLASSES)
    boxes = [(s[0].start, s[1].start, s[0].stop, s[1].stop) if s else (0,) * 4 for s in found]
    return (
        area_px,
        np.array(boxes),
        plain_edges(ids_HW[:, :-1], ids_HW[:, 1:]),
        plain_edges(ids_HW[:-1], ids_HW[1:]),
    )


def plain_edges(one_HW: NDArray[np.uint8], other_HW: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how often two classes are neighbours, (N, N)."""
    shared = (one_HW != other_HW) & (one_HW < NUM_CLASSES) & (other_HW < NUM_CLASSES)
    pairs = one_HW[shared].astype(np.int64) * NUM_CLASSES + other_HW[shared]
    edges = np.bincount(pairs, minlength=NUM_CLASSES**2).reshape(NUM_CLASSES, NUM_CLASSES)
    return edges + edges.T


def plain_margins(ids_HW: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the pixels of every class eroded and dilated, (2, N), by SciPy."""
    valid_HW = ids_HW != INVALID_ID
    margins = np.zeros((2, NUM_CLASSES), dtype=np.int64)
    for label in range(NUM_CLASSES):
        mask_HW = ids_HW == label
        others_HW = ndimage.binary_dilation(valid_HW & ~mask_HW, SQUARE)
        margins[0, label] = np.count_nonzero(mask_HW & ~others_HW)
        margins[1, label] = np.count_nonzero(ndimage.binary_dilation(mask_HW, SQUARE) & valid_HW)
    return margins


def cc3d_sizes_px(ids_HW: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the sizes of the parts of all classes, ascending, by cc3d."""
    ids_from_1_HW = np.where(ids_HW == INVALID_ID, 0, ids_HW + 1).astype(np.uint8)
    labels_HW = cc3d.connected_components(ids_from_1_HW, connectivity=8)
    statistics = cc3d.statistics(labels_HW, no_slice_conversion=True)
    return np.sort(statistics["voxel_counts"][1:])


def painted(codes: tuple[bytes, ...], side_px: int) -> NDArray[np.uint8]:
    """Return the label map again, from its codes."""
    ids_HW = np.full((side_px, side_px), INVALID_ID, dtype=np.uint8)
    for label, counts in enumerate(codes):
        paint(ids_HW, counts, label)
    return ids_HW


def plain_painted(codes: tuple[bytes, ...], side_px: int) -> NDArray[np.uint8]:
    """Return the label map again, from its codes, by pycocotools and NumPy."""
    ids_HW = np.full((side_px, side_px), INVALID_ID, dtype=np.uint8)
    for label, counts in enumerate(codes):
        ids_HW[coco.decode({"counts": counts, "size": [side_px, side_px]}) == 1] = label
    return ids_HW


def farthest(ids_HW: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.bool_], float]:
    """Return two opened masks far from one another, and their distance by SciPy, in metres."""
    valid_HW = ids_HW != INVALID_ID
    cut = ids_HW.shape[1] // 3
    left_HW, right_HW = opening(ids_HW == 0, valid_HW), opening(ids_HW == 1, valid_HW)
    left_HW[:, cut:] = False
    right_HW[:, :-cut] = False
    return left_HW, right_HW, edt_distance_m(left_HW, right_HW)


def edt_distance_m(a_HW: NDArray[np.bool_], b_HW: NDArray[np.bool_]) -> float:
    """Return the distance of two masks at 10 m a pixel, by a distance transform."""
    return float(ndimage.distance_transform_edt(~b_HW, sampling=(10, 10))[a_HW].min())


def lines(ids_HW: NDArray[np.uint8]) -> Iterator[Line]:
    """Yield what is measured on a map: its name, ours, theirs; the results are the same."""
    side_px = ids_HW.shape[0]
    codes = one_hot_codes(ids_HW)
    stats, plain = label_stats(ids_HW, NUM_CLASSES), plain_stats(ids_HW)
    measured = (stats.area_px, stats.bbox_px, stats.sideways_edges, stats.upright_edges)
    assert stats.counts == codes
    assert all(np.array_equal(a, b) for a, b in zip(measured, plain, strict=True))
    yield (
        "codes of all classes (we: with statistics)",
        lambda: label_stats(ids_HW, NUM_CLASSES),
        lambda: one_hot_codes(ids_HW),
    )
    yield (
        "codes and statistics",
        lambda: label_stats(ids_HW, NUM_CLASSES),
        lambda: (one_hot_codes(ids_HW), plain_stats(ids_HW)),
    )
    one = {"counts": codes[0], "size": [side_px, side_px]}
    assert np.array_equal(decode(codes[0], (side_px, side_px)), coco.decode(one))
    yield "decode", lambda: decode(codes[0], (side_px, side_px)), lambda: coco.decode(one)
    assert np.array_equal(painted(codes, side_px), ids_HW)
    yield (
        "label map from codes",
        lambda: painted(codes, side_px),
        lambda: plain_painted(codes, side_px),
    )
    assert np.array_equal(margin_counts(ids_HW, NUM_CLASSES), plain_margins(ids_HW))
    yield "margins", lambda: margin_counts(ids_HW, NUM_CLASSES), lambda: plain_margins(ids_HW)
    parts = label_components(ids_HW, NUM_CLASSES).parts
    assert np.array_equal(np.sort(parts.size_px), cc3d_sizes_px(ids_HW))
    yield (
        "components (they: cc3d)",
        lambda: label_components(ids_HW, NUM_CLASSES),
        lambda: cc3d_sizes_px(ids_HW),
    )
    left_HW, right_HW, distance_m = farthest(ids_HW)
    assert abs(min_distance_m(left_HW, right_HW, (10, 10)) - distance_m) <= 1e-9 * distance_m
    yield (
        "distance",
        lambda: min_distance_m(left_HW, right_HW, (10, 10)),
        lambda: edt_distance_m(left_HW, right_HW),
    )


def medians_us(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Return the median microseconds of both, run in turn for half a second, at least 9 times."""
    times: list[tuple[float, float]] = []
    begin = perf_counter()
    while len(times) < 9 or perf_counter() - begin < 0.5:
        start = perf_counter()
        ours()
        middle = perf_counter()
        theirs()
        times.append((middle - start, perf_counter() - middle))
    return median(t[0] for t in times) * 1e6, median(t[1] for t in times) * 1e6


def main() -> None:
    """Print a table of medians and ratios."""
    print(f"{'map':>10} {'side':>5}  {'measured':<43} {'ours':>9} {'theirs':>10} {'ratio':>7}")
    for kind, smooth_px in SMOOTH_PX.items():
        for side_px in (256, 512, 1024):
            for name, ours, theirs in lines(label_map(side_px, smooth_px)):
                a_us, b_us = medians_us(ours, theirs)
                row = f"{kind:>10} {side_px:>5}  {name:<43} {a_us:>6.0f} us {b_us:>7.0f} us"
                print(f"{row} {b_us / a_us:>6.1f}x", flush=True)


if __name__ == "__main__":
    main()
