"""Brightness of the three channels of a picture, by table."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (H, W, 3) red, green, blue; (H, W) for a mask


def toned(
    image: Image, gain_C: tuple[float, ...], haze_C: tuple[float, ...] = (0.0, 0.0, 0.0)
) -> Image:
    """Return the picture with every channel multiplied and lifted, rounded and clipped."""
    values = np.arange(256)[:, None] * np.array(gain_C) + np.array(haze_C)
    table = np.clip(np.rint(values), 0, 255).astype(np.uint8)[None]
    return np.asarray(cv2.LUT(image, table), dtype=np.uint8)


def blended(over: Image, under: Image, share_HW: NDArray[np.float32]) -> Image:
    """Return `over` where the share is 1, `under` where it is 0, and a mixture between."""
    return np.asarray(cv2.blendLinear(over, under, share_HW, 1 - share_HW), dtype=np.uint8)


def dimmed(image: Image, left_C: tuple[float, float, float], mask_HW: Image) -> Image:
    """Return the picture with only a share of its light left where the mask is 255, by channel.

    Where the mask is 0 nothing changes; between, the share goes over to one.
    """
    steps = np.arange(256)[:, None] * (1 - np.array(left_C))
    table = np.rint(255 - steps).astype(np.uint8)[None]
    factor = cv2.LUT(cv2.merge([mask_HW] * 3), table)
    return np.asarray(cv2.multiply(image, factor, scale=1 / 255), dtype=np.uint8)
