"""What a composer, a judge and a blind guesser are asked."""

import string
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.rejection import Reason
from tasks.completer import Call, Sampling, Turn
from tasks.seen_scene import SeenScene
from templates.compose_fields import compose_fields
from templates.prompts import BLIND, COMPOSE, COMPOSE_REPAIR, COMPOSE_SYSTEM, JUDGE
from templates.replies import Fault

PROMPT_VERSIONS = {  # by who is asked
    "composer": [COMPOSE_SYSTEM.name, COMPOSE.name, COMPOSE_REPAIR.name],
    "judge": [JUDGE.name],
    "blind": [BLIND.name],
}
JUDGE_TOKENS = 64
BLIND_TOKENS = 16


class Marks(BaseModel):
    """What a judge says of a question."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    naturalness: int = Field(ge=1, le=5)
    difficulty: int = Field(ge=1, le=5)
    needs_image: bool


class _Guess(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    letter: str


def compose_call(
    seen: SeenScene, caption: str, pictures: Sequence[bytes], sampling: Sampling
) -> Call:
    """Return the first call of a scene: the prompt, filled, with its pictures."""
    text = COMPOSE.fill(**compose_fields(seen.facts, seen.ground, caption))
    return Call(
        turns=(
            Turn(role="system", text=COMPOSE_SYSTEM.fill()),
            Turn(role="user", text=text, images=tuple(pictures)),
        ),
        prompt=COMPOSE.name,
        source=seen.source,
        sampling=sampling,
    )


def repair_call(call: Call, reply: str, faults: Sequence[tuple[str, Sequence[Fault]]]) -> Call:
    """Return the call that tells what was wrong with which question; "" names the whole reply."""
    told = "\n".join(
        f"- {question or 'the reply'}: " + "; ".join(fault.detail for fault in found)
        for question, found in faults
    )
    return Call(
        turns=(
            *call.turns,
            Turn(role="assistant", text=reply),
            Turn(role="user", text=COMPOSE_REPAIR.fill(faults=told)),
        ),
        prompt=COMPOSE_REPAIR.name,
        source=call.source,
        sampling=call.sampling,
    )


def judge_call(row: dict[str, Any], source: str, sampling: Sampling) -> Call:
    """Return the call that has a question marked."""
    text = JUDGE.fill(
        question=row["question"],
        options="; ".join(row["options"]) or "none, the answer is open",
        answer=row["answer"]["text"],
        steps=" ".join(step["text"] for step in row["steps"]),
    )
    schema = {
        "type": "object",
        "properties": {
            "naturalness": {"type": "integer", "enum": [1, 2, 3, 4, 5]},
            "difficulty": {"type": "integer", "enum": [1, 2, 3, 4, 5]},
            "needs_image": {"type": "boolean"},
        },
        "required": ["naturalness", "difficulty", "needs_image"],
        "additionalProperties": False,
    }
    return _short(text, JUDGE.name, source, sampling, JUDGE_TOKENS, schema)


def blind_call(row: dict[str, Any], source: str, sampling: Sampling) -> Call:
    """Return the call that has a question guessed without its images."""
    letters = string.ascii_uppercase[: len(row["options"])]
    options = "\n".join(f"{a}. {text}" for a, text in zip(letters, row["options"], strict=True))
    schema = {
        "type": "object",
        "properties": {"letter": {"type": "string", "enum": list(letters)}},
        "required": ["letter"],
        "additionalProperties": False,
    }
    text = BLIND.fill(question=row["question"], options=options)
    return _short(text, BLIND.name, source, sampling, BLIND_TOKENS, schema)


def read_marks(text: str) -> Marks | Fault:
    """Return a judge's marks, or what is wrong with its reply."""
    try:
        return Marks.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        detail = f"marks: {'.'.join(map(str, first['loc']))}: {first['msg']}; got {text[:80]!r}"
        return Fault(reason=Reason.BAD_REPLY, detail=detail)


def read_guess(text: str) -> str:
    """Return the letter that was guessed, "" where the reply holds none."""
    try:
        return _Guess.model_validate_json(text).letter.strip().upper()[:1]
    except ValidationError:
        return ""


def _short(
    text: str,
    prompt: str,
    source: str,
    sampling: Sampling,
    max_tokens: int,
    schema: dict[str, Any],
) -> Call:
    return Call(
        turns=(Turn(role="user", text=text),),
        prompt=prompt,
        source=source,
        sampling=Sampling(
            temperature=0.0, top_p=sampling.top_p, max_tokens=max_tokens, seed=sampling.seed
        ),
        json_schema=schema,
    )
