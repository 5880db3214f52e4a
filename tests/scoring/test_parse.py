"""The parse rule, case by case."""

import pytest

from tasks.scoring.parse import How, answer_part, choose, says

NUMBERS = ("10 %", "20 %", "30 %", "40 %")
YES_NO = ("Yes", "No")
COVERS = ("A forest", "Bare land", "Crop", "Developed area")

CASES = [
    # reply, options, letter or None
    ("B", NUMBERS, "B"),
    ("b", NUMBERS, "B"),
    ("(b)", NUMBERS, "B"),
    ("B.", NUMBERS, "B"),
    ("**C**", NUMBERS, "C"),
    ("  D) 40 %", NUMBERS, "D"),
    ("B 20 %", NUMBERS, "B"),
    ("c. 30 %", NUMBERS, "C"),
    ("Answer: (B)", NUMBERS, "B"),
    ("The answer is D", NUMBERS, "D"),
    ("The answer is d.", NUMBERS, "D"),
    ("The correct option is (c).", NUMBERS, "C"),
    ("I think that it is C.", NUMBERS, "C"),
    ("Option A is correct.", NUMBERS, "A"),
    ("The answer is A because it covers little.", NUMBERS, "A"),
    ("A is right.", NUMBERS, "A"),
    ("A lake covers some of it, so B.", NUMBERS, "B"),  # an article is no letter
    ("The U.S.A. has 20 of them, so it is D", NUMBERS, "D"),  # letters inside a word
    ("At 35 °C the A-road is C", NUMBERS, "C"),
    ("It's N/A", NUMBERS, None),
    ("a", NUMBERS, "A"),
    ("a lot", NUMBERS, None),
    ("B or C", NUMBERS, "B"),
    ("Not B but C", NUMBERS, "B"),
    ("E", NUMBERS, None),  # is not offered
    ("E. 50 %", NUMBERS, None),
    ("C", YES_NO, None),
    ("20 %", NUMBERS, "B"),
    ("20 %.", NUMBERS, "B"),
    ('"30 %"', NUMBERS, "C"),
    ("about 20 %", NUMBERS, None),
    ("yes", YES_NO, "A"),
    ("No, they do not touch.", YES_NO, "B"),
    ("Yes, they touch.", YES_NO, "A"),
    ("There is no water", YES_NO, None),
    ("Nothing", YES_NO, None),
    ("bare land", COVERS, "B"),
    ("A forest", COVERS, "A"),
    ("Crop", COVERS, "C"),
    ("", NUMBERS, None),
    ("I cannot see the image.", NUMBERS, None),
]


@pytest.mark.parametrize(("reply", "options", "letter"), CASES, ids=[case[0] for case in CASES])
def test_what_a_reply_chooses(reply: str, options: tuple[str, ...], letter: str | None) -> None:
    place = None if letter is None else "ABCD".index(letter)
    assert choose(answer_part(reply), options).option == place


TAGGED = [
    ("<think>A or C?</think><answer>B. 20 %</answer>", "B. 20 %"),
    ("<think>A or C?</think>\n<answer> d </answer> done", "d"),
    ("<answer>A</answer> no: <answer>B</answer>", "B"),  # the last one
    ("<answer>C", "C"),  # cut off
    ("<think>so it is A</think>B", "B"),
    ("<think>it may be A, or", ""),  # a thought without an end
    ("<answer></answer> A", ""),
    ("B", "B"),
]


@pytest.mark.parametrize(("reply", "part"), TAGGED, ids=[case[0] for case in TAGGED])
def test_the_part_that_the_answer_is_read_from(reply: str, part: str) -> None:
    assert answer_part(reply) == part


def test_how_an_answer_was_found_is_told() -> None:
    found = [
        choose(said, NUMBERS).how
        for said in ("B", "20 %", "It must be B", "the answer is b.", "it is not clear")
    ]
    assert found == [
        How.LEADING_LETTER,
        How.OPTION_TEXT,
        How.FIRST_LETTER,
        How.SMALL_LETTER,
        How.NOT_AT_ALL,
    ]


def test_the_first_of_two_options_of_equal_words_is_chosen() -> None:
    assert choose("25", ("12", "25", "40", "25")).option == 1


@pytest.mark.parametrize(
    ("said", "answer", "right"),
    [
        ("Yes", "Yes", True),
        ("yes.", "Yes", True),
        ("B. north-east", "north-east", True),
        ("1200 m", "1,200 m", True),
        ("12,000 m²", "1.2 ha", True),
        ("1.2 km²", "120 ha", True),
        ("1.2 km²", "1.2 ha", False),
        ("1.5 km", "1,500 m", True),
        ("1.5 km", "1.5 km²", False),
        ("0.07 ha", "700 m²", True),  # 700.0000000000001
        ("0.49", "49 %", False),
        ("48 %", "49 %", False),
        ("north", "north-east", False),
    ],
)
def test_an_open_answer_is_held_against_words(said: str, answer: str, right: bool) -> None:
    assert says(said, answer) is right
