import io
import json
import os
import struct
import tempfile
import zlib
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from schemas.rejection import Reason, Refusal
from tasks.sources.json_fields import as_text
from tasks.sources.safe_files import Archive, safe_path

GRADIENT_HW3 = np.dstack([np.tile(np.arange(20, dtype=np.uint8), (20, 1))] * 3)
VRT = """<VRTDataset rasterXSize="16" rasterYSize="16"><VRTRasterBand dataType="Byte" band="1">
<SimpleSource><SourceFilename>/etc/hostname</SourceFilename></SimpleSource>
</VRTRasterBand></VRTDataset>"""


def refusal_of(call, *args):
    with pytest.raises(Refusal) as caught:
        call(*args)
    return caught.value


def path_or_refusal(root, name):
    try:
        return safe_path(root, name)
    except Refusal as refusal:
        return refusal


def png_claiming(width, height):
    """A PNG whose header claims a size, with next to no pixels behind it."""

    def chunk(kind, body):
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    "name",
    [
        "../secret.txt",
        "a/../../secret.txt",
        "a/..",
        "/etc/passwd",
        "C:/secret.txt",
        "..\\secret.txt",
        "",
        "a\0b",
        "\ud800.png",
    ],
)
def test_a_name_that_leaves_the_archive_is_refused(tmp_path, name):
    assert refusal_of(Archive(tmp_path).read_bytes, name).reason is Reason.UNSAFE_PATH


def test_a_link_out_of_the_archive_is_refused_and_one_inside_is_followed(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    root = tmp_path / "archive"
    root.mkdir()
    (root / "a.txt").write_text("a")
    (root / "inside.txt").symlink_to(root / "a.txt")
    (root / "outside.txt").symlink_to(tmp_path / "secret.txt")
    (root / "folder").symlink_to(tmp_path)
    archive = Archive(root)
    assert archive.read_bytes("inside.txt") == b"a"
    assert refusal_of(archive.read_bytes, "outside.txt").reason is Reason.UNSAFE_PATH
    assert refusal_of(archive.read_bytes, "folder/secret.txt").reason is Reason.UNSAFE_PATH
    assert refusal_of(archive.has, "folder/secret.txt").reason is Reason.UNSAFE_PATH


def test_an_archive_may_itself_be_reached_through_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text("a")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Archive(tmp_path / "link").read_bytes("a.txt") == b"a"


@given(st.lists(st.sampled_from(["..", ".", "a", "b", "", "~", "/"]), max_size=6))
def test_no_name_ever_resolves_outside_the_root(parts):
    root = Path(os.path.realpath(tempfile.gettempdir()))
    resolved = path_or_refusal(root, "/".join(parts))
    if isinstance(resolved, Refusal):
        assert resolved.reason is Reason.UNSAFE_PATH
    else:
        assert resolved.is_relative_to(root)


def test_missing_files_and_what_is_no_plain_file_are_told_apart(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    archive = Archive(tmp_path)
    assert refusal_of(archive.read_bytes, "none.txt").reason is Reason.MISSING_FILE
    assert refusal_of(archive.read_bytes, "pipe").reason is Reason.UNREADABLE_FILE
    assert refusal_of(archive.read_bytes, "folder").reason is Reason.UNREADABLE_FILE


def test_what_is_read_is_digested_once_by_name(tmp_path):
    (tmp_path / "b.txt").write_bytes(b"b")
    (tmp_path / "a.txt").write_bytes(b"a")
    archive = Archive(tmp_path)
    for name in ("b.txt", "a.txt", "b.txt"):
        archive.read_bytes(name)
    assert [file.path for file in archive.files] == ["a.txt", "b.txt"]
    assert archive.files[1].sha256 == sha256(b"b").hexdigest()


def test_a_file_over_the_ceiling_is_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"12345")
    archive = Archive(tmp_path)
    assert archive.read_bytes("a.txt", 5) == b"12345"
    assert refusal_of(archive.read_bytes, "a.txt", 4).reason is Reason.TOO_LARGE


def test_a_whole_png_gives_its_pixels_and_its_own_bytes(tmp_path, write_png):
    path = write_png(tmp_path / "a.png", GRADIENT_HW3)
    rgb_HW3, encoded = Archive(tmp_path).read_png_rgb("a.png")
    assert np.array_equal(rgb_HW3, GRADIENT_HW3)
    assert encoded == path.read_bytes()


def test_red_comes_first(tmp_path, write_png):
    red_HW3 = np.zeros((16, 16, 3), dtype=np.uint8)
    red_HW3[..., 0] = 200
    write_png(tmp_path / "a.png", red_HW3)
    assert Archive(tmp_path).read_png_rgb("a.png")[0][0, 0].tolist() == [200, 0, 0]


@pytest.mark.parametrize("keep", [4, 30, 60, 0.5, 0.98])
def test_a_truncated_png_is_unreadable(tmp_path, write_png, keep):
    noise_HW3 = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = write_png(tmp_path / "a.png", noise_HW3)
    content = path.read_bytes()
    path.write_bytes(content[: keep if isinstance(keep, int) else int(len(content) * keep)])
    assert refusal_of(Archive(tmp_path).read_png_rgb, "a.png").reason is Reason.UNREADABLE_FILE


@pytest.mark.parametrize("mode", ["P", "L", "LA", "RGBA", "1", "I;16"])
def test_other_pixel_formats_than_8_bit_rgb_are_refused(tmp_path, mode):
    base = Image.fromarray(GRADIENT_HW3[..., 0].astype(np.uint16) * 256)
    picture = base if mode == "I;16" else Image.fromarray(GRADIENT_HW3).convert(mode)
    picture.save(tmp_path / "a.png")
    refusal = refusal_of(Archive(tmp_path).read_png_rgb, "a.png")
    assert refusal.reason is Reason.WRONG_PIXEL_FORMAT


def test_16_bit_rgb_is_refused_and_not_cut_to_8(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), GRADIENT_HW3.astype(np.uint16) * 256)
    refusal = refusal_of(Archive(tmp_path).read_png_rgb, "a.png")
    assert refusal.reason is Reason.WRONG_PIXEL_FORMAT
    assert "16-bit RGB" in refusal.detail


