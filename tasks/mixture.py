"""The mixture of a dataset: what share of it each tier, task, source, class, answer and region is.

Wishes are met by keeping fewer of what there is too much of, never by adding. Kinds of samples,
`Traits`, are counted; each gets a keep rate by iterative proportional fitting: the totals along one
dimension are brought into proportion, then those along the next, until all hold.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from schemas.form import as_form

ROUNDS = 200  # of fitting, at most
PATIENCE = 10  # rounds without progress, after which wishes that contradict each other are given up
TOLERANCE = 1e-6  # of every share: met
PROGRESS = 1e-4  # of the share that is most off, by which a round must be better than the best
MOST_OFF = 0.01  # of a share before it is reported as not met
OTHERS = "*"
DIMENSIONS = ("tier", "task", "source", "class_", "answer", "region")
_LEAST = 1e-50  # a factor; contradicting wishes shrink them round by round

Shares = dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]]
Numbers = NDArray[np.float64]


class MixtureSettings(BaseModel):
    """Desired shares along each dimension, and the most samples of each question template.

    The weights of a dimension are shares relative to each other: {a: 2, b: 1} wants two of a for
    each b. "*" names all values together that are not named. Without it samples of a value that is
    not named are left as they are: this dimension does not thin them, and they are no part of what
    the shares are shares of. A weight of 0 keeps none. A named value that no sample has counts for
    nothing; the others share in proportion. A dimension without weights has no wish.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_by_name=True,
        serialize_by_alias=True,
        json_schema_extra=as_form,
    )

    tier: Shares = Field(default={}, description="For example {cap: 1, l1: 4}.")
    task: Shares = Field(default={}, description="Kind of question, for example {area: 1}.")
    source: Shares = Field(default={}, description="Archive.")
    class_: Shares = Field(default={}, alias="class", description="Class asked about.")
    answer: Shares = Field(default={}, description='For example {"Yes": 1, "No": 1}.')
    region: Shares = Field(default={}, description="Region of the world.")
    caps: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default={}, description="Template id -> most samples, as expected by the keep rates."
    )

    @property
    def wishes(self) -> bool:
        """Whether anything is wished at all."""
        return any(getattr(self, name) for name in (*DIMENSIONS, "caps"))


@dataclass(frozen=True, slots=True, order=True)
class Traits:
    """One kind of sample: all that a mixture tells apart. A value that does not apply is ""."""

    tier: str
    task: str
    source: str
    class_: str
    answer: str
    region: str
    template: str


def mixture_rates(counts: Mapping[Traits, float], settings: MixtureSettings) -> dict[Traits, float]:
    """Return the share to keep, 0 to 1, of each kind of sample, as large as the wishes allow.

    Wishes that contradict each other cannot all be met; `unmet` tells which are not.

    Args:
        counts: Kind -> number of samples, which may be an expected one.
        settings: What is wished.
    """
    kinds = sorted(counts)
    amounts = np.array([counts[kind] for kind in kinds], np.float64)
    wishes, caps = list(_wishes(kinds, settings)), _caps(kinds, settings)
    rates = _scaled_up(_fitted(amounts, wishes, caps), amounts, wishes, caps)
    return dict(zip(kinds, rates.tolist(), strict=True))


def unmet(
    counts: Mapping[Traits, float], rates: Mapping[Traits, float], settings: MixtureSettings
) -> list[str]:
    """Return in words each named value whose share, of the named ones, is off by over a point."""
    kinds = sorted(counts)
    kept = np.array([counts[kind] * rates[kind] for kind in kinds], np.float64)
    said = []
    for wish in _wishes(kinds, settings):
        totals = wish.totals(kept)
        wanted, reached = _shares(wish.targets), _shares(totals)
        there = wish.totals(np.ones(len(kinds))) > 0
        for value, share, got, is_there in zip(wish.values, wanted, reached, there, strict=True):
            if abs(share - got) > MOST_OFF:
                why = "" if is_there else " (no sample has it)"
                said.append(f"{wish.dimension} {value}: {share:.1%} wanted, {got:.1%} reached{why}")
    return said


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """Targets of some values: weights of a dimension's, or most samples of templates.

    `of_kind` is each kind's index among the values, their number where its own is not named.
    """

    dimension: str
    values: tuple[str, ...]
    targets: Numbers
    of_kind: NDArray[np.intp]

    def totals(self, amounts: Numbers) -> Numbers:
        length = len(self.values) + 1
        return np.bincount(self.of_kind, amounts, minlength=length)[:-1].astype(np.float64)

    def first_factors(self) -> Numbers:
        """Return what a kind is kept by, one for each value and 1 for what is not named."""
        return np.append(np.where(self.targets > 0, 1.0, 0.0), 1.0)


