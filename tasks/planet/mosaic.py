"""A mosaic of irregular cells, such as parishes, forest stands or fields' blocks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.planet.compiled import compiled
from tasks.planet.noise import Floats, fbm, mix, unit
from tasks.planet.window import Window


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mosaic:
    """Which cell each pixel lies in: `cell_HW` indexes `keys_N`, `x_N`, `y_N` of the cells."""

    cell_HW: NDArray[np.int32]
    keys_N: NDArray[np.int64]
    x_N: NDArray[np.float64]
    y_N: NDArray[np.float64]

    def draw_N(self, seed: int) -> Floats:
        """Return one number in [0, 1) a cell."""
        return unit(seed, self.keys_N)


def mosaic(seed: int, window: Window, cell_m: float, wobble_m: float) -> Mosaic:
    """Return the mosaic of cells about `cell_m` wide, whose edges are bent by `wobble_m`.

    Each cell owns what is nearest to its centre, and has one centre in every square of a lattice.
    """
    x_HW, y_HW = _wobbled(seed, window, wobble_m, cell_m)
    left, low = np.floor(x_HW.min() / cell_m) - 1, np.floor(y_HW.min() / cell_m) - 1
    u_HW = (x_HW / cell_m - left).astype(np.float32)
    v_HW = (y_HW / cell_m - low).astype(np.float32)
    wide, tall = int(u_HW.max()) + 2, int(v_HW.max()) + 2
    i_N, j_N = (a.ravel() for a in np.meshgrid(np.arange(wide), np.arange(tall)))
    keys_N = mix(seed, i_N + int(left), j_N + int(low)).astype(np.int64)
    u_N = i_N.astype(np.float32) + unit(seed + 1, keys_N)
    v_N = j_N.astype(np.float32) + unit(seed + 2, keys_N)
    cell_HW = _nearest(u_HW, v_HW, u_N, v_N, wide)
    x_N = (u_N.astype(np.float64) + left) * cell_m
    y_N = (v_N.astype(np.float64) + low) * cell_m
    return Mosaic(cell_HW=cell_HW, keys_N=keys_N, x_N=x_N, y_N=y_N)


def _wobbled(
    seed: int, window: Window, wobble_m: float, cell_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the pixels' coordinates, bent by noise of half a cell's size."""
    bend_x_HW = fbm(seed + 3, window.x_W, window.y_H, cell_m * 0.5, 2)
    bend_y_HW = fbm(seed + 4, window.x_W, window.y_H, cell_m * 0.5, 2)
    return (
        window.x_W[None, :] + wobble_m * bend_x_HW,
        window.y_H[:, None] + wobble_m * bend_y_HW,
    )


@compiled
def _nearest(
    u_HW: Floats,
    v_HW: Floats,
    u_N: Floats,
    v_N: Floats,
    wide: int,
) -> NDArray[np.int32]:
    """Return the index of the nearest of the nine centres around each pixel."""
    cell_HW = np.empty(u_HW.shape, dtype=np.int32)
    for r in range(u_HW.shape[0]):
        for c in range(u_HW.shape[1]):
            u, v = u_HW[r, c], v_HW[r, c]
            home = int(u) + int(v) * wide
            best, owner = np.float32(np.inf), home
            for row in range(-1, 2):
                for column in range(-1, 2):
                    other = home + row * wide + column
                    distance = (u - u_N[other]) ** 2 + (v - v_N[other]) ** 2
                    if distance < best:
                        best, owner = distance, other
            cell_HW[r, c] = owner
    return cell_HW
