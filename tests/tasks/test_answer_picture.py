"""A picture of an answer shows every mask, and says which words are its."""

from pathlib import Path

import numpy as np

from schemas.scene import Modality
from tasks.answer_picture import answer_picture
from tasks.asked_images import AskedImage
from tasks.drawing import FILL, PALETTE
from tasks.sheet import MARGIN_PX, PANEL_PX, TEXT_PX
from tasks.step_texts import step_texts


def image(number: int) -> AskedImage:
    return AskedImage(
        path=Path(f"{number}.png"),
        rgb_HW3=np.full((16, 16, 3), 100, np.uint8),
        modality=Modality.OPTICAL,
        date_index=number,
        pixel_size_m=None,
        valid_HW=np.ones((16, 16), bool),
    )


def test_each_step_has_a_panel_and_an_image_without_one_is_shown_bare() -> None:
    left = np.zeros((16, 16), bool)
    left[:, :8] = True
    picture = answer_picture(
        [image(0), image(1)],
        [(1, left), (1, ~left)],
        question="Which?",
        options=["water"],
        text="<think>Image 2: I mark water [SEG] and trees [SEG].</think><answer>A</answer>",
        answer="A",
    )
    pixels = np.asarray(picture)
    middle = MARGIN_PX + TEXT_PX + 10 + PANEL_PX // 2

    def at(panel: int, part: float) -> list[int]:
        return pixels[middle, MARGIN_PX + panel * (PANEL_PX + MARGIN_PX) + int(part * PANEL_PX)]

    filled = [np.array(colour) * FILL + 100 * (1 - FILL) for colour in PALETTE[:2]]
    assert np.abs(at(0, 0.25) - filled[0]).max() <= 1
    assert at(0, 0.75).tolist() == [100, 100, 100]
    assert at(1, 0.25).tolist() == [100, 100, 100]
    assert np.abs(at(1, 0.75) - filled[1]).max() <= 1
    assert at(2, 0.25).tolist() == at(2, 0.75).tolist() == [100, 100, 100]


def test_an_answer_without_steps_shows_the_images() -> None:
    picture = answer_picture([image(0)], [], question="?", options=[], text="", answer="")
    assert picture.height > PANEL_PX


def test_a_step_has_the_words_around_its_mark() -> None:
    text = (
        "<think>I look. Image 1: I mark water [SEG] (30 of 400 pixels, 7.5 %). It covers 30 "
        "pixels. Image 2: I mark trees [SEG] (1 of 400 pixels), and crops [SEG]. Both grew.</think>"
        "<answer>Yes</answer>"
    )
    assert step_texts(text) == (
        "I look.",
        [
            "Image 1: I mark water (30 of 400 pixels, 7.5 %). It covers 30 pixels.",
            "Image 2: I mark trees (1 of 400 pixels)",
            "and crops. Both grew.",
        ],
    )


def test_a_text_that_was_cut_off_has_steps_too() -> None:
    assert step_texts("<think>I mark water [SEG] and") == ("", ["I mark water and"])
    assert step_texts("<think>nothing") == ("nothing", [])
