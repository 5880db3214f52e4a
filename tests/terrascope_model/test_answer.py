"""A saved model answers: words, masks, and what follows them, alone as in a batch."""

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from schemas.trace import SEG
from terrascope_model.answer import Answer, Answerer, Asking, ModelFolderError, answer_of
from terrascope_model.batch import IGNORED
from terrascope_model.feedback import Feedback, last_facts_text
from terrascope_model.frames import named_image
from terrascope_model.presets import tiny
from terrascope_model.sample import Picture, Sample, StepMask
from terrascope_model.tokens import REGION
from tests.terrascope_model.conftest import untied

TEXTS = ["Which covers more?", "Image 2: I mark the trees [SEG].", "1 2 3 4 5 6 7 8 9 0 m² × §"]
TRACE = (
    "<think>Image 1: I mark the trees [SEG]. Image 2: I mark water [SEG] and trees [SEG].</think>"
    "<answer>A. trees</answer>"
)


def picture(modality: str = "optical", date_index: int = 0, **known: object) -> Picture:
    drawn = np.random.default_rng(date_index).integers(0, 256, (40, 48, 3), np.uint8)
    return Picture(
        image=Image.fromarray(drawn),
        modality=modality,
        date_index=date_index,
        **known,  # type: ignore[arg-type]
    )


PICTURES = {
    "optical": (picture(pixel_size_m=(10.0, 10.0)),),
    "SAR": (picture("sar"),),
    "optical and SAR": (picture(), picture("sar")),
    "two dates": (picture(), picture(date_index=1)),
    "three dates": (picture(), picture(date_index=1), picture(date_index=2)),
    "two dates of two sensors": (
        picture(),
        picture(date_index=1),
        picture("sar"),
        picture("sar", 1),
    ),
}


def asked(name: str) -> Sample:
    return Sample(sample_id=name, pictures=PICTURES[name], question="Which covers more?")


@pytest.fixture(scope="module")
def random() -> Answerer:
    """Writes nonsense, and [SEG] now and then."""
    model, processor = tiny(TEXTS, seed=0)
    seg_id = processor.tokenizer.convert_tokens_to_ids(SEG)
    untied(model)
    for module in model.vlm.model.language_model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)  # else one token is written for ever
    with torch.no_grad():
        nn.init.normal_(model.get_input_embeddings().weight)
        nn.init.normal_(model.vlm.lm_head.weight, std=0.2)
        model.vlm.lm_head.weight[seg_id] = 0
        model.vlm.lm_head.weight[seg_id, 0] = 8
    return Answerer(model, processor)


class Scripted(nn.Module):
    """A head that writes one text, whatever was seen: its next token has the highest score."""

    def __init__(self, ids: list[int], vocab_size: int) -> None:
        super().__init__()
        self._ids, self._vocab_size = iter(ids), vocab_size

    def forward(self, hidden_BD: torch.Tensor) -> torch.Tensor:
        scores = torch.zeros(len(hidden_BD), self._vocab_size)
        scores[:, next(self._ids)] = 1
        return scores


@pytest.fixture
def scripted() -> Answerer:
    """Writes one trace on two dates, with all that is put in after a [SEG]."""
    model, processor = tiny([TRACE], seed=0)
    processor.feedback = model.config.feedback = "both"
    ids = processor.text_ids(TRACE + "<|im_end|>")
    model.vlm.lm_head = Scripted(ids, len(processor.tokenizer))
    return Answerer(model, processor)


def same(one: Answer, other: Answer) -> bool:
    masks = zip(one.masks, other.masks, strict=True)
    return (one.text, one.answer, one.ended) == (other.text, other.answer, other.ended) and all(
        a.picture == b.picture and np.array_equal(a.mask_HW, b.mask_HW) for a, b in masks
    )


@pytest.mark.parametrize("feedback", get_args(Feedback))
def test_questions_asked_together_are_answered_as_alone(
    random: Answerer, feedback: Feedback
) -> None:
    asking = Asking(max_new_tokens=20, max_masks=3, feedback=feedback)
    samples = [asked(name) for name in PICTURES]
    together = random.answer(samples, asking)
    for sample, answer in zip(samples, together, strict=True):
        (alone,) = random.answer([sample], asking)
        assert same(answer, alone)
        assert answer.text.count(SEG) == len(answer.masks)
        assert ("of 1,920 pixels" in answer.text) == (
            feedback in ("measure", "both") and bool(answer.masks)
        )
    assert sum(len(answer.masks) for answer in together) > 4, "or nothing was tested"


def test_named_classes_are_segmented_together_as_alone(random: Answerer) -> None:
    """Each has a picture of its own, whatever the length of its name."""
    pictures, phrases = [picture(), picture("sar", 1)], ["trees", "a much longer name of water"]
    together = random.segment(pictures, phrases)
    for one, shown, phrase in zip(together, pictures, phrases, strict=True):
        (alone,) = random.segment([shown], [phrase])
        assert one.mask_HW.shape == (40, 48)
        assert (one.mask_HW == alone.mask_HW).all()
        assert one.confidence == pytest.approx(alone.confidence, abs=1e-5)
        assert (one.confidence > 0.5) == bool(one.mask_HW.any())


