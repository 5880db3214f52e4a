"""How close-up pictures are shaded, and how the planet's pictures are stored."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tasks.planet.pictures import write_picture
from tasks.planet.tone import dimmed


def test_light_is_dimmed_by_channel_where_the_mask_is_full_and_in_part_beside_it() -> None:
    image = np.full((1, 3, 3), 200, np.uint8)
    mask = np.array([[0, 255, 128]], np.uint8)
    left = dimmed(image, (0.5, 0.6, 0.7), mask)
    assert left[0, 0].tolist() == [200, 200, 200]
    assert left[0, 1].tolist() == pytest.approx([100, 120, 140], abs=1)
    assert left[0, 2].tolist() == pytest.approx([150, 160, 170], abs=1)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_picture_comes_back_as_it_was(tmp_path: Path, suffix: str) -> None:
    colours = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    write_picture(tmp_path / f"colours{suffix}", colours)
    stored = cv2.imread(str(tmp_path / f"colours{suffix}"), cv2.IMREAD_UNCHANGED)
    assert stored is not None
    assert np.array_equal(stored[:, :, ::-1], colours)
    write_picture(tmp_path / f"grey{suffix}", colours[:, :, 0])
    grey = cv2.imread(str(tmp_path / f"grey{suffix}"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(grey, colours[:, :, 0])


def test_a_picture_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot write"):
        write_picture(tmp_path / "no folder" / "a.png", np.zeros((4, 4), np.uint8))
