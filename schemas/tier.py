"""What kind of text a sample is, and so how its words are proved."""

from enum import StrEnum


class Tier(StrEnum):
    """A dataset's tiers: captions, templated questions, composed questions, a bench."""

    CAP = "cap"  # grounded captions
    L1 = "l1"  # templates: every word follows from program and masks
    L2_SPATIAL = "l2_spatial"  # composed: program and marked facts are proved
    L2_SEMANTIC = "l2_semantic"
    BENCH = "bench"  # templates as of L1, always with options: to be scored on, never learnt from


BENCH_SPLIT = "test"  # whose scenes a bench asks about
