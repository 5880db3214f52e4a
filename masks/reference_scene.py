"""A scene's evidence, decoded with plain NumPy for the reference evaluator."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from masks.reference_morphology import Forms, MaskHW, dilate, erode
from schemas.mask import Evidence, Invalid, LayerInfo, MaskKind, SceneMask
from schemas.program import ClassMask, Instances, Valid
from schemas.value import Undefined

Leaf = ClassMask | Instances | Valid

CLOSED_VALID_PERCENT = 99  # docs/program.md: from this share on, unknown pixels hide no class


class ReferenceScene:
    """All masks and layers of one `Evidence`; each leaf is decoded and grown once.

    The arrays it returns are read-only.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._layers = {(info.layer, info.date_index): info for info in evidence.layers}
        self._stored: dict[tuple[MaskKind, str, int], list[SceneMask]] = defaultdict(list)
        for mask in evidence.masks:
            self._stored[mask.kind, mask.layer, mask.date_index].append(mask)
        self._decoded: dict[Leaf, MaskHW] = {}
        self._forms: dict[Leaf, Forms] = {}

    @property
    def pixel_size_m(self) -> tuple[float, float]:
        """Metres per pixel along x and y; Undefined("no_pixel_size") where unknown."""
        if self.evidence.pixel_size_m is None:
            raise Undefined("no_pixel_size")
        return self.evidence.pixel_size_m

    def layer(self, leaf: Leaf) -> LayerInfo:
        """Return what is known of a leaf's layer; Undefined("unknown_layer") if not listed."""
        info = self._layers.get((leaf.layer, leaf.date))
        if info is None:
            raise Undefined("unknown_layer", f"{leaf.layer} at date {leaf.date}")
        return info

    def stored(self, leaf: Leaf) -> list[SceneMask]:
        """Return the stored masks that a leaf names; an object with any attribute if it says none.

        A class has at most one mask, `Valid` at most one, `Instances` one for each object.
        """
        kinds = {
            ClassMask: MaskKind.CLASS,
            Instances: MaskKind.INSTANCE,
            Valid: MaskKind.VALID,
        }
        found = self._stored.get((kinds[type(leaf)], leaf.layer, leaf.date), [])
        if not isinstance(leaf, Valid):
            found = [mask for mask in found if mask.label == leaf.label]
        if isinstance(leaf, Instances) and leaf.attribute is not None:
            found = [mask for mask in found if mask.attribute == leaf.attribute]
        return found

    def mask_HW(self, leaf: Leaf) -> MaskHW:
        """Return the (H, W) union of the stored masks that a leaf names."""
        if leaf not in self._decoded:
            self._decoded[leaf] = self._union(leaf)
        return self._decoded[leaf]

    def valid_HW(self, leaf: Leaf) -> MaskHW:
        """Return the (H, W) valid pixels of a leaf's layer at its date."""
        return self.mask_HW(Valid(layer=leaf.layer, date=leaf.date))

    def forms(self, leaf: Leaf) -> Forms:
        """Return a leaf's mask with its inner and outer form; valid pixels are certain."""
        if leaf not in self._forms:
            self._forms[leaf] = self._with_margin(leaf)
        return self._forms[leaf]

    def is_closed(self, leaf: Leaf) -> bool:
        """Return whether a class that a leaf's layer does not show is known not to be there."""
        invalid = self.layer(leaf).invalid
        if invalid is Invalid.UNKNOWN:
            valid_HW = self.valid_HW(leaf)
            num_valid = int(np.count_nonzero(valid_HW))
            return 100 * num_valid >= CLOSED_VALID_PERCENT * valid_HW.size
        return invalid is Invalid.OTHER

    def _with_margin(self, leaf: Leaf) -> Forms:
        mask_HW, valid_HW = self.mask_HW(leaf), self.valid_HW(leaf)
        if isinstance(leaf, Valid):
            return Forms(mask_HW=mask_HW, inner_HW=mask_HW, outer_HW=mask_HW)
        inner_HW, outer_HW = erode(mask_HW, valid_HW), dilate(mask_HW, valid_HW)
        inner_HW.flags.writeable = outer_HW.flags.writeable = False
        return Forms(mask_HW=mask_HW, inner_HW=inner_HW, outer_HW=outer_HW)

    def _union(self, leaf: Leaf) -> MaskHW:
        masks = self.stored(leaf)
        if isinstance(leaf, Valid) and not masks:
            # a layer that stores no valid mask carries a label everywhere
            union_HW = np.ones(self.evidence.size_HW, dtype=np.bool_)
        else:
            union_HW = decode_union([mask.counts for mask in masks], self.evidence.size_HW)
        union_HW.flags.writeable = False
        return union_HW


def decode_rle(counts: bytes, size_HW: tuple[int, int]) -> MaskHW:
    """Return the (H, W) mask of a compressed COCO RLE; ValueError as in `decode_union`."""
    return decode_union([counts], size_HW)


def decode_union(codes: Sequence[bytes], size_HW: tuple[int, int]) -> MaskHW:
    """Return the (H, W) union of compressed COCO RLEs: runs of 0 and 1 in turn, down the columns.

    Raises:
        ValueError: if the runs of one are cut short, negative, or do not fill the mask exactly.
    """
    height, width = size_HW
    union = np.zeros(height * width, dtype=np.bool_)
    for counts in codes:
        runs = _runs(counts)
        if any(run < 0 for run in runs) or sum(runs) != height * width:
            raise ValueError(f"runs {runs[:8]}... do not fill a mask of {height} x {width} pixels")
        ends = list(accumulate(runs))
        for start, end in zip(ends[0::2], ends[1::2], strict=False):
            union[start:end] = True
    return union.reshape(width, height).T


def _runs(counts: bytes) -> list[int]:
    """Return the run lengths; from the fourth on each is stored as the difference to two before.

    A number is written in groups of 5 bits, lowest first, one a byte, offset by 48; bit 5 says
    that more groups follow, and bit 4 of the last group is the sign.
    """
    runs: list[int] = []
    number, shift = 0, 0
    for byte in counts:
        group = byte - 48
        if not 0 <= group < 64:
            raise ValueError(f"byte {byte} is not part of a compressed COCO RLE")
        number |= (group & 0x1F) << shift
        shift += 5
        if group & 0x20:
            continue
        if group & 0x10:
            number -= 1 << shift
        runs.append(number + runs[-2] if len(runs) > 2 else number)
        number, shift = 0, 0
    if shift:
        raise ValueError("a compressed COCO RLE ends within a number")
    return runs
