"""Small files and tiny archives for the reader tests, and the way to the real sample files."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rasterio
from affine import Affine

WriteTiff = Callable[..., Path]
WritePng = Callable[[Path, Any], Path]

REALDATA_VARIABLE = "TERRASCOPE_REALDATA"
PATCH_ID = "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57"
# how many 10 m pixels wide a pixel of each band is
BAND_STEPS = {"B01": 6, "B02": 1, "B03": 1, "B04": 1, "B05": 2, "B06": 2}
BAND_STEPS |= {"B07": 2, "B08": 1, "B8A": 2, "B09": 6, "B11": 2, "B12": 2}
S1_NAME = "S1B_IW_GRDH_1SDV_20170612T165809_33UUP_26_57"


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real sample files; the test is skipped where it is not set."""
    folder = os.environ.get(REALDATA_VARIABLE)
    if not folder:
        pytest.skip(f"needs real sample files: set {REALDATA_VARIABLE} to their folder")
    return Path(folder)


@pytest.fixture(scope="session")
def write_tiff() -> WriteTiff:
    """Write a GeoTIFF of (H, W) or (B, H, W); by default 10 m pixels of UTM 33N."""

    def write(
        path: Path,
        values: Any,
        *,
        crs: str | None = "EPSG:32633",
        transform: Affine | None = None,
        nodata: float | None = None,
    ) -> Path:
        bands_BHW = np.asarray(values)
        bands_BHW = bands_BHW[None] if bands_BHW.ndim == 2 else bands_BHW
        path.parent.mkdir(parents=True, exist_ok=True)
        count, height, width = bands_BHW.shape
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=count,
            height=height,
            width=width,
            dtype=bands_BHW.dtype,
            crs=crs,
            transform=transform or Affine(10.0, 0.0, 331200.0, 0.0, -10.0, 5331600.0),
            nodata=nodata,
        ) as dataset:
            dataset.write(bands_BHW)
        return path

    return write


@pytest.fixture(scope="session")
def write_png() -> WritePng:
    """Write a PNG: (H, W) grey or (H, W, 3) RGB."""

    def write(path: Path, pixels: Any) -> Path:
        image = np.asarray(pixels)
        path.parent.mkdir(parents=True, exist_ok=True)
        image = image[..., ::-1] if image.ndim == 3 and image.shape[2] == 3 else image
        assert cv2.imwrite(str(path), image)
        return path

    return write


NOBODY = 65534


@pytest.fixture
def close(tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """Close a folder or file to this process, which goes on as nobody where it is root's."""
    euid, modes = os.geteuid(), {}

    def chmod(path: Path, mode: int) -> None:
        modes.setdefault(path, path.stat().st_mode)
        path.chmod(mode)

    def close(path: Path) -> None:
        os.seteuid(euid)
        chmod(path, 0)
        if euid == 0:
            for parent in (tmp_path, *tmp_path.parents):
                if parent == Path(tempfile.gettempdir()):
                    break
                chmod(parent, 0o711)
            os.seteuid(NOBODY)

    yield close
    os.seteuid(euid)
    for path, mode in modes.items():
        path.chmod(mode)


@pytest.fixture
def tiny_bigearthnet(tmp_path: Path, write_tiff: WriteTiff) -> Path:
    """A v2 archive of one pair: left half arable land, right half mixed forest."""
    root = tmp_path / "bigearthnet"
    product = PATCH_ID.rsplit("_", 2)[0]
    s2 = root / "BigEarthNet-S2" / product / PATCH_ID
    ramp_HW = np.arange(120 * 120, dtype=np.uint16).reshape(120, 120)
    for number, (band, step) in enumerate(BAND_STEPS.items()):
        write_tiff(
            s2 / f"{PATCH_ID}_{band}.tif",
            ramp_HW[::step, ::step] + 100 * number,
            transform=Affine(10.0 * step, 0.0, 331200.0, 0.0, -10.0 * step, 5331600.0),
            nodata=0,
        )
    s1 = root / "BigEarthNet-S1" / S1_NAME.rsplit("_", 3)[0] / S1_NAME
    for polarisation, level_db in (("VV", -12.625), ("VH", -19.375)):
        values_HW = (ramp_HW / 16384 + level_db).astype(np.float32)
        write_tiff(s1 / f"{S1_NAME}_{polarisation}.tif", values_HW)
    codes_HW = np.full((120, 120), 211, dtype=np.uint16)
    codes_HW[:, 60:] = 313
    maps = root / "Reference_Maps" / product / PATCH_ID
    write_tiff(maps / f"{PATCH_ID}_reference_map.tif", codes_HW, nodata=0)
    row = {
        "patch_id": PATCH_ID,
        "labels": ["Arable land", "Mixed forest"],
        "split": "test",
        "country": "Austria",
        "s1_name": S1_NAME,
        "s2v1_name": "S2A_MSIL2A_20170613T101031_26_57",
        "contains_seasonal_snow": False,
        "contains_cloud_or_shadow": False,
    }
    pq.write_table(pa.Table.from_pylist([row]), root / "metadata.parquet")
    return root


@pytest.fixture
def tiny_chatearthnet(tmp_path: Path, write_png: WritePng) -> Path:
    """An archive of tile 3886_3141: two captioned patches, SatlasPretrain land cover.

    The tile's upper half is water (1), its lower half tree (3); its first pixel has no data (0).
    """
    root = tmp_path / "chatearthnet"
    records = {
        "ChatEarthNet_caps_35_val.json": [
            {"image": "3886_3141_patch00.png", "caption": "Water everywhere."},
            {"image": "3886_3141_patch10.png", "caption": ["Trees.", "More trees."]},
        ],
        "ChatEarthNet_caps_4v_val.json": [
            {"image_id": "3886_3141_patch00.png", "caption": "A calm sea."}
        ],
    }
    (root / "json_files").mkdir(parents=True)
    for name, listed in records.items():
        (root / "json_files" / name).write_text(json.dumps(listed), encoding="utf-8")
    picture_HW3 = np.zeros((256, 256, 3), dtype=np.uint8)
    picture_HW3[..., 0] = np.arange(256)
    for patch in ("00", "10"):
        write_png(root / f"s2_rgb_images/s2_images/3886_3141_patch{patch}.png", picture_HW3)
    tile_HW = np.full((512, 512), 1, dtype=np.uint8)
    tile_HW[256:] = 3
    tile_HW[0, 0] = 0
    write_png(root / "satlas/static/3886_3141/land_cover.png", tile_HW)
    return root
