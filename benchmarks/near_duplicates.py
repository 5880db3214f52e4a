"""Near-duplicates on one core: how much of what was planted is found, and how fast.

Usage: python benchmarks/near_duplicates.py [--samples 200000] [--scenes 30000] [--repeats 3]

Samples are worded questions and captions on scenes of one image each, whose hash is drawn; one
scene in fifty has an image of one colour, the same for all of these. Five in a hundred samples are
planted near-duplicates: the same text on another scene whose image differs in at most three bits,
the same text in other case and marks, or a caption of a hundred words with another word in it.

The baseline compares all pairs of texts within the same groups (scenes joined by near images) by
the exact Jaccard similarity of their sets of three-word runs, in plain Python. It gets the samples
of the first scenes, groups of six or seven, and then some of one colour, one large group. Printed
are medians, and in how many decisions the estimate differs.
"""

import argparse
import io
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from statistics import median
from time import perf_counter

import numpy as np
from PIL import Image

from tasks.fingerprints import Fingerprint, image_hash, text_signature
from tasks.near_duplicates import SIMILARITY, near_duplicates
from tasks.near_images import near_looks

CLASSES = "forest,open water,bare soil,cropland,built-up land,grass,wetland,snow,shrubs".split(",")
PLACES = "north,north-east,east,south-east,south,south-west,west,north-west,centre".split(",")
FILLER = (
    "broad valley where small fields alternate with hedges and single farms while a road crosses "
    "from one side to another and some clouds hide what lies behind the hills near their edge"
).split()
PLANTED_SHARE = 0.05
BLACK_SHARE = 0.02  # of scenes
BASELINE_SCENES = 1_000
BASELINE_BLACK = 2_000  # samples, all in one group
PICTURES = 50
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a fingerprint is made of; `planted` is how it was copied, "" of an original."""

    sample_id: str
    scene_id: str
    text: str
    image: int
    planted: str = ""


def worded(rng: Random) -> str:
    """Return a question with its reasoning, or, one time in six, a caption of a hundred words."""
    one, other = rng.sample(CLASSES, 2)
    where, hectares, share = rng.choice(PLACES), rng.randint(1, 650), rng.randint(1, 99)
    return rng.choice(
        [
            f"In the {where} lies {one} beside {other}. {' '.join(rng.choices(FILLER, k=92))}",
            f"How much of the image is {one}? I mark {one} [SEG]. It covers {share} % of it.",
            f"What area does {one} have? I mark {one} [SEG]. It covers {hectares} ha in all.",
            f"Where does most {one} lie? I mark {one} [SEG]. Its middle lies in the {where}.",
            f"Is there more {one} than {other}? I mark {one} [SEG] and {other} [SEG]: {share} %.",
            f"Is there {one} in the {where}? I mark the {where} [SEG]. {share} % of it is {one}.",
        ]
    )


def drawn(num_samples: int, num_scenes: int) -> list[Sample]:
    """Return originals, spread over the scenes, and after them by id the planted copies."""
    rng = Random(5)
    images = [0 if rng.random() < BLACK_SHARE else rng.getrandbits(64) for _ in range(num_scenes)]
    num_planted = int(num_samples * PLANTED_SHARE)
    originals = []
    for number in range(num_samples - num_planted):
        scene = number * num_scenes // (num_samples - num_planted)
        originals.append(Sample(f"a{number:07}", f"s{scene:06}", worded(rng), images[scene]))
    captions = [sample for sample in originals if sample.text.startswith("In the")]
    return originals + [planted(n, rng, originals, captions) for n in range(num_planted)]


def planted(
    number: int, rng: Random, originals: Sequence[Sample], captions: Sequence[Sample]
) -> Sample:
    """Return a copy of an original, changed in one of three ways."""
    how = rng.choice(["other scene", "case and marks", "one word"])
    original = rng.choice(captions if how == "one word" else originals)
    copy = replace(original, sample_id=f"z{number:07}", planted=how)
    if how == "other scene":
        flipped = sum(1 << bit for bit in rng.sample(range(64), rng.randint(0, 3)))
        return replace(copy, scene_id=f"t{number:06}", image=original.image ^ flipped)
    if how == "case and marks":
        return replace(copy, text=original.text.upper().replace("[SEG]", "").replace(".", " !"))
    words = original.text.split()
    words[rng.randrange(len(words))] = "otherwise"
    return replace(copy, text=" ".join(words))


def fingerprint(sample: Sample) -> Fingerprint:
    """Return a sample's fingerprint."""
    return Fingerprint(
        sample_id=sample.sample_id,
        scene_id=sample.scene_id,
        rank=0,
        image_hashes=(sample.image,),
        signature=text_signature(sample.text),
    )


def groups_of(samples: Sequence[Sample]) -> list[list[Sample]]:
    """Return the samples by scene, scenes with near images being one group."""
    near = near_looks({(sample.image,) for sample in samples})
    group_of: dict[int, int] = {}
    for look in near:
        waiting = [look] if look[0] not in group_of else []
        number = len(group_of)
        while waiting:
            (image,) = waiting.pop()
            if image not in group_of:
                group_of[image] = number
                waiting += near[(image,)]
    groups: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:  # of one image a scene: a scene's samples are in one group
        groups[group_of[sample.image]].append(sample)
    return list(groups.values())