def test_a_picture_asked_about_in_turn_is_encoded_once(
    random: Answerer, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []
    encode = random.model.ground.encode
    monkeypatch.setattr(
        random.model.ground, "encode", lambda images: encoded.append(len(images)) or encode(images)
    )
    first, second = picture(), picture(date_index=1)
    assert first.image.tobytes() != second.image.tobytes()
    together = random.segment([first, first, second, first], ["water", "town", "town", "water"])
    assert encoded == [3]
    assert (together[0].mask_HW == together[3].mask_HW).all()


def test_what_is_streamed_is_the_answer(random: Answerer) -> None:
    asking = Asking(max_new_tokens=40, feedback="both")
    *events, whole = random.stream(asked("optical"), asking)
    (due,) = random.answer([asked("optical")], asking)
    assert isinstance(whole, Answer)
    assert same(whole, due)
    assert "".join(event for event in events if isinstance(event, str)) == whole.text
    assert [event for event in events if isinstance(event, StepMask)] == [*whole.masks]
    for at, event in enumerate(events):
        if isinstance(event, StepMask):
            assert str(events[at - 1]).endswith(SEG)


def test_masks_lie_on_the_images_that_the_trace_names_and_are_told_of(
    scripted: Answerer,
) -> None:
    (answer,) = scripted.answer([asked("two dates")])
    assert answer.ended
    assert answer.answer == "A. trees"
    assert [mask.picture for mask in answer.masks] == [0, 1, 1]
    words = answer.text
    for number in range(3):
        told = last_facts_text(answer.masks[: number + 1], PICTURES["two dates"])
        assert f"{SEG}{told}" in words
        words = words.replace(f"{SEG}{told}", SEG, 1)
    assert words == TRACE


def test_what_is_read_in_decoding_is_what_training_reads(scripted: Answerer) -> None:
    """The answer made a sample to learn has the very ids that were put in."""
    (answer,) = scripted.answer([asked("two dates")])
    sample = replace(asked("two dates"), trace=TRACE, masks=answer.masks)
    encoded = scripted.processor.encode(sample)
    text = scripted.processor.tokenizer.decode(encoded.ids_T).replace(REGION, "")
    assert text.endswith(answer.text + "<|im_end|>")
    learnt = encoded.labels_T[encoded.labels_T != IGNORED]
    assert scripted.processor.tokenizer.decode(learnt) == TRACE + "<|im_end|>"


@pytest.mark.parametrize("feedback", ["measure", "none"])
def test_a_saved_model_answers_as_before(
    random: Answerer, tmp_path: Path, feedback: Feedback
) -> None:
    random.model.config.feedback = random.processor.feedback = feedback
    random.model.save_pretrained(tmp_path)
    random.processor.save_pretrained(tmp_path)
    loaded = Answerer.from_pretrained(tmp_path)
    asking = Asking(max_new_tokens=20)
    samples = [asked("optical and SAR")]
    assert same(random.answer(samples, asking)[0], loaded.answer(samples, asking)[0])
    assert loaded.model.config.feedback == feedback


def saved(answerer: Answerer, folder: Path) -> Path:
    answerer.model.save_pretrained(folder)
    answerer.processor.save_pretrained(folder)
    return folder


def test_a_folder_that_holds_no_model_of_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"none: no such folder"):
        Answerer.from_pretrained(tmp_path / "none")
    with pytest.raises(ModelFolderError, match=r"there is no config\.json"):
        Answerer.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(ModelFolderError, match=r"config\.json: no model's configuration"):
        Answerer.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelFolderError, match="type 'bert'; expected 'terrascope'"):
        Answerer.from_pretrained(tmp_path)


def test_a_model_that_is_not_whole_is_refused(random: Answerer, tmp_path: Path) -> None:
    folder = saved(random, tmp_path)
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFolderError, match="the model cannot be loaded"):
        Answerer.from_pretrained(folder)
    weights.unlink()
    (folder / "pytorch_model.bin").write_bytes(b"never unpickled")
    with pytest.raises(ModelFolderError, match="the model cannot be loaded"):
        Answerer.from_pretrained(folder)
    weights.write_bytes(whole)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelFolderError, match="the model cannot be loaded"):
        Answerer.from_pretrained(folder)


def test_weights_of_another_configuration_are_refused(random: Answerer, tmp_path: Path) -> None:
    path = saved(random, tmp_path) / "config.json"
    config = json.loads(path.read_text())
    config["vlm_config"]["text_config"]["intermediate_size"] = 64
    path.write_text(json.dumps(config))
    with pytest.raises(ModelFolderError, match="the model cannot be loaded"):
        Answerer.from_pretrained(tmp_path)


def test_a_processor_for_another_feedback_is_refused(random: Answerer, tmp_path: Path) -> None:
    path = saved(random, tmp_path) / "processor_config.json"
    config = json.loads(path.read_text()) | {"feedback": "both"}
    path.write_text(json.dumps(config))
    with pytest.raises(ModelFolderError, match="its processor for 'both'"):
        Answerer.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("<think>I mark [SEG].</think><answer>A. water</answer>", "A. water"),
        ("<think>I mark [SEG].</think><caption>Mostly water.</caption>", "Mostly water."),
        ("<think>I mark [SEG].</think><answer>A. wat", ""),
        ("<think>on and on", ""),
    ],
)
def test_the_answer_is_what_stands_in_its_marks(text: str, due: str) -> None:
    assert answer_of(text) == due


@pytest.mark.parametrize(
    ("written", "due"),
    [
        ("<think>I mark the trees [SEG]", None),
        ("Image 3: I mark the trees [SEG]", 2),
        ("Image 1: I mark trees [SEG]. Image 12: I mark trees [SEG]", 11),
        ("Image 2: I mark trees that were not yet there in image 1 [SEG]", 1),
        ("Image 2: I mark the trees [SEG]. I mark water [SEG]", 1),
        ("Image 0: I mark the trees [SEG]", -1),
    ],
)
def test_a_step_is_about_the_image_named_last(written: str, due: int | None) -> None:
    assert named_image(written) == due
