"""Field parcels: long plots in rows, turned the way of their parish, with hedges and tracks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.planet.mosaic import mosaic
from tasks.planet.noise import Floats, fbm, mix, unit
from tasks.planet.window import Window

_PARISH_M = 700.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parcels:
    """Which plot each pixel lies in, (H, W): its key, metres from its edge, hedged or not."""

    key_HW: NDArray[np.int64]
    edge_m_HW: Floats
    hedged_HW: NDArray[np.bool_]


def parcels(seed: int, window: Window, size_HW: Floats) -> Parcels:
    """Return the plots of a window; `size_HW` scales them (1 is about 110 m by 240 m)."""
    parish = mosaic(seed, window, _PARISH_M, 40.0)
    turn_N = np.pi * parish.draw_N(seed + 1)
    cell_HW = parish.cell_HW
    cos_HW, sin_HW = np.cos(turn_N)[cell_HW], np.sin(turn_N)[cell_HW]
    deep_HW = (70 + 90 * parish.draw_N(seed + 2))[cell_HW] * size_HW
    long_HW = (120 + 240 * parish.draw_N(seed + 3))[cell_HW] * size_HW
    bend_HW = 14 * fbm(seed + 4, window.x_W, window.y_H, 420.0, 2)
    x_HW = (window.x_W[None, :] - parish.x_N[cell_HW]).astype(np.float32) + bend_HW
    y_HW = (window.y_H[:, None] - parish.y_N[cell_HW]).astype(np.float32) - bend_HW
    v_HW = (y_HW * cos_HW - x_HW * sin_HW) / deep_HW
    row_HW = np.floor(v_HW)
    seat_HW = _hashed(parish.keys_N[cell_HW], row_HW)
    width_HW = long_HW * (np.float32(0.6) + np.float32(0.9) * unit(seed + 5, seat_HW))
    u_HW = (x_HW * cos_HW + y_HW * sin_HW) / width_HW + unit(seed + 6, seat_HW)
    column_HW = np.floor(u_HW)
    edge_u_HW = (0.5 - np.abs(u_HW - column_HW - 0.5)) * width_HW
    edge_v_HW = (0.5 - np.abs(v_HW - row_HW - 0.5)) * deep_HW
    return Parcels(
        key_HW=_hashed(seat_HW, column_HW),
        edge_m_HW=np.minimum(edge_u_HW, edge_v_HW),
        hedged_HW=(parish.draw_N(seed + 7) < 0.5)[cell_HW],
    )


def _hashed(key_HW: NDArray[np.int64], number_HW: Floats) -> NDArray[np.int64]:
    """Return a hash of a key and a whole number, pixel by pixel."""
    return np.asarray(mix(0, key_HW, number_HW.astype(np.int64)).astype(np.int64))
