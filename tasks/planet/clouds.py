"""Broken cloud over an optical picture, with the shadows it throws."""

import cv2
import numpy as np
from numpy.typing import NDArray

PUSH = 4.0  # how much less cloudy it is over what must be seen, in deviations of the field
CLOUD_RGB = np.array((238, 240, 243), np.float32)


def add_clouds(
    image: NDArray[np.uint8],
    rng: np.random.Generator,
    share: float,
    seen_HW: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Return the picture, (H, W, 3) RGB, with about `share` of it under cloud.

    Clouds and shadows keep off `seen_HW`, where it is not 0: what was labelled was seen.
    """
    height, width = image.shape[:2]
    away = (height // 9, width // 12)  # the shadow falls to the lower left of its cloud
    size = (width + away[1], height + away[0])
    field = np.zeros(size[::-1], np.float32)
    for cells, strength in ((4, 1.0), (9, 0.5), (20, 0.25), (45, 0.12)):
        lattice = rng.standard_normal((cells, cells), np.float32)
        field += strength * cv2.resize(lattice, size, interpolation=cv2.INTER_CUBIC)
    over, before = field[away[0] :, :width], field[:height, away[1] :]
    if seen_HW is not None:
        calm = PUSH * cv2.GaussianBlur((seen_HW > 0).astype(np.float32), (0, 0), width / 40)
        over, before = over - calm, before - calm
    level = float(np.quantile(over, 1 - share))
    opaque = np.clip((over - level) / 0.35 + 0.35, 0, 1)[:, :, None]
    shadow = np.clip((before - level) / 0.35 + 0.35, 0, 1)[:, :, None]
    cloud = CLOUD_RGB * np.clip(0.86 + 0.1 * (over - level), 0.7, 1.0)[:, :, None]
    seen = image * (1 - 0.5 * shadow) * (1 - opaque) + cloud * opaque
    return np.asarray(np.clip(np.rint(seen), 0, 255).astype(np.uint8))
