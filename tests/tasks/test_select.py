from hypothesis import given
from hypothesis import strategies as st

from tasks.select import Cell, is_kept, keep_rates


def cell(answer: str, group: str = "existence|water", num_answers: int = 2) -> Cell:
    return Cell("existence", group, num_answers, answer)


def test_the_frequent_answer_is_thinned_to_the_rare_one() -> None:
    rates = keep_rates({cell("Yes"): 40, cell("No"): 10}, {})
    assert rates == {("existence|water", "Yes"): 0.25, ("existence|water", "No"): 1.0}


def test_groups_that_lack_an_answer_are_evened_out_together() -> None:
    rates = keep_rates({cell("Yes", "existence|snow"): 10, cell("No", "existence|moss"): 4}, {})
    assert rates == {("existence|snow", "Yes"): 0.2, ("existence|moss", "No"): 0.5}


def test_an_answer_that_nobody_gives_the_other_way_is_left_out() -> None:
    assert keep_rates({cell("Yes"): 40}, {}) == {("existence|water", "Yes"): 0.0}


def test_large_answer_sets_are_capped_at_their_mean() -> None:
    counts = {cell(name, num_answers=0): n for name, n in [("a", 100), ("b", 10), ("c", 10)]}
    rates = keep_rates(counts, {})
    assert rates[("existence|water", "a")] == 0.4
    assert rates[("existence|water", "b")] == 1.0


def test_a_stored_rate_stays_until_it_moves_by_more_than_two_points() -> None:
    stored = {("existence|water", "Yes"): 0.26}
    counts = {cell("Yes"): 40, cell("No"): 10}
    assert keep_rates(counts, stored)[("existence|water", "Yes")] == 0.26
    stored = {("existence|water", "Yes"): 0.28}
    assert keep_rates(counts, stored)[("existence|water", "Yes")] == 0.25


def test_a_rate_of_one_keeps_all_and_of_zero_none() -> None:
    assert is_kept("f" * 24, 1.0)
    assert not is_kept("0" * 24, 0.0)


@given(st.dictionaries(st.sampled_from(["Yes", "No"]), st.integers(1, 10_000), min_size=2))
def test_expected_counts_are_equal_in_a_whole_group(counts: dict[str, int]) -> None:
    cells = {cell(answer): count for answer, count in counts.items()}
    rates = keep_rates(cells, {})
    expected = {round(n * rates[c.group, c.answer], 6) for c, n in cells.items()}
    assert len(expected) == 1
