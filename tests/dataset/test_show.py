"""A picture of a sample shows its images with each step's mask in its colour."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from masks.rle import decode, encode
from schemas.mask import MaskKind, SceneMask
from schemas.program import Instances, dump_program
from tasks.drawing import PALETTE, enlarged, outline_path, overlaid
from tasks.errors import UserError
from tasks.manifest import ManifestError
from tasks.parts import parts_of
from tasks.rows import read_rows
from tasks.show import show


def test_a_sample_is_drawn_with_its_masks_in_colour(dataset, tmp_path):
    show(dataset, "land-000-10", tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    seen = {tuple(colour) for colour in np.unique(pixels, axis=0).tolist()}
    assert set(PALETTE[:4]) <= seen
    assert not set(PALETTE[4:]) & seen


def test_the_same_sample_is_the_same_picture(dataset, tmp_path):
    show(dataset, "storm-001-02", tmp_path / "x.png")
    show(dataset, "storm-001-02", tmp_path / "y.png")
    assert (tmp_path / "x.png").read_bytes() == (tmp_path / "y.png").read_bytes()


def test_a_sample_that_is_not_there_is_named(dataset, tmp_path):
    with pytest.raises(UserError, match="holds no sample 'nowhere'"):
        show(dataset, "nowhere", tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


def test_a_folder_that_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="holds no manifest"):
        show(tmp_path, "land-000-10", tmp_path / "x.png")


def test_a_mask_is_filled_and_outlined_and_the_rest_is_left_alone():
    ground_HW3 = np.full((40, 60, 3), 100, dtype=np.uint8)
    mask_HW = np.zeros((40, 60), dtype=np.bool_)
    mask_HW[10:30, 20:40] = True
    shown_HW3 = overlaid(ground_HW3, [(mask_HW, (200, 0, 100))])
    assert np.array_equal(shown_HW3[:, :15], ground_HW3[:, :15])
    assert shown_HW3[20, 30].tolist() == [138, 62, 100]  # 62 % ground, 38 % colour
    assert (200, 0, 100) in {tuple(pixel) for pixel in shown_HW3[20].tolist()}


def test_enlarging_repeats_every_pixel():
    tiny = np.array([[1, 2]], dtype=np.uint8)
    assert enlarged(tiny, 2).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]


def test_two_objects_that_touch_have_an_outline_each():
    parts_HW = np.zeros((40, 60), dtype=np.int32)
    parts_HW[10:30, 10:30], parts_HW[10:30, 30:50] = 1, 2
    shown_HW3 = overlaid(np.full((40, 60, 3), 100, dtype=np.uint8), [(parts_HW, (200, 0, 100))])
    assert shown_HW3[20, 30].tolist() == [200, 0, 100]  # the wall between them
    assert outline_path(parts_HW).count("M") == 2


def test_of_a_mask_smaller_than_its_objects_the_parts_are_cut_and_the_later_lies_on_top():
    first, second, cut = np.zeros((3, 4, 4), dtype=bool)
    first[:, :3], second[:, 2:], cut[1:3] = True, True, True
    objects = [
        SceneMask(
            kind=MaskKind.INSTANCE, layer="roofs", label="roof", date_index=0, counts=encode(shape)
        )
        for shape in (first, second)
    ]
    row = SimpleNamespace(evidence=SimpleNamespace(masks=objects))
    program = dump_program(Instances(layer="roofs", label="roof", date=0))
    mask = SimpleNamespace(counts=encode(cut).decode(), size=(4, 4), program=program)
    assert parts_of(row, mask).tolist() == [[0] * 4, [2, 2, 3, 3], [2, 2, 3, 3], [0] * 4]


def test_the_parts_of_a_step_on_objects_are_the_objects(finished):
    path = finished / "data" / "l1" / "xbd-train-b00.parquet"
    row = next(iter(read_rows(path, {"storm-000-01"}).values()))
    everything, destroyed = (parts_of(row, mask) for mask in row.masks)
    mask = row.masks[0]
    assert np.array_equal(everything > 0, decode(mask.counts.encode(), mask.size))
    assert len(np.unique(everything)) - 1 == 12
    assert len(np.unique(destroyed)) - 1 == 2
