from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from schemas.trace import value_text
from schemas.value import Name, Quantity, Truth
from templates.options import fixed_options, has_safe_margin, pick_options


def metres(value: float, margin: float = 0.0) -> Quantity:
    return Quantity(value, "m", value - margin, value + margin)


def test_a_margin_of_15_percent_is_asked_and_of_16_is_not() -> None:
    assert has_safe_margin(metres(100, 15))
    assert not has_safe_margin(metres(100, 16))


def test_yes_and_names_carry_their_own_margin() -> None:
    assert has_safe_margin(Truth(True))
    assert has_safe_margin(Name("cell 0"))


def test_too_few_other_answers_give_no_options() -> None:
    assert pick_options(metres(100), [metres(200), metres(400)], False, Random(0)) is None


def test_options_are_true_answers_clearly_apart() -> None:
    answer, others = metres(100), [metres(v) for v in (150, 240, 400, 700, 1200, 2000)]
    picked = [pick_options(answer, others, False, Random(seed)) for seed in range(50)]
    known = {value_text(v) for v in (answer, *others)}
    assert any(picked)
    for options in filter(None, picked):
        assert len(set(options)) == 4
        assert "100 m" in options
        assert set(options) <= known


def test_numbers_closer_than_a_third_never_stand_together() -> None:
    others = [metres(v) for v in (105, 110, 115, 120, 125)]
    assert all(pick_options(metres(100), others, False, Random(s)) is None for s in range(50))


def test_a_margin_that_holds_a_midpoint_gives_no_options() -> None:
    answer = Quantity(100.0, "m", 100.0, 116.0)  # the midpoint of 100 and 130 is 115
    others = [metres(v) for v in (130, 400, 1200)]
    assert all(pick_options(answer, others, False, Random(s)) is None for s in range(50))


def test_every_position_holds_the_answer_equally_often() -> None:
    answer, others = metres(100), [metres(v) for v in (200, 400, 800)]
    positions = Counter()
    for seed in range(2000):
        options = pick_options(answer, others, False, Random(seed))
        assert options is not None
        positions[options.index("100 m")] += 1
    assert all(430 <= positions[i] <= 570 for i in range(4))


def test_given_the_options_each_is_as_likely_to_be_true() -> None:
    """Two values are frequent and two rare; none of them is the answer more often than another."""
    rng = Random(1)
    world = [metres(v) for v in (100, 100, 100, 200, 200, 200, 400, 800)]
    truths: Counter[str] = Counter()
    num_asked = 0
    for seed in range(40_000):
        answer, *others = rng.sample(world, 7)
        options = pick_options(answer, others, False, Random(seed))
        if options is not None:
            num_asked += 1
            truths[value_text(answer)] += 1
    assert num_asked > 5_000
    assert all(abs(n / num_asked - 0.25) < 0.03 for n in truths.values()), truths


@given(st.integers(0, 2**32), st.permutations(["Yes", "No", "Maybe"]))
def test_fixed_options_are_a_permutation(seed: int, choices: list[str]) -> None:
    assert sorted(fixed_options(choices, Random(seed))) == sorted(choices)
