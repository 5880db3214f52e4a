"""What the model refuses, what it learns from, and that it is saved whole."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModel

from terrascope_model.batch import IGNORED, Segment
from terrascope_model.configuration import RELEASED
from terrascope_model.losses import at_points, dice_loss, mask_losses, uncertain_points
from terrascope_model.model import TerraScopeModel, TerraScopeOutput
from tests.terrascope_model.conftest import (
    EOS,
    SEG,
    Carried,
    left_padded,
    prompt,
    see,
)
from tests.terrascope_model.reading import read, text_of


def grads(model: TerraScopeModel, output: TerraScopeOutput) -> dict[str, bool]:
    """Return for each part of the model whether the loss reaches it."""
    model.zero_grad()
    assert output.loss is not None
    output.loss.backward()
    parts = {
        "vision tower": model.vlm.model.vision_tower,
        "projector": model.vlm.model.multi_modal_projector,
        "language model": model.vlm.model.language_model,
        "head": model.vlm.lm_head,
        "projection of [SEG]": model.seg_projection,
        "ground encoder": model.ground.encoder,
        "mask decoder": model.ground.decoder,
    }
    return {
        name: any(p.grad is not None and bool(p.grad.any()) for p in part.parameters())
        for name, part in parts.items()
    }


def test_the_loss_reaches_every_part(model: TerraScopeModel) -> None:
    assert all(grads(model, read(model, [[3, 0], [5]])).values())


def test_the_loss_reaches_no_frozen_part(make_model: Callable[..., TerraScopeModel]) -> None:
    model = make_model()
    for part in (model.vlm.model.vision_tower, model.ground.encoder):
        part.requires_grad_(False)
    reached = grads(model, read(model, [[3]]))
    assert {name for name, yes in reached.items() if not yes} == {"vision tower", "ground encoder"}


def test_a_batch_without_masks_computes_the_same_parts_and_costs_nothing_for_them(
    make_model: Callable[..., TerraScopeModel],
) -> None:
    model = make_model()
    output = read(model, [[], []])
    assert output.bce_loss == output.dice_loss == 0
    grads(model, output)
    parts = [model.seg_projection, model.ground.encoder, model.ground.decoder.transformer]
    gradients = [p.grad for part in parts for p in part.parameters()]
    assert all(gradient is not None and not gradient.any() for gradient in gradients)


def test_placeholders_and_features_that_do_not_agree_are_refused(model: TerraScopeModel) -> None:
    with pytest.raises(ValueError, match="has 4 region placeholders, and there are 5 features"):
        read(model, [[2, 3]], placeholders=[[2, 2]])


def test_marks_and_segments_that_do_not_agree_are_refused(model: TerraScopeModel) -> None:
    with pytest.raises(ValueError, match=r"in rows \[0, 0\], segments are of rows \[0\]"):
        read(model, [[2]], placeholders=[[2, 0]])


def test_images_and_tiles_that_do_not_agree_are_refused(model: TerraScopeModel) -> None:
    one, two = see([[Carried()]]), see([[Carried()], [Carried()]])
    ids, attention = left_padded([prompt([Carried()], 0)])
    mixed = type(one)(
        tiles_N3SS=two.tiles_N3SS,
        ground_I3GG=one.ground_I3GG,
        images=one.images,
        questions=one.questions,
    )
    with pytest.raises(ValueError, match="layouts have 1 tiles, 2 are there"):
        model(ids, attention, mixed, [])


def test_what_was_put_in_changes_what_follows(model: TerraScopeModel) -> None:
    ids, attention = left_padded([text_of(0, [2])])
    seen = see([[Carried()]])
    texts = []
    for tokens in ([0, 1], [40, 41]):
        segments = [Segment(row=0, image=0, tokens_K=torch.tensor(tokens))]
        with torch.no_grad():
            texts.append(model(ids, attention, seen, segments).logits)
    at = ids[0].tolist().index(SEG)
    assert torch.equal(texts[0][:, : at + 1], texts[1][:, : at + 1])
    assert not torch.equal(texts[0][:, at + 1 :], texts[1][:, at + 1 :])


def test_padding_changes_nothing(model: TerraScopeModel) -> None:
    with torch.no_grad():
        both = read(model, [[2], [3, 4]], labelled=False)
        alone = read(model, [[2]], labelled=False)
    length = alone.logits.shape[1]
    assert torch.allclose(both.logits[0, -length:], alone.logits[0], atol=1e-5)
    assert torch.allclose(both.mask_logits[0], alone.mask_logits[0], atol=1e-4)


def test_scores_are_computed_where_a_loss_is_taken_and_are_those_of_the_whole_text(
    make_model: Callable[..., TerraScopeModel],
) -> None:
    model = make_model().eval()
    rows = [[4, 2], [3]]
    whole, due = read(model, rows, labelled=False), read(model, rows)
    ids, attention = left_padded([text_of(n, regions) for n, regions in enumerate(rows)])
    labels = ids.masked_fill((attention == 0) | (ids < EOS) & (ids != SEG), IGNORED)
    places = (labels[:, 1:] != IGNORED).nonzero().tolist()
    assert due.logits.shape[0] == len(places) < ids.numel() / 2
    for scores, (row, at) in zip(due.logits, places, strict=True):
        assert torch.allclose(scores, whole.logits[row, at], atol=1e-5)
    by_hand = torch.nn.functional.cross_entropy(
        whole.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED
    )
    assert due.language_loss.item() == pytest.approx(by_hand.item(), rel=1e-5)


def test_exposure_feeds_predicted_regions_in_training_alone(
    make_model: Callable[..., TerraScopeModel],
) -> None:
    never, always = make_model(exposure=0.0), make_model(exposure=1.0)
    for model in (never, always):
        model.train()
    regions = [[4, 30]]
    assert not torch.equal(read(never, regions).logits, read(always, regions).logits)
    never.eval()
    always.eval()
    assert torch.equal(read(never, regions).logits, read(always, regions).logits)


def test_an_exposed_text_is_read_like_the_shorter_one_that_is_written(
    make_model: Callable[..., TerraScopeModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of thirty places four are needed: what follows reads them as if there were no others."""
    found = torch.tensor([3, 9, 20, 41])
    monkeypatch.setattr("terrascope_model.model.region_tokens", lambda *_, **__: found)
    model = make_model(exposure=1.0).train()
    with torch.no_grad():
        exposed = read(model, [[30]], labelled=False).logits[0]
        model.eval()
        ids, attention = left_padded([text_of(0, [4])])
        segments = [Segment(row=0, image=0, tokens_K=found)]
        written = model(ids, attention, see([[Carried()]]), segments).logits[0]
    at = ids[0].tolist().index(SEG)
    assert torch.allclose(exposed[: at + 1], written[: at + 1], atol=1e-5)
    assert torch.allclose(exposed[at + 27 :], written[at + 1 :], atol=1e-5)


