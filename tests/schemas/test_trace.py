import pytest

from schemas.trace import Fact, build_trace, cell_text, quantity_text, round_significant, value_text
from schemas.value import Name, Quantity, Truth


def test_a_share_is_worded_in_percent_with_two_digits() -> None:
    assert quantity_text(0.4913, "share") == "49 %"
    assert quantity_text(0.0123, "share") == "1.2 %"


def test_areas_turn_to_hectares_from_one_hectare_on() -> None:
    assert quantity_text(9_940, "m2") == "9,900 m²"
    assert quantity_text(10_000, "m2") == "1.0 ha"
    assert quantity_text(707_500, "m2") == "71 ha"


def test_an_area_that_rounds_up_to_a_hectare_is_worded_as_one() -> None:
    assert quantity_text(9_960, "m2") == "1.0 ha"


def test_counts_are_exact() -> None:
    assert quantity_text(1234.0, "count") == "1,234"


def test_a_unit_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="furlong"):
        quantity_text(1.0, "furlong")


def test_yes_no_and_places_are_worded() -> None:
    assert value_text(Truth(True)) == "Yes"
    assert value_text(Truth(False)) == "No"
    assert value_text(Name("cell 2"), north_up=True) == "north-east"
    assert value_text(Name("cell 2"), north_up=False) == "upper right"
    assert value_text(Name("image 3")) == "image 3"


def test_compass_and_image_words_name_the_same_middle() -> None:
    assert cell_text("cell 4", True) == cell_text("cell 4", False) == "centre"


def test_rounding_keeps_two_digits_and_zero() -> None:
    assert round_significant(0.0) == 0.0
    assert round_significant(1234) == 1200
    assert round_significant(0.0456) == 0.046


def test_fact_spans_cut_the_facts_out_of_the_trace() -> None:
    trace = build_trace(
        [("I mark water [SEG], ", Fact("12"), " pixels."), ("That is ", Fact("3 %"), ".")], "3 %"
    )
    assert trace.text == (
        "<think>I mark water [SEG], 12 pixels. That is 3 %.</think><answer>3 %</answer>"
    )
    assert [trace.text[start:end] for start, end in trace.fact_spans] == ["12", "3 %"]
    assert trace.steps == ("I mark water [SEG], 12 pixels.", "That is 3 %.")


def test_a_value_without_unit_has_no_wording() -> None:
    with pytest.raises(ValueError, match="no wording"):
        value_text(Quantity(1.0, "", 1.0, 1.0))
