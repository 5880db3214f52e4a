"""What a judge and a blind model make of questions, and what becomes of these."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from schemas.rejection import Reason
from tasks.completer import Call, CallFailed, FailedBecause, Reply
from tasks.composition.review import Reviewed, review
from tasks.composition.settings import BlindSettings, ComposerSettings, JudgeSettings

WHERE = {"kind": "url", "url": "http://127.0.0.1:9/v1", "model": "any"}
GOOD = {"naturalness": 4, "difficulty": 2, "needs_image": True}


class Asked:
    """A model that answers by a function of the call's text, and notes what it was asked."""

    def __init__(self, answer: Callable[[str], str | Exception]) -> None:
        self.identity = {"kind": "scripted"}
        self.answer = answer
        self.calls: list[Call] = []

    async def complete(self, call: Call) -> Reply:
        self.calls.append(call)
        reply = self.answer(call.turns[-1].text)
        if isinstance(reply, Exception):
            raise reply
        return Reply(text=reply, finish_reason="stop", prompt_tokens=50, completion_tokens=5)


def row(number: int, *options: str, letter: str = "") -> dict[str, Any]:
    at = "ABCD".index(letter) if letter else 0
    return {
        "sample_id": f"q{number}",
        "scene_id": f"scene{number}",
        "question": f"Question {number}?",
        "options": list(options),
        "answer": {"text": options[at] if options else "12 ha", "letter": letter},
        "steps": [{"text": "I mark the water [SEG]."}, {"text": "I measure it."}],
        "judged": None,
    }


YES_NO, NAMES, OPEN = row(1, "Yes", "No", letter="B"), row(2, "a", "b", "c", letter="A"), row(3)


def reviewed(
    rows: list[dict[str, Any]],
    judge: Asked | None = None,
    blind: Asked | None = None,
    **least: Any,
) -> Reviewed:
    settings = ComposerSettings(
        judge=JudgeSettings(**WHERE, **least) if judge else None,
        blind=BlindSettings(**WHERE) if blind else None,
    )
    return asyncio.run(review(rows, "xbd", settings, judge, blind, 0))


def marks(**changes: Any) -> str:
    return json.dumps({**GOOD, **changes})


def failing(_: str) -> Exception:
    return CallFailed(FailedBecause.EXHAUSTED, "503")


def letter(text: str) -> Callable[[str], str]:
    return lambda _: json.dumps({"letter": text})


def test_without_models_nothing_happens() -> None:
    found = reviewed([YES_NO, OPEN])
    assert found == Reviewed(rows=[YES_NO, OPEN])


def test_a_judge_reads_question_options_answer_and_steps() -> None:
    judge = Asked(lambda _: marks())
    reviewed([NAMES, OPEN], judge)
    first, second = (call.turns[-1].text for call in judge.calls)
    assert "Question 2?" in first
    assert "Options: a; b; c" in first
    assert "Answer: a" in first
    assert "I mark the water [SEG]. I measure it." in first
    assert "Options: none, the answer is open" in second
    assert not any(turn.images for call in judge.calls for turn in call.turns)


def test_a_judges_marks_are_stored_and_change_nothing_else() -> None:
    found = reviewed([YES_NO, OPEN], Asked(lambda _: marks()))
    assert found.rows == [{**YES_NO, "judged": GOOD}, {**OPEN, "judged": GOOD}]
    assert found.rejected == []
    assert found.tallies["judge: questions marked"] == 2
    assert found.tallies["judge: prompt tokens"] == 100


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        ({"naturalness": 2}, "naturalness 2, under 3"),
        ({"needs_image": False}, "does not need the image"),
        ({"naturalness": 1, "needs_image": False}, "naturalness 1, under 3"),
    ],
)
def test_low_marks_refuse_a_question_and_say_why(mark, why) -> None:
    judge = Asked(lambda text: marks(**mark) if "Question 1?" in text else marks())
    found = reviewed([YES_NO, OPEN], judge)
    assert [row["sample_id"] for row in found.rows] == ["q3"]
    (rejected,) = found.rejected
    assert (rejected.sample_id, rejected.reason) == ("q1", Reason.LOW_MARKS)
    assert why in rejected.detail
    assert "Question 1?" in rejected.detail