def test_a_model_is_saved_and_loaded_whole(
    make_model: Callable[..., TerraScopeModel], tmp_path: Path
) -> None:
    model = make_model(seed=5, exposure=0.25, **RELEASED).eval()
    model.save_pretrained(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    loaded = AutoModel.from_pretrained(tmp_path)
    assert isinstance(loaded, TerraScopeModel)
    config = AutoConfig.from_pretrained(tmp_path)
    assert (config.loss_points, config.exposure, config.seg_token_id) == (12_544, 0.25, SEG)
    with torch.no_grad():
        ours, its = read(model, [[3]]), read(loaded, [[3]])
    assert torch.equal(ours.logits, its.logits)
    assert torch.allclose(ours.mask_logits, its.mask_logits, atol=1e-5)


def test_dice_by_hand() -> None:
    """Two of three masked pixels found and one too many: 1 - (2·2 + 1) / (3 + 3 + 1)."""
    found, mask = torch.tensor([[1.0, 1, 0, 1]]), torch.tensor([[1.0, 1, 1, 0]])
    assert torch.isclose(dice_loss(found, mask), torch.tensor(1 - 5 / 7))


def test_nothing_found_of_an_empty_mask_costs_no_dice() -> None:
    assert dice_loss(torch.zeros(1, 4), torch.zeros(1, 4)) == 0


def test_points_are_read_between_pixels() -> None:
    ramp = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]])
    points = torch.tensor([[[0.25, 0.5], [0.5, 0.5], [0.75, 0.5]]])
    assert at_points(ramp, points).tolist() == [[0.0, 0.5, 1.0]]


def test_most_points_lie_where_a_mask_is_unsure() -> None:
    torch.manual_seed(0)
    logits = torch.full((1, 16, 16), 9.0)
    logits[0, :, :6] = 0
    unsure = uncertain_points(logits, 64)[0, :, 0] < 6 / 16
    assert 0.75 < float(unsure.float().mean()) < 0.95  # three quarters, and some by chance


def test_logits_and_masks_are_read_at_the_same_points() -> None:
    """A right mask costs little Dice at any points, one with its halves swapped nearly all."""
    torch.manual_seed(0)
    masks = torch.zeros(2, 16, 16)
    masks[:, :, 8:] = 1
    logits = 40 * masks - 20
    right, swapped = (mask_losses(logits, each, 500) for each in (masks, 1 - masks))
    assert right[1] < 0.2 < 0.8 < swapped[1]
    assert right[0] < swapped[0] / 3