def all_pairs(samples: Sequence[Sample], groups: Sequence[Sequence[Sample]]) -> dict[str, str]:
    """Return what `near_duplicates` does, by exact similarity of all pairs in each group."""
    runs = {}
    for sample in samples:
        words = _WORD.findall(sample.text.replace("[SEG]", "").lower())
        runs[sample.sample_id] = {tuple(words[at : at + 3]) for at in range(max(1, len(words) - 2))}
    removed: dict[str, str] = {}
    for group in groups:
        like: dict[str, list[str]] = defaultdict(list)
        ordered = sorted(group, key=lambda sample: sample.sample_id)
        for number, sample in enumerate(ordered):
            own = runs[sample.sample_id]
            for before in ordered[:number]:
                other = runs[before.sample_id]
                common = len(own & other)
                near_place = (sample.image ^ before.image).bit_count() <= 3
                if common >= SIMILARITY * (len(own) + len(other) - common) and near_place:
                    like[sample.sample_id].append(before.sample_id)
        for sample_id, others in like.items():  # in the order of `ordered`
            kept = [other for other in others if other not in removed]
            if kept:
                removed[sample_id] = kept[0]
    return removed


def num_pairs(groups: Sequence[Sequence[Sample]]) -> int:
    """Return how many pairs a comparison of all would look at."""
    return sum(len(group) * (len(group) - 1) // 2 for group in groups)


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that one run takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def pictures() -> list[bytes]:
    """Return encoded pictures of 256 x 256, fields of differing brightness with some noise."""
    rng = np.random.default_rng(6)
    encoded = []
    for _ in range(PICTURES):
        fields = rng.integers(20, 200, (16, 16, 3)).repeat(16, axis=0).repeat(16, axis=1)
        noisy = (fields + rng.integers(0, 20, fields.shape)).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noisy).save(buffer, "PNG")
        encoded.append(buffer.getvalue())
    return encoded


def decode_all(encoded: Iterable[bytes]) -> None:
    """Decode pictures: what any hash needs first."""
    for one in encoded:
        with Image.open(io.BytesIO(one)) as image:
            image.load()


def print_found(samples: Sequence[Sample], removed: dict[str, str]) -> None:
    """Print what was removed, and how much of what was planted in each way."""
    print(f"removed      {len(removed) / len(samples):8.2%}   of {len(samples):,} samples")
    there = Counter(sample.planted for sample in samples)
    found = Counter(sample.planted for sample in samples if sample.sample_id in removed)
    for how in sorted(filter(None, there)):
        print(f"  {how:14} {found[how] / there[how]:8.2%}   of {there[how]:,} planted")
    print(f"  {'not planted':14} {found[''] / there['']:8.2%}   of {there['']:,} samples")


def print_speed(samples: Sequence[Sample], items: Sequence[Fingerprint], repeats: int) -> None:
    """Print the speed of the whole search."""
    whole = median(seconds(lambda: near_duplicates(items)) for _ in range(repeats))
    pairs = num_pairs(groups_of(samples))
    print(f"search       {whole:8.1f} s   {len(items) / whole:,.0f} samples/s")
    print(f"             {pairs / whole:10,.0f} pairs/s, of {pairs:,} within groups")


def print_beside(name: str, samples: Sequence[Sample], repeats: int) -> None:
    """Print how fast all pairs of some samples' texts are compared, by us and by the baseline."""
    groups = groups_of(samples)
    ours, search, theirs = [], [], []
    for _ in range(repeats):
        items = [fingerprint(sample) for sample in samples]
        ours.append(seconds(lambda: [fingerprint(sample) for sample in samples]))
        search.append(seconds(partial(near_duplicates, items)))
        theirs.append(seconds(lambda: all_pairs(samples, groups)))
        ours[-1] += search[-1]
    exact, estimated = all_pairs(samples, groups), near_duplicates(items)
    differ = len(exact.keys() ^ estimated.keys())
    pairs = num_pairs(groups)
    print(f"{name}: {len(samples):,} samples, {pairs:,} pairs within groups")
    print(f"  search     {pairs / median(search):10,.0f} pairs/s, of signatures that are stored")
    print(f"  ours       {pairs / median(ours):10,.0f} pairs/s, signatures included")
    print(f"  all pairs  {pairs / median(theirs):10,.0f} pairs/s, sets of runs included")
    print(f"  ratio      {median(theirs) / median(ours):10.2f}   of all pairs' time to ours")
    print(f"  differing  {differ:10,}   removed {len(estimated):,}, exactly {len(exact):,}")


def main() -> None:
    """Print what is found, then the speed of each part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--scenes", type=int, default=30_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    samples = drawn(arguments.samples, arguments.scenes)
    start = perf_counter()
    items = [fingerprint(sample) for sample in samples]
    signatures = len(items) / (perf_counter() - start)
    print_found(samples, near_duplicates(items))
    print_speed(samples, items, arguments.repeats)
    first = [sample for sample in samples if sample.scene_id < f"s{BASELINE_SCENES:06}"]
    print_beside("first scenes", [one for one in first if one.image], arguments.repeats)
    black = [sample for sample in samples if not sample.image]
    print_beside("scenes of one colour", black[:BASELINE_BLACK], arguments.repeats)
    encoded = pictures()
    image_hash(encoded[0])  # imports SciPy
    hashing, decoding = [], []
    for _ in range(arguments.repeats):
        hashing.append(seconds(lambda: [image_hash(one) for one in encoded]))
        decoding.append(seconds(lambda: decode_all(encoded)))
    print(f"signatures   {signatures:8,.0f} /s")
    print(f"hashes       {PICTURES / median(hashing):8,.0f} /s   of PNG of 256 x 256")
    print(f"  decoding   {PICTURES / median(decoding):8,.0f} /s   alone")
    print(f"load         {os.getloadavg()[0]:8.1f}")


if __name__ == "__main__":
    main()
