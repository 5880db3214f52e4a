"""Which visual tokens are put in after a mask: its own, or for comparison its box's or any."""

import torch
from torch import Tensor

from terrascope_model.feedback import Feedback, puts_tokens
from terrascope_model.regions import TileLayout, region_tokens


def fed_tokens(
    mask_HW: Tensor,
    layout: TileLayout,
    feedback: Feedback,
    max_tokens: int,
    *,
    more_than: float = 0.5,
) -> Tensor:
    """Return the indices (K,) of the visual tokens that are put in after a mask.

    "box" are those of the smallest rectangle around it, "random" as many as it has itself, drawn
    from all of the image by its own pixels, so that the same mask always draws the same (the
    paper's box and random-mask strategies, Table 2).
    """
    most = max_tokens if puts_tokens(feedback) else 0
    if feedback == "box":
        mask_HW = _box(mask_HW)
    tokens_K = region_tokens(mask_HW, layout, most, more_than=more_than)
    if feedback == "random" and len(tokens_K):
        drawn = torch.Generator().manual_seed(int(mask_HW.nonzero().sum()))
        some_K = torch.randperm(layout.num_tokens, generator=drawn)[: len(tokens_K)]
        return some_K.sort().values.to(tokens_K.device)
    return tokens_K


def _box(mask_HW: Tensor) -> Tensor:
    rows, cols = mask_HW.any(1).nonzero(), mask_HW.any(0).nonzero()
    box_HW = torch.zeros_like(mask_HW)
    if len(rows):
        box_HW[rows[0, 0] : rows[-1, 0] + 1, cols[0, 0] : cols[-1, 0] + 1] = True
    return box_HW
