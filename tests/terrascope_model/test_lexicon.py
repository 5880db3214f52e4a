"""Prompts by name: what asks for masks until [SEG] can."""

from collections.abc import Callable

import pytest
import torch

from terrascope_model.batch import Segment
from terrascope_model.lexicon import HANDED_OVER, HELD, READ_EVERY, Lexicon, share_by_name
from terrascope_model.model import TerraScopeModel
from tests.terrascope_model.conftest import Carried, left_padded, see
from tests.terrascope_model.reading import text_of

NAMES = ("trees", "water")


@pytest.fixture
def lexicon() -> Lexicon:
    torch.manual_seed(0)
    return Lexicon(NAMES, prompt_width=4)


def test_at_first_every_mask_is_asked_for_by_its_name(lexicon: Lexicon) -> None:
    prompts, _ = lexicon(torch.zeros(3, 4), ["water", "trees", "water"])
    assert torch.equal(prompts, lexicon.prompts.weight[[1, 0, 1]])


def test_in_the_end_seg_asks_alone(lexicon: Lexicon) -> None:
    lexicon.by_name = 0.0
    own = torch.randn(2, 4)
    prompts, _ = lexicon(own, ["water", "trees"])
    assert torch.equal(prompts, own)


def test_in_between_each_name_asks_in_its_share_of_the_steps(lexicon: Lexicon) -> None:
    own = torch.zeros(2, 4)
    lexicon.by_name = 0.25
    asked = []
    for lexicon.step in range(100):
        prompts, _ = lexicon(own, NAMES)
        asked.append(prompts.ne(own).any(1).tolist())
    for of_name in zip(*asked, strict=True):
        assert sum(of_name) == pytest.approx(25, abs=2)


def test_seg_learns_to_be_the_name_and_the_name_does_not_learn_to_be_seg(lexicon: Lexicon) -> None:
    own = torch.zeros(1, 4, requires_grad=True)
    _, distance = lexicon(own, ["water"])
    distance.backward()
    water = lexicon.prompts.weight[1].detach()
    assert distance.item() == pytest.approx(water.square().mean().item())
    assert own.grad is not None
    assert torch.allclose(own.grad[0], -water / 2)  # 2 (0 - water) / 4 numbers
    assert lexicon.prompts.weight.grad is None


def test_a_name_that_is_not_in_it_is_told(lexicon: Lexicon) -> None:
    with pytest.raises(KeyError, match="snow"):
        lexicon(torch.zeros(1, 4), ["snow"])


@pytest.mark.parametrize(
    ("done", "share"),
    [(0.0, 1.0), (HELD, 1.0), ((HELD + HANDED_OVER) / 2, 0.5), (HANDED_OVER, 0.0), (1.0, 0.0)],
)
def test_names_are_handed_over_in_the_middle_of_a_stage(done: float, share: float) -> None:
    assert share_by_name(done) == pytest.approx(share)


def test_text_is_read_in_every_second_step_while_names_ask_and_in_every_step_then(
    lexicon: Lexicon,
) -> None:
    alone = []
    for step in range(100):
        lexicon.at(step, 100)
        assert lexicon.by_name == share_by_name(step / 100)
        alone.append(lexicon.alone)
    names_ask = int(HELD * 100) + 1
    assert alone == [step % READ_EVERY != 0 and step < names_ask for step in range(100)]


def test_a_step_without_text_teaches_masks_and_names_and_nothing_else(
    make_model: Callable[..., TerraScopeModel],
) -> None:
    model = make_model()
    model.lexicon = Lexicon(NAMES, model.ground.prompt_width)
    model.lexicon.alone = True
    segments = [Segment(row=0, image=0, tokens_K=torch.arange(0), name="water")]
    nothing = torch.zeros(1, 0, dtype=torch.int64)
    masks = torch.zeros(1, 32, 32)
    masks[:, 8:20, 4:] = 1
    output = model(nothing, nothing, see([[Carried()]]), segments, nothing, masks)
    assert output.logits is None
    assert output.language_loss == output.prompt_loss == 0
    assert output.bce_loss > 0
    output.loss.backward()
    taught = {name.partition(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert taught == {"ground", "lexicon"}
    assert model.lexicon.prompts.weight.grad.any(1).tolist() == [False, True]


def test_what_is_exposed_keeps_its_name(make_model: Callable[..., TerraScopeModel]) -> None:
    model = make_model(exposure=1.0).train()
    model.lexicon = Lexicon(NAMES, model.ground.prompt_width)
    ids, attention = left_padded([text_of(0, [4])])
    segments = [Segment(row=0, image=0, tokens_K=torch.arange(4), name="water")]
    masks = torch.ones(1, 32, 32)
    output = model(ids, attention, see([[Carried()]]), segments, ids, masks)
    assert output.prompt_loss > 0
