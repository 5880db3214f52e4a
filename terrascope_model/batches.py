"""Which samples come together, step after step, known from seed and epoch alone."""

import math
from collections.abc import Iterator
from itertools import chain, count, islice

import numpy as np
from torch.utils.data import Sampler

from terrascope_model.data import Items
from terrascope_model.files import DataError
from terrascope_model.shards import KEPT_GROUPS


class Batches(Sampler[list[int]]):
    """So many batches of numbers, epoch after epoch, the same for the same seed.

    Of several processes each draws its own part of the batches that one process would draw with
    their batch sizes' sum: every second item of like length for two, so that their work is even.
    """

    def __init__(
        self,
        samples: Items,
        batch_size: int,
        *,
        num_batches: int,
        seed: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        """DataError where no sample has a weight, or one has less than none."""
        if min(samples.weights) < 0 or not any(samples.weights):
            raise DataError(
                f"the weights of the samples lie between {min(samples.weights)} and "
                f"{max(samples.weights)}; none may be negative, and one has to be more than 0"
            )
        self._samples, self._batch_size, self._seed = samples, batch_size, seed
        self._num_batches, self._rank, self._ranks = num_batches, rank, ranks

    def __len__(self) -> int:
        return self._num_batches

    def __iter__(self) -> Iterator[list[int]]:
        endless = chain.from_iterable(self.epoch(number) for number in count())
        return islice(endless, self._num_batches)

    def epoch(self, number: int) -> list[list[int]]:
        """Return the batches of one epoch; the epoch is in the numbers.

        An item that comes several times has another number each time, so that what is drawn for it
        is drawn anew. A last batch with fewer items than there are processes has some of them
        twice.
        """
        drawn = []
        for together in self._together(number):
            enough = together * -(-self._ranks // len(together))
            shared = together if len(together) >= self._ranks else enough[: self._ranks]
            drawn.append(shared[self._rank :: self._ranks])
        return drawn

    def _together(self, number: int) -> list[list[int]]:
        """Return the batches of an epoch over all processes."""
        random = np.random.default_rng((self._seed, number))
        samples = self._samples
        most = math.ceil(max(samples.weights))  # times that an item comes in an epoch
        of_group: list[list[int]] = [[] for _ in range(max(samples.groups) + 1)]
        for at, (group, weight) in enumerate(zip(samples.groups, samples.weights, strict=True)):
            times = int(weight) + int(random.random() < weight % 1)
            begin = number * most * len(samples) + at
            of_group[group] += [begin + copy * len(samples) for copy in range(times)]
        drawn: list[list[int]] = []
        order = random.permutation(len(of_group))
        for begin in range(0, len(order), KEPT_GROUPS):
            mixed = [at for group in order[begin : begin + KEPT_GROUPS] for at in of_group[group]]
            if not mixed:
                continue
            mixed = [mixed[at] for at in random.permutation(len(mixed))]
            # those of a length stay in random order
            mixed.sort(key=lambda item: samples.lengths[item % len(samples)])
            size = self._batch_size * self._ranks
            # of about one size: a step of one item is noise
            num_batches = math.ceil(len(mixed) / size)
            batches = [part.tolist() for part in np.array_split(mixed, num_batches)]
            drawn += [batches[at] for at in random.permutation(num_batches)]
        return drawn
