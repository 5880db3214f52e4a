"""Classes of held-out pictures are asked for one by one; what is not marked counts nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from terrascope_model.answer import Answer, Answerer, Asking
from terrascope_model.card import card
from terrascope_model.data import Referring
from terrascope_model.evaluate import LEAST_SHARE, Named, evaluate, grouped
from terrascope_model.model import TerraScopeModel
from terrascope_model.presets import tiny_model, tiny_processor
from terrascope_model.processor import TerraScopeProcessor
from terrascope_model.recipe import texts_of
from terrascope_model.sample import Sample, StepMask
from terrascope_model.settings import TrainSettings


@pytest.fixture(scope="module")
def processor(dataset: Path) -> TerraScopeProcessor:
    return tiny_processor(texts_of(dataset))


@pytest.fixture(scope="module")
def untaught(processor: TerraScopeProcessor) -> TerraScopeModel:
    return tiny_model(processor, seed=0)


@pytest.fixture(scope="module")
def asked(dataset: Path, processor: TerraScopeProcessor) -> Referring:
    return Referring(dataset, processor, split="validation", turned=False)


LEARNT = ("arable land",)


def marks_all(self: Answerer, samples: Sequence[Sample], asking: Asking) -> list[Answer]:
    """Mark the whole picture for every second question, nothing for the others."""
    answers = []
    for number, sample in enumerate(samples):
        image = sample.pictures[0].image
        mask = StepMask(picture=0, mask_HW=np.ones((image.height, image.width), dtype=np.bool_))
        masks = () if number % 2 else (mask,)
        answers.append(Answer(text="", answer="", masks=masks, ended=True))
    return answers


def test_a_class_that_is_not_marked_counts_nothing_and_small_ones_are_not_asked_for(
    asked, untaught, processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answerer, "answer", marks_all)
    found = evaluate(untaught, processor, asked, learnt=LEARNT, num_pictures=3, batch_size=100)
    shares = [
        asked.ask(shown, [named]).masks[0].mask_HW.mean()
        for shown in (asked.shown[0], asked.shown[round((len(asked) - 1) / 2)], asked.shown[-1])
        for named in shown.classes
    ]
    due = [share for share in shares if share >= LEAST_SHARE]
    assert len(due) == len(found) > 2
    for number, (named, share) in enumerate(zip(found, due, strict=True)):
        assert named.iou == pytest.approx(0.0 if number % 2 else share)
        assert named.learnt == (named.phrase in LEARNT)


def test_processes_share_the_pictures(
    asked, untaught, processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answerer, "answer", marks_all)

    def ids(**ranks: int) -> list[tuple[str, str, str]]:
        found = evaluate(
            untaught, processor, asked, learnt=LEARNT, num_pictures=4, batch_size=8, **ranks
        )
        return [(named.sample_id, named.modality, named.phrase) for named in found]

    assert sorted(ids(rank=0, ranks=2) + ids(rank=1, ranks=2)) == sorted(ids())


def test_an_untaught_model_is_asked_and_answered_for(asked, untaught, processor) -> None:
    found = evaluate(untaught, processor, asked, learnt=LEARNT, num_pictures=1, batch_size=8)
    assert found
    assert all(0 <= named.iou <= 1 for named in found)


def test_means_tell_names_that_are_new_from_those_learnt() -> None:
    known = {"phrase": "water", "learnt": True}
    found = [
        Named(sample_id="a", source="xbd", modality="optical", iou=0.5, **known),
        Named(sample_id="b", source="own", modality="optical", iou=0.0, **known),
        Named(sample_id="c", source="own", modality="sar", iou=1.0, **known),
        Named(sample_id="c", source="own", modality="sar", phrase="snow", learnt=False, iou=0.1),
    ]
    means = {group.name: (group.classes, group.mean_iou) for group in grouped(found)}
    assert means == {
        "all": (4, 0.4),
        "names that training never asked for": (1, 0.1),
        "names learnt": (3, 0.5),
        "names learnt, own optical": (1, 0.0),
        "names learnt, own sar": (1, 1.0),
        "names learnt, xbd optical": (1, 0.5),
    }
    assert grouped([]) == []


def test_a_card_says_what_was_learnt_from_and_to_what_end() -> None:
    report = {
        "dataset": {"name": "meadows", "digest": "ab" * 32},
        "losses": {"stage1/loss": 1.25},
        "iou": [{"name": "all", "classes": 3, "mean_iou": 0.5}],
        "too_long": {"stage2": {"samples": 2, "first": ["s1", "s2"]}},
    }
    text = card("model", report, TrainSettings(seed=3))
    due = (
        f"`meadows`, {'ab' * 32}",
        "| stage1/loss | 1.2500 |",
        "| all | 3 | 0.500 |",
        "| seed | 3 |",
        "2 samples of stage2 were too long",
        "no model for use",
    )
    for told in due:
        assert told in text
