"""Whether a question asks what its program answers, and does not give the answer away."""

import re
from collections.abc import Iterator
from typing import Any

from schemas.rejection import Reason
from schemas.trace import value_text
from schemas.value import Name, Quantity, Value
from templates.judging import questions_of
from templates.question_reading import form_fault
from templates.replies import Fault
from templates.rule import BoundRule
from templates.told import Told
from templates.view import View

_IMAGE = re.compile(r"\b[Ii]mage \d+")
_UNSEEN = re.compile(r"[<>\[\]\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e]")


def question_faults(
    question: str, program: Any, value: Value, told: Told, view: View, bound: BoundRule | None
) -> Iterator[Fault]:
    """Yield everything in which a question and its program differ, or that gives the answer away.

    A question of a rule, `bound`, is one of the rule's own wordings: a judgement can be asked in
    too many words that mean another one.
    """
    if not question.endswith("?") or _UNSEEN.search(question):
        detail = f"a question is plain words and ends with a question mark: {question!r}"
        yield Fault(reason=Reason.OFF_QUESTION, detail=detail)
        return
    if _gives_away(question, program, value, told, bound):
        answer = value_text(value, told.north_up)
        detail = f"the question holds its answer, {answer!r}: {question!r}"
        yield Fault(reason=Reason.GIVES_AWAY, detail=detail)
    elif bound is not None:
        if question not in questions_of(bound, view):
            known = " | ".join(sorted(questions_of(bound, view)))
            detail = f"a question of the rule {bound.rule.id} is one of: {known}"
            yield Fault(reason=Reason.OFF_QUESTION, detail=detail)
    elif fault := form_fault(question, program, told, view):
        yield Fault(reason=Reason.OFF_QUESTION, detail=f"{question!r}: {fault}")


def choices_of(program: Any) -> tuple[str, ...]:
    """Return the closed set of names that a program can come to, () where there is none."""
    named = getattr(program, "of", ())
    return tuple(part.name for part in named) if isinstance(named, tuple) else ()


def _gives_away(
    question: str, program: Any, value: Value, told: Told, bound: BoundRule | None
) -> bool:
    answer = value_text(value, told.north_up)
    if isinstance(value, Quantity):
        return _holds(_IMAGE.sub("", question), answer)
    if isinstance(value, Name) and _holds(question, answer):
        others = bound.rule.choices if bound else choices_of(program)
        return not all(_holds(question, other) for other in others)
    return False


def _holds(text: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.IGNORECASE) is not None
