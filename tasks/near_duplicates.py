"""Near-duplicates: samples whose texts are near-identical and that show the same place.

The same place is the same scene, or images that are near-identical one by one. The image comes
first: texts are compared only within a scene and between looks that are near (`near_images`). In
order of rank and id each sample is kept unless it is a near-duplicate of one kept before: so no two
kept ones are, every removed one has its survivor, and the order in which they come changes nothing.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tasks.fingerprints import PERMUTATIONS, SCHEME, SEED, Fingerprint, Signature
from tasks.near_images import Look, near_looks

if TYPE_CHECKING:
    from datasketch import LeanMinHash, MinHashLSH

SIMILARITY = 0.85  # Jaccard similarity of near-identical texts, as estimated
MIN_AGREEING = math.ceil(SIMILARITY * PERMUTATIONS)
MAX_COMPARED = 64  # kept samples of a place that are compared one by one

# Of ten bands one agrees wherever at most nine places differ: nothing is missed.
_BANDS = PERMUTATIONS - MIN_AGREEING + 1
_BAND_PLACES = PERMUTATIONS // _BANDS


def near_duplicates(items: Sequence[Fingerprint]) -> dict[str, str]:
    """Return the id of every sample to remove, and for it that of the near-duplicate that stays.

    Raises:
        ValueError: two items have the same id.
    """
    ordered = sorted(items, key=lambda item: (item.rank, item.sample_id))
    if len({item.sample_id for item in ordered}) < len(ordered):
        raise ValueError(f"sample ids are not unique among {len(ordered):,} fingerprints")
    near = near_looks({item.image_hashes for item in ordered})
    kept: dict[str | Look, _Kept] = defaultdict(_Kept)
    removed: dict[str, str] = {}
    for item in ordered:
        places = [kept[at] for at in (item.scene_id, *near[item.image_hashes]) if at in kept]
        survivor = _first_like(item.signature, places)
        if survivor is not None:
            removed[item.sample_id] = survivor.sample_id
            continue
        kept[item.scene_id].add(item)
        if item.image_hashes:
            kept[item.image_hashes].add(item)
    return removed


class _Kept:
    """The samples kept of one place; where they are many they are found by MinHash LSH."""

    def __init__(self) -> None:
        self._items: list[Fingerprint] = []
        self._index: MinHashLSH | None = None

    def add(self, item: Fingerprint) -> None:
        self._items.append(item)
        if self._index is not None:
            self._index.insert(len(self._items) - 1, _sketch(item.signature))
        elif len(self._items) > MAX_COMPARED:
            from datasketch import MinHashLSH  # half a second that few samples can spare

            self._index = MinHashLSH(num_perm=PERMUTATIONS, params=(_BANDS, _BAND_PLACES))
            for number, one in enumerate(self._items):
                self._index.insert(number, _sketch(one.signature))

    def maybe_like(self, signature: Signature) -> Iterable[Fingerprint]:
        """Return all samples whose text may be near-identical, and some others."""
        if self._index is None:
            return self._items
        return [self._items[number] for number in self._index.query(_sketch(signature))]


def _first_like(signature: Signature, places: Iterable[_Kept]) -> Fingerprint | None:
    """Return the first sample, in order of rank and id, whose text is near-identical."""
    compared = [item for place in places for item in place.maybe_like(signature)]
    if not compared:
        return None
    agreeing = np.stack([item.signature for item in compared]) == signature
    like = np.flatnonzero(np.count_nonzero(agreeing, axis=1) >= MIN_AGREEING)
    found = (compared[number] for number in like)
    return min(found, key=lambda item: (item.rank, item.sample_id), default=None)


def _sketch(signature: Signature) -> "LeanMinHash":
    from datasketch import LeanMinHash

    return LeanMinHash(seed=SEED, hashvalues=signature, scheme=SCHEME)
