"""A model that goes on from another: what is taken over, and what cannot be."""

from pathlib import Path

import pytest
import torch

from terrascope_model.presets import tiny
from terrascope_model.pretrained import WeightsError
from terrascope_model.warm_start import start_from

TEXTS = ["the river bends", "the river floods"]
OTHER_TEXTS = ["the river bends", "a forest burns slowly"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    model, processor = tiny(TEXTS, seed=1)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def test_all_weights_but_those_of_new_words_are_taken_over(saved: Path) -> None:
    was, was_processor = tiny(TEXTS, seed=1)
    model, processor = tiny(OTHER_TEXTS, seed=2)
    fresh, _ = tiny(OTHER_TEXTS, seed=2)
    start_from(model, processor.tokenizer, saved)
    for name, weight in model.ground.state_dict().items():
        torch.testing.assert_close(weight, was.ground.state_dict()[name])
    known, ids = was_processor.tokenizer.get_vocab(), processor.tokenizer.get_vocab()
    new = ids.keys() - known.keys()
    assert new
    for word, number in ids.items():
        source, at = (fresh, number) if word in new else (was, known[word])
        torch.testing.assert_close(
            model.vlm.lm_head.weight[number], source.vlm.lm_head.weight[at], msg=word
        )
    assert model.vlm.lm_head.weight is model.get_input_embeddings().weight


def test_a_model_of_other_sizes_is_refused(saved: Path) -> None:
    model, processor = tiny(TEXTS, seed=1)
    width = model.config.vlm_config.text_config.hidden_size
    model.seg_projection = torch.nn.Sequential(torch.nn.Linear(width, width + 1))
    with pytest.raises(WeightsError, match=r"seg_projection.*same preset"):
        start_from(model, processor.tokenizer, saved)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    model, processor = tiny(TEXTS, seed=1)
    with pytest.raises(WeightsError, match="to start from"):
        start_from(model, processor.tokenizer, tmp_path)