def test_how_low_is_low_is_set() -> None:
    easy = Asked(lambda _: marks(naturalness=1, difficulty=1, needs_image=False))
    assert reviewed([OPEN], easy, least_naturalness=1, needs_image=False).rejected == []
    (rejected,) = reviewed([OPEN], Asked(lambda _: marks()), least_difficulty=3).rejected
    assert "difficulty 2, under 3" in rejected.detail


@pytest.mark.parametrize(
    "reply",
    ["", "4 of 5", "{}", marks(naturalness="4"), marks(naturalness=6), marks(difficulty=0),
     marks(needs_image="yes"), marks(note="nice"), marks()[:20], f"```json\n{marks()}\n```"],
)  # fmt: skip
def test_marks_that_cannot_be_read_leave_the_question_as_it_was(reply) -> None:
    found = reviewed([YES_NO], Asked(lambda _: reply))
    assert found.rows == [YES_NO]
    assert found.rejected == []
    assert found.tallies["judge: replies that could not be read"] == 1


def test_a_blind_model_sees_the_options_and_no_image() -> None:
    blind = Asked(letter("A"))
    reviewed([NAMES], blind=blind)
    (call,) = blind.calls
    (turn,) = call.turns
    assert turn.images == ()
    assert "Question 2?" in turn.text
    assert "A. a\nB. b\nC. c" in turn.text
    assert "I mark" not in turn.text
    assert "Answer: " not in turn.text
    assert call.json_schema["properties"]["letter"]["enum"] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("guess", "guessed"),
    [("B", True), (" b ", True), ("B. No", True), ("A", False), ("", False), ("Z", False)],
)
def test_a_guess_is_stored_as_right_or_wrong(guess, guessed) -> None:
    found = reviewed([YES_NO], blind=Asked(letter(guess)))
    assert found.rows == [{**YES_NO, "guessed": guessed}]
    assert found.rejected == []


def test_a_guess_that_cannot_be_read_is_no_right_one() -> None:
    found = reviewed([YES_NO], blind=Asked(lambda _: "It must be B."))
    assert found.rows == [{**YES_NO, "guessed": False}]


def test_only_questions_with_options_are_guessed() -> None:
    blind = Asked(letter("A"))
    found = reviewed([OPEN, NAMES, YES_NO], blind=blind)
    assert len(blind.calls) == 2
    assert [row.get("guessed") for row in found.rows] == [None, True, False]
    assert found.tallies["blind: guessed"] == found.tallies["blind: not guessed"] == 1


def test_a_call_without_a_reply_leaves_the_question_and_is_counted() -> None:
    found = reviewed([YES_NO, NAMES], Asked(failing), Asked(failing))
    assert found.rows == [YES_NO, NAMES]
    assert found.rejected == []
    assert found.tallies["calls without a reply"] == 4


def test_what_a_judge_refuses_is_not_guessed() -> None:
    judge = Asked(lambda text: marks(naturalness=1) if "Question 1?" in text else marks())
    blind = Asked(letter("A"))
    found = reviewed([YES_NO, NAMES], judge, blind)
    assert len(blind.calls) == 1
    assert found.rows == [{**NAMES, "judged": GOOD, "guessed": True}]


def test_every_question_is_there_still_or_refused() -> None:
    rows = [row(number, "Yes", "No", letter="A") for number in range(20)]
    judge = Asked(lambda text: marks(naturalness=1 + len(text) % 5))
    found = reviewed(rows, judge, Asked(letter("A")))
    ids = {row["sample_id"] for row in found.rows} | {r.sample_id for r in found.rejected}
    assert ids == {row["sample_id"] for row in rows}
    assert len(found.rows) + len(found.rejected) == len(rows)
