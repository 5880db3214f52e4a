"""Two kinds of items to learn from in turn, batch by batch, in a given share."""

from terrascope_model.data import Items
from terrascope_model.files import DataError
from terrascope_model.processor import Encoded


class Together(Items):
    """Items of two kinds. An epoch has once what there is less of, and its share of the other."""

    def __init__(self, first: Items, second: Items, share: float) -> None:
        """Let `share` of an epoch's items, above 0 and below 1, be of the second kind.

        DataError where all of a kind weigh nothing.
        """
        super().__init__()
        self._kinds = (first, second)
        self.lengths = first.lengths + second.lengths
        self.groups = first.groups + [max(first.groups) + 1 + group for group in second.groups]
        # the shares are right where each kind's weights, scaled, come to the same of these
        of_first, of_second = sum(first.weights) * share, sum(second.weights) * (1 - share)
        fewer = min(of_first, of_second)
        if not fewer:
            raise DataError(
                "stage 2 rehearses stage 1, and all samples of one of the two weigh nothing; give "
                "some of them a weight, or set rehearsed to 0"
            )
        scales = (fewer / of_first, fewer / of_second)
        self.weights = [
            scale * weight
            for kind, scale in zip(self._kinds, scales, strict=True)
            for weight in kind.weights
        ]
        self.too_long = first.too_long  # those of the other are told of stage 1

    @property
    def names(self) -> tuple[str, ...]:
        """The classes that either kind asks for by their names, in alphabetical order."""
        return tuple(sorted({name for kind in self._kinds for name in kind.names}))

    def encoded(self, number: int, epoch: int) -> Encoded:
        """Return an item as tensors; DataError where it cannot be read."""
        first, second = self._kinds
        if number < len(first):
            return first.encoded(number, epoch)
        return second.encoded(number - len(first), epoch)
