"""Sets that leak in a known way: what the control makes of them, fitted again in unseen halves."""

from collections.abc import Callable
from random import Random
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.blind_rules import (
    HALF_DIGIT,
    RULES,
    BlindControl,
    BlindItem,
    control,
    guesses,
    number,
)
from tasks.select import is_kept

YES_NO = ("Yes", "No")
CLASSES = tuple("abcdefgh")
BOUND = 0.03  # over chance, of what is kept, with its upper 95 % bound
UNSEEN_DIGIT = HALF_DIGIT - 1

Maker = Callable[[Random, str], tuple[tuple[str, ...], int]]


def majority(rng: Random, _: str) -> tuple[tuple[str, ...], int]:
    return YES_NO, int(rng.random() > 0.7)


def largest(rng: Random, _: str) -> tuple[tuple[str, ...], int]:
    sizes = rng.sample(range(100, 1000), 4)
    often = sizes.index(max(sizes))  # 40 % of the time
    return tuple(f"{size} ha" for size in sizes), often if rng.random() < 0.2 else rng.randrange(4)


def class_prior(rng: Random, key: str) -> tuple[tuple[str, ...], int]:
    return YES_NO, int(rng.random() > (CLASSES.index(key) + 0.5) / len(CLASSES))


def class_word(rng: Random, key: str) -> tuple[tuple[str, ...], int]:
    options = tuple(rng.sample(CLASSES, 4))
    return options, options.index(key) if key in options and rng.random() < 0.6 else rng.randrange(
        4
    )


def letter_and_class(rng: Random, key: str) -> tuple[tuple[str, ...], int]:
    options = tuple(rng.sample(CLASSES, 4))
    drawn = rng.random()
    if drawn < 0.2:
        return options, 0
    return options, options.index(key) if drawn < 0.5 and key in options else rng.randrange(4)


def two_forms(rng: Random, key: str) -> tuple[tuple[str, ...], int]:
    return majority(rng, key) if rng.random() < 0.5 else largest(rng, key)


def fair(rng: Random, _: str) -> tuple[tuple[str, ...], int]:
    return tuple(rng.sample(CLASSES, 4)), rng.randrange(4)


def fair_yes_no(rng: Random, _: str) -> tuple[tuple[str, ...], int]:
    return YES_NO, rng.randrange(2)


LEAKS: tuple[Maker, ...] = (
    majority, largest, class_prior, class_word, letter_and_class, two_forms,
)  # fmt: skip


def made(make: Maker, num: int, seed: int) -> list[BlindItem]:
    rng = Random(seed)
    keys = [(key, *make(rng, key)) for key in rng.choices(CLASSES, k=num)]
    return [
        BlindItem(f"{rng.getrandbits(96):024x}", "task", (key,), options, answer)
        for key, options, answer in keys
    ]


def one_key(answers: list[int]) -> list[BlindItem]:
    """Return yes-or-no items whose halves alternate."""
    return [
        BlindItem(f"{index:024x}", "task", ("water",), YES_NO, answer)
        for index, answer in enumerate(answers)
    ]


def kept_under(found: BlindControl, items: list[BlindItem]) -> list[BlindItem]:
    return [item for item in items if is_kept(item.sample_id, found.rates.get(item.sample_id, 1.0))]


def shares_right(items: list[BlindItem], half_digit: int = HALF_DIGIT) -> dict[str, float]:
    return {rule: mean(right.values()) for rule, right in guesses(items, half_digit).items()}


def upper_bounds(items: list[BlindItem]) -> dict[str, float]:
    chance = mean(1 / len(item.options) for item in items)
    return {
        rule: share + 1.96 * (share * (1 - share) / len(items)) ** 0.5 - chance
        for rule, share in shares_right(items, UNSEEN_DIGIT).items()
    }


@pytest.mark.parametrize("make", LEAKS)
def test_rules_fitted_again_on_what_is_kept_stay_within_the_bound(make: Maker) -> None:
    items = made(make, 12_000, 1)
    kept = kept_under(control(items, {}, {}), items)
    assert max(upper_bounds(items).values()) > 0.1
    assert max(upper_bounds(kept).values()) < BOUND


@pytest.mark.parametrize("make", LEAKS)
def test_what_is_told_of_afterwards_is_within_the_bound(make: Maker) -> None:
    found = control(made(make, 12_000, 2), {}, {})
    assert max(result.before.low for result in found.results) > 0.1
    assert max(result.after.high for result in found.results) < BOUND


@pytest.mark.parametrize("make", [fair, fair_yes_no])
def test_without_a_leak_hardly_anything_is_thinned(make: Maker) -> None:
    shares = [len(control(made(make, 2000, s), {}, {}).rates) / 2000 for s in range(20)]
    assert shares.count(0.0) >= 15
    assert mean(shares) < 0.05


def test_without_a_leak_many_items_are_not_thinned_at_all() -> None:
    assert control(made(fair, 12_000, 3), {}, {}).rates == {}


def test_seven_yes_to_three_no_are_evened_out_without_losing_a_no() -> None:
    items = made(majority, 12_000, 4)
    found = control(items, {}, {})
    thinned = {item.answer for item in items if item.sample_id in found.rates}
    assert thinned == {0}
    assert list(found.rates.values()) == pytest.approx([3 / 7] * len(found.rates), abs=0.1)
    assert mean(found.rates.values()) == pytest.approx(3 / 7, abs=0.02)


