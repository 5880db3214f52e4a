"""What is put in after a [SEG]: visual tokens of its mask, and facts measured on it, as text.

Numbers are worded as the traces of a dataset word them, so that what a step says of its mask can be
read off, not guessed. Training measures the annotated masks, decoding the model's own.
"""

from collections.abc import Sequence
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from masks.components import components
from masks.distance import mask_runs, min_distance_of_runs_m, shared_edges
from masks.morphology import opening
from schemas.mask import MIN_COMPONENT_PX
from schemas.trace import pixels_text, quantity_text, things_text
from terrascope_model.sample import Picture, StepMask

Feedback = Literal["tokens", "measure", "both", "none", "box", "random"]
MaskHW = NDArray[np.bool_]


def checked_feedback(feedback: str) -> Feedback:
    """Return it; ValueError where there is none of that name."""
    for known in get_args(Feedback):
        if feedback == known:
            return cast(Feedback, known)
    raise ValueError(f"no feedback {feedback!r}; there are {', '.join(get_args(Feedback))}")


def puts_tokens(feedback: Feedback) -> bool:
    """Return whether visual tokens are put in."""
    return feedback in ("tokens", "both", "box", "random")


def puts_facts(feedback: Feedback) -> bool:
    """Return whether a mask's measured facts are put in."""
    return feedback in ("measure", "both")


def last_facts_text(masks: Sequence[StepMask], pictures: Sequence[Picture]) -> str:
    """Return what is put in after the last mask, set beside the one before on its picture."""
    *earlier, mask = masks
    before_HW = next((m.mask_HW for m in reversed(earlier) if m.picture == mask.picture), None)
    return facts_text(mask.mask_HW, pictures[mask.picture], before_HW)


def facts_text(mask_HW: MaskHW, picture: Picture, before_HW: MaskHW | None = None) -> str:
    """Return " (793 of 14,400 pixels, 5.5 %, …)" of a mask, and how it lies to the one before.

    Pixels that are not valid do not count; areas and lengths need the picture's pixel size.
    """
    valid_HW = np.ones_like(mask_HW) if picture.valid_HW is None else picture.valid_HW
    mask_HW = mask_HW & valid_HW
    pixels, valid = int(np.count_nonzero(mask_HW)), int(np.count_nonzero(valid_HW))
    counted = f"{pixels_text(pixels)} of {pixels_text(valid)} pixels"
    if not pixels:
        return f" ({counted})"
    facts = [counted, quantity_text(pixels / valid, "share")]
    if picture.pixel_size_m is not None:
        area_m2 = pixels * picture.pixel_size_m[0] * picture.pixel_size_m[1]
        facts += [f"{area_m2:,.0f} m²", f"about {quantity_text(area_m2, 'm2')}"]
    patches = int(np.count_nonzero(components(mask_HW).size_px >= MIN_COMPONENT_PX))
    patches_text = things_text(patches, "separate patch", "separate patches")
    facts.append(f"{patches_text} of at least {MIN_COMPONENT_PX} pixels")
    told = ", ".join(facts)
    if before_HW is not None and (before_HW & valid_HW).any():
        told += f"; {_lies(mask_HW, before_HW & valid_HW, valid_HW, picture.pixel_size_m)}"
    return f" ({told})"


def _lies(
    mask_HW: MaskHW, before_HW: MaskHW, valid_HW: MaskHW, pixel_size_m: tuple[float, float] | None
) -> str:
    """Return how a mask lies to the one before, in metres where the pixel size is known.

    Masks that overlap border where one of them ends within reach of the other.
    """
    overlap = int(np.count_nonzero(mask_HW & before_HW))
    sideways, upright = shared_edges(mask_HW & ~before_HW, before_HW)
    how = "touching the mask before" if sideways + upright else "apart from the mask before"
    if overlap:
        how = f"on {pixels_text(overlap)} pixels of the mask before"
    if pixel_size_m is None:
        return how
    x_m, y_m = pixel_size_m
    if sideways + upright:
        length = quantity_text(sideways * y_m + upright * x_m, "m")
        return f"{how}, common pixel edges {length}"
    # as the answers measure distance: what is narrower than three pixels is left out
    runs = [mask_runs(opening(part_HW, valid_HW)) for part_HW in (mask_HW, before_HW)]
    if overlap or not all(map(len, runs)):
        return how
    size_HW = (mask_HW.shape[0], mask_HW.shape[1])
    gap = min_distance_of_runs_m(runs[0], runs[1], size_HW, pixel_size_m)
    return f"{how}, closest points {quantity_text(gap, 'm')} apart"
