"""Which predicted mask is held against which true one."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Marked:
    """What is told of a mask: its label and the picture that it lies on, None where not told."""

    label: str | None
    picture: int | None


def match_masks(true: Sequence[Marked], predicted: Sequence[Marked]) -> list[int | None]:
    """Return for each true mask the place of the predicted one that it is held against, or None.

    A prediction with a label takes the first free true mask of that label (case does not count),
    one without takes the first free one that is left. Where it names its picture, that has to be
    the true mask's too. Those with labels come first, each kind in the order predicted; a
    prediction that takes none is one too many, a true mask that none takes is missing.
    """
    taken: list[int | None] = [None] * len(true)
    labelled = [place for place, mask in enumerate(predicted) if mask.label is not None]
    others = [place for place, mask in enumerate(predicted) if mask.label is None]
    for place in (*labelled, *others):
        for number, mask in enumerate(true):
            if taken[number] is None and _alike(mask, predicted[place]):
                taken[number] = place
                break
    return taken


def _alike(true: Marked, predicted: Marked) -> bool:
    if predicted.picture is not None and predicted.picture != true.picture:
        return False
    return predicted.label is None or _folded(predicted.label) == _folded(true.label or "")


def _folded(label: str) -> str:
    return " ".join(label.casefold().split())
