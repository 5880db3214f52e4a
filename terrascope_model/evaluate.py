"""How well a model segments named classes of pictures that it has not learnt from.

Of each picture every class that covers a twentieth of it or more is asked for by itself, "Please
segment the water.", and what the model writes is all that counts: the intersection over union of
its first mask with the annotated one, 0 where it wrote none.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from terrascope_model.answer import Answerer, Asking
from terrascope_model.data import Referring
from terrascope_model.model import TerraScopeModel
from terrascope_model.processor import TerraScopeProcessor
from terrascope_model.sample import Sample

LEAST_SHARE = 0.05  # of a picture; smaller classes are hardly more than a few mask pixels
ASKING = Asking(max_new_tokens=48, max_masks=1)  # the answer is one short sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A class that was asked for, whether training asked for it too, and how it was segmented."""

    sample_id: str
    source: str
    modality: str
    phrase: str
    learnt: bool
    iou: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The mean over some of the classes asked for."""

    name: str
    classes: int
    mean_iou: float


def evaluate(
    model: TerraScopeModel,
    processor: TerraScopeProcessor,
    asked: Referring,
    *,
    learnt: Collection[str],
    num_pictures: int,
    batch_size: int,
    rank: int = 0,
    ranks: int = 1,
) -> list[Named]:
    """Return what became of the classes of so many pictures, spread evenly over all of `asked`.

    `learnt` are the names that training asked for. Of several processes each takes its part.
    DataError where a picture cannot be read.
    """
    answerer = Answerer(model, processor)
    questions = _questions(asked, learnt, num_pictures, rank, ranks)
    found: list[Named] = []
    while batch := list(islice(questions, batch_size)):
        answers = answerer.answer([sample for _, sample in batch], ASKING)
        for (named, sample), answer in zip(batch, answers, strict=True):
            if answer.masks:
                iou = _iou(answer.masks[0].mask_HW, sample.masks[0].mask_HW)
                found.append(replace(named, iou=iou))
            else:
                found.append(named)
    return found


def grouped(found: Sequence[Named]) -> list[Group]:
    """Return the mean over all, over names that are new, and over those learnt by kind of picture.

    A name that training never asked for cannot be known; it counts in the mean over all.
    """
    learnt = [named for named in found if named.learnt]
    groups = [
        ("all", found),
        ("names that training never asked for", [named for named in found if not named.learnt]),
        ("names learnt", learnt),
    ]
    kinds = [(named.source, named.modality) for named in learnt]
    for kind in sorted(set(kinds)):
        of_kind = [named for named, its in zip(learnt, kinds, strict=True) if its == kind]
        groups.append((f"names learnt, {' '.join(kind)}", of_kind))
    return [
        Group(
            name=name, classes=len(of_it), mean_iou=float(np.mean([named.iou for named in of_it]))
        )
        for name, of_it in groups
        if of_it
    ]


def _questions(
    asked: Referring, learnt: Collection[str], num_pictures: int, rank: int, ranks: int
) -> Iterator[tuple[Named, Sample]]:
    number = min(num_pictures, len(asked))
    even = np.linspace(0, len(asked) - 1, number).round().astype(int).tolist()
    for at in even[rank::ranks]:
        shown = asked.shown[at]
        for named_class in shown.classes:
            sample = asked.ask(shown, [named_class])
            if sample.masks[0].mask_HW.mean() >= LEAST_SHARE:
                named = Named(
                    sample_id=sample.sample_id,
                    source=shown.source,
                    modality=shown.modality,
                    phrase=named_class[1],
                    learnt=named_class[1] in learnt,
                    iou=0.0,
                )
                yield named, sample


def _iou(mask_HW: NDArray[np.bool_], annotated_HW: NDArray[np.bool_]) -> float:
    """Return intersection over union with a mask that is not empty."""
    return int((mask_HW & annotated_HW).sum()) / int((mask_HW | annotated_HW).sum())
