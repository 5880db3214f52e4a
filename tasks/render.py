"""Pixels for people and models: sensor values to 8-bit RGB, with the stretch in the name.

Every function returns the (H, W, 3) uint8 picture and the name of the rendering, which says which
channels were shown and between which limits, so that a picture can be made again.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# TerraScope's own BigEarthNet script clips surface reflectance x 10000 here, before 8-bit
REFLECTANCE_LIMITS = (0.0, 3000.0)
# one scale for both channels, so that their mean means something
SAR_MEAN_LIMITS_DB = (-30.0, 0.0)
# about the mean -12.6 and -19.4 dB of all BigEarthNet patches, plus or minus 2.4 deviations
# (5.1 and 5.6 dB); the difference is the cross-polarisation ratio, near 7 dB
VV_LIMITS_DB = (-25.0, 0.0)
VH_LIMITS_DB = (-32.0, -6.0)
VV_MINUS_VH_LIMITS_DB = (0.0, 15.0)
PERCENTILES = (2.0, 98.0)

Picture = tuple[NDArray[np.uint8], str]


def to_8bit(values_HW: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Map `low` to 0 and `high` to 255, clipped and rounded; NaN becomes 0."""
    scaled = (np.asarray(values_HW, dtype=np.float32) - low) * np.float32(255.0 / (high - low))
    clipped = np.clip(np.nan_to_num(scaled, copy=False, nan=0.0), 0.0, 255.0)
    rounded: NDArray[np.uint8] = np.rint(clipped).astype(np.uint8)
    return rounded


def reflectance_rgb(
    red_HW: NDArray[np.uint16], green_HW: NDArray[np.uint16], blue_HW: NDArray[np.uint16]
) -> Picture:
    """Return true colour from Sentinel-2 B04, B03, B02 (reflectance x 10000), fixed stretch."""
    low, high = REFLECTANCE_LIMITS
    rgb_HW3 = np.dstack([to_8bit(band_HW, low, high) for band_HW in (red_HW, green_HW, blue_HW)])
    return rgb_HW3, f"b04_b03_b02_reflectance_{low:.0f}_{high:.0f}"


def percentile_rgb(bands_HW3: NDArray[Any], valid_HW: NDArray[np.bool_]) -> Picture:
    """Stretch three bands together between the 2nd and 98th percentile of their valid pixels.

    One stretch for all three keeps their colour balance. Invalid pixels become black. Where all
    valid values are equal, the picture is mid-grey.
    """
    values_N3 = np.asarray(bands_HW3[valid_HW], dtype=np.float64)
    low, high = np.percentile(values_N3, PERCENTILES) if values_N3.size else (0.0, 0.0)
    if high <= low:
        low, high = low - 1.0, low + 1.0
    rgb_HW3 = np.where(valid_HW[..., None], to_8bit(bands_HW3, low, high), np.uint8(0))
    first, last = PERCENTILES
    return rgb_HW3, f"percentile_{first:.0f}_{last:.0f}_from_{low:.6g}_to_{high:.6g}"


def sar_mean_db(vv_HW: NDArray[np.float32], vh_HW: NDArray[np.float32]) -> Picture:
    """Return VH, VV and their mean as three channels, as the paper shows SAR; input in dB."""
    low, high = SAR_MEAN_LIMITS_DB
    picture_HW3 = _vh_vv_mean(to_8bit(vv_HW, low, high), to_8bit(vh_HW, low, high))
    return picture_HW3, f"vh_vv_mean_db_{low:.0f}_{high:.0f}"


def sar_ratio_db(vv_HW: NDArray[np.float32], vh_HW: NDArray[np.float32]) -> Picture:
    """Return VV, VH and VV - VH in dB, each between limits of its own."""
    difference_HW = np.asarray(vv_HW, dtype=np.float32) - np.asarray(vh_HW, dtype=np.float32)
    limits = (VV_LIMITS_DB, VH_LIMITS_DB, VV_MINUS_VH_LIMITS_DB)
    channels = [
        to_8bit(band_HW, *limit)
        for band_HW, limit in zip((vv_HW, vh_HW, difference_HW), limits, strict=True)
    ]
    name = "_".join(f"{low:.0f}_{high:.0f}" for low, high in limits)
    return np.dstack(channels), f"vv_vh_difference_db_{name}"


def sar_mean_8bit(vv_HW: NDArray[np.uint8], vh_HW: NDArray[np.uint8]) -> Picture:
    """Return VH, VV and their mean of channels that the archive gives as 8 bits already."""
    return _vh_vv_mean(vv_HW, vh_HW), "vh_vv_mean_uint8_as_is"


def sar_ratio_8bit(vv_HW: NDArray[np.uint8], vh_HW: NDArray[np.uint8]) -> Picture:
    """Return VV, VH and 128 + VV - VH of 8-bit channels, whose dB scale is not known."""
    difference_HW = np.clip(128 + vv_HW.astype(np.int16) - vh_HW.astype(np.int16), 0, 255)
    picture_HW3 = np.dstack([vv_HW, vh_HW, difference_HW.astype(np.uint8)])
    return picture_HW3, "vv_vh_difference_uint8_128_plus"


def encode_png(rgb_HW3: NDArray[np.uint8]) -> bytes:
    """Return the PNG of an 8-bit RGB picture; the same pixels give the same bytes.

    Run-length strategy: on satellite pictures as small as full deflate and four times as fast.
    """
    settings = [
        cv2.IMWRITE_PNG_COMPRESSION,
        1,
        cv2.IMWRITE_PNG_STRATEGY,
        cv2.IMWRITE_PNG_STRATEGY_RLE,
    ]
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(rgb_HW3[..., ::-1]), settings)
    assert done, f"PNG encoder refused {rgb_HW3.dtype} {rgb_HW3.shape}"
    return bytes(encoded.tobytes())


def _vh_vv_mean(vv_HW: NDArray[np.uint8], vh_HW: NDArray[np.uint8]) -> NDArray[np.uint8]:
    mean_HW = (vv_HW.astype(np.uint16) + vh_HW.astype(np.uint16)) // 2
    return np.dstack([vh_HW, vv_HW, mean_HW.astype(np.uint8)])
