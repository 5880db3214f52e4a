"""Near-identical images among very many, by their 64-bit hashes, without comparing all pairs."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

MAX_DISTANCE = 3  # bits in which the hashes of near-identical images differ at most

Look = tuple[int, ...]  # hashes of the images that a sample carries, in order

_BANDS = MAX_DISTANCE + 1  # of which one at least is equal


def near_looks(looks: Collection[Look]) -> dict[Look, list[Look]]:
    """Return for each look those, itself among them, whose every hash is near its own in order.

    Looks of different lengths are never near; that without images is near none, not even itself.
    """
    near = _near_hashes(hash_ for look in looks for hash_ in look)
    holders: dict[tuple[int, int, int], list[Look]] = defaultdict(list)
    for look in looks:
        for place, hash_ in enumerate(look):
            holders[len(look), place, hash_].append(look)
    return {look: [o for o in _rarest(look, near, holders) if _is_near(look, o)] for look in looks}


def _rarest(
    look: Look,
    near: Mapping[int, list[int]],
    holders: Mapping[tuple[int, int, int], list[Look]],
) -> list[Look]:
    """Return the looks near at one place: where these are fewest, for many share a black image."""
    places = [
        [found for other in near[hash_] if (found := holders.get((len(look), place, other)))]
        for place, hash_ in enumerate(look)
    ]
    fewest = min(places, key=lambda found: sum(map(len, found)), default=[])
    return [other for found in fewest for other in found]


def _is_near(look: Look, other: Look) -> bool:
    pairs = zip(look, other, strict=True)
    return all((one ^ another).bit_count() <= MAX_DISTANCE for one, another in pairs)


def _near_hashes(hashes: Iterable[int]) -> dict[int, list[int]]:
    """Return for each distinct hash those within `MAX_DISTANCE` bits, itself first.

    Of four bands of 16 bits one is equal in both, and of four bands of 12 in the 48 bits beside it
    one is too: hashes are compared only where they agree in two such bands, 28 bits. One band alone
    would be shared by too many, for images of land are alike in their lowest frequencies.
    """
    distinct = np.array(sorted(set(hashes)), np.uint64)
    near = {hash_: [hash_] for hash_ in distinct.tolist()}
    pairs = [pair for key in _keys(distinct) for pair in _near_pairs(distinct, key)]
    for low, high in np.unique(np.concatenate([np.empty((0, 2), np.uint64), *pairs]), axis=0):
        near[int(low)].append(int(high))
        near[int(high)].append(int(low))
    return near


def _keys(hashes: NDArray[np.uint64]) -> Iterator[NDArray[np.uint64]]:
    """Yield the two bands of every choice, the other bits being zero."""
    wide, rest = 64 // _BANDS, 64 - 64 // _BANDS
    narrow = rest // _BANDS
    turned = hashes
    for _ in range(_BANDS):
        for band in range(_BANDS):
            mask = ((1 << wide) - 1) << rest | ((1 << narrow) - 1) << narrow * band
            yield turned & np.uint64(mask)
        turned = turned << np.uint64(wide) | turned >> np.uint64(rest)


def _near_pairs(
    hashes: NDArray[np.uint64], keys: NDArray[np.uint64]
) -> Iterator[NDArray[np.uint64]]:
    """Yield arrays of pairs (smaller, larger) that are near, among the hashes of equal keys."""
    order = np.argsort(keys, kind="stable")
    hashes, keys = hashes[order], keys[order]
    starts = np.arange(len(keys))
    step = 1
    while len(starts):
        starts = starts[starts + step < len(keys)]
        starts = starts[keys[starts] == keys[starts + step]]
        low, high = hashes[starts], hashes[starts + step]
        close = np.bitwise_count(low ^ high) <= MAX_DISTANCE
        yield np.column_stack([low[close], high[close]])
        step += 1
