"""What kind of text a sample is, and so how its words are proved."""

from enum import StrEnum


class Tier(StrEnum):
    """A dataset's tiers: captions, templated questions, composed questions."""

    CAP = "cap"  # grounded captions
    L1 = "l1"  # templates: every word follows from program and masks
    L2_SPATIAL = "l2_spatial"  # composed: program and marked facts are proved
    L2_SEMANTIC = "l2_semantic"
