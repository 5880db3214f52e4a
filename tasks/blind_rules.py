"""The blind control: what can be guessed without looking is kept less often.

Rules see task, classes and option texts, never an image. Each is fitted on one half of a task's
items and guesses the other half. Where a rule is right more often than chance, the items that it
guesses right are thinned until it is right as often as chance among what is left. Leaving all of
them out would leak in reverse: the answer would be whatever the rule does not guess.

Letters in array names: N = items of a task, K = the most options that one of them has.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from re import fullmatch

import numpy as np
from numpy.typing import NDArray

MIN_ADVANTAGE = 0.01  # over chance; what is less is left as it is
MIN_OWN_ITEMS = 30  # of a task, or of a key or guess with a rate of its own; fewer say nothing
MAX_ROUNDS = 40  # a round evens out one rule of a task; the hardest set tried took 20
CLEAN_SPLITS = 2  # ways to halve in a row by which nothing is found, once something was
Z = 1.96  # of a 95 % bound
HALF_DIGIT = -1  # of the id, in hex, tells the half; `is_kept` looks at the first 13

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BlindItem:
    """What a question shows of itself: the classes in its text and its options, answer by index.

    An open question with a closed answer set, such as yes or no, has that set as its options.
    """

    sample_id: str
    task: str
    key: tuple[str, ...]
    options: tuple[str, ...]
    answer: int


@dataclass(frozen=True, slots=True)
class Advantage:
    """How often a rule is right, as shares of 1, with its 95 % bounds (Wilson's) over chance.

    `items` is how many are expected to be kept.
    """

    items: float
    chance: float
    over: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule's advantage on one task before the control and, fitted again, after it."""

    task: str
    rule: str
    before: Advantage
    after: Advantage


@dataclass(frozen=True, slots=True)
class BlindControl:
    """The keep rates below 1 by sample id, and what every rule gained before and after."""

    rates: dict[str, float]
    results: tuple[RuleResult, ...]


@dataclass(frozen=True, slots=True)
class _Guessed:
    right_N: Bools
    said_N: Ints  # number of key and guess
    is_seen_N: Bools  # whether it guesses at all


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coded:
    """The items of one task as numbers; places beyond an item's options are `is_place_NK` False."""

    halves_BN: Bools  # B = the bits of the id's last digit, each of which makes halves
    key_N: Ints  # number of the key
    answer_N: Ints
    num_options_N: Ints
    is_place_NK: Bools
    text_NK: Ints  # number of the option's text
    cell_NK: Ints  # number of the pair of key and text
    rank_NK: Ints  # of the option's number among the item's; 0 for words
    log_NK: Floats  # of the option's number; NaN if an option of the item has none above 0
    true_number_N: Floats
    by_number_S: Ints  # S = the items whose answer is a number above 0, in its order
    by_key_and_number_S: Ints
    num_texts: int
    num_cells: int

    def true(self, of_options_NK: Ints) -> Ints:
        """Return what stands at each item's answer."""
        return np.take_along_axis(of_options_NK, self.answer_N[:, None], axis=1)[:, 0]


def number(text: str) -> float | None:
    """Return an option's number in its base unit; None for words."""
    match = fullmatch(r"(\d[\d,]*(?:\.\d+)?)(?: (ha|m²|m|%))?", text)
    if match is None:
        return None
    return float(match[1].replace(",", "")) * (10_000 if match[2] == "ha" else 1)


# A rule is fitted on items by weight, 0 for those it may not see, and guesses an option for each.
Rule = Callable[[_Coded, Floats], Ints]


def by_letter(items: _Coded, weight_N: Floats) -> Ints:
    """Always the letter that is most often right."""
    best = np.bincount(items.answer_N, weight_N).argmax()
    return np.minimum(best, items.num_options_N - 1)


def by_rank(items: _Coded, weight_N: Floats) -> Ints:
    """The rank of number (smallest, second, …, largest) that is most often right."""
    best = np.bincount(items.true(items.rank_NK), weight_N).argmax()
    return _first_best(np.where(items.is_place_NK, items.rank_NK == best, False))


def by_class_answer(items: _Coded, weight_N: Floats) -> Ints:
    """The option that is most often the answer to the same question about the same classes."""
    here = np.bincount(items.true(items.cell_NK), weight_N, items.num_cells)
    everywhere = np.bincount(items.true(items.text_NK), weight_N, items.num_texts)
    here_NK = np.where(items.is_place_NK, here[items.cell_NK], -1.0)
    is_best_NK = here_NK == here_NK.max(axis=1, keepdims=True)
    return _first_best(np.where(is_best_NK, everywhere[items.text_NK], -1.0))


def by_class_size(items: _Coded, weight_N: Floats) -> Ints:
    """The number nearest, on a log scale, to the median answer for the same classes."""
    one_key_N = np.zeros_like(items.key_N)
    overall = _medians(items.true_number_N, one_key_N, items.by_number_S, weight_N)
    of_key = _medians(items.true_number_N, items.key_N, items.by_key_and_number_S, weight_N)
    centre_N = np.where(np.isnan(of_key), overall[0], of_key)[items.key_N]
    gap_NK = np.abs(items.log_NK - np.log(centre_N)[:, None])
    # the first option if there is no number: argmax takes NaN for the greatest
    return _first_best(np.where(items.is_place_NK, -gap_NK, -np.inf))


def by_option_rate(items: _Coded, weight_N: Floats) -> Ints:
    """The option that is right most often when it is offered."""
    weight_NK = np.where(items.is_place_NK, weight_N[:, None], 0.0)
    offered = np.bincount(items.text_NK.ravel(), weight_NK.ravel(), items.num_texts)
    right = np.bincount(items.true(items.text_NK), weight_N, items.num_texts)
    rate_NK = (right[items.text_NK] + 1) / (offered[items.text_NK] + items.num_options_N[:, None])
    return _first_best(np.where(items.is_place_NK, rate_NK, -1.0))


def _first_best(score_NK: Floats | Bools) -> Ints:
    return np.asarray(score_NK.argmax(axis=1), dtype=np.int64)


RULES: dict[str, Rule] = {
    "letter": by_letter,
    "rank of number": by_rank,
    "class prior: answer": by_class_answer,
    "class prior: size": by_class_size,
    "option's own rate": by_option_rate,
}


def guesses(items: Sequence[BlindItem], half_digit: int = HALF_DIGIT) -> dict[str, dict[str, bool]]:
    """Return, by rule and sample id, whether the rule fitted on the other half guesses it right.

    The parity of the given hex digit of the id is the half.
    """
    right: dict[str, dict[str, bool]] = {rule: {} for rule in RULES}
    for group in by_task(items).values():
        ids = [item.sample_id for item in group]
        coded = _code(group, half_digit)
        for rule, found in _cross_fitted(coded, np.ones(len(group)), coded.halves_BN[0]).items():
            right[rule] |= zip(ids, found.right_N.tolist(), strict=True)
    return right


def control(
    items: Sequence[BlindItem],
    weights: Mapping[str, float],
    extra: Mapping[str, Mapping[str, bool]],
) -> BlindControl:
    """Return the keep rates under which no rule is better than chance by more than a point.

    Per task, the rule with the greatest real advantage is evened out: one whose lower bound is
    above 0 and which is above `MIN_ADVANTAGE`. Of what it guesses right, a share of
    c W / ((1 - c) R) is kept, with R expected right and W wrong, by weight, and c chance: so much
    that among what is kept it is right as often as chance. To drop all that it guesses right would
    leak in reverse. Then all rules are fitted again on what is expected to be kept, for at most
    `MAX_ROUNDS` rounds, each on halves made from the next bit of the id: thinning one half by the
    other leaves the two unlike each other, which the same halves cannot see.

    A sample is to be kept if its hash lies under the product of all its rates; no half is made from
    the digits that this compares.

    Args:
        items: Candidates with distinct ids.
        weights: Sample id -> the rate at which earlier steps keep it; 1 where it is missing.
        extra: Further rules: name -> sample id -> guessed right; ids that are missing do not count.
    """
    rates: dict[str, float] = {}
    results: list[RuleResult] = []
    for task, group in sorted(by_task(items).items()):
        weight_N = np.array([weights.get(item.sample_id, 1.0) for item in group])
        coded = _code(group, HALF_DIGIT)
        told = {rule: _told(group, coded.key_N, found) for rule, found in extra.items()}
        rate_N, before, after = _evened(coded, weight_N, told)
        ids = (item.sample_id for item in group)
        rates |= {i: rate for i, rate in zip(ids, rate_N.tolist(), strict=True) if rate < 1}
        results += [RuleResult(task, rule, before[rule], after[rule]) for rule in before]
    return BlindControl(rates, tuple(results))


def by_task(items: Iterable[BlindItem]) -> dict[str, list[BlindItem]]:
    """Return the items of each task, in the order given."""
    groups: dict[str, list[BlindItem]] = defaultdict(list)
    for item in items:
        groups[item.task].append(item)
    return groups


def _advantage(right_N: Bools, chance_N: Floats, weight_N: Floats) -> Advantage:
    """Return how much more often than chance guesses are right, each weighing as it is kept."""
    num, share, chance, low, high = _measured(
        np.zeros(len(right_N), dtype=np.int64), right_N, chance_N, weight_N
    )
    return Advantage(
        float(num[0]), float(chance[0]), float((share - chance)[0]), float(low[0]), float(high[0])
    )


def _evened(
    items: _Coded, weight_N: Floats, told: dict[str, _Guessed]
) -> tuple[Floats, dict[str, Advantage], dict[str, Advantage]]:
    """Return every item's keep rate, and each rule's advantage before and after."""
    chance_N = 1 / items.num_options_N
    rate_N = np.ones(len(weight_N))
    before: dict[str, Advantage] = {}
    clean = 0
    for rounds in range(MAX_ROUNDS + 1):
        kept_N = weight_N * rate_N
        halves_N = items.halves_BN[rounds % len(items.halves_BN)]
        found = _cross_fitted(items, kept_N, halves_N) | told
        after = {
            rule: _advantage(guessed.right_N, chance_N, kept_N * guessed.is_seen_N)
            for rule, guessed in found.items()
        }
        before = before or after
        real = [rule for rule, gain in after.items() if _is_real(gain)]
        clean = 0 if real else clean + 1
        if rounds == MAX_ROUNDS or clean == (CLEAN_SPLITS if rounds else 1):
            break
        if real:
            worst = max(real, key=lambda rule: after[rule].over)
            rate_N = rate_N * _keep_rates(found[worst], items.key_N, chance_N, kept_N)
    return rate_N, before, after


def _is_real(found: Advantage) -> bool:
    return found.items >= MIN_OWN_ITEMS and found.low > 0 and found.over > MIN_ADVANTAGE


def _keep_rates(guessed: _Guessed, key_N: Ints, chance_N: Floats, weight_N: Floats) -> Floats:
    """Return the rates at which a rule comes down to chance: for what it guesses wrong, 1.

    Where its advantage is real for one guess about one key, these have their own rate, then the
    keys where it is, then all others together. One rate a key would thin what the rule knows too
    little and what it merely guesses too much: that alone cost a seventh of the items, and with the
    same halves throughout a class prior was 5 to 8 points over chance afterwards.
    """
    right_N, is_left_N = guessed.right_N, guessed.is_seen_N
    rate_N = np.ones(len(right_N))
    everything = (np.zeros_like(key_N), 0)
    for group_N, min_items in ((guessed.said_N, MIN_OWN_ITEMS), (key_N, MIN_OWN_ITEMS), everything):
        left_N = weight_N * is_left_N
        rates, is_real = _rates_of_groups(group_N, right_N, chance_N, left_N, min_items)
        is_own_N = is_left_N & is_real[group_N]
        rate_N = np.where(is_own_N & right_N, rates[group_N], rate_N)
        is_left_N = is_left_N & ~is_own_N
    return rate_N


def _rates_of_groups(
    group_N: Ints, right_N: Bools, chance_N: Floats, weight_N: Floats, min_items: int
) -> tuple[Floats, Bools]:
    """Return c W / ((1 - c) R) by group, each item with its own c, and if the gain is real."""
    num, share, chance, low, _ = _measured(group_N, right_N, chance_N, weight_N)
    too_often = np.bincount(group_N, weight_N * right_N * (1 - chance_N))
    too_seldom = np.bincount(group_N, weight_N * ~right_N * chance_N)
    is_real = (num >= min_items) & (low > 0) & (share - chance > MIN_ADVANTAGE)
    return too_seldom / np.where(is_real, too_often, 1.0), is_real


def _measured(
    group_N: Ints, right_N: Bools, chance_N: Floats, weight_N: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return by group: items, share right, chance, and the bounds over chance."""
    num = np.bincount(group_N, weight_N).astype(np.float64)
    some = np.maximum(num, 1e-9)  # no items: no share, and bounds from 0 to 1
    share = np.bincount(group_N, weight_N * right_N) / some
    chance = np.bincount(group_N, weight_N * chance_N) / some
    middle = (share + Z**2 / (2 * some)) / (1 + Z**2 / some)
    spread = np.sqrt(share * (1 - share) / some + (Z / (2 * some)) ** 2)
    reach = Z * spread / (1 + Z**2 / some)
    return num, share, chance, middle - reach - chance, middle + reach - chance


def _cross_fitted(items: _Coded, weight_N: Floats, half_N: Bools) -> dict[str, _Guessed]:
    """Return what each rule guesses, fitted on the other half by weight."""
    found: dict[str, _Guessed] = {}
    for rule, fit in RULES.items():
        by_half, by_other = (fit(items, weight_N * half) for half in (half_N, ~half_N))
        guess_N = np.where(half_N, by_other, by_half)
        said_N = np.take_along_axis(items.cell_NK, guess_N[:, None], axis=1)[:, 0]
        found[rule] = _Guessed(guess_N == items.answer_N, said_N, np.ones_like(half_N))
    return found


def _medians(number_N: Floats, group_N: Ints, order_S: Ints, weight_N: Floats) -> Floats:
    """Return the weighted median number of each group, NaN where there is none.

    `order_S` orders by group, then number.
    """
    seen = order_S[weight_N[order_S] > 0]
    every = np.arange(group_N.max() + 1)
    start, end = (np.searchsorted(group_N[seen], every, side=side) for side in ("left", "right"))
    reached = np.concatenate([[0.0], np.cumsum(weight_N[seen])])
    middle = (reached[start] + reached[end]) / 2
    lower, upper = (np.searchsorted(reached[1:], middle, side=side) for side in ("left", "right"))
    number = np.append(number_N[seen], np.nan)
    # one place where the middle lies inside an item's weight, two where it lies between two items
    median = (number[np.minimum(lower, end - 1)] + number[np.minimum(upper, end - 1)]) / 2
    return np.where(start < end, median, np.nan)


def _code(group: Sequence[BlindItem], half_digit: int) -> _Coded:
    digit_N = np.array([int(item.sample_id[half_digit], 16) for item in group])
    num_options_N = np.array([len(item.options) for item in group])
    is_place_NK = np.arange(num_options_N.max()) < num_options_N[:, None]
    answer_N = np.array([item.answer for item in group])
    keys: dict[tuple[str, ...], int] = {}
    texts: dict[str, int] = {}
    key_N = np.array([keys.setdefault(item.key, len(keys)) for item in group])
    text_NK = np.zeros(is_place_NK.shape, dtype=np.int64)
    text_NK[is_place_NK] = [
        texts.setdefault(option, len(texts)) for item in group for option in item.options
    ]
    cells, cell_NK = np.unique(key_N[:, None] * len(texts) + text_NK, return_inverse=True)
    numbers = np.array([number(text) for text in texts], dtype=np.float64)  # None is NaN
    number_NK = np.where(is_place_NK, numbers[text_NK], np.nan)
    true_number_N = np.take_along_axis(number_NK, answer_N[:, None], axis=1)[:, 0]
    with_number_S = np.flatnonzero(true_number_N > 0)
    shown = (true_number_N[with_number_S], key_N[with_number_S])
    return _Coded(
        halves_BN=(digit_N >> np.arange(4)[:, None] & 1).astype(np.bool_),
        key_N=key_N,
        answer_N=answer_N,
        num_options_N=num_options_N,
        is_place_NK=is_place_NK,
        text_NK=text_NK,
        cell_NK=cell_NK.reshape(text_NK.shape),
        rank_NK=_ranks(number_NK, is_place_NK),
        log_NK=_logs(number_NK, is_place_NK),
        true_number_N=true_number_N,
        by_number_S=with_number_S[np.argsort(shown[0], kind="stable")],
        by_key_and_number_S=with_number_S[np.lexsort(shown)],
        num_texts=len(texts),
        num_cells=len(cells),
    )


def _told(group: Sequence[BlindItem], key_N: Ints, found: Mapping[str, bool]) -> _Guessed:
    """Return what a rule from outside guessed; only whether it is right is known."""
    """Return which items a rule is said to guess right, and of which anything is said."""
    return _Guessed(
        np.array([found.get(item.sample_id, False) for item in group]),
        key_N,
        np.array([item.sample_id in found for item in group]),
    )


def _ranks(number_NK: Floats, is_place_NK: Bools) -> Ints:
    """Return how many of an item's numbers are smaller, 0 if one of its options is none."""
    smaller_NKK = number_NK[:, None, :] < number_NK[:, :, None]
    has_words_N1 = (np.isnan(number_NK) & is_place_NK).max(axis=1, keepdims=True)
    return np.where(has_words_N1, 0, smaller_NKK.sum(axis=2))


def _logs(number_NK: Floats, is_place_NK: Bools) -> Floats:
    """Return the log of each number, NaN if an option of the item has none above 0."""
    has_other_N1 = (~(number_NK > 0) & is_place_NK).max(axis=1, keepdims=True)
    return np.log(np.where(has_other_N1, np.nan, number_NK))
