"""A batch of made-up texts with masks, and what a model makes of it."""

from itertools import chain

import torch

from terrascope_model.batch import IGNORED, Segment
from terrascope_model.model import TerraScopeModel, TerraScopeOutput
from tests.terrascope_model.conftest import (
    EOS,
    FIRST,
    REGION,
    SEG,
    Carried,
    left_padded,
    prompt,
    see,
)

WORD = FIRST + 30


def text_of(row: int, regions: list[int]) -> list[int]:
    """Return a prompt, for each region a word, [SEG] and its placeholders, and an end."""
    steps = [[WORD, SEG, *[REGION] * number] for number in regions]
    return [*prompt([Carried()], row), *chain(*steps), WORD + 1, EOS]


def read(
    model: TerraScopeModel,
    rows: list[list[int]],
    *,
    placeholders: list[list[int]] | None = None,
    labelled: bool = True,
) -> TerraScopeOutput:
    """Read a batch whose rows have regions of so many tokens each."""
    ids, attention = left_padded([text_of(n, p) for n, p in enumerate(placeholders or rows)])
    labels = ids.masked_fill((attention == 0) | (ids < EOS) & (ids != SEG), IGNORED)
    segments = [
        Segment(row=row, image=row, tokens_K=torch.arange(number))
        for row, numbers in enumerate(rows)
        for number in numbers
    ]
    masks = torch.zeros(len(segments), 32, 32)
    masks[:, 8:20, 4:] = 1
    seen = see([[Carried()] for _ in rows])
    learnt = {"labels_BT": labels, "masks_Mhw": masks} if labelled else {}
    return model(ids, attention, seen, segments, **learnt)
