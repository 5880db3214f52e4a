"""What a model is asked that puts a bench question in other words, and how its reply is read."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.captions.row import writer_json
from tasks.completer import Call, Sampling, Turn
from templates.prompts import REPHRASE, REPHRASE_REPAIR
from templates.rewording import VERSION

PROMPT_VERSIONS = [REPHRASE.name, REPHRASE_REPAIR.name]
REPHRASE_TOKENS = 160  # of a reply: three times the longest question of a template
_SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string"}},
    "required": ["question"],
    "additionalProperties": False,
}


class _Wording(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    question: str = Field(min_length=8, max_length=600)


class Reworded(BaseModel):
    """What a row keeps of other words, beside the question: the template's own, and who wrote.

    `rewording` is the version of the program that let them pass.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    asked: str
    prompt: str
    rewording: str

    @property
    def is_of_today(self) -> bool:
        """Whether prompt and program are those of this code."""
        return (self.prompt, self.rewording) == (REPHRASE.name, str(VERSION))


def rephrase_call(row: Mapping[str, Any], source: str, sampling: Sampling) -> Call:
    """Return the call for a candidate's question; the seed is its own, so that wordings vary."""
    return Call(
        turns=(Turn(role="user", text=REPHRASE.fill(question=row["question"])),),
        prompt=REPHRASE.name,
        source=source,
        sampling=Sampling(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=min(REPHRASE_TOKENS, sampling.max_tokens),
            seed=int(row["sample_id"][:7], 16),
        ),
        json_schema=_SCHEMA,
    )


def repair_call(call: Call, reply: str, fault: str) -> Call:
    """Return the call that tells what was wrong with a wording."""
    return Call(
        turns=(
            *call.turns,
            Turn(role="assistant", text=reply),
            Turn(role="user", text=REPHRASE_REPAIR.fill(fault=fault)),
        ),
        prompt=REPHRASE_REPAIR.name,
        source=call.source,
        sampling=call.sampling,
        json_schema=call.json_schema,
    )


def read_wording(text: str) -> str | None:
    """Return the question of a reply, None where the reply is not what was asked for."""
    try:
        return " ".join(_Wording.model_validate_json(text).question.split())
    except ValidationError:
        return None


def reworded_json(who: Mapping[str, str], call: Call, asked: str) -> str:
    """Return who put a question in other words, and what its template asked, as JSON."""
    return writer_json({**who, "asked": asked, "rewording": str(VERSION)}, call, REPHRASE.name)


def read_reworded(writer: str) -> Reworded | None:
    """Return what a row's `writer` keeps of other words, None where a template's stand there.

    ValueError where it is neither.
    """
    return Reworded.model_validate(json.loads(writer)) if writer else None
