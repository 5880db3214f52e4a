"""Smooth noise and hashes of places: the only randomness of the world, the same from any window."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tasks.planet.compiled import compiled

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

_SEED_PRIME = 0x165667B19E3779F9  # the odd constants are those of xxHash64 and SplitMix64
_MASK_64 = 0xFFFFFFFFFFFFFFFF
_SPLINE_GAIN = 3.1  # brings the noise of one octave to a standard deviation of 1 (measured)


def mix(seed: int, first: Ints | int, second: Ints | int = 0) -> NDArray[np.uint64]:
    """Return a well-mixed 64-bit hash of (seed, first, second), in the broadcast shape."""
    first_i, second_i = np.broadcast_arrays(
        np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    )
    hashed_N = _mixed(np.uint64(seed * _SEED_PRIME & _MASK_64), first_i.ravel(), second_i.ravel())
    return hashed_N.reshape(first_i.shape)


def unit(seed: int, first: Ints | int, second: Ints | int = 0) -> Floats:
    """Return a number in [0, 1) for every (first, second): uniform, and fixed for ever."""
    return np.asarray((mix(seed, first, second) >> np.uint64(40)).astype(np.float32) / 2**24)


def fbm(
    seed: int,
    x_W: NDArray[np.float64],
    y_H: NDArray[np.float64],
    cell_m: float,
    octaves: int,
    gain: float = 0.5,
) -> Floats:
    """Return fractal noise on the grid x_W by y_H, (H, W): mean 0, standard deviation about 1.

    Octave k has lattice cells of cell_m / 2**k metres and amplitude gain**k. It is a quadratic
    B-spline of random lattice values: smooth, and separable, so that it is fast on a grid.
    """
    total_HW = np.zeros((y_H.size, x_W.size), dtype=np.float32)
    power = sum(gain ** (2 * octave) for octave in range(octaves))
    for octave in range(octaves):
        cell, shift = cell_m / 2**octave, _shift(seed * 31 + octave)
        amplitude = 2 * _SPLINE_GAIN * gain**octave / power**0.5
        _add_octave(
            total_HW,
            np.uint64((seed * 31 + octave) * _SEED_PRIME & _MASK_64),
            x_W / cell + shift,
            y_H / cell + shift,
            np.float32(amplitude),
        )
    return total_HW


def fbm_at(
    seed: int,
    x_N: NDArray[np.float64],
    y_N: NDArray[np.float64],
    cell_m: float,
    octaves: int,
    gain: float = 0.5,
) -> Floats:
    """Return the noise of `fbm` at N scattered points, (N,)."""
    total_N = np.zeros(x_N.shape, dtype=np.float32)
    power = 0.0
    for octave in range(octaves):
        shift = _shift(seed * 31 + octave)
        columns_N, weights_x_N3 = _spline(x_N / (cell_m / 2**octave) + shift)
        rows_N, weights_y_N3 = _spline(y_N / (cell_m / 2**octave) + shift)
        near_N33 = unit(
            seed * 31 + octave,
            columns_N[:, None, None] + np.arange(3)[None, None, :],
            rows_N[:, None, None] + np.arange(3)[None, :, None],
        )
        octave_N = np.einsum("nji,nj,ni->n", near_N33 - 0.5, weights_y_N3, weights_x_N3)
        total_N += np.float32(gain**octave * _SPLINE_GAIN * 2) * octave_N
        power += gain ** (2 * octave)
    return total_N / np.float32(power**0.5)


@lru_cache(maxsize=4096)
def _shift(seed: int) -> float:
    """Return how far an octave's lattice is moved, so that lattices do not line up."""
    return float(unit(seed, 7)) * 0.9


@compiled
def _mix(seed: np.uint64, first: np.int64 | int, second: np.int64 | int) -> np.uint64:
    """Return the hash of one place; `seed` is already multiplied."""
    state = (np.uint64(first) * np.uint64(0x9E3779B97F4A7C15)) ^ (
        np.uint64(second) * np.uint64(0xC2B2AE3D27D4EB4F) + seed
    )
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@compiled
def _mixed(seed: np.uint64, first_N: Ints, second_N: Ints) -> NDArray[np.uint64]:
    """Return the hash of N places."""
    hashed_N = np.empty(first_N.size, dtype=np.uint64)
    for n in range(first_N.size):
        hashed_N[n] = _mix(seed, first_N[n], second_N[n])
    return hashed_N


@compiled
def _add_octave(
    total_HW: Floats,
    seed: np.uint64,
    u_W: NDArray[np.float64],
    v_H: NDArray[np.float64],
    amplitude: np.float32,
) -> None:
    """Add one octave at lattice coordinates (u, v) of the pixels."""
    left = int(np.floor(u_W.min() + 0.5)) - 1
    low = int(np.floor(v_H.min() + 0.5)) - 1
    wide = int(np.floor(u_W.max() + 0.5)) - left + 2
    tall = int(np.floor(v_H.max() + 0.5)) - low + 2
    lattice = np.empty((tall, wide), dtype=np.float32)
    for j in range(tall):
        for i in range(wide):
            share = np.float32(_mix(seed, left + i, low + j) >> np.uint64(40)) / np.float32(2**24)
            lattice[j, i] = (share - np.float32(0.5)) * amplitude
    column_W = np.empty(u_W.size, dtype=np.int64)
    weight_W3 = np.empty((u_W.size, 3), dtype=np.float32)
    for c in range(u_W.size):
        nearest = np.floor(u_W[c] + 0.5)
        t = np.float32(u_W[c] - nearest)
        column_W[c] = int(nearest) - 1 - left
        weight_W3[c, 0] = (np.float32(0.5) - t) ** 2 / np.float32(2)
        weight_W3[c, 1] = np.float32(0.75) - t * t
        weight_W3[c, 2] = (np.float32(0.5) + t) ** 2 / np.float32(2)
    band = np.empty(wide, dtype=np.float32)
    for r in range(v_H.size):
        nearest = np.floor(v_H[r] + 0.5)
        t = np.float32(v_H[r] - nearest)
        j = int(nearest) - 1 - low
        first = (np.float32(0.5) - t) ** 2 / np.float32(2)
        third = (np.float32(0.5) + t) ** 2 / np.float32(2)
        second = np.float32(0.75) - t * t
        for i in range(wide):
            band[i] = first * lattice[j, i] + second * lattice[j + 1, i] + third * lattice[j + 2, i]
        for c in range(u_W.size):
            i = column_W[c]
            total_HW[r, c] += (
                weight_W3[c, 0] * band[i]
                + weight_W3[c, 1] * band[i + 1]
                + weight_W3[c, 2] * band[i + 2]
            )


def _spline(position_N: NDArray[np.float64]) -> tuple[Ints, Floats]:
    """Return the first of three lattice points and their quadratic B-spline weights."""
    nearest_N = np.floor(position_N + 0.5)
    t_N = position_N - nearest_N
    weights_N3 = np.stack([(0.5 - t_N) ** 2 / 2, 0.75 - t_N**2, (0.5 + t_N) ** 2 / 2], axis=1)
    return nearest_N.astype(np.int64) - 1, weights_N3.astype(np.float32)
