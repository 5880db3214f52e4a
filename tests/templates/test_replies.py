"""Replies of a writer: what is read from them, and what is refused under which gate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.program import ClassMask
from schemas.rejection import Reason
from schemas.scene import Modality
from schemas.taxonomy import CHATEARTHNET_11
from templates.regions import Region
from templates.replies import MOST_REPEATS, ParsedReply, parse_reply
from templates.sentences import normal_space, split_sentences
from templates.view import ImageInfo, View


def view_of(*dates: int) -> View:
    return View(
        images=tuple(
            ImageInfo(
                index=place,
                role="single",
                modality=Modality.OPTICAL,
                rendering="rgb",
                date_index=date,
                cloudy=False,
            )
            for place, date in enumerate(dates)
        )
    )


def region(number: int, name: str, date: int = 0) -> Region:
    return Region(
        number=number,
        label=name,
        land=CHATEARTHNET_11[name],
        expr=ClassMask(layer="land_cover", label=name, date=date),
        date_index=date,
    )


ONE_DATE = view_of(0)
WATER, CROP = region(1, "water"), region(2, "crop")
GOOD = (
    "<think>The water [SEG 1] lies in the north of the image. It borders the cropland [SEG 2], "
    "which is the larger of the two.</think>"
    "<caption>A lake and fields. The fields are in the south.</caption>"
)


def parsed(text: str, finish: str = "stop", regions=(WATER, CROP), view: View = ONE_DATE):
    return parse_reply(text, finish, regions, view)


def gates(text: str, finish: str = "stop", regions=(WATER, CROP), view: View = ONE_DATE):
    faults = parsed(text, finish, regions, view)
    return [] if isinstance(faults, ParsedReply) else [fault.reason for fault in faults]


def test_a_good_reply_is_read_sentence_by_sentence_with_the_regions_that_it_marks():
    reply = parsed(GOOD)
    assert isinstance(reply, ParsedReply)
    assert [thought.text for thought in reply.thoughts] == [
        "The water [SEG] lies in the north of the image.",
        "It borders the cropland [SEG], which is the larger of the two.",
    ]
    assert [thought.regions for thought in reply.thoughts] == [(WATER,), (CROP,)]
    assert reply.caption == ("A lake and fields.", "The fields are in the south.")


def test_a_sentence_with_two_marks_becomes_two_steps_that_joined_give_it_again():
    text = GOOD.replace(
        "The water [SEG 1] lies in the north of the image. It borders the cropland [SEG 2],",
        "The water [SEG 1], which lies in the north, borders the cropland [SEG 2];",
    )
    reply = parsed(text)
    assert isinstance(reply, ParsedReply)
    (thought,) = reply.thoughts
    steps = thought.steps()
    assert steps == [
        "The water [SEG],",
        "which lies in the north, borders the cropland [SEG]; which is the larger of the two.",
    ]
    assert " ".join(steps) == thought.text


@pytest.mark.parametrize(
    ("text", "finish", "gate"),
    [
        ("", "stop", Reason.EMPTY_REPLY),
        (" \n ", "stop", Reason.EMPTY_REPLY),
        (GOOD[:60], "length", Reason.CUT_REPLY),
        (GOOD, "length", Reason.CUT_REPLY),
        (GOOD.replace("It borders", "The water is near. " * 5 + "It borders"), "stop", "repeated"),
        ("<think>" + "the water and " * 300, "length", Reason.REPEATED_TEXT),
        ("<think>L'eau [SEG 1] touche les champs cultivés [SEG 2] du nord.</think>"
         "<caption>Un lac et des champs cultivés.</caption>", "stop", Reason.WRONG_LANGUAGE),
        ("<think>水体[SEG 1]位于图像北部 农田 [SEG 2] 在 南部 很 大 的 一 片 地方 和 树木</think>"
         "<caption>湖 与 农田</caption>", "stop", Reason.WRONG_LANGUAGE),
        ("Sure! " + GOOD, "stop", Reason.BAD_REPLY),
        (GOOD + " I hope this helps with the image.", "stop", Reason.BAD_REPLY),
        (GOOD.replace("<caption>", "<answer>").replace("</caption>", "</answer>"), "stop",
         Reason.BAD_REPLY),
        (GOOD.replace("A lake", "<image> A lake"), "stop", Reason.BAD_REPLY),
        (GOOD.replace("A lake", "<|im_end|> A lake"), "stop", Reason.BAD_REPLY),
        (GOOD.replace("A lake", "A \x00 lake"), "stop", Reason.BAD_REPLY),
        (GOOD.replace("A lake and fields. The fields are in the south.", " "), "stop",
         Reason.BAD_REPLY),
        (GOOD.replace("[SEG 2]", "[SEG 7]"), "stop", Reason.BAD_MARK),
        (GOOD.replace("[SEG 2]", "[SEG 1]"), "stop", Reason.BAD_MARK),
        (GOOD.replace(" [SEG 2]", ""), "stop", Reason.BAD_MARK),
        (GOOD.replace("[SEG 2]", "[SEG two]"), "stop", Reason.BAD_MARK),
        (GOOD.replace("[SEG 2]", "[SEG]"), "stop", Reason.BAD_MARK),
        (GOOD.replace("A lake", "A lake [SEG 1]"), "stop", Reason.BAD_MARK),
        (GOOD.replace(" lies in the north of the image. It borders the cropland ", ""), "stop",
         Reason.BAD_MARK),
    ],
)  # fmt: skip
def test_every_other_reply_is_refused_under_its_own_gate(text, finish, gate):
    found = gates(text, finish)
    assert found, "the reply was accepted"
    assert found[0] == (Reason.REPEATED_TEXT if gate == "repeated" else gate)


def test_all_wrong_marks_are_told_at_once_in_words_that_a_writer_can_follow():
    faults = parsed(GOOD.replace("[SEG 2]", "[SEG 9]"))
    assert not isinstance(faults, ParsedReply)
    told = [fault.detail for fault in faults]
    assert told == ["[SEG 9]: there is no region 9", "region 2 (cropland) has no mark [SEG 2]"]


def test_with_two_dates_a_mark_stands_in_a_sentence_that_says_which_image():
    regions = (region(1, "water", 0), region(2, "water", 1))
    text = (
        "<think>Image 1: The water [SEG 1] is in the north of the image. "
        "Image 2: The water [SEG 2] is larger in this one.</think>"
        "<caption>The water in the north grew.</caption>"
    )
    view = view_of(0, 1)
    assert gates(text, regions=regions, view=view) == []
    swapped = text.replace("Image 2: ", "")
    assert gates(swapped, regions=regions, view=view) == [Reason.BAD_MARK]


def test_a_sentence_may_stand_there_as_often_as_prose_repeats_itself():
    text = GOOD.replace("It borders", "It is blue. " * MOST_REPEATS + "It borders")
    assert gates(text) == []


@given(st.text(max_size=300), st.sampled_from(["stop", "length"]))
def test_no_text_at_all_makes_the_reader_fail(text, finish):
    for reply in (text, f"<think>{text} [SEG 1]</think><caption>{text}</caption>"):
        found = parsed(reply, finish)
        assert isinstance(found, ParsedReply) or all(fault.detail for fault in found)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two.", ["One.", "Two."]),
        ("It covers 3.5 ha of land. It is large.", ["It covers 3.5 ha of land.", "It is large."]),
        ("About approx. 40 % is water. Good.", ["About approx. 40 % is water.", "Good."]),
        ("Crops, i.e. Fields, lie there. Yes!", ["Crops, i.e. Fields, lie there.", "Yes!"]),
        ("Image 1: water [SEG]. Image 2: more.", ["Image 1: water [SEG].", "Image 2: more."]),
        ("No stop at the end", ["No stop at the end"]),
        ("", []),
    ],
)  # fmt: skip
def test_sentences_end_at_full_stops_and_not_inside_numbers_or_abbreviations(text, sentences):
    assert split_sentences(text) == sentences


@given(st.text(alphabet="abAB. !?\"')(1[]", max_size=80))
def test_sentences_joined_give_the_text_again_and_are_cut_the_same_way_once_more(text):
    text = normal_space(text)
    sentences = split_sentences(text)
    assert " ".join(sentences) == text
    assert split_sentences(" ".join(sentences)) == sentences
