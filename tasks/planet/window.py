"""A window on the world: the pixel centres of a picture, in world metres."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

Axis = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """Pixel centres of an H x W picture: `x_W` grows eastwards, `y_H` falls southwards, in metres.

    The axes need not be evenly spaced (a latitude axis is not), but must be monotonic.
    """

    x_W: Axis
    y_H: Axis

    @classmethod
    def regular(
        cls, *, left_m: float, top_m: float, pixel_m: float, height: int, width: int
    ) -> Self:
        """Return the window of square pixels whose upper-left corner is (left_m, top_m)."""
        return cls(
            x_W=left_m + (np.arange(width, dtype=np.float64) + 0.5) * pixel_m,
            y_H=top_m - (np.arange(height, dtype=np.float64) + 0.5) * pixel_m,
        )

    @property
    def shape_HW(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y_H.size, self.x_W.size

    @property
    def pixel_m(self) -> float:
        """Width of a pixel in metres; 1.0 for a single column."""
        return float(self.x_W[1] - self.x_W[0]) if self.x_W.size > 1 else 1.0

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """Outermost pixel centres, widened by one pixel: (west, south, east, north)."""
        margin = self.pixel_m
        return (
            float(self.x_W[0]) - margin,
            float(self.y_H[-1]) - margin,
            float(self.x_W[-1]) + margin,
            float(self.y_H[0]) + margin,
        )

    def pixels(self, points_N2: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (column, row) of points in world metres; the first pixel's centre is (0, 0)."""
        across, down = _extended_axes(self)
        columns_N = np.interp(points_N2[:, 0], *across)
        rows_N = np.interp(-points_N2[:, 1], *down)
        return np.stack([columns_N, rows_N], axis=1)

    def thinned(self, step: int) -> Self:
        """Return the window of every `step`-th pixel block, sampled at block centres.

        Heights and widths must be multiples of `step`.
        """
        return type(self)(
            x_W=self.x_W.reshape(-1, step).mean(axis=1), y_H=self.y_H.reshape(-1, step).mean(axis=1)
        )

    def split(self, parts: int) -> "Window":
        """Return the window of pixels that are `parts` times smaller in both directions."""
        return self if parts == 1 else _split(self, parts)


@lru_cache(maxsize=4)
def _split(window: Window, parts: int) -> Window:
    """Return the finer window; the same object each time, so that what is seen there is kept."""
    offsets = (np.arange(parts) + 0.5) / parts - 0.5
    step_x, step_y = np.gradient(window.x_W), np.gradient(window.y_H)
    return Window(
        x_W=(window.x_W[:, None] + step_x[:, None] * offsets).ravel(),
        y_H=(window.y_H[:, None] + step_y[:, None] * offsets).ravel(),
    )


@lru_cache(maxsize=8)
def _extended_axes(window: Window) -> tuple[tuple[Axis, Axis], tuple[Axis, Axis]]:
    """Return both axes of a window, extended; kept, as buildings are placed one by one."""
    return _extended(window.x_W), _extended(-window.y_H)


def _extended(axis_N: Axis) -> tuple[Axis, Axis]:
    """Return the axis and its indices, carried on straight for a long way at both ends."""
    far = 10 * axis_N.size + 1000
    step_first = axis_N[1] - axis_N[0] if axis_N.size > 1 else 1.0
    step_last = axis_N[-1] - axis_N[-2] if axis_N.size > 1 else 1.0
    values = np.concatenate(
        [[axis_N[0] - far * step_first], axis_N, [axis_N[-1] + far * step_last]]
    )
    return values, np.concatenate([[-far], np.arange(axis_N.size), [axis_N.size - 1 + far]])
