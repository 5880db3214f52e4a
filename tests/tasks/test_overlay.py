"""The picture that a captioner sees: regions outlined and numbered, with a legend."""

from io import BytesIO

import numpy as np
from PIL import Image

from schemas.program import ClassMask
from schemas.taxonomy import CHATEARTHNET_11
from tasks.captions.overlay import LINE_PX, MIN_SIDE_PX, captioner_picture
from tasks.drawing import PALETTE
from templates.regions import Region


def grey(width: int, height: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (width, height), (90, 90, 90)).save(file, "PNG")
    return file.getvalue()


def region(number: int, name: str) -> Region:
    return Region(
        number=number,
        label=name,
        land=CHATEARTHNET_11[name],
        expr=ClassMask(layer="land_cover", label=name, date=0),
        date_index=0,
    )


def pixels(encoded: bytes) -> np.ndarray:
    with Image.open(BytesIO(encoded)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_a_small_image_is_enlarged_by_a_whole_factor_to_one_tile_at_least() -> None:
    shown = pixels(captioner_picture(grey(120, 120), []))
    assert shown.shape[:2] == (480, 480)
    assert MIN_SIDE_PX <= 480


def test_a_large_image_keeps_its_size_and_gets_a_line_of_legend_a_region() -> None:
    mask_HW = np.zeros((512, 512), bool)
    mask_HW[:100] = True
    marked = [(region(1, "water"), mask_HW), (region(2, "crop"), ~mask_HW)]
    assert pixels(captioner_picture(grey(512, 512), marked)).shape[:2] == (
        512 + 2 * LINE_PX + 8,
        512,
    )


def test_a_region_is_tinted_in_its_own_colour_and_outlined_and_the_rest_is_as_it_was() -> None:
    mask_HW = np.zeros((512, 512), bool)
    mask_HW[100:300, 100:300] = True
    shown = pixels(captioner_picture(grey(512, 512), [(region(1, "water"), mask_HW)]))
    assert np.abs(shown[400, 400] - 90).max() < 6
    inside, edge = shown[150, 150], shown[200, 100]
    assert inside[0] > 100 > inside[2]  # a sixth of vermilion in grey
    assert np.abs(edge - PALETTE[0]).max() < 90


def test_the_number_stands_in_the_thickest_part_of_the_region() -> None:
    mask_HW = np.zeros((512, 512), bool)
    mask_HW[10:14, :] = True  # a thin band, and a block below it
    mask_HW[300:400, 300:400] = True
    shown = pixels(captioner_picture(grey(512, 512), [(region(3, "water"), mask_HW)]))
    block = shown[335:365, 335:365]
    assert block.min() < 60  # the dark rim of the digit
    assert block.max() > 200  # and the digit


def test_the_same_scene_gives_the_same_bytes() -> None:
    mask_HW = np.eye(448, dtype=bool)
    first, second = (
        captioner_picture(grey(448, 448), [(region(1, "water"), mask_HW)]) for _ in range(2)
    )
    assert first == second
