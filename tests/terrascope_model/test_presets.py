"""The first weights of the model that learns from nothing."""

import pytest
import torch

from terrascope_model.presets import tiny


def test_at_first_each_token_attends_to_those_like_it_and_takes_what_they_are() -> None:
    model, _ = tiny(["Please segment the water."], seed=0)
    for layer in model.vlm.model.language_model.layers:
        attention = layer.self_attn
        assert torch.equal(attention.q_proj.weight, attention.k_proj.weight)
        taken = attention.o_proj.weight @ attention.v_proj.weight
        assert torch.allclose(taken, torch.eye(len(taken)), atol=1e-5)


def test_words_are_as_long_as_one_another_and_the_head_reads_them_as_they_are() -> None:
    model, _ = tiny(["Please segment the water."], seed=0)
    words = model.get_input_embeddings().weight
    assert words is model.vlm.lm_head.weight
    assert words.norm(dim=1).mean().item() == pytest.approx(1, abs=0.1)
