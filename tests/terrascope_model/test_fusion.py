"""The question chooses the sensor, token by token."""

import pytest
import torch

from terrascope_model.fusion import fuse, text_scores


def test_a_word_shares_its_attention_over_the_tokens() -> None:
    """Two tokens, width 1: logits 0 and ln 3, so the word pays them 1/4 and 3/4."""
    tokens = torch.tensor([[0.0], [3.0]]).log1p() * torch.log(torch.tensor(3.0)) / 1.3862944
    found = text_scores(tokens, torch.tensor([[1.0]]))
    assert torch.allclose(found, torch.tensor([0.25, 0.75]))


def test_words_count_alike() -> None:
    tokens = torch.tensor([[0.0, 0.0], [9.0, -9.0]])
    both = text_scores(tokens, torch.tensor([[9.0, 0.0], [0.0, 9.0]]))
    assert torch.allclose(both, torch.tensor([0.5, 0.5]), atol=1e-6)


def test_the_better_scored_sensor_gives_the_token() -> None:
    """The word looks for the first number: it is the second place's in SAR, the first's else."""
    optical = torch.tensor([[5.0, 1.0], [0.0, 1.0]])
    sar = torch.tensor([[0.0, 2.0], [5.0, 2.0]])
    assert fuse(optical, sar, torch.tensor([[1.0, 0.0]])).tolist() == [[5.0, 1.0], [5.0, 2.0]]


def test_where_both_score_alike_the_optical_token_stays() -> None:
    optical, sar = torch.zeros(3, 2), torch.ones(3, 2)
    assert fuse(optical, sar, torch.ones(1, 2)).tolist() == optical.tolist()


def test_images_in_other_tiles_are_refused() -> None:
    with pytest.raises(ValueError, match="has 3 visual tokens, the radar image 4"):
        fuse(torch.zeros(3, 2), torch.zeros(4, 2), torch.ones(1, 2))


def test_a_question_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="without words"):
        fuse(torch.zeros(3, 2), torch.zeros(3, 2), torch.ones(0, 2))
