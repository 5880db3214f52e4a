"""Which of a sample's pictures a mask is seen on, where two sensors show one place."""

from collections.abc import Mapping, Sequence
from typing import Any


def segmented_picture(infos: Sequence[Mapping[str, Any]], at: int) -> int:
    """Return which picture a mask is learnt on: of a radar picture the optical one of its date.

    Both lie on one grid, and beside an optical picture a radar one is not segmented.
    """
    beside = (
        number
        for number, info in enumerate(infos)
        if info["modality"] != "sar" and info["date_index"] == infos[at]["date_index"]
    )
    return next(beside, at) if infos[at]["modality"] == "sar" else at
