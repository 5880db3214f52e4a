"""Which of two sensors' pictures a model is shown, and whose tokens go in after a mask.

As in the paper's Table 3: of an optical and a radar picture of one place and date both are shown,
and after a mask come the tokens that the question chooses ("adaptive") or those of both
("concatenated"); or only one of the two pictures is shown ("optical", "sar").
"""

from dataclasses import replace
from typing import Literal

from terrascope_model.sample import Picture, Sample

Sensors = Literal["adaptive", "concatenated", "optical", "sar"]


def seen_by(sample: Sample, sensors: Sensors) -> Sample:
    """Return a sample with the pictures that are shown; masks lie on those of their date.

    A date of which there is one sensor's picture alone keeps it.
    """
    if sensors in ("adaptive", "concatenated"):
        return sample
    shown_dates = {p.date_index for p in sample.pictures if p.modality == sensors}
    kept = tuple(
        p for p in sample.pictures if p.modality == sensors or p.date_index not in shown_dates
    )
    return replace(
        sample,
        pictures=kept,
        masks=tuple(
            replace(mask, picture=_place(sample.pictures[mask.picture], kept))
            for mask in sample.masks
        ),
    )


def _place(picture: Picture, kept: tuple[Picture, ...]) -> int:
    """Return where a picture is kept, or the other sensor's picture of its date."""
    if picture in kept:
        return kept.index(picture)
    return next(at for at, other in enumerate(kept) if other.date_index == picture.date_index)


def num_fed(sensors: Sensors, num_tokens: int, *, has_sar: bool) -> int:
    """Return how many visual tokens go in after a mask of so many tokens of one sensor."""
    return 2 * num_tokens if sensors == "concatenated" and has_sar else num_tokens