@pytest.mark.parametrize("value", [0, 255])
def test_placeholders_are_refused_but_one_grey_is_an_image(tmp_path, write_png, value):
    write_png(tmp_path / "blank.png", np.full((16, 16, 3), value, dtype=np.uint8))
    write_png(tmp_path / "grey.png", np.full((16, 16, 3), 7, dtype=np.uint8))
    archive = Archive(tmp_path)
    assert refusal_of(archive.read_png_rgb, "blank.png").reason is Reason.BLANK_IMAGE
    assert archive.read_png_rgb("grey.png")[0].max() == 7


def test_small_and_enormous_images_are_refused_by_their_header(tmp_path, write_png):
    write_png(tmp_path / "small.png", np.full((1, 1, 3), 7, dtype=np.uint8))
    (tmp_path / "huge.png").write_bytes(png_claiming(60_000, 60_000))
    archive = Archive(tmp_path)
    assert refusal_of(archive.read_png_rgb, "small.png").reason is Reason.TOO_SMALL
    huge = refusal_of(archive.read_png_rgb, "huge.png")
    assert huge.reason is Reason.TOO_LARGE
    assert "60000 x 60000" in huge.detail


def test_a_jpeg_is_read_where_both_kinds_are_due_and_refused_where_it_is_cut(tmp_path):
    smooth_HW3 = np.full((64, 64, 3), 90, dtype=np.uint8)
    Image.fromarray(smooth_HW3).save(tmp_path / "a.jpg", quality=95)
    archive = Archive(tmp_path)
    rgb_HW3, encoded = archive.read_rgb("a.jpg")
    assert np.abs(rgb_HW3.astype(int) - 90).max() <= 2
    assert encoded == (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(encoded[:-40])
    assert refusal_of(archive.read_rgb, "cut.jpg").reason is Reason.UNREADABLE_FILE
    assert refusal_of(archive.read_png_rgb, "a.jpg").reason is Reason.UNREADABLE_FILE


def test_a_label_map_may_be_all_one_value(tmp_path, write_png):
    write_png(tmp_path / "a.png", np.zeros((16, 16), dtype=np.uint8))
    assert not Archive(tmp_path).read_png_grey("a.png").any()


@pytest.mark.parametrize("text", ['{"a": 1', "", "\x00\x01", "[" * 100_000, '{"a": tru}'])
def test_broken_json_is_unreadable(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert refusal_of(Archive(tmp_path).read_json, "a.json").reason is Reason.UNREADABLE_FILE


def test_json_that_is_not_utf_8_is_unreadable(tmp_path):
    (tmp_path / "a.json").write_bytes(b'{"a": "\xff"}')
    assert refusal_of(Archive(tmp_path).read_json, "a.json").reason is Reason.UNREADABLE_FILE


def test_json_comes_as_it_is(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"a": [1, None]}))
    assert Archive(tmp_path).read_json("a.json") == {"a": [1, None]}