def test_a_largest_number_right_40_percent_of_the_time_is_kept_half_as_often() -> None:
    found = control(made(largest, 12_000, 5), {}, {})
    assert mean(found.rates.values()) == pytest.approx(0.5, abs=0.03)


def test_a_class_that_tells_nothing_keeps_all_beside_one_that_tells_the_answer() -> None:
    rng = Random(6)
    items = [
        BlindItem(f"{rng.getrandbits(96):024x}", "task", (key,), YES_NO, int(rng.random() > yes))
        for key, yes in [("snow", 0.9), ("water", 0.5)] * 4000
    ]
    found = control(items, {}, {})
    snow, water = (
        mean(found.rates.get(item.sample_id, 1.0) for item in items if item.key == (key,))
        for key in ("snow", "water")
    )
    assert snow == pytest.approx(0.2, abs=0.03)
    assert water > 0.97


def test_what_is_evened_out_already_by_weight_is_not_thinned_again() -> None:
    items = made(majority, 12_000, 7)
    weights = {item.sample_id: 3 / 7 for item in items if item.answer == 0}
    assert control(items, weights, {}).rates == {}


def test_a_rule_from_outside_is_brought_down_to_chance() -> None:
    items = made(fair, 8000, 8)
    rng = Random(80)
    right = {item.sample_id: rng.random() < 0.6 for item in items[:6000]}
    found = control(items, {}, {"language model": right})
    wrong = [
        found.rates.get(sample_id, 1.0) for sample_id, is_right in right.items() if not is_right
    ]
    assert mean(wrong) > 0.99
    kept = [right[i.sample_id] for i in kept_under(found, items) if i.sample_id in right]
    assert mean(kept) == pytest.approx(0.25, abs=0.02)
    told = next(result for result in found.results if result.rule == "language model")
    assert told.before.items == 6000
    assert told.before.over == pytest.approx(0.35, abs=0.02)
    assert told.after.over == pytest.approx(0.0, abs=0.01)


def test_tasks_are_controlled_apart() -> None:
    leaky = made(majority, 4000, 9)
    other = [
        BlindItem(item.sample_id, "fair", item.key, item.options, item.answer)
        for item in made(fair_yes_no, 4000, 10)
    ]
    found = control(leaky + other, {}, {})
    assert set(found.rates) <= {item.sample_id for item in leaky}
    assert [result.task for result in found.results] == ["fair"] * 5 + ["task"] * 5


def test_rates_do_not_depend_on_the_order_of_items() -> None:
    items = made(letter_and_class, 4000, 11)
    once, again = control(items, {}, {}).rates, control(items[::-1], {}, {}).rates
    assert once == pytest.approx(again)


def test_each_half_is_guessed_by_what_the_other_half_says() -> None:
    items = one_key([0, 1] * 50)  # even ids say yes, odd ones no
    assert not any(guesses(items)["class prior: answer"].values())
    assert all(guesses(one_key([1] * 100))["class prior: answer"].values())


def test_a_class_that_was_never_seen_is_guessed_by_what_is_right_elsewhere() -> None:
    items = [*one_key([1] * 20), BlindItem("f" * 24, "task", ("moss",), YES_NO, 1)]
    assert guesses(items)["class prior: answer"]["f" * 24]


def test_the_size_rule_takes_the_number_nearest_to_the_class_median() -> None:
    small, large = ("10 ha", "1,000 ha"), ("900 ha", "30,000 m²")
    items = [
        BlindItem(f"{index:024x}", "area", ("pond",), options, answer)
        for index, (options, answer) in enumerate([(small, 0)] * 10 + [(large, 1)] * 4)
    ]
    assert all(guesses(items)["class prior: size"].values())


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,200", 1200.0), ("3.5 ha", 35_000.0), ("40 m²", 40.0), ("7 %", 7.0), ("north-east", None)],
)
def test_numbers_are_read_in_their_base_unit(text: str, value: float | None) -> None:
    assert number(text) == value


def test_no_items_need_no_control() -> None:
    assert control([], {}, {}) == BlindControl({}, ())


option_sets = st.sampled_from([YES_NO, ("5 ha", "0 ha", "900 m²"), ("a", "b", "c", "7 %")])


@st.composite
def drawn_items(draw: st.DrawFn) -> list[BlindItem]:
    ids = draw(st.lists(st.integers(0, 16**24 - 1), min_size=1, max_size=40, unique=True))
    return [
        BlindItem(
            f"{value:024x}",
            draw(st.sampled_from(["one", "two"])),
            draw(st.sampled_from([(), ("water",), ("water", "moss")])),
            options := draw(option_sets),
            draw(st.integers(0, len(options) - 1)),
        )
        for value in ids
    ]


@settings(max_examples=40, deadline=None)
@given(drawn_items(), st.floats(0.0, 1.0))
def test_any_items_get_rates_between_0_and_1(items: list[BlindItem], weight: float) -> None:
    ids = [item.sample_id for item in items]
    assert all(list(right) and set(right) == set(ids) for right in guesses(items).values())
    found = control(items, dict.fromkeys(ids[::2], weight), {"told": dict.fromkeys(ids[::3], True)})
    assert set(found.rates) <= set(ids)
    assert all(0 <= rate < 1 for rate in found.rates.values())
    assert {result.rule for result in found.results} == {*RULES, "told"}
    for after in (result.after for result in found.results):
        assert after.low - 1e-6 <= after.over <= after.high + 1e-6
