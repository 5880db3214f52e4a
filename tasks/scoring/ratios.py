"""Figures that are sums over items divided by sums over items, so that scenes can be redrawn.

Letters in array names: N = items, S = scenes, R = ratios, B = times redrawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RESAMPLES = 1000
BOUNDS = (2.5, 97.5)  # per cent


@dataclass(frozen=True, slots=True)
class Ratio:
    """What is summed over items, above and below the line, (N,) each."""

    above_N: Floats
    below_N: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with the bounds of its 95 % bootstrap interval over scenes."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrawn:
    """Ratios of all items, (R,), and of each redrawing, (B, R); NaN where nothing is below.

    `scenes_R` is how many scenes have an item below the line.
    """

    names: tuple[str, ...]
    scenes_R: NDArray[np.int64]
    all_R: Floats
    drawn_BR: Floats

    def estimate(self, name: str) -> Estimate | None:
        """Return a ratio with its interval; None where no item counts."""
        return self.mean([name])

    def mean(self, names: Sequence[str]) -> Estimate | None:
        """Return the mean of the ratios that exist, with its interval; None where none does."""
        at = [self.names.index(name) for name in names]
        at = [place for place in at if not np.isnan(self.all_R[place])]
        if not at:
            return None
        return estimated(float(self.all_R[at].mean()), mean_of_known(self.drawn_BR[:, at]))


def estimated(value: float, drawn_B: Floats) -> Estimate:
    """Return a figure with the bounds of what was drawn; NaN among these does not count."""
    known = drawn_B[~np.isnan(drawn_B)]
    low, high = np.percentile(known, BOUNDS) if known.size else (value, value)
    return Estimate(value=value, low=float(low), high=float(high))


def redraw(
    scenes: Sequence[str], ratios: Mapping[str, Ratio], seed: int, resamples: int = RESAMPLES
) -> Redrawn:
    """Return ratios of all items and of scenes drawn again with all their items.

    As many scenes are drawn as there are, each any number of times (a cluster bootstrap).
    """
    _, of_N = np.unique(np.asarray(scenes), return_inverse=True)
    num_scenes = int(of_N.max()) + 1
    above_SR = _by_scene([ratio.above_N for ratio in ratios.values()], of_N, num_scenes)
    below_SR = _by_scene([ratio.below_N for ratio in ratios.values()], of_N, num_scenes)
    rng = np.random.default_rng(seed)
    times_BS = rng.multinomial(num_scenes, np.full(num_scenes, 1 / num_scenes), size=resamples)
    times_BS = times_BS.astype(np.float64)
    return Redrawn(
        names=tuple(ratios),
        scenes_R=np.count_nonzero(below_SR, axis=0),
        all_R=divided(above_SR.sum(axis=0), below_SR.sum(axis=0)),
        drawn_BR=divided(times_BS @ above_SR, times_BS @ below_SR),
    )


def divided(above: Floats, below: Floats) -> Floats:
    """Return above / below, NaN where below is 0."""
    found = np.full(np.shape(above), np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found


def mean_of_known(values_BR: Floats) -> Floats:
    """Return the mean of each row over what is not NaN, NaN where all is."""
    known_BR = ~np.isnan(values_BR)
    return divided(np.where(known_BR, values_BR, 0.0).sum(axis=1), known_BR.sum(axis=1))


def _by_scene(columns: Sequence[Floats], of_N: NDArray[np.intp], num_scenes: int) -> Floats:
    return np.stack(
        [np.bincount(of_N, weights=values_N, minlength=num_scenes) for values_N in columns], axis=1
    )