def test_a_band_comes_with_its_grid(tmp_path, write_tiff):
    values_HW = np.arange(20 * 16, dtype=np.uint16).reshape(20, 16)
    write_tiff(tmp_path / "a.tif", values_HW, nodata=7)
    raster = Archive(tmp_path).read_band("a.tif")
    assert np.array_equal(raster.values_HW, values_HW)
    assert raster.bounds == (331200.0, 5331400.0, 331360.0, 5331600.0)
    assert raster.crs.to_epsg() == 32633
    assert raster.nodata == 7


@pytest.mark.parametrize(
    "text",
    [
        VRT,
        '<?xml version="1.0"?>\n' + VRT,
        "\n  " + VRT,
        "/vsicurl/https://example.org/a.tif",
        "https://example.org/a.tif",
        '<GDAL_WMS><Service name="TMS"></Service></GDAL_WMS>',
    ],
)
def test_a_raster_that_points_elsewhere_is_never_opened(tmp_path, text):
    (tmp_path / "a.tif").write_text(text)
    assert refusal_of(Archive(tmp_path).read_band, "a.tif").reason is Reason.EXTERNAL_REFERENCE


def test_what_is_no_tiff_and_no_reference_is_unreadable(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"\x00" * 64)
    (tmp_path / "empty.tif").write_bytes(b"")
    archive = Archive(tmp_path)
    assert refusal_of(archive.read_band, "a.tif").reason is Reason.UNREADABLE_FILE
    assert refusal_of(archive.read_band, "empty.tif").reason is Reason.UNREADABLE_FILE


@pytest.mark.parametrize("keep", [8, 0.1, 0.5, 0.9])
def test_a_truncated_tiff_is_unreadable(tmp_path, write_tiff, keep):
    noise_HW = np.random.default_rng(0).integers(1, 9999, (120, 120), dtype=np.uint16)
    path = write_tiff(tmp_path / "a.tif", noise_HW)
    content = path.read_bytes()
    path.write_bytes(content[: keep if isinstance(keep, int) else int(len(content) * keep)])
    assert refusal_of(Archive(tmp_path).read_band, "a.tif").reason is Reason.UNREADABLE_FILE


def test_a_tiff_of_60_000_pixels_a_side_is_refused_by_its_header(tmp_path):
    # a sparse file: its header claims 3.6 gigapixels, its blocks were never written
    with rasterio.open(
        tmp_path / "a.tif",
        "w",
        driver="GTiff",
        count=1,
        dtype="uint8",
        height=60_000,
        width=60_000,
        crs="EPSG:32633",
        transform=Affine(10.0, 0.0, 331200.0, 0.0, -10.0, 5331600.0),
        tiled=True,
        SPARSE_OK=True,
    ):
        pass
    refusal = refusal_of(Archive(tmp_path).read_band, "a.tif")
    assert refusal.reason is Reason.TOO_LARGE
    assert "60000 x 60000" in refusal.detail


