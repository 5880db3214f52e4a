"""Answers in somebody's words against values."""

import pytest

from schemas.value import Name, Quantity, Truth
from templates.answers import agrees

YES, NO = Truth(True), Truth(False)
SHARE = Quantity(0.4321, "share", 0.42, 0.445)
AREA = Quantity(123_456.0, "m2", 118_000.0, 129_000.0)
METRES = Quantity(1_234.0, "m", 1_190.0, 1_280.0)
SMALL = Quantity(2_345.0, "m2", 2_200.0, 2_500.0)  # under a hectare
SEVEN = Quantity(7.0, "count", 7.0, 7.0)
MANY = Quantity(1_204.0, "count", 1_204.0, 1_204.0)
CORNER, NAME = Name("cell 2"), Name("tree cover")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Yes", YES), ("yes.", YES), ("Yes, it does", YES), ("YES", YES), ("Yes. More of it.", YES),
        ("No", NO), ("no, there is none", NO),
        ("tree cover", NAME), ("Tree cover.", NAME), ("The tree cover", NAME),
        ("north-east", CORNER), ("North-East", CORNER), ("northeast", CORNER),
        ("the north east", CORNER), ("in the north-east", CORNER),
        ("43 %", SHARE), ("43%", SHARE), ("43 percent", SHARE), ("43.2 per cent", SHARE),
        ("about 43 %", SHARE), ("42.5 %", SHARE), ("43 % of the image", SHARE), ("44 %", SHARE),
        ("12 ha", AREA), ("12.3 hectares", AREA), ("123,456 m²", AREA), ("123456 m2", AREA),
        ("120,000 square metres", AREA), ("0.12 km²", AREA), ("12 ha of water", AREA),
        ("approximately 12 ha", AREA), ("0.123 square kilometers", AREA), ("12.8 ha", AREA),
        ("2,300 m²", SMALL), ("0.23 ha", SMALL), ("2345 m^2", SMALL),
        ("1,200 m", METRES), ("1.2 km", METRES), ("1234 metres", METRES),
        ("1.23 kilometres", METRES), ("1,200 m apart", METRES),
        ("7", SEVEN), ("7 buildings", SEVEN), ("seven", SEVEN), ("Seven patches", SEVEN),
        ("7 destroyed buildings.", SEVEN), ("1,204", MANY), ("1204 buildings", MANY),
        ("0 %", Quantity(0.0, "share", 0.0, 0.0)),
    ],
)  # fmt: skip
def test_what_says_the_value_agrees(text, value) -> None:
    assert agrees(text, value, north_up=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("No", YES), ("Yes", NO), ("yes or no", YES), ("No or yes", NO), ("Yes/No", YES), ("", YES),
        ("Maybe", YES), ("It is, yes", YES), ("nope", NO), ("yesterday", YES), ("not at all", NO),
        ("cropland", NAME), ("tree cover or water", NAME), ("tree", NAME), ("", NAME),
        ("yes", NAME),
        ("north", CORNER), ("south-east", CORNER), ("cell 2", CORNER), ("upper right", CORNER),
        ("46 %", SHARE), ("40 %", SHARE), ("0.43", SHARE), ("43", SHARE), ("43 ha", SHARE),
        ("43 m", SHARE), ("4.3 %", SHARE), ("432 %", SHARE), ("-43 %", SHARE),
        ("43 % to 44 %", SHARE),
        ("over 43 %", SHARE), ("between 42 % and 44 %", SHARE), ("43 % of 100", SHARE),
        ("forty-three percent", SHARE), ("nan %", SHARE), ("inf", SHARE), ("1e1 %", SHARE),
        ("12 m²", AREA), ("12 km²", AREA), ("12 m", AREA), ("12", AREA), ("13.5 ha", AREA),
        ("12 %", AREA), ("30 acres", AREA), ("1,2 ha", AREA), ("123,456", AREA),
        ("1,200 m²", METRES), ("1.2 m", METRES), ("1,200 km", METRES), ("1,200", METRES),
        ("1,400 m", METRES),
        ("8", SEVEN), ("6 buildings", SEVEN), ("eight", SEVEN), ("about 7", SEVEN), ("7.0", SEVEN),
        ("7 %", SEVEN), ("7 ha", SEVEN), ("7 m", SEVEN), ("7 or 8", SEVEN), ("-7", SEVEN),
        ("7.4", SEVEN), ("", SEVEN), ("70", SEVEN), ("1,205", MANY), ("1,200", MANY),
        ("0 m", Quantity(0.0, "share", 0.0, 0.0)),
    ],
)  # fmt: skip
def test_what_says_anything_else_does_not(text, value) -> None:
    assert not agrees(text, value, north_up=True)


def test_a_cell_is_named_by_the_image_where_north_is_not_known() -> None:
    assert agrees("upper right", CORNER, north_up=False)
    assert agrees("Upper-right", CORNER, north_up=False)
    assert not agrees("north-east", CORNER, north_up=False)


def test_an_answer_outside_the_margin_must_be_right_to_two_digits() -> None:
    narrow = Quantity(0.4321, "share", 0.4320, 0.4322)
    assert agrees("43 %", narrow, north_up=True)
    assert not agrees("44 %", narrow, north_up=True)


def test_a_value_without_a_unit_agrees_with_no_number() -> None:
    assert not agrees("2", Quantity(2.0, "", 2.0, 2.0), north_up=True)
