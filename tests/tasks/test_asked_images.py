"""Images that are asked about are shown as a build shows them, and what cannot be is told."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image

from tasks.asked_images import read_asked
from tasks.errors import UserError

UTM = {"crs": "EPSG:32632", "transform": Affine(10, 0, 500_000, 0, -20, 5_000_000)}


def tiff(path: Path, bands: np.ndarray, names: tuple[str, ...] = (), **options: object) -> Path:
    count, height, width = bands.shape
    given = {"dtype": bands.dtype, "count": count, "height": height, "width": width} | UTM | options
    with rasterio.open(path, "w", driver="GTiff", **given) as file:
        file.write(bands)
        for number, name in enumerate(names, start=1):
            file.set_band_description(number, name)
    return path


def png(path: Path, width: int = 20, height: int = 16, mode: str = "RGB") -> Path:
    Image.new(mode, (width, height), "grey").save(path)
    return path


def flat(*values: float, kind: str = "uint16", side: int = 16) -> np.ndarray:
    return np.stack([np.full((side, side), value, kind) for value in values])


def test_reflectance_is_stretched_as_a_build_does_it(tmp_path: Path) -> None:
    """Of 3000, 1500 is half: 127.5, rounded to even."""
    (image,) = read_asked([tiff(tmp_path / "s2.tif", flat(3000, 1500, 0, 9))], [])
    assert image.rgb_HW3[0, 0].tolist() == [255, 128, 0]
    assert image.pixel_size_m == (10.0, 20.0)
    assert image.valid_HW.all()


def test_bands_are_found_by_their_names(tmp_path: Path) -> None:
    path = tiff(tmp_path / "s2.tif", flat(9, 0, 1500, 3000), ("B01", "B02", "B03", "B04"))
    (image,) = read_asked([path], [])
    assert image.rgb_HW3[0, 0].tolist() == [255, 128, 0]


def test_pixels_without_a_value_are_not_valid(tmp_path: Path) -> None:
    bands = flat(3000, 1500, 700)
    bands[:, :4] = 65535
    (image,) = read_asked([tiff(tmp_path / "s2.tif", bands, nodata=65535)], [])
    assert not image.valid_HW[:4].any()
    assert image.valid_HW[4:].all()


def test_radar_is_vv_vh_and_their_difference_in_decibels(tmp_path: Path) -> None:
    """VV of -25 to 0, VH of -32 to -6, difference of 0 to 15."""
    (image,) = read_asked([], [tiff(tmp_path / "s1.tif", flat(0, -6, kind="float32"))])
    assert image.rgb_HW3[0, 0].tolist() == [255, 255, 102]
    assert (image.modality, image.date_index) == ("sar", 0)


def test_radar_is_shown_as_the_paper_does_where_the_model_learnt_it_so(tmp_path: Path) -> None:
    """VH, VV and their mean, all of -30 to 0: -6 is 204 of 255, 0 is 255."""
    bands = flat(0, -6, kind="float32")
    (image,) = read_asked([], [tiff(tmp_path / "s1.tif", bands)], "vh_vv_mean")
    first, second, mean = image.rgb_HW3[0, 0].tolist()
    assert (first, second) == (204, 255)
    assert mean in (229, 230)


def test_radar_of_one_band_is_grey(tmp_path: Path) -> None:
    bands = np.linspace(-20, 0, 256, dtype="float32").reshape(1, 16, 16)
    (image,) = read_asked([], [tiff(tmp_path / "vv.tif", bands)])
    assert (np.ptp(image.rgb_HW3, axis=2) == 0).all()
    assert image.rgb_HW3.min() == 0
    assert image.rgb_HW3.max() == 255


def test_a_picture_without_a_place_has_no_pixel_size(tmp_path: Path) -> None:
    (image,) = read_asked([png(tmp_path / "a.png")], [])
    assert image.pixel_size_m is None
    assert image.rgb_HW3.shape == (16, 20, 3)


def test_dates_come_in_the_order_given_and_radar_stands_behind(tmp_path: Path) -> None:
    optical = [png(tmp_path / name) for name in ("b.png", "a.png")]
    sar = [png(tmp_path / name) for name in ("s.png", "r.png")]
    images = read_asked(optical, sar)
    assert [(image.path.name, str(image.modality), image.date_index) for image in images] == [
        ("b.png", "optical", 0),
        ("a.png", "optical", 1),
        ("s.png", "sar", 0),
        ("r.png", "sar", 1),
    ]


def test_what_cannot_be_read_is_named_with_what_to_do(tmp_path: Path) -> None:
    whole, other = png(tmp_path / "a.png"), png(tmp_path / "b.png", width=30)
    broken = tmp_path / "broken.png"
    broken.write_bytes(whole.read_bytes()[:60])
    text = tmp_path / "text.tif"
    text.write_text("http://example.org")
    two = tiff(tmp_path / "two.tif", flat(1, 2))
    three = tiff(tmp_path / "three.tif", flat(1, 2, 3))
    cases = [
        ([], [], "needs an image"),
        ([tmp_path / "none.png"], [], "none.png: no such file"),
        ([tmp_path / "x.gif"], [], "x.gif: no such file"),
        ([broken], [], f"{broken}: .*ask reads PNG and JPEG of 8-bit RGB, and GeoTIFF"),
        ([text], [], f"{text}: starts with .* points elsewhere"),
        ([png(tmp_path / "grey.png", mode="L")], [], "grey.png: 8-bit grey PNG; expected 8-bit"),
        ([png(tmp_path / "s.png", 8, 8)], [], "s.png: 8 x 8 px; at least 16"),
        ([two], [], "two.tif: 2 bands; an optical image has three or more, and radar is given"),
        ([], [three], "three.tif: 3 bands; radar has one, or two"),
        ([whole], [whole, whole], "2 radar images for 1 dates"),
        ([whole], [other], r"b.png: 30 x 16 px; .*a.png, of the same date, has 20 x 16"),
    ]
    for optical, sar, message in cases:
        with pytest.raises(UserError, match=message):
            read_asked(optical, sar)


def test_a_file_that_is_no_image_by_its_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("")
    with pytest.raises(UserError, match=r"notes.txt: no image by its name; expected \.png"):
        read_asked([path], [])


def test_a_link_to_an_image_is_followed(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    link = tmp_path / "link.png"
    link.symlink_to(png(tmp_path / "far" / "a.png"))
    (image,) = read_asked([link], [])
    assert image.rgb_HW3.shape == (16, 20, 3)