def test_a_sidecar_beside_a_raster_changes_nothing(tmp_path, write_tiff):
    write_tiff(tmp_path / "a.tif", np.full((16, 16), 3, dtype=np.uint8))
    (tmp_path / "a.tif.aux.xml").write_text(
        "<PAMDataset><PAMRasterBand band='1'><NoDataValue>3</NoDataValue></PAMRasterBand>"
        "</PAMDataset>"
    )
    assert Archive(tmp_path).read_band("a.tif").nodata is None


def test_a_band_that_is_not_there_is_refused(tmp_path, write_tiff):
    write_tiff(tmp_path / "a.tif", np.zeros((16, 16), dtype=np.uint8))
    refusal = refusal_of(Archive(tmp_path).read_band, "a.tif", 2)
    assert refusal.reason is Reason.WRONG_PIXEL_FORMAT


def test_arrays_are_read_and_pickles_never(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6).reshape(2, 3))
    np.save(tmp_path / "pickled.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-8])
    archive = Archive(tmp_path)
    assert archive.read_npy("a.npy").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert refusal_of(archive.read_npy, "pickled.npy").reason is Reason.WRONG_PIXEL_FORMAT
    assert refusal_of(archive.read_npy, "cut.npy").reason is Reason.UNREADABLE_FILE


def jpeg(mode="RGB", size=(32, 32), **options):
    stream = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (*size, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).convert(mode)
    if options.pop("pictures", 1) == 2:
        options |= {"save_all": True, "append_images": [picture]}
    picture.save(stream, **options)
    return stream.getvalue()


def with_size(content, side):
    """Return a JPEG whose header claims another size."""
    at = content.index(b"\xff\xc0") + 5  # start of frame: length, precision, then height, width
    return content[:at] + struct.pack(">HH", side, side) + content[at + 4 :]


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_jpeg_that_claims_an_enormous_size_is_too_large(tmp_path, side):
    (tmp_path / "a.jpg").write_bytes(with_size(jpeg(format="JPEG"), side))
    assert refusal_of(Archive(tmp_path).read_rgb, "a.jpg").reason is Reason.TOO_LARGE


def test_a_grey_jpeg_of_several_pictures_is_not_taken_for_rgb(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg("L", format="MPO", pictures=2))
    refusal = refusal_of(Archive(tmp_path).read_rgb, "a.jpg")
    assert refusal.reason is Reason.WRONG_PIXEL_FORMAT
    (tmp_path / "a.jpg").write_bytes(jpeg("RGB", format="MPO", pictures=2))
    assert Archive(tmp_path).read_rgb("a.jpg")[0].shape == (32, 32, 3)


@pytest.mark.parametrize("body", [b"", b"aa"])
def test_a_colour_profile_that_is_cut_short_behind_the_pixels_is_unreadable(tmp_path, body):
    chunk = struct.pack(">I", len(body)) + b"iCCP" + body
    chunk += struct.pack(">I", zlib.crc32(b"iCCP" + body))
    content = jpeg(format="PNG")
    (tmp_path / "a.png").write_bytes(content[:-12] + chunk + content[-12:])
    refusal = refusal_of(Archive(tmp_path).read_png_rgb, "a.png")
    assert refusal.reason is Reason.UNREADABLE_FILE


def test_a_closed_file_is_unreadable_and_not_missing(tmp_path, close):
    folder = tmp_path / "archive" / "closed"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    close(folder)
    archive = Archive(tmp_path / "archive")
    assert not archive.has("b.txt")
    assert refusal_of(archive.has, "closed/a.txt").reason is Reason.UNREADABLE_FILE


@pytest.mark.parametrize("text", ["a\ud800", 7])
def test_a_text_of_half_letters_is_no_text(text):
    assert refusal_of(as_text, text, "a.json").reason is Reason.WRONG_TYPE
