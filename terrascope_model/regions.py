"""From a mask to the visual tokens that it covers.

An image enters the language model as tiles of `side` x `side` visual tokens, tile after tile in
reading order, each tile's tokens in reading order; where there is more than one tile, a thumbnail
of the whole image comes last. A region is what a mask covers of the tiles, never of the thumbnail.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

MORE_THAN = 0.5  # of a token's ground has to be masked (paper, section 3.2)
_EXACT = 1e-9  # half of a cell is half, whatever the fractions of pixels add up to


@dataclass(frozen=True, slots=True, kw_only=True)
class TileLayout:
    """How an image lies in tiles.

    Attributes:
        rows: Tiles from top to bottom.
        cols: Tiles from left to right.
        side: Visual tokens along one side of a tile.
    """

    rows: int
    cols: int
    side: int

    @property
    def num_tiles(self) -> int:
        """Tiles, with the thumbnail that more than one of them bring."""
        tiles = self.rows * self.cols
        return tiles + (tiles > 1)

    @property
    def num_tokens(self) -> int:
        """Visual tokens of all tiles and the thumbnail."""
        return self.num_tiles * self.side**2


def coverage(mask_HW: Tensor, layout: TileLayout) -> Tensor:
    """Return how much of each visual token's ground a mask covers, (rows * side, cols * side).

    Exact: a pixel that lies in two tokens counts for each by its part in it. float64, 0 to 1.
    """
    height, width = mask_HW.shape
    down = _overlaps(layout.rows * layout.side, height, mask_HW.device)
    across = _overlaps(layout.cols * layout.side, width, mask_HW.device)
    return down @ mask_HW.to(torch.float64) @ across.T


def region_tokens(
    mask_HW: Tensor, layout: TileLayout, max_tokens: int, *, more_than: float = MORE_THAN
) -> Tensor:
    """Return the indices of the visual tokens that stand for a mask, ascending by place, int64.

    Those of which it covers more than `more_than`. A mask that covers no token so far, for it is
    thin or small, is the one token of which it covers most, the first of several; an empty mask has
    none, and where `max_tokens` is 0 no mask has any. Of more than `max_tokens` an even sample over
    the ground is taken: the box around them is cut into ceil(sqrt(max_tokens)) parts either way,
    each part gives the token nearest to its middle (paper, section 3.2), and where that is still
    too many, they are thinned evenly in reading order.
    """
    if not max_tokens:
        return torch.empty(0, dtype=torch.int64, device=mask_HW.device)
    cover_hw = coverage(mask_HW, layout)
    covered = cover_hw > more_than + _EXACT
    if not bool(covered.any()):
        if not bool(mask_HW.any()):
            return torch.empty(0, dtype=torch.int64, device=mask_HW.device)
        covered = torch.zeros_like(covered)
        covered.view(-1)[cover_hw.argmax()] = True
    places_N2 = covered.nonzero()
    if len(places_N2) > max_tokens:
        places_N2 = _even_sample(places_N2, max_tokens)
    return _token_indices(places_N2, layout)


@lru_cache(maxsize=256)
def _overlaps(cells: int, pixels: int, device: torch.device) -> Tensor:
    """Return the share of each cell that each pixel fills along one axis, (cells, pixels)."""
    edges = torch.arange(cells + 1, dtype=torch.float64, device=device) * pixels / cells
    starts = torch.arange(pixels, dtype=torch.float64, device=device)
    ends = torch.minimum(edges[1:, None], starts + 1)
    begins = torch.maximum(edges[:-1, None], starts)
    return (ends - begins).clamp(min=0) * cells / pixels


def _even_sample(places_N2: Tensor, max_tokens: int) -> Tensor:
    parts = math.ceil(math.sqrt(max_tokens))
    low, high = places_N2.amin(0), places_N2.amax(0)
    size = (high - low + 1).to(torch.float64) / parts
    middles = (places_N2 - low).to(torch.float64) + 0.5
    part_N2 = (middles / size).floor().clamp(max=parts - 1)
    far = (middles / size - part_N2 - 0.5).square().sum(1)
    part = (part_N2[:, 0] * parts + part_N2[:, 1]).to(torch.int64)
    near_first = far.argsort(stable=True)
    order = near_first[part[near_first].argsort(stable=True)]
    first = torch.ones(len(order), dtype=torch.bool, device=order.device)
    first[1:] = part[order][1:] != part[order][:-1]
    kept = order[first].sort().values
    if len(kept) > max_tokens:
        even = torch.linspace(0, len(kept) - 1, max_tokens, dtype=torch.float64)
        kept = kept[even.round().to(torch.int64).to(kept.device)]
    return places_N2[kept]


def _token_indices(places_N2: Tensor, layout: TileLayout) -> Tensor:
    side = layout.side
    row, col = places_N2.unbind(1)
    tile = (row // side) * layout.cols + col // side
    return tile * side**2 + (row % side) * side + col % side
