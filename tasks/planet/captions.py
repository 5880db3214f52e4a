"""Captions of the kind that ChatEarthNet holds: what covers how much, and where it lies."""

import numpy as np
from numpy.typing import NDArray

NAMES = (
    "background", "water", "developed area", "tree", "shrub", "grass", "crop", "bare land",
    "snow", "wetland", "mangroves", "moss",
)  # fmt: skip
_SIZES = ((0.8, "almost all of"), (0.5, "most of"), (0.2, "a considerable part of"))
_PLACES = ("top left", "top right", "bottom left", "bottom right")
_OPENINGS = (
    "The image shows a landscape with {classes}.",
    "This satellite image depicts an area of {classes}.",
    "In this image, one can see {classes}.",
    "The scene is made up of {classes}.",
)
_LEADS = (
    "{name} covers {size} the image, mainly in the {place}.",
    "There is {name} over {size} the image, most of it in the {place}.",
    "{size} the image is {name}, concentrated in the {place}.",
)
_CLOSINGS = (
    "Overall, {name} dominates the scene.",
    "The landscape is characterised above all by {name}.",
    "In summary, the most common cover is {name}.",
)


def caption(ids_HW: NDArray[np.uint8], rng: np.random.Generator, long: bool) -> str:
    """Return a few sentences about a map of class ids 1 to 11; `long` adds the smaller classes."""
    pixels = np.bincount(ids_HW.ravel(), minlength=len(NAMES))[: len(NAMES)]
    pixels[0] = 0
    order = [int(k) for k in np.argsort(-pixels, kind="stable") if pixels[k] >= 20]
    if not order:
        return "The image shows open water without any land."
    names = [NAMES[k] for k in order]
    sentences = [str(rng.choice(_OPENINGS)).format(classes=_listed(names))]
    for class_id in order[: 5 if long else 2]:
        lead = str(rng.choice(_LEADS)).format(
            name=NAMES[class_id],
            size=_size(pixels[class_id] / ids_HW.size),
            place=_place(ids_HW == class_id),
        )
        sentences.append(lead[:1].upper() + lead[1:])
    sentences.append(str(rng.choice(_CLOSINGS)).format(name=names[0]))
    return " ".join(sentences)


def _listed(names: list[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _size(share: float) -> str:
    """Return words for a share of the image."""
    return next((words for least, words in _SIZES if share >= least), "a small part of")


def _place(mask_HW: NDArray[np.bool_]) -> str:
    """Return the quarter that holds most of a class."""
    height, width = (size // 2 for size in mask_HW.shape)
    quarters = [
        int(mask_HW[r : r + height, c : c + width].sum()) for r in (0, height) for c in (0, width)
    ]
    return _PLACES[int(np.argmax(quarters))]