def _wishes(kinds: list[Traits], settings: MixtureSettings) -> Iterator[_Wish]:
    for dimension in DIMENSIONS:
        weights: Shares = getattr(settings, dimension)
        if weights:
            own = [getattr(kind, dimension) for kind in kinds]
            yield _wish(dimension.removesuffix("_"), weights, own, OTHERS)


def _caps(kinds: list[Traits], settings: MixtureSettings) -> _Wish:
    return _wish("template", settings.caps, [kind.template for kind in kinds], None)


def _wish(
    dimension: str, targets: Mapping[str, float], own: list[str], others: str | None
) -> _Wish:
    values = tuple(sorted(targets))
    index = {value: number for number, value in enumerate(values)}
    unnamed = len(values) if others is None else index.get(others, len(values))
    return _Wish(
        dimension=dimension,
        values=values,
        targets=np.array([targets[value] for value in values], np.float64),
        of_kind=np.array([index.get(value, unnamed) for value in own], np.intp),
    )


def _fitted(amounts: Numbers, wishes: list[_Wish], caps: _Wish) -> Numbers:
    """Return the rates of the round that came nearest to the wishes, the caps being held.

    A rate is the product of one factor for each dimension and one for the template, and the largest
    factor of a dimension is 1: nothing is thinned for a dimension that does not name it.
    """
    parts = [*wishes, caps]
    factors = [part.first_factors() for part in parts]

    def rates() -> Numbers:
        product = np.ones(len(amounts))
        for part, factor in zip(parts, factors, strict=True):
            product *= factor[part.of_kind]
        return product

    best, least, best_round = rates(), math.inf, 0
    for number in range(ROUNDS):
        for wish, factor in zip(wishes, factors[:-1], strict=True):
            _rake(factor, wish, wish.totals(amounts * rates()))
        _hold(factors[-1], caps, caps.totals(amounts * rates()))
        off = max((_most_off(wish, amounts * rates()) for wish in wishes), default=0.0)
        if off < least - PROGRESS or off <= TOLERANCE:
            best, least, best_round = rates(), off, number
        if off <= TOLERANCE or number - best_round >= PATIENCE:
            break
    return best


def _rake(factor: Numbers, wish: _Wish, totals: Numbers) -> None:
    """Bring the totals of the values that are there into proportion."""
    there = np.flatnonzero(totals > 0)
    if len(there):
        raw = factor[there] * wish.targets[there] / totals[there]
        factor[there] = np.maximum(raw / raw.max(), _LEAST)


def _hold(factor: Numbers, caps: _Wish, totals: Numbers) -> None:
    there = np.flatnonzero(totals > 0)
    factor[there] = np.minimum(1.0, factor[there] * caps.targets[there] / totals[there])


def _most_off(wish: _Wish, kept: Numbers) -> float:
    totals = wish.totals(kept)
    there = totals > 0
    off = _shares(np.where(there, wish.targets, 0.0)) - _shares(totals)
    return float(np.abs(off).max(initial=0.0))


def _scaled_up(rates: Numbers, amounts: Numbers, wishes: list[_Wish], caps: _Wish) -> Numbers:
    """Raise the rates of kinds together, where no share depends on it, until one is 1 or capped."""
    linked = _linked(wishes, len(rates))
    room = np.append(_room(caps, amounts * rates), math.inf)[caps.of_kind]
    scaled = rates.copy()
    for number in range(linked.max(initial=-1) + 1):
        own = (linked == number) & (rates * amounts > 0)
        if own.any():
            scaled[own] *= max(1.0, min(1.0 / rates[own].max(), room[own].min()))
    return np.minimum(scaled, 1.0)


def _room(caps: _Wish, kept: Numbers) -> Numbers:
    totals = caps.totals(kept)
    return np.divide(caps.targets, totals, out=np.ones_like(totals), where=totals > 0)


def _linked(wishes: list[_Wish], num_kinds: int) -> NDArray[np.intp]:
    """Return for each kind the number of the kinds whose rates its own is bound to, or -1.

    Kinds are bound that one dimension names, and so are those of two that name one kind.
    """
    # 0.3 s that a build without wishes can spare
    from scipy.sparse.csgraph import connected_components

    named = np.stack(
        [np.zeros(num_kinds, bool), *(wish.of_kind < len(wish.values) for wish in wishes)]
    )
    _, groups = connected_components(named.astype(int) @ named.T.astype(int), directed=False)
    first = named.argmax(axis=0)
    return np.where(named.any(axis=0), np.asarray(groups)[first], -1)


def _shares(totals: Numbers) -> Numbers:
    whole = totals.sum()
    return totals / whole if whole > 0 else np.zeros_like(totals)
