"""Decoding with a cache equals reading anew; a batch equals its rows alone."""

from collections.abc import Sequence
from typing import get_args

import pytest
import torch

from terrascope_model.batch import Segment
from terrascope_model.feedback import Feedback, puts_tokens
from terrascope_model.generate import (
    Decoding,
    Generated,
    Sampling,
    Segmented,
    Wrote,
    generate,
    stream,
)
from terrascope_model.model import TerraScopeModel
from terrascope_model.regions import TileLayout
from tests.terrascope_model.conftest import (
    EOS,
    FIRST,
    ONE_TILE,
    REGION,
    SEG,
    Carried,
    left_padded,
    made_eager,
    prompt,
    see,
)

WIDE = TileLayout(rows=1, cols=2, side=ONE_TILE.side)
SCENES = {
    "one image": [Carried()],
    "two dates": [Carried(), Carried(size_HW=(64, 64))],
    "optical and SAR": [Carried(sar=1), Carried(segmented=False)],
    "tiles and a thumbnail": [Carried(layout=WIDE, size_HW=(90, 200))],
    "SAR alone": [Carried(size_HW=(50, 50))],
    "three dates": [Carried(), Carried(), Carried()],
}
FEEDBACKS = get_args(Feedback)


def facts(row: int, masks: Sequence[tuple[int, torch.Tensor]]) -> list[int]:
    """Return ids that differ in number and kind from mask to mask."""
    image, mask_HW = masks[-1]
    pixels = int(mask_HW.sum())
    return [FIRST + 20 + image, *[FIRST + 30 + pixels % 20] * (len(masks) + pixels % 3)]


def run(
    model: TerraScopeModel, rows: Sequence[Sequence[Carried]], first: int = 0, **options: object
) -> list[Generated]:
    ids, attention = left_padded([prompt(row, first + n) for n, row in enumerate(rows)])
    given = {"eos_token_id": EOS, "max_new_tokens": 12, "max_masks": 3} | options
    decoding = Decoding(**given)  # type: ignore[arg-type]
    return generate(model, ids, attention, see(rows, first), decoding)


@pytest.fixture(scope="module")
def eager(make_model) -> TerraScopeModel:
    return made_eager(make_model(seed=3, max_region_tokens=40).eval())


CASES = [(name, "tokens") for name in SCENES] + [("two dates", other) for other in FEEDBACKS[1:]]


@pytest.mark.parametrize(("name", "feedback"), CASES)
def test_the_cache_equals_reading_the_whole_text_anew(
    eager: TerraScopeModel, name: str, feedback: Feedback
) -> None:
    carried = SCENES[name]
    ids, attention = left_padded([prompt(carried, 0)])
    seen = see([carried])
    decoding = Decoding(
        eos_token_id=EOS,
        max_new_tokens=24,
        max_masks=3,
        choose_image=lambda row, written: len(written) % len(carried),
        feedback=feedback,
        facts=facts,
    )
    events = list(stream(eager, ids, attention, seen, decoding))
    text, scores, segments = ids[0].tolist(), [], []
    for event in events:
        match event:
            case Wrote():
                scores.append((len(text) - 1, event.scores_V))
                text.append(event.token_id)
            case Segmented():
                segments.append(Segment(row=0, image=event.image, tokens_K=event.tokens_K))
                text += [REGION] * len(event.tokens_K) + [*event.forced]
                assert bool(event.forced) == (feedback in ("measure", "both"))
    assert len(segments) > 1, "the model has to segment for this to be a test"
    put_in = sum(len(s.tokens_K) for s in segments)
    assert put_in > 4 if puts_tokens(feedback) else put_in == 0
    whole = torch.tensor([text])
    with torch.no_grad():
        logits = eager(whole, torch.ones_like(whole), seen, segments).logits[0]
    for place, found in scores:
        finite = found.isfinite()
        assert (logits[place] - found)[finite].abs().max() < 1e-4
    assert len(scores) == 24


@pytest.mark.parametrize("feedback", FEEDBACKS)
def test_a_batch_writes_what_its_rows_write_alone(
    eager: TerraScopeModel, feedback: Feedback
) -> None:
    rows = [*SCENES.values()]
    options = {"feedback": feedback, "facts": facts}
    together = run(eager, rows, **options)
    alone = [run(eager, [row], first, **options)[0] for first, row in enumerate(rows)]
    assert [row.ids for row in together] == [row.ids for row in alone]
    counts = {tuple(len(s) for s in row.segmented) for row in together}
    least = 1 if feedback == "none" else 2
    assert len(counts) > least, "rows have to put in different numbers of tokens"
    for one, other in zip(together, alone, strict=True):
        for mine, its in zip(one.segmented, other.segmented, strict=True):
            assert mine.image == its.image
            assert mine.mask_HW.shape == its.mask_HW.shape
            assert torch.equal(mine.tokens_K, its.tokens_K)


def test_a_mask_has_the_size_of_its_image(eager: TerraScopeModel) -> None:
    rows = [[Carried(size_HW=(40, 70))], [Carried(), Carried(size_HW=(30, 20))]]
    second = run(eager, rows, choose_image=lambda row, _: row)
    assert {tuple(s.mask_HW.shape) for s in second[0].segmented} == {(40, 70)}
    assert {tuple(s.mask_HW.shape) for s in second[1].segmented} == {(30, 20)}


