import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.render import (
    encode_png,
    percentile_rgb,
    reflectance_rgb,
    sar_mean_8bit,
    sar_mean_db,
    sar_ratio_8bit,
    sar_ratio_db,
    to_8bit,
)
from tasks.sources.image_files import png_rgb


def plane(*values, dtype=np.float32):
    return np.array([values], dtype=dtype)


def test_limits_map_to_black_and_white_and_what_lies_outside_is_clipped():
    assert to_8bit(plane(-5, 0, 10, 20, 99), 0.0, 20.0).tolist() == [[0, 0, 128, 255, 255]]


def test_nan_is_black():
    assert to_8bit(plane(np.nan, 20), 0.0, 20.0).tolist() == [[0, 255]]


def test_reflectance_of_3000_is_white_and_the_name_says_so():
    red, green, blue = (plane(v, dtype=np.uint16) for v in (3000, 1500, 0))
    rgb_HW3, name = reflectance_rgb(red, green, blue)
    assert rgb_HW3.tolist() == [[[255, 128, 0]]]
    assert name == "b04_b03_b02_reflectance_0_3000"


def test_a_percentile_stretch_keeps_the_balance_of_colours():
    grey_HW3 = np.repeat(np.linspace(100, 300, 101)[None, :, None], 3, axis=2)
    rgb_HW3, name = percentile_rgb(grey_HW3, np.ones((1, 101), dtype=bool))
    assert (rgb_HW3[..., 0] == rgb_HW3[..., 2]).all()
    assert rgb_HW3[0, 50].tolist() == [128, 128, 128]
    assert rgb_HW3[0, 2, 0] == 0
    assert rgb_HW3[0, 98, 0] == 255
    assert name == "percentile_2_98_from_104_to_296"


def test_invalid_pixels_do_not_move_a_percentile_stretch_and_are_black():
    bands_HW3 = np.repeat(np.array([[10.0, 20.0, 1e9]])[..., None], 3, axis=2)
    rgb_HW3, _ = percentile_rgb(bands_HW3, np.array([[True, True, False]]))
    assert rgb_HW3[0, :, 0].tolist() == [0, 255, 0]


def test_one_value_everywhere_becomes_mid_grey():
    rgb_HW3, _ = percentile_rgb(np.full((2, 2, 3), 7.0), np.ones((2, 2), dtype=bool))
    assert set(rgb_HW3.ravel().tolist()) == {128}


def test_the_papers_sar_picture_is_vh_vv_and_their_mean():
    rgb_HW3, name = sar_mean_db(plane(-10.0), plane(-20.0))
    assert rgb_HW3.tolist() == [[[85, 170, 127]]]  # a third, two thirds, half of 30 dB
    assert name == "vh_vv_mean_db_-30_0"


def test_the_calibrated_sar_picture_is_vv_vh_and_their_ratio():
    rgb_HW3, name = sar_ratio_db(plane(-12.5), plane(-19.0))
    assert rgb_HW3.tolist() == [[[128, 128, 110]]]  # half, half, 6.5 of 15 dB
    assert name == "vv_vh_difference_db_-25_0_-32_-6_0_15"


def test_a_tenth_of_a_decibel_shows():
    first, _ = sar_ratio_db(plane(-12.5), plane(-19.0))
    second, _ = sar_ratio_db(plane(-12.4), plane(-19.0))
    assert second[0, 0, 0] == first[0, 0, 0] + 1


def test_8_bit_sar_does_not_wrap_around():
    vv_HW, vh_HW = plane(250, 10, dtype=np.uint8), plane(250, 240, dtype=np.uint8)
    assert sar_mean_8bit(vv_HW, vh_HW)[0].tolist() == [[[250, 250, 250], [240, 10, 125]]]
    assert sar_ratio_8bit(vv_HW, vh_HW)[0].tolist() == [[[250, 250, 128], [10, 240, 0]]]


@given(arrays(np.uint8, st.tuples(st.integers(16, 24), st.integers(16, 24), st.just(3))))
def test_a_png_gives_back_its_pixels_and_the_same_bytes_again(rgb_HW3):
    rgb_HW3[0, 0] = (0, 255, 7)  # never blank
    encoded = encode_png(rgb_HW3)
    assert np.array_equal(png_rgb(encoded, "a.png"), rgb_HW3)
    assert encode_png(rgb_HW3.copy()) == encoded


@pytest.mark.parametrize("dtype", [np.uint16, np.float64, np.int16])
def test_any_kind_of_number_can_be_stretched(dtype):
    assert to_8bit(np.array([[0, 100]], dtype=dtype), 0.0, 100.0).tolist() == [[0, 255]]
