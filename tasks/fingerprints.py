"""What stays of a sample to find its near-duplicates by: a signature of its text, and image hashes.

A signature is a MinHash over the text's runs of three words: the share of its places at which two
signatures agree estimates the Jaccard similarity of the two sets of runs. An image's hash is its
64-bit pHash, the signs of its lowest frequencies; two pictures of one thing differ in few bits.
"""

import io
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from schemas.trace import MARKS

if TYPE_CHECKING:
    from datasketch import MinHash

Signature = NDArray[np.uint32]

SHINGLE_WORDS = 3
PERMUTATIONS = 64
SEED = 1
SCHEME = "affine32"  # 32-bit values; what datasketch 2.0 made its default

_MARK = re.compile("|".join(re.escape(mark) for mark in MARKS))
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")  # 1,200 and 0.5 are one word each


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fingerprint:
    """All that is compared of a sample.

    Of near-duplicates the one of the smallest (rank, sample_id) stays. `image_hashes` are those of
    the images that the sample carries, in order.
    """

    sample_id: str
    scene_id: str
    rank: int
    image_hashes: tuple[int, ...]
    signature: Signature


def image_hash(encoded: bytes) -> int:
    """Return the pHash, 64 bits, of a PNG, JPEG or other image file.

    That of an image of one colour says nothing, but all such images get nearly the same one.
    """
    with Image.open(io.BytesIO(encoded)) as image:
        bits = imagehash.phash(image).hash
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def text_signature(text: str) -> Signature:
    """Return a text's MinHash, the same on every machine.

    Marks such as [SEG] and <think>, case and punctuation are left out, numbers are words. A text of
    fewer than three words is one run of its own, so that it is like none but its equal.
    """
    words = _WORD.findall(_MARK.sub(" ", text).lower())
    starts = range(max(1, len(words) - SHINGLE_WORDS + 1))
    shingles = {" ".join(words[start : start + SHINGLE_WORDS]) for start in starts}
    sketch = _empty().copy()
    sketch.update_batch(shingle.encode() for shingle in shingles)
    signature: Signature = sketch.hashvalues
    return signature


@lru_cache(maxsize=1)
def _empty() -> "MinHash":
    from datasketch import MinHash  # half a second that a command without texts can spare

    return MinHash(num_perm=PERMUTATIONS, seed=SEED, scheme=SCHEME)