def test_a_radar_image_means_the_optical_one_beside_it(eager: TerraScopeModel) -> None:
    """Two dates of two sensors each: the second date's radar image is image 4 of the row."""
    two_dates = [
        Carried(sar=1),
        Carried(segmented=False),
        Carried(sar=3),
        Carried(segmented=False),
    ]
    rows = run(
        eager, [two_dates, SCENES["optical and SAR"]], choose_image=lambda row, _: 3 - 2 * row
    )
    assert {segmented.image for segmented in rows[0].segmented} == {2}
    assert {segmented.image for segmented in rows[1].segmented} == {0}


@pytest.mark.parametrize("named", [2, -1, 99, None])
def test_an_image_that_is_not_there_means_the_first(
    eager: TerraScopeModel, named: int | None
) -> None:
    carried = [Carried(segmented=False), Carried()]
    (row,) = run(eager, [carried], choose_image=lambda *_: named, max_new_tokens=30)
    assert {segmented.image for segmented in row.segmented} == {1}


def test_a_row_without_an_image_to_segment_is_refused(eager: TerraScopeModel) -> None:
    rows = [[Carried(segmented=False)], [Carried()]]
    with pytest.raises(ValueError, match="row 0 has 1 images, and none of them to segment"):
        run(eager, rows, max_new_tokens=30)


def test_a_prompt_that_leaves_no_room_is_refused(make_model) -> None:
    model = make_model().eval()
    model.config.vlm_config.text_config.max_position_embeddings = 67
    with pytest.raises(ValueError, match="row 0: a prompt of 67 tokens leaves no room"):
        run(model, [[Carried()]])


def test_no_more_masks_are_written_than_asked_for(eager: TerraScopeModel) -> None:
    (row,) = run(eager, [[Carried()]], max_masks=2, max_new_tokens=20)
    assert row.ids.count(SEG) == len(row.segmented) == 2


def test_a_row_that_ended_writes_no_more(eager: TerraScopeModel) -> None:
    rows = [[Carried()], [Carried()]]
    first = run(eager, rows)
    stop = [token for token in first[0].ids if token not in (SEG, REGION)][-1]
    again = run(eager, rows, eos_token_id=stop)
    assert again[0].ended
    assert again[0].ids == first[0].ids[: first[0].ids.index(stop) + 1]
    kept = len(again[1].ids) if stop in first[1].ids else len(first[1].ids)
    assert again[1].ids == first[1].ids[:kept]


def test_facts_are_read_like_text(eager: TerraScopeModel) -> None:
    forced = [FIRST + 20, FIRST + 21]
    (row,) = run(eager, [[Carried()]], feedback="both", facts=lambda *_: forced, max_masks=1)
    at = row.ids.index(SEG)
    num_tokens = len(row.segmented[0].tokens_K)
    assert row.ids[at + 1 : at + 1 + num_tokens] == [REGION] * num_tokens
    assert row.ids[at + 1 + num_tokens : at + 3 + num_tokens] == forced


def test_facts_are_measured_on_all_masks_so_far(eager: TerraScopeModel) -> None:
    heard: list[list[tuple[int, int]]] = []

    def told(row: int, masks: Sequence[tuple[int, torch.Tensor]]) -> list[int]:
        heard.append([(image, int(mask_HW.sum())) for image, mask_HW in masks])
        return []

    options = {"feedback": "measure", "facts": told, "max_new_tokens": 24}
    (row,) = run(eager, [SCENES["two dates"]], choose_image=lambda _, ids: len(ids) % 2, **options)
    due = [(found.image, int(found.mask_HW.sum())) for found in row.segmented]
    assert heard == [due[: number + 1] for number in range(len(due))]


def test_what_does_not_fit_in_the_positions_is_not_put_in(
    eager: TerraScopeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 100 positions the prompt has 67; facts of 50 ids would run past the end of them."""
    monkeypatch.setattr(eager.config.vlm_config.text_config, "max_position_embeddings", 100)
    options = {"feedback": "measure", "max_new_tokens": 90, "max_masks": 20}
    (long,) = run(eager, [[Carried()]], facts=lambda *_: [FIRST] * 50, **options)
    (short,) = run(eager, [[Carried()]], facts=lambda *_: [FIRST], **options)
    assert long.ids[-1] == SEG
    assert [len(segmented) for segmented in long.segmented] == [0]
    assert len(short.ids) in (100 - 67, 100 - 67 - 1)
    assert not long.ended
    assert not short.ended


def test_facts_without_anything_that_measures_are_refused(eager: TerraScopeModel) -> None:
    with pytest.raises(ValueError, match="feedback 'both' puts in facts, and nothing is given"):
        run(eager, [[Carried()]], feedback="both")


def test_what_is_put_in_is_what_the_model_was_made_for(
    eager: TerraScopeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eager.config, "feedback", "none")
    (row,) = run(eager, [[Carried()]])
    assert [len(segmented) for segmented in row.segmented] == [0] * row.ids.count(SEG) != []


def test_sampling_is_repeatable_and_another_seed_writes_otherwise(eager: TerraScopeModel) -> None:
    rows = [[Carried()]]
    drawn = [
        run(eager, rows, sampling=Sampling(temperature=1.0, seed=seed))[0].ids for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_sampling_within_almost_no_probability_is_greedy(eager: TerraScopeModel) -> None:
    rows = [[Carried()]]
    narrow = Sampling(temperature=1.0, top_p=1e-6)
    assert run(eager, rows, sampling=narrow)[0].ids == run(eager, rows)[0].ids
