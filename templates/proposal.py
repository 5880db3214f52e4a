"""Questions that a model proposes, read: closed nouns, or what is wrong with them.

A reply is JSON and nothing else. Programs and masks are read as data of the closed language of
`schemas.program`; nothing in them is ever run as code.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.program import load_mask, load_program
from schemas.rejection import Reason
from templates.replies import Fault

MOST_CHARACTERS = 40_000  # of a reply
MOST_QUESTIONS = 4
MOST_STEPS = 16
_FENCED = re.compile(r"\s*```(?:json)?\s*\n(?P<inside>.*?)\n\s*```\s*", re.DOTALL)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Step(_Strict):
    text: str = Field(min_length=3, max_length=600)
    mask: dict[str, Any] | None = None


class _Question(_Strict):
    category: Literal["spatial", "semantic"]
    question: str = Field(min_length=8, max_length=400)
    steps: list[_Step] = Field(min_length=2, max_length=MOST_STEPS)
    classes: list[str] = Field(min_length=1, max_length=12)
    answer: str = Field(min_length=1, max_length=120)
    program: dict[str, Any] | None = None
    rule: str = ""
    premises: dict[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedStep:
    """One step: its text, with at most one [SEG], and the mask expression that this marks."""

    text: str
    mask: Any | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One question as it was proposed.

    `program` is that of a spatial question; a semantic one names a `rule` and says what it takes
    the `premises` to be. `answer` is the writer's own.
    """

    category: Literal["spatial", "semantic"]
    question: str
    steps: tuple[ProposedStep, ...]
    classes: tuple[str, ...]
    answer: str
    program: Any | None
    rule: str
    premises: Mapping[str, str]


Read = Proposal | tuple[Fault, ...]


def read_proposals(text: str, finish_reason: str) -> list[Read] | Fault:
    """Return the questions of a reply, each read or with its faults; a fault of the whole reply."""
    if not text.strip():
        return Fault(reason=Reason.EMPTY_REPLY, detail="the reply is empty")
    if finish_reason == "length" or len(text) > MOST_CHARACTERS:
        detail = f"the reply is not finished after {len(text):,} characters; write less"
        return Fault(reason=Reason.CUT_REPLY, detail=detail)
    fenced = _FENCED.fullmatch(text)
    try:
        tree = json.loads(fenced["inside"] if fenced else text)
    except (ValueError, RecursionError) as error:
        detail = f"the reply is not JSON: {error}"
        return Fault(reason=Reason.BAD_REPLY, detail=detail)
    items = tree.get("questions") if isinstance(tree, dict) and set(tree) == {"questions"} else None
    if not isinstance(items, list) or not items:
        detail = 'the reply is not {"questions": [...]} with at least one question'
        return Fault(reason=Reason.BAD_REPLY, detail=detail)
    if len(items) > MOST_QUESTIONS:
        detail = f"the reply holds {len(items)} questions; at most {MOST_QUESTIONS} are asked for"
        return Fault(reason=Reason.BAD_REPLY, detail=detail)
    return [_read(item) for item in items]


def _read(item: Any) -> Read:
    try:
        question = _Question.model_validate(item)
    except (ValidationError, RecursionError) as error:
        return (Fault(reason=Reason.BAD_REPLY, detail=_first(error)),)
    faults = list(_shape_faults(question))
    program: Any | None = None
    steps: list[ProposedStep] = []
    try:
        if question.program is not None:
            program = load_program(json.dumps(question.program))
        for step in question.steps:
            mask = None if step.mask is None else load_mask(json.dumps(step.mask))
            steps.append(ProposedStep(text=" ".join(step.text.split()), mask=mask))
    except (ValueError, RecursionError) as error:
        faults.append(Fault(reason=Reason.BAD_PROGRAM, detail=_first(error)))
    if faults:
        return tuple(faults)
    return Proposal(
        category=question.category,
        question=" ".join(question.question.split()),
        steps=tuple(steps),
        classes=tuple(question.classes),
        answer=question.answer.strip(),
        program=program,
        rule=question.rule,
        premises=question.premises,
    )


def _shape_faults(question: _Question) -> Iterator[Fault]:
    if question.category == "spatial" and (question.program is None or question.rule):
        yield Fault(
            reason=Reason.BAD_PROGRAM, detail="a spatial question carries a program and no rule"
        )
    if question.category == "semantic" and (question.program is not None or not question.rule):
        yield Fault(
            reason=Reason.BAD_RULE,
            detail="a semantic question names a rule of the list, which is its program",
        )


def _first(error: Exception) -> str:
    """Return what is wrong in one line; of many faults the first."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the question"
        return f"{where}: {first['msg']}"
    return f"{error}"[:300]
