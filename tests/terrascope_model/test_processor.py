"""Samples become tensors whose every placeholder has its feature."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from terrascope_model.batch import IGNORED
from terrascope_model.feedback import Feedback
from terrascope_model.generate import Decoding, generate
from terrascope_model.model import TerraScopeModel
from terrascope_model.presets import tiny
from terrascope_model.processor import SampleError, TerraScopeProcessor
from terrascope_model.sample import Picture, Sample, StepMask, Turn
from terrascope_model.tokens import ADDED, IMAGE, REGION, train_tokenizer

TEXTS = [
    "Which covers more: water or trees?",
    "<think>I mark water [SEG]. It covers 1,740 pixels.</think><answer>A. water</answer>",
    "Image 2: I mark the trees [SEG].",
]


@pytest.fixture(scope="module")
def made() -> tuple[TerraScopeModel, TerraScopeProcessor]:
    model, processor = tiny(TEXTS, seed=0)
    return model.eval(), processor


@pytest.fixture
def processor(made: tuple[TerraScopeModel, TerraScopeProcessor]) -> TerraScopeProcessor:
    return made[1]


def picture(modality: str = "optical", date_index: int = 0, size: int = 64) -> Picture:
    drawn = np.random.default_rng(size).integers(0, 256, (size, size, 3), np.uint8)
    return Picture(image=Image.fromarray(drawn), modality=modality, date_index=date_index)


def half(size: int = 64) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[:, : size // 2] = True
    return mask


def one(**changes: object) -> Sample:
    given = {
        "sample_id": "s",
        "pictures": (picture(),),
        "question": "Which covers more: water or trees?",
        "options": ("water", "trees"),
        "trace": "<think>I mark water [SEG].</think><answer>A. water</answer>",
        "masks": (StepMask(picture=0, mask_HW=half()),),
    } | changes
    return Sample(**given)  # type: ignore[arg-type]


def test_a_prompt_is_read_and_a_trace_is_learnt(processor: TerraScopeProcessor) -> None:
    encoded = processor.encode(one())
    text = processor.tokenizer.decode(encoded.ids_T)
    assert text == (
        "<|im_start|>user\n<img>" + 64 * "<IMG_CONTEXT>" + "</img>\n"
        "Which covers more: water or trees?\nA. water\nB. trees<|im_end|>\n"
        "<|im_start|>assistant\n<think>I mark water [SEG]" + 16 * "<REGION>" + ".</think>"
        "<answer>A. water</answer><|im_end|>"
    )
    learnt = processor.tokenizer.decode(encoded.labels_T[encoded.labels_T != IGNORED])
    assert learnt == "<think>I mark water [SEG].</think><answer>A. water</answer><|im_end|>"


def test_the_mask_is_the_part_of_each_pixel_that_is_masked(processor: TerraScopeProcessor) -> None:
    (mask,) = processor.encode(one()).masks_Mhw
    assert mask.shape == (32, 32)
    assert torch.equal(mask[:, :16], torch.ones(32, 16))
    assert not mask[:, 16:].any()


def test_a_standardised_picture_has_a_mean_of_0_and_a_deviation_of_1(
    processor: TerraScopeProcessor,
) -> None:
    dark = np.asarray(picture().image) // 4
    bright = Picture(image=Image.fromarray((2 * dark + 30).astype(np.uint8)))
    pictures = (Picture(image=Image.fromarray(dark.astype(np.uint8))), bright)
    one_dark, one_bright = (processor.encode(one(pictures=(each,))) for each in pictures)
    for pixels in (one_dark.tiles_N3SS, one_bright.tiles_N3SS, one_dark.ground_I3GG):
        assert float(pixels.mean()) == pytest.approx(0, abs=1e-5)
        assert float(pixels.std()) == pytest.approx(1, abs=1e-4)


def test_a_question_to_be_answered_is_its_prompt(processor: TerraScopeProcessor) -> None:
    asked = processor.encode(one(trace="", masks=()))
    assert processor.tokenizer.decode(asked.ids_T).endswith("<|im_start|>assistant\n")
    assert (asked.labels_T == IGNORED).all()


@pytest.mark.parametrize(("feedback", "num_tokens"), [("measure", 0), ("both", 16)])
def test_measured_facts_are_read_and_not_learnt(feedback: Feedback, num_tokens: int) -> None:
    """Half of 64 x 64 pixels; what is put in is a text by itself, as decoding has to put it in."""
    _, processor = tiny(TEXTS, seed=0)
    processor.feedback = feedback
    encoded = processor.encode(one())
    facts = " (2,048 of 4,096 pixels, 50 %, 1 separate patch of at least 9 pixels)"
    prompt = processor.encode(one(trace="", masks=())).ids_T
    forced = REGION * num_tokens
    assert encoded.ids_T[len(prompt) :].tolist() == [
        token
        for text in (f"<think>I mark water [SEG]{forced}", facts, ".</think><answer>A. water")
        for token in processor.text_ids(text)
    ] + processor.text_ids("</answer><|im_end|>")
    learnt = processor.tokenizer.decode(encoded.labels_T[encoded.labels_T != IGNORED])
    assert learnt == "<think>I mark water [SEG].</think><answer>A. water</answer><|im_end|>"
    assert [len(tokens) for tokens in encoded.tokens] == [num_tokens]


def test_facts_of_a_turned_sample_are_those_of_the_picture() -> None:
    """Turned by a quarter, a pixel of 10 m x 20 m is one of 20 m x 10 m: nothing else is told."""
    _, processor = tiny(TEXTS, seed=0)
    processor.feedback = "measure"
    pixels = Image.new("RGB", (64, 32))
    mask = np.zeros((32, 64), bool)
    mask[:, :10] = True
    valid = np.ones((32, 64), bool)
    valid[0] = False
    shown = Picture(image=pixels, pixel_size_m=(10.0, 20.0), valid_HW=valid)
    sample = one(pictures=(shown,), masks=(StepMask(picture=0, mask_HW=mask),))
    upright, turned = processor.encode(sample), processor.encode(sample, Turn(1))
    assert torch.equal(upright.ids_T, turned.ids_T)
    text = processor.tokenizer.decode(upright.ids_T)
    assert "(310 of 1,984 pixels, 16 %, 62,000 m², about 6.2 ha, 1 separate patch" in text


def test_without_feedback_nothing_is_put_in(
    made: tuple[TerraScopeModel, TerraScopeProcessor],
) -> None:
    _, processor = tiny(TEXTS, seed=0)
    processor.feedback = "none"
    encoded = processor.encode(one())
    text = processor.tokenizer.decode(encoded.ids_T)
    assert text.endswith("<think>I mark water [SEG].</think><answer>A. water</answer><|im_end|>")
    with torch.no_grad():
        output = made[0](**processor.collate([encoded]))
    assert output.mask_logits.shape == (1, 32, 32)


def test_a_feedback_that_is_none_of_the_four_is_refused(processor: TerraScopeProcessor) -> None:
    parts = (processor.image_processor, processor.tokenizer)
    with pytest.raises(ValueError, match="no feedback 'all'"):
        TerraScopeProcessor(*parts, feedback="all")  # type: ignore[arg-type]


def test_several_images_are_numbered_and_one_tile_each(processor: TerraScopeProcessor) -> None:
    encoded = processor.encode(
        one(
            pictures=(picture(), picture(date_index=1, size=32)),
            trace="Image 2: I mark the trees [SEG].",
            masks=(StepMask(picture=1, mask_HW=half(32)),),
        )
    )
    text = processor.tokenizer.decode(encoded.ids_T)
    assert "Image 1: <img>" in text
    assert "</img>\nImage 2: <img>" in text
    assert encoded.pictures_M == (1,)
    assert encoded.sizes_HW == ((64, 64), (32, 32))
    assert len(encoded.tiles_N3SS) == len(encoded.ground_I3GG) == 2


def test_radar_beside_optical_lends_its_tokens_and_is_not_segmented(
    processor: TerraScopeProcessor,
) -> None:
    encoded = processor.encode(one(pictures=(picture(), picture("sar"))))
    assert encoded.ground == (0, None)
    assert encoded.sar == (1, None)
    assert len(encoded.ground_I3GG) == 1


def test_radar_alone_is_segmented(processor: TerraScopeProcessor) -> None:
    encoded = processor.encode(one(pictures=(picture("sar"),)))
    assert encoded.ground == (0,)
    assert encoded.sar == (None,)


def test_tiles_of_a_wide_image_lie_as_its_layout_says() -> None:
    """Left half black, right half white: of two tiles and a thumbnail each is as it should be."""
    _, processor = tiny(TEXTS, seed=0)
    processor.image_processor.max_patches = 2
    pixels = np.zeros((128, 256, 3), np.uint8)
    pixels[:, 128:] = 255
    wide = Picture(image=Image.fromarray(pixels))
    mask = np.zeros((128, 256), bool)
    mask[:, 128:] = True
    encoded = processor.encode(one(pictures=(wide,), masks=(StepMask(picture=0, mask_HW=mask),)))
    (layout,) = encoded.layouts
    assert (layout.rows, layout.cols, layout.num_tiles) == (1, 2, 3)
    black, white, both = encoded.tiles_N3SS
    assert black.max() < 0 < white.min()
    assert torch.allclose(both[:, 64, 10], black[:, 64, 10])
    assert torch.allclose(both[:, 64, 120], white[:, 64, 120])
    assert all(64 <= token < 128 for token in encoded.tokens[0].tolist())


@pytest.mark.parametrize("turn", [Turn(1), Turn(2, True), Turn(3), Turn(0, True)])
def test_a_turned_sample_is_that_of_the_turned_picture(turn: Turn) -> None:
    """Turning what was prepared, tile by tile, is preparing what was turned."""
    _, processor = tiny(TEXTS, seed=0)
    processor.image_processor.max_patches = 2
    pixels = np.random.default_rng(0).integers(0, 256, (128, 256, 3), np.uint8)
    mask = np.random.default_rng(1).random((128, 256)) < 0.6

    def sample(pixels: np.ndarray, mask: np.ndarray) -> Sample:
        image = Picture(image=Image.fromarray(pixels))
        return one(pictures=(image,), masks=(StepMask(picture=0, mask_HW=mask),))

    upright = np.rot90(pixels, turn.quarters)
    upright = upright[:, ::-1] if turn.mirrored else upright
    due = processor.encode(sample(np.ascontiguousarray(upright), turn.array(mask)))
    found = processor.encode(sample(pixels, mask), turn)
    assert found.layouts == due.layouts
    assert found.sizes_HW == due.sizes_HW
    assert torch.allclose(found.tiles_N3SS, due.tiles_N3SS, atol=0.05)
    assert torch.allclose(found.ground_I3GG, due.ground_I3GG, atol=0.05)
    assert torch.equal(found.masks_Mhw, due.masks_Mhw)
    assert torch.equal(found.tokens[0], due.tokens[0])


def test_batches_of_unlike_samples_are_read(
    made: tuple[TerraScopeModel, TerraScopeProcessor],
) -> None:
    model, processor = made
    samples = [
        one(),
        one(pictures=(picture(), picture("sar"))),
        one(
            pictures=(picture(), picture(date_index=1)),
            trace="I mark water [SEG]. Image 2: I mark the trees [SEG].",
            masks=(
                StepMask(picture=0, mask_HW=half()),
                StepMask(picture=1, mask_HW=np.zeros((64, 64), bool)),
            ),
        ),
    ]
    with torch.no_grad():
        together = model(**processor.collate([processor.encode(s) for s in samples]))
        alone = [model(**processor.collate([processor.encode(s)])) for s in samples]
    assert together.mask_logits.shape == (4, 32, 32)
    masks = torch.cat([output.mask_logits for output in alone])
    assert torch.allclose(together.mask_logits, masks, atol=1e-4)


def test_what_is_asked_together_is_answered_as_alone(
    made: tuple[TerraScopeModel, TerraScopeProcessor],
) -> None:
    model, processor = made
    asked = [one(trace="", masks=()), one(trace="", masks=(), question="Which?")]

    def written(samples: list[Sample]) -> list[list[int]]:
        batch = processor.collate([processor.encode(sample) for sample in samples], left=True)
        rows = generate(
            model,
            batch["ids_BT"],
            batch["attention_BT"],
            batch["seen"],
            Decoding(eos_token_id=processor.tokenizer.eos_token_id, max_new_tokens=5),
        )
        return [row.ids for row in rows]

    assert written(asked) == [written([sample])[0] for sample in asked]


def test_a_processor_is_saved_and_loaded_whole(tmp_path: Path) -> None:
    _, processor = tiny(TEXTS, seed=0)
    processor.feedback = "both"
    processor.save_pretrained(tmp_path)
    loaded = TerraScopeProcessor.from_pretrained(tmp_path)
    assert loaded.feedback == "both"
    ours, its = processor.encode(one()), loaded.encode(one())
    assert torch.equal(ours.ids_T, its.ids_T)
    assert torch.equal(ours.tiles_N3SS, its.tiles_N3SS)
    assert torch.equal(ours.masks_Mhw, its.masks_Mhw)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masks": ()}, r"s: the trace has 1 \[SEG\], the row 0 masks"),
        (
            {"masks": (StepMask(picture=0, mask_HW=half(32)),)},
            r"s: mask 0 is of \(32, 32\) pixels, its image of \(64, 64\)",
        ),
        ({"question": "What is <IMG_CONTEXT>?"}, "s: the question holds the mark <IMG_CONTEXT>"),
        ({"pictures": (), "masks": (), "trace": ""}, "s: there is no picture"),
        ({"masks": (StepMask(picture=2, mask_HW=half()),)}, "s: mask 0 lies on picture 2"),
        (
            {
                "pictures": (picture(), picture("sar")),
                "masks": (StepMask(picture=1, mask_HW=half()),),
            },
            "s: mask 0 lies on picture 1",
        ),
        ({"trace": "I mark water [SEG]<REGION>."}, "s: the trace holds the mark <REGION>"),
        ({"options": ("water", "[SEG]")}, r"s: the question holds the mark \[SEG\]"),
    ],
)
def test_a_sample_that_does_not_agree_with_itself_is_refused(
    processor: TerraScopeProcessor, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(SampleError, match=message):
        processor.encode(one(**changes))


def test_marks_are_tokens_of_their_own_and_digits_too(
    make_model: Callable[..., object],
) -> None:
    tokenizer = train_tokenizer(TEXTS, 400)
    assert all(len(tokenizer.tokenize(mark)) == 1 for mark in (*ADDED, IMAGE, REGION))
    assert tokenizer.tokenize("1,740")[-3:] == ["7", "4", "0"]
    for text in TEXTS:
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
