"""Which visual tokens stand for a mask, worked by hand on small grids."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from terrascope_model.regions import TileLayout, coverage, region_tokens

ONE = TileLayout(rows=1, cols=1, side=2)


def mask(*rows: str) -> torch.Tensor:
    return torch.tensor([[pixel == "#" for pixel in row] for row in rows])


def test_a_token_is_covered_by_the_part_of_its_ground_that_is_masked() -> None:
    found = coverage(mask("#...", "#...", "..##", "..##"), ONE)
    assert found.tolist() == [[0.5, 0.0], [0.0, 1.0]]


def test_a_pixel_on_the_edge_of_two_tokens_counts_for_both_by_its_part() -> None:
    """Three pixels on two tokens: the middle one is half of each, a third of their ground."""
    found = coverage(mask(".#.", ".#.", ".#."), ONE)
    assert torch.allclose(found, torch.full((2, 2), 1 / 3, dtype=torch.float64))


def test_fewer_pixels_than_tokens_spread_over_them() -> None:
    assert coverage(mask("#"), ONE).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_half_of_a_token_is_not_enough() -> None:
    half_and_more = mask("#.##", "#.#.", "....", "....")
    assert region_tokens(half_and_more, ONE, 9).tolist() == [1]


def test_a_mask_that_covers_no_token_is_the_one_that_it_covers_most() -> None:
    assert region_tokens(mask("....", "..#.", "....", "...."), ONE, 9).tolist() == [1]
    assert region_tokens(mask("....", ".##.", "....", "...."), ONE, 9).tolist() == [0]


def test_an_empty_mask_has_no_tokens() -> None:
    assert region_tokens(mask("....", "....", "....", "...."), ONE, 9).tolist() == []


def test_tokens_count_tile_after_tile_and_the_thumbnail_has_none() -> None:
    """Of two tiles side by side the right one begins with token 4, the thumbnail with 8."""
    wide = TileLayout(rows=1, cols=2, side=2)
    assert wide.num_tokens == 12
    found = region_tokens(mask(".##.", "..##"), wide, 9)
    assert found.tolist() == [1, 4, 6, 7]


def test_too_many_tokens_are_sampled_evenly_over_the_ground() -> None:
    """Of a full 8 x 8 tile 16 are kept: of every part of 2 x 2 the first of the four."""
    full = torch.ones(8, 8, dtype=torch.bool)
    tokens = region_tokens(full, TileLayout(rows=1, cols=1, side=8), 16)
    assert tokens.tolist() == [8 * row + col for row in (0, 2, 4, 6) for col in (0, 2, 4, 6)]


def test_a_sample_takes_the_token_nearest_to_the_middle_of_each_part() -> None:
    """Nine tokens in a row of parts of three each: the middle ones are 1, 4 and 7."""
    row = torch.zeros(9, 9, dtype=torch.bool)
    row[0] = True
    tokens = region_tokens(row, TileLayout(rows=1, cols=1, side=9), 8)
    assert tokens.tolist() == [1, 4, 7]


@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(1, 30),
    st.integers(0, 2**16),
)
def test_tokens_are_few_enough_different_and_covered(
    rows: int, cols: int, side: int, max_tokens: int, seed: int
) -> None:
    layout = TileLayout(rows=rows, cols=cols, side=side)
    drawn = torch.Generator().manual_seed(seed)
    mask_HW = torch.rand(7, 11, generator=drawn) < 0.6
    tokens = region_tokens(mask_HW, layout, max_tokens).tolist()
    assert bool(tokens) == bool(mask_HW.any())
    assert len(tokens) == len(set(tokens)) <= max_tokens
    assert all(0 <= token < rows * cols * side**2 for token in tokens)


@given(st.integers(0, 2**16))
def test_coverage_adds_up_to_the_mask(seed: int) -> None:
    drawn = torch.Generator().manual_seed(seed)
    mask_HW = torch.rand(13, 9, generator=drawn) < 0.5
    layout = TileLayout(rows=2, cols=1, side=3)
    part = coverage(mask_HW, layout).mean()
    assert torch.isclose(part, mask_HW.double().mean())
